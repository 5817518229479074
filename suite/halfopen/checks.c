/* halfopen: clients that are there, and that say when they end. (checks_lost.c has those that are
 * gone, or silent.) */
#define LAB halfopen
#include "service.h"

CHECK(server_runs_until_told, "halfopen.1", "halfopen-server") {
  expect_runs_until_told(start_server());
  fresh_world();
  expect_ends_when_interrupted(start_server());

  fresh_world();
  struct program *server = start_server();
  tcp_send_text(connect_from("client", "127.0.0.1"), PING "pi");
  tcp_connect("silent client", "127.0.0.2", at_home());
  pass(1);
  expect_ends_when_told(server, "while two clients are connected");
}

/* ---- answers ---- */

CHECK(server_answers_each_line, "halfopen.1", "halfopen-server") {
  enum { MANY = 2000 };
  struct program *server = start_server();
  struct connection *client = connect_from("client", "127.0.0.1");
  tcp_send_text(client, PING);
  expect_pongs(server, client, 1, "a client that sends one “ping”",
               "does it wait for more than a line? is the answer in a buffer (fflush)?");
  tcp_send_text(client, PING);
  expect_pongs(server, client, 2, "a client that sends a second “ping”",
               "each line of a client is answered, not the first only");
  tcp_send_text(client, "pi");
  pass(0.2);
  expect_pongs(server, client, 2, "a client of whose third line only “pi” has come",
               "recv() may return half a line: keep it until its newline comes");
  tcp_send_text(client, "ng\n");
  expect_pongs(server, client, 3, "a client whose line comes in two segments, “pi” and “ng”,",
               "recv() may return half a line: keep it until the rest is there");
  tcp_send_text(client, PING PING PING);
  expect_pongs(server, client, 6, "a client that sends three lines in one segment",
               "one recv() may return several lines: answer each of them");
  tcp_send_text(client, PING "pin");
  pass(0.1);
  tcp_send_text(client, "g\n" PING);
  expect_pongs(server, client, 9, "a client whose segments end in the middle of a line",
               "what stands behind the last newline belongs to the next line");
  tcp_send_cut(client, PING PING, 2 * strlen(PING), 1, 0.01);
  expect_pongs(server, client, 11, "a client that sends its lines byte by byte",
               "recv() may return one byte: a line is there when its newline is");
  char many[MANY * (sizeof PING - 1)];
  put_pings(many, MANY);
  tcp_send(client, many, sizeof many);
  expect_pongs(server, client, 11 + MANY, say("a client that sends %d lines at once", MANY),
               "a buffer may end in the middle of a line");
  pass(0.2);
  expect_pongs(server, client, 11 + MANY, "a client that is silent",
               "nobody has asked: each “ping” is answered once");
}

CHECK(server_serves_many_at_once, "halfopen.1", "halfopen-server") {
  enum { CLIENTS = 20, ROUNDS = 3 };
  static const char own_buffer[] =
      "each client needs its own buffer for what has come of a line: is it the half line of another "
      "one that is in the way?";
  struct connection *clients[CLIENTS];
  struct program *server = start_server();
  for (int i = 0; i < CLIENTS; i++) {
    const char *what = say("client %d", i + 1);
    clients[i] = connect_from(what, say("127.0.0.%d", i + 2));
    tcp_send_text(clients[i], i % 2 ? PING : PING "pi"); /* of some, half a line stays there */
    bool answered = await_pongs(clients[i], 1, PATIENCE);
    expect_pongs(server, clients[i], 1,
                 i == 0   ? what
                 : i == 1 ? say("%s, while another is there,", what)
                          : say("%s, while %d others are there,", what, i),
                 answered || i == 0        ? NULL
                 : is_accepted(clients[i]) ? own_buffer
                                           : too_few_cause((size_t)i));
  }
  for (int i = 0; i < CLIENTS; i += 2)
    tcp_send_text(clients[i], "ng\n");
  for (size_t round = 0; round < ROUNDS; round++)
    for (int i = 0; i < CLIENTS; i++) {
      int k = (i * 7 + (int)round) % CLIENTS;
      tcp_send_text(clients[k], PING);
      expect_pongs(server, clients[k], 2 + (k % 2 == 0) + round,
                   say("client %d of %d", k + 1, CLIENTS), own_buffer);
    }
}

/* ---- lines about connections ---- */

static bool says(struct program *server, const struct connection *client, const char *word) {
  struct address from = tcp_local(client);
  struct lines all = lines(server, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    if (line_matches(all.list[i].text, say("Connection from %%a %s.", word), &from))
      return true;
  return false;
}

/* Why it is not said that a client has come, or gone (`is_end`); `socket` is the server's end. */
static const char *not_said_cause(struct program *server, const struct connection *client,
                                  const char *word, uint64_t socket) {
  struct address from = tcp_local(client), shown;
  bool is_end = strcmp(word, "closed") == 0, any = false;
  struct lines all = lines(server, STDOUT);
  for (size_t i = 0; i < all.count; i++) {
    if (!line_matches(all.list[i].text, say("Connection from %%A %s.", word), &shown))
      continue;
    any = true;
    if (shown.ip == from.ip && shown.port != from.port)
      return address_cause(from, shown);
  }
  if (is_end && says(server, client, "lost"))
    return "“lost” is said of a client that has closed its connection: recv() that returns 0 is an "
           "end in order";
  if (is_end)
    return sockets_open(server, &socket, 1) == 0
               ? "the server has closed its socket too, so it has noticed: it must print the line"
               : "recv() returns 0 when the client has closed";
  return any || all.count > 0
             ? "the words must be exactly these; is the line printed when the connection comes?"
             : "nothing is printed when a client comes: accept() returns its address";
}

/* `socket`: the server's end of it, while it was there. */
static void expect_said(struct program *server, const struct connection *client, uint64_t socket,
                        const char *word, const char *when) {
  double until = now() + PATIENCE;
  while (!says(server, client, word) && now() < until)
    pass(0.2);
  struct address from = tcp_local(client);
  bool waits = strcmp(word, "opened") == 0 && !tcp_other_end(client);
  EXPECT(says(server, client, word),
         .message = say("the server does not say that a connection is %s", word),
         .expected = say("Connection from %s %s., %s", address_text(from), word, when),
         .actual = say("%s\nthe server %s", printed(server), doing(server)),
         .cause =
             waits ? "it has not accepted this connection: does it serve one client at a time, or "
                     "so many only?"
                   : not_said_cause(server, client, word, socket));
}

CHECK(server_tells_who_comes_and_goes, "halfopen.1", "halfopen-server") {
  enum { CLIENTS = 4 };
  static const int leaving[CLIENTS] = {2, 0, 3, 1};
  struct connection *clients[CLIENTS];
  struct program *server = start_server();
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = connect_from(say("client %d", i + 1), say("127.0.0.%d", i + 2));
    if (i % 2 == 0) /* the others have nothing to say, until they leave */
      tcp_send_text(clients[i], PING);
    expect_said(server, clients[i], 0, "opened",
                i % 2 ? "though this client says nothing yet" : "when it has come");
  }
  for (int i = 0; i < CLIENTS; i++) {
    for (int k = i; k < CLIENTS; k++)
      EXPECT(!says(server, clients[leaving[k]], "closed"),
             .message = "the server says of a connection that is open that it is closed",
             .expected = "this line when the client has closed it, and for this client only",
             .actual = printed(server));
    uint64_t socket = tcp_other_end(clients[leaving[i]]);
    tcp_close(clients[leaving[i]]);
    expect_said(server, clients[leaving[i]], socket, "closed", "when its client has closed it");
  }
}

CHECK(server_listens_where_it_is_told_to, "halfopen.1", "halfopen-server") {
  struct program *server = start_server_at("127.0.0.1", OTHER_PORT);
  struct connection *client = tcp_connect("client", "127.0.0.1", address("127.0.0.1", OTHER_PORT));
  EXPECT(client,
         .message = say("the server that is started with 127.0.0.1 and %d cannot be reached there",
                        OTHER_PORT),
         .expected = "a connection", .actual = strerror(tcp_connect_error()));
  tcp_send_text(client, PING);
  expect_pongs(server, client, 1, "a client that sends one “ping”", NULL);
}

/* ---- half-close ---- */

/* How many answers come to `rounds` lines, sent one after another, and then to `last` in one
 * segment: as the end of the stream, or not. */
static struct connection *converse(struct program **server, size_t rounds, const char *last,
                                   size_t length, bool is_end) {
  fresh_world();
  *server = start_server();
  struct connection *client = connect_from("client", "127.0.0.1");
  for (size_t i = 0; i < rounds; i++) {
    tcp_send_text(client, PING);
    await_pongs(client, i + 1, PATIENCE);
  }
  if (is_end)
    tcp_send_last(client, last, length);
  else
    tcp_send(client, last, length);
  await_pongs(client, rounds + length / strlen(PING), PATIENCE);
  return client;
}

CHECK(server_answers_before_it_closes, "halfopen.2", "halfopen-server") {
  enum { MANY = 2000 };
  static char many[MANY * (sizeof PING - 1)];
  put_pings(many, MANY);
  static const struct {
    size_t rounds, lines;
    const char *what;
  } ends[] = {{1, 1, "a client that half-closes with its second “ping”"},
              {2, 0, "a client that half-closes when it has its answers"},
              {0, 1, "a client that half-closes with its only “ping”"},
              {0, 3, "a client that half-closes with its three lines"},
              {1, MANY, "a client that half-closes with its many lines"}};
  struct program *server = NULL;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    size_t length = ends[i].lines * strlen(PING);
    size_t wanted = ends[i].rounds + ends[i].lines;
    /* Who does not answer several lines in one segment at all has halfopen.1 to mend. */
    if (ends[i].lines > 1 && pongs(converse(&server, ends[i].rounds, many, length, false)) < wanted)
      continue;
    struct connection *client = converse(&server, ends[i].rounds, many, length, true);
    expect_pongs_and_end(server, client, ends[i].rounds, wanted, ends[i].what);
  }
}
