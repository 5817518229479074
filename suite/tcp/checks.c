/* tcp: the server, and one client in a world: whether it serves a second one is tcp.7's business.
 * (checks_server.c has the rest of the server's checks, checks_client.c the client's.) */
#define LAB tcp
#include "service.h"

static bool can_be_reached(struct address address) {
  return tcp_connect("client", NULL, address) != NULL;
}

CHECK(server_listens_on_127_0_0_1, "tcp.1", "tcp-server") {
  struct lan *lan = new_lan("LAN", 1500);
  struct host *stranger = new_host("stranger");
  attach(localhost(), lan, "192.168.1.2/24");
  attach(stranger, lan, "192.168.1.3/24");
  struct program *server = start("tcp-server");
  struct address listening = await_tcp_listening(server, PORT), wanted = at_home();
  const char *besides = tcp_listening_besides(server, wanted);
  EXPECT(address_equal(listening, wanted) && !besides,
         .message = "the server does not listen on 127.0.0.1 only",
         .expected = say("%s, and nothing else", address_text(wanted)),
         .actual =
             address_equal(listening, wanted) ? say("also %s", besides) : address_text(listening),
         .cause = listening.ip && can_be_reached(wanted)
                      ? say("there is a listening socket too many, %s: one is enough", besides)
                      : bound_cause(wanted, listening));
  EXPECT(!tcp_connect_at(stranger, "stranger", NULL, address("192.168.1.2", PORT)),
         .message = "the server can be reached from another host",
         .expected = "no connection to 192.168.1.2:60000", .actual = "there is one");
  expect_line(server, PATIENCE, "Listening at %a", &wanted);

  fresh_world();
  enum { OTHER_PORT = 60007 };
  wanted = address("127.0.0.2", OTHER_PORT);
  server = start("tcp-server", "127.0.0.2", "60007");
  /* Where it listens is tcp.14's business. */
  if (tcp_connect_when_ready(server, localhost(), wanted) && !tcp_listening_besides(server, wanted))
    expect_line(server, PATIENCE, "Listening at %a", &wanted);
}

static void check_addresses(struct program *server, struct connection *client) {
  struct address own = tcp_local(client), servers = tcp_remote(client);
  tcp_send_text(client, REQUEST);
  if (tcp_await_end(client, PATIENCE) == TCP_OPEN) /* it may print all of it only when it is done */
    tcp_finish(client);
  expect_line(server, PATIENCE, "A new TCP Connection from %a was accepted.", &own);
  expect_line(server, PATIENCE, "Socket Name: %a", &servers);
  expect_line(server, PATIENCE, "Socket Peer: %a", &own);
}

/* One more client, after the first, that the server serves; NULL if it does not, which is tcp.7's
 * business. It has sent its request, and the end of the server's stream has come. */
static struct connection *serve_next(void) {
  struct connection *next = tcp_connect("next client", "127.0.0.3", at_home());
  if (!next)
    return NULL;
  tcp_send_text(next, REQUEST);
  tcp_await_end(next, PATIENCE);
  return tcp_received(next).length > 0 ? next : NULL;
}

CHECK(server_shows_both_ends, "tcp.2", "tcp-server") {
  struct program *server = start_server();
  struct connection *first = connect_from("client", "127.0.0.2");
  check_addresses(server, first);
  tcp_close(first);
  struct connection *next = serve_next();
  if (next) {
    struct address own = tcp_local(next);
    expect_line(server, PATIENCE, "A new TCP Connection from %a was accepted.", &own);
    expect_line(server, PATIENCE, "Socket Peer: %a", &own);
  }

  /* The listening socket's name would be true above, and is not here. */
  fresh_world();
  server = start("tcp-server", "0.0.0.0");
  struct connection *client =
      tcp_connect_when_ready(server, localhost(), address("127.0.0.5", PORT));
  if (client) /* else tcp.14 has something to say */
    check_addresses(server, client);
}

/* Whether it shows a request that begins with the last piece of the one that came. */
static bool shows_last_piece(struct program *server, const char *text, size_t piece) {
  static const char words[] = "Receiving request: ";
  struct lines all = lines(server, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    if (strncmp(all.list[i].text, words, strlen(words)) == 0 &&
        strncmp(all.list[i].text + strlen(words), text + MESSAGE_SIZE - piece, piece) == 0)
      return true;
  return false;
}

CHECK(server_reads_sixteen_bytes, "tcp.3", "tcp-server") {
  static const struct {
    const char *text, *how;
    size_t first, then; /* the first piece, and each of those that follow */
  } cuts[] = {{REQUEST, "all at once", 16, 16},
              {"0123456789abcdef", "one byte at a time", 1, 1},
              {"Hello, server! 1", "in pieces of 7 and 9", 7, 9},
              {"50% 'of' it \\ %s", "in pieces of 15 and 1", 15, 1},
              {"01234\a67\x1b, 12 3\x7f", "with control characters in it", 16, 16}};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    if (i > 0)
      fresh_world();
    struct program *server = start_server();
    struct connection *client = connect_home();
    tcp_send(client, cuts[i].text, cuts[i].first);
    pass(0.05);
    tcp_send_cut(client, cuts[i].text + cuts[i].first, MESSAGE_SIZE - cuts[i].first, cuts[i].then,
                 0.05);
    if (await_line(server, STDOUT, PATIENCE, "Receiving request: %t", cuts[i].text) >= 0)
      continue;
    check_fail((struct failure_report){
        .message = say("a request that comes %s is not printed", cuts[i].how),
        .expected = say("Receiving request: %s", cuts[i].text),
        .actual = say("%s\nthe server %s", printed(server), doing(server)),
        .cause = cuts[i].first == MESSAGE_SIZE
                     ? missing_line_cause(server, STDOUT, "Receiving request: %t", cuts[i].text)
                 : shows_last_piece(server, cuts[i].text, cuts[i].then)
                     ? "the last piece stands where the first should be: receive each behind those "
                       "before it, at buffer + count"
                     : "one recv() returns what is there, which may be a part: call it until 16 "
                       "bytes have come"});
  }
}

/* How often it says so. */
static size_t says_sent(struct program *server) {
  struct lines all = lines(server, STDOUT);
  size_t count = 0;
  for (size_t i = 0; i < all.count; i++)
    count += line_matches(all.list[i].text, "Response was sent successfully.") ||
             line_matches(all.list[i].text, "Response was been sent successfully.");
  return count;
}

static bool await_said_sent(struct program *server, size_t times) {
  double until = now() + PATIENCE;
  while (says_sent(server) < times && now() < until)
    pass(0.2);
  return says_sent(server) >= times;
}

/* Why the connection is still open: does the next client change that? */
static const char *still_open_cause(struct program *server, struct connection *client) {
  if (strstr(doing(server), address_text(tcp_local(client))))
    return say("it waits for the client, which waits for it: it %s; close() the socket when all "
               "is sent",
               doing(server));
  struct connection *next = tcp_connect("next client", "127.0.0.3", at_home());
  if (next) {
    tcp_send_text(next, REQUEST);
    if (tcp_await_end(client, 1) == TCP_FINISHED)
      return "it was closed when the next client came: close() the socket that accept() returned "
             "as soon as the response is sent";
  }
  return "close() the socket that accept() returned, in every process that has it";
}

static void expect_response(struct program *server, struct connection *client) {
  tcp_send_text(client, REQUEST);
  enum tcp_end end = tcp_await_end(client, PATIENCE);
  struct stream_so_far response = tcp_received(client);
  EXPECT(response.length == strlen(RESPONSE) &&
             memcmp(response.bytes, RESPONSE, response.length) == 0,
         .message = "the response is not what is required",
         .expected = say("16 bytes: %s", quoted(RESPONSE, strlen(RESPONSE))),
         .actual = response.length == 0
                       ? say("nothing came; the server %s\n%s", doing(server), printed(server))
                       : difference(RESPONSE, strlen(RESPONSE), response.bytes, response.length),
         .cause = response.length
                      ? bytes_cause(RESPONSE, strlen(RESPONSE), response.bytes, response.length)
                      : silence_cause(server));
  EXPECT(end == TCP_FINISHED, .message = "the server does not close the connection as it should",
         .expected = "FIN from the server, after the response",
         .actual =
             end == TCP_RESET ? "RST" : say("nothing in %g s; it %s", PATIENCE, doing(server)),
         .cause = end == TCP_RESET
                      ? "close() breaks a connection off if bytes were never read, or if SO_LINGER "
                        "is set with a time of 0"
                      : still_open_cause(server, client));
  tcp_close(client);
  EXPECT(await_said_sent(server, 1),
         .message = "the server does not say that the response was sent",
         .expected = "Response was sent successfully.", .actual = printed(server),
         .cause = missing_line_cause(server, STDOUT, "Response was sent successfully."));
}

/* A line's end among the bytes is a byte like any other. */
static void check_lines_in_request(void) {
  static const char request[] = "two\nlines\r\nhere";
  enum { BEGINNING = 11 };
  fresh_world();
  start_server();
  struct connection *client = connect_home();
  tcp_send(client, request, BEGINNING);
  pass(1);
  struct stream_so_far early = tcp_received(client);
  EXPECT(early.length == 0,
         .message = "the server responds to the end of a line, before the 16th byte",
         .expected = "no byte before the 16th has come",
         .actual = quoted(early.bytes, early.length),
         .cause = "count bytes; what ends a line of text ends no request");
}

CHECK(server_responds_to_sixteen_bytes, "tcp.4", "tcp-server") {
  struct program *server = start_server();
  expect_response(server, connect_home());
  if (serve_next())
    EXPECT(
        await_said_sent(server, 2),
        .message = "the server does not say of the next client's response that it was sent",
        .expected = "Response was sent successfully., for each client", .actual = printed(server),
        .cause = "of the first client's it was said: it belongs to what is done for each client");

  fresh_world();
  start_server();
  struct connection *client = connect_home();
  pass(0.5);
  for (size_t sent = 0; sent < MESSAGE_SIZE; sent++) {
    struct stream_so_far early = tcp_received(client);
    EXPECT(early.length == 0,
           .message = say("the server responds after %s, before the 16th", counted(sent, "byte")),
           .expected = "no byte before the 16th has come",
           .actual = quoted(early.bytes, early.length),
           .cause = sent ? "one recv() may return less than 16 bytes: call it again until all are "
                           "there"
                         : "it sends before it has read anything");
    tcp_send(client, &REQUEST[sent], 1);
    pass(sent + 1 < MESSAGE_SIZE - 1 ? 0.02 : 1);
  }
  check_lines_in_request();
}

static void check_early_end(size_t count, size_t piece) {
  fresh_world();
  struct program *server = start_server();
  struct connection *client = connect_home();
  tcp_send_cut(client, REQUEST, count, piece, 0.05);
  tcp_finish(client);
  tcp_await_end(client, PATIENCE);
  struct stream_so_far response = tcp_received(client);
  EXPECT(response.length == 0,
         .message = say("a request of %s is answered", counted(count, "byte")),
         .expected = "nothing is sent", .actual = quoted(response.bytes, response.length),
         .cause = "send only if all 16 bytes have come");
  expect_early_end(server, "the server", count);
}

/* A client whose request ends early. Whether the server has noticed, and closed the connection. */
static bool ends_early(size_t count) {
  struct connection *client = tcp_connect("early client", "127.0.0.1", at_home());
  if (!client)
    return false;
  tcp_send(client, REQUEST, count);
  tcp_finish(client);
  return tcp_await_end(client, PATIENCE) == TCP_FINISHED;
}

CHECK(server_counts_what_came, "tcp.5", "tcp-server") {
  struct service whole = serve_first(0);
  fresh_world();
  struct service cut = serve_first(7);
  check_early_end(7, 7);
  check_early_end(15, 15);
  check_early_end(0, 1);
  if (is_as_good(&cut, &whole)) /* else it reads once, and tcp.3 has something to say */
    check_early_end(7, 4);

  fresh_world();
  struct service first = serve_first(0);
  struct connection *next = tcp_connect("next client", "127.0.0.1", at_home());
  if (!next)
    return;
  struct service second = finish_request(first.server, next, "fedcba9876543210", 0);
  if (!is_as_good(&second, &first)) /* tcp.7 has something to say */
    return;

  fresh_world();
  struct program *server = start_server();
  ends_early(7);
  if (ends_early(3)) /* else tcp.8 has something to say */
    expect_early_end(server, "the server, after another client's request ended early,", 3);
}

CHECK(server_restarts_at_once, "tcp.6", "tcp-server") {
  record_calls();
  struct program *server = start_server();
  struct connection *client = connect_home();
  tcp_send_text(client, REQUEST);
  tcp_await_end(client, PATIENCE);
  stop(server); /* if it has not closed the connection by now, the kernel does, in its name */
  tcp_close(client);
  struct program *again = start("tcp-server");
  EXPECT(tcp_connect_when_ready(again, localhost(), at_home()),
         .message = "the server cannot be started again right after it closed a connection",
         .expected = "it listens at once, although that connection is in TIME_WAIT",
         .actual = say("it %s\n%s", doing(again), printed(again)),
         .cause = port_taken_cause(server, again));
}

CHECK(server_runs_until_told, "tcp.6", "tcp-server") {
  expect_runs_until_told(start_server());
  fresh_world();
  expect_ends_when_interrupted(start_server());

  fresh_world();
  struct program *server = start_server();
  struct connection *client = tcp_connect("client", "127.0.0.1", at_home());
  if (!client) /* tcp.1 has something to say */
    return;
  tcp_send(client, REQUEST, 7);
  tcp_connect("next client", "127.0.0.2", at_home());
  pass(1);
  expect_ends_when_told(server, "after half a request, while another client waits");
}
