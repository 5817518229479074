/* deadlock: the servers. (checks_client.c has what clients send and print, checks_bulk.c what many
 * bytes do, checks_manner.c how the clients do it.) */
#define LAB deadlock
#include "service.h"

#include <errno.h>
#include <signal.h>

static struct connection *connect_to(struct program *program, struct address server) {
  struct connection *client = tcp_connect("client", "127.0.0.1", server);
  EXPECT(client, .message = "the server cannot be reached", .expected = "a connection",
         .actual = say("%s: %s\nthe server %s", address_text(server), strerror(tcp_connect_error()),
                       doing(program)),
         .cause = await_exit(program, 0) ? "the server has ended: it goes on with accept() when a "
                                           "client has gone"
                                         : NULL);
  return client;
}

/* ---- deadlock.1 ---- */

static void expect_listening(struct program *server, struct address wanted, const char *started) {
  struct address listening = await_tcp_listening(server, wanted.port);
  const char *besides = tcp_listening_besides(server, wanted);
  EXPECT(address_equal(listening, wanted) && !besides,
         .message = say("“%s” does not listen where HOST and PORT say", started),
         .expected = say("%s, and nothing else", address_text(wanted)),
         .actual = besides ? say("%s, and %s", address_text(listening), besides)
                           : address_text(listening),
         .cause = listening.ip == 0 || (besides && strstr(besides, "::"))
                      ? "it listens on every interface: bind() the socket to the address of HOST"
                      : NULL);
  expect_line(server, PATIENCE, "Listening at %a", &wanted);
}

/* Every interface; the address may be an IPv6 one that stands for them. */
static void check_every_interface(const char *name) {
  fresh_world();
  struct lan *lan = new_lan("LAN", 1500);
  struct host *stranger = new_host("stranger");
  attach(localhost(), lan, "192.168.1.2/24");
  attach(stranger, lan, "192.168.1.3/24");
  struct program *server =
      start_with(localhost(), name, (const char *const[]){name, "server", "", NULL});
  await_tcp_listening(server, PORT);
  EXPECT(tcp_connect_at(stranger, "stranger", NULL, address("192.168.1.2", PORT)) &&
             tcp_connect("client", "127.0.0.1", at_home()),
         .message = say("“%s server ''” does not listen on every interface", name),
         .expected = "it can be reached at 127.0.0.1 and, from another host, at 192.168.1.2",
         .actual = strerror(tcp_connect_error()),
         .cause = "an empty HOST means INADDR_ANY: getaddrinfo() with NULL and AI_PASSIVE, or '' "
                  "for bind() in Python");
  bool said = false;
  for (double until = now() + PATIENCE; !said && now() < until;) {
    struct lines all = lines(server, STDOUT);
    for (size_t k = 0; k < all.count; k++)
      said |=
          strncmp(all.list[k].text, "Listening at ", 13) == 0 && strstr(all.list[k].text, "60000");
    if (!said)
      pass(0.2);
  }
  EXPECT(said, .message = "the server does not print where it listens",
         .expected = "Listening at 0.0.0.0:60000", .actual = printed(server));
}

static size_t count_closed(struct program *server) {
  struct lines all = lines(server, STDOUT);
  size_t count = 0;
  for (size_t i = 0; i < all.count; i++)
    count += line_matches(all.list[i].text, "Socket closed.");
  return count;
}

static const char *not_closed_cause(struct program *server) {
  const char *cause = nearly_cause(lines(server, STDOUT), "Socket closed.");
  return cause ? cause
               : "the client has sent its FIN: when recv() has returned 0, close the socket and "
                 "print the line";
}

/* The same for one more client. A server that does not serve it has deadlock.2 to mend. */
static void check_next_prints(struct program *server) {
  struct connection *next = tcp_connect("next client", "127.0.0.2", at_home());
  if (!next)
    return;
  struct address own = tcp_local(next);
  tcp_send_text(next, CHUNK_TEXT);
  bool served = tcp_await_bytes(next, CHUNK, PATIENCE);
  tcp_finish(next);
  tcp_await_end(next, PATIENCE);
  if (!served)
    return;
  expect_line(server, PATIENCE, "Processing up to 1024 bytes at a time from %a", &own);
  double until = now() + PATIENCE;
  while (count_closed(server) < 2 && now() < until)
    pass(0.2);
  EXPECT(count_closed(server) >= 2,
         .message = "the server does not say that it has closed the next client's connection",
         .expected = "Socket closed., for each client", .actual = printed(server),
         .cause = "of the first client's it was said: it belongs to what is done for each client");
}

static void check_server_prints(const char *name) {
  struct program *server =
      start_with(localhost(), name, (const char *const[]){name, "server", "127.0.0.1", NULL});
  expect_listening(server, at_home(), say("%s server 127.0.0.1", name));
  struct connection *client = connect_to(server, at_home());
  struct address own = tcp_local(client);
  tcp_send_text(client, CHUNK_TEXT);
  tcp_await_bytes(client, CHUNK, PATIENCE);
  EXPECT(count_closed(server) == 0,
         .message =
             "the server says that it has closed a connection before the client has ended it",
         .expected = "Socket closed., at the end of the stream", .actual = printed(server),
         .cause = "the line belongs behind close(), when recv() has returned 0");
  tcp_finish(client);
  tcp_await_end(client, PATIENCE);
  expect_line(server, PATIENCE, "Processing up to 1024 bytes at a time from %a", &own);
  EXPECT(await_total(server, TOTAL_PROCESSED, CHUNK, PATIENCE) >= 0,
         .message = "the server does not print how many bytes it has processed",
         .expected = "16 bytes have been processed so far.", .actual = printed(server),
         .cause = total_cause(last_total(server, TOTAL_PROCESSED), CHUNK, 0));
  EXPECT(await_line(server, STDOUT, PATIENCE, "Socket closed.") >= 0,
         .message = "the server does not say that it has closed the connection",
         .expected = "Socket closed.", .actual = printed(server),
         .cause = not_closed_cause(server));

  check_next_prints(server);

  fresh_world();
  struct address elsewhere = address("127.0.0.1", 60007);
  server = start_with(localhost(), name,
                      (const char *const[]){name, "server", "localhost", "-p", "60007", NULL});
  expect_listening(server, elsewhere, say("%s server localhost -p 60007", name));
  check_every_interface(name);
}

EACH_PROGRAM(server_prints, "deadlock.1", check_server_prints)

static void check_server_end(const char *name) {
  expect_runs_until_told(start_server_of(name));
  fresh_world();
  expect_ends_when_interrupted(start_server_of(name));

  fresh_world();
  struct program *server = start_server_of(name);
  tcp_send_text(connect_to(server, at_home()), CHUNK_TEXT);
  tcp_connect("next client", "127.0.0.2", at_home());
  pass(1);
  expect_ends_when_told(server, "while two clients are connected");
}

EACH_PROGRAM(server_runs_until_told, "deadlock.1", check_server_end)

/* ---- deadlock.2 ---- */

enum { MIXED = 6000, STREAM = 140000 };

/* All bytes there are, in an order that makes no sense, and cut in every way. */
static size_t stream_make(uint8_t stream[STREAM]) {
  for (size_t i = 0; i < 256; i++)
    stream[i] = (uint8_t)i;
  for (size_t i = 256; i < 300; i++)
    stream[i] = (uint8_t) "hello, World! 50% \xc3\xa9t\xc3\xa9 "[i % 24];
  for (size_t i = 300; i < STREAM; i++)
    stream[i] = (uint8_t)random_between(0, 255);
  return STREAM;
}

static void stream_answer(uint8_t *stream, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (stream[i] >= 'a' && stream[i] <= 'z')
      stream[i] = (uint8_t)(stream[i] - 'a' + 'A');
}

/* It may read slowly. */
static void rest_send(struct connection *client, const uint8_t *stream, size_t sent) {
  double until = now() + PATIENCE;
  while (sent < STREAM && now() < until) {
    size_t taken = tcp_send(client, stream + sent, STREAM - sent);
    sent += taken;
    if (taken > 0)
      until = now() + PATIENCE;
    if (sent < STREAM)
      pass(0.01);
  }
}

/* The answer may come slowly, too. */
static void answer_await(struct connection *client, size_t length) {
  struct stream_so_far answer = tcp_received(client);
  while (answer.length < length && tcp_await_bytes(client, answer.length + 1, PATIENCE))
    answer = tcp_received(client);
  tcp_await_end(client, PATIENCE);
}

/* Reads nothing until there is no room for answers any more, and then all. */
static void stream_send_and_read_late(struct connection *client, const uint8_t *stream) {
  enum { TRIES = 20 };
  size_t sent = 0;
  tcp_stop_reading(client);
  for (int i = 0; i < TRIES; i++) {
    sent += tcp_send(client, stream + sent, STREAM - sent);
    pass(0.02);
  }
  tcp_read_on(client);
  rest_send(client, stream, sent);
}

static void stream_send(struct connection *client, const uint8_t *stream) {
  size_t sent = tcp_send(client, stream, 256);
  sent += tcp_send_cut(client, stream + sent, 44, 1, 0.01);
  sent += tcp_send(client, stream + sent, 5000); /* more than it reads at once */
  sent += tcp_send_cut(client, stream + sent, 210, 7, 0.01);
  sent += tcp_send(client, stream + sent, 3);
  pass(0.1);
  sent += tcp_send_cut(client, stream + sent, MIXED - sent, 60, 0.01);
  rest_send(client, stream, sent);
}

#define NEXT_TEXT "and the next"
static void next_send(struct connection *client, const uint8_t *stream) {
  tcp_send(client, stream, strlen(NEXT_TEXT));
}

static void expect_answers(struct program *server, const uint8_t *stream, size_t length,
                           size_t before,
                           void (*send_all)(struct connection *client, const uint8_t *stream),
                           const char *who) {
  struct connection *client = connect_to(server, at_home());
  static uint8_t wanted[STREAM];
  memcpy(wanted, stream, length);
  stream_answer(wanted, length);
  send_all(client, stream);
  tcp_finish(client);
  answer_await(client, length);
  struct stream_so_far answer = tcp_received(client);
  EXPECT(
      answer.length == length && memcmp(answer.bytes, wanted, length) == 0,
      .message = say("the answer to %s is not what is required", who),
      .expected = "every byte, in order: a to z in upper case, and all others as they came",
      .actual = answer.length == 0
                    ? say("nothing came; the server %s\n%s", doing(server), printed(server))
                    : say("%s were sent, %zu came back\n%s", counted(length, "byte"), answer.length,
                          difference(wanted, length, answer.bytes, answer.length)),
      .cause = answer.length == length ? "only a to z change; toupper() in some locales, upper() "
                                         "of a decoded text, or a signed char do more"
                                       : "send what recv() returned, all of it, and no more: the "
                                         "bytes are no C string, and any of them may be 0");
  tcp_close(client);
  double total = await_total(server, TOTAL_PROCESSED, (double)length, PATIENCE);
  EXPECT(total < 0 || total == (double)length, /* no such line: deadlock.1 has something to say */
         .message = say("the server's total for %s is wrong", who),
         .expected = say("at the end: %zu bytes have been processed so far.", length),
         .actual = printed(server), .cause = total_cause(total, (double)length, (double)before));
}

static void check_server_answers(const char *name) {
  static uint8_t stream[STREAM];
  struct program *server = start_server_of(name);
  expect_answers(server, stream, stream_make(stream), 0, stream_send, "the first client");
  expect_answers(server, (const uint8_t *)NEXT_TEXT, strlen(NEXT_TEXT), STREAM, next_send,
                 "the next client");
  struct connection *silent = connect_to(server, at_home());
  tcp_finish(silent);
  tcp_await_end(silent, PATIENCE);
  tcp_close(silent);
  static const char *const more[] = {"a client after one that said nothing",
                                     "the client after that"};
  for (size_t i = 0; i < sizeof more / sizeof *more; i++)
    expect_answers(server, (const uint8_t *)NEXT_TEXT, strlen(NEXT_TEXT), strlen(NEXT_TEXT),
                   next_send, more[i]);
  fresh_world();
  set_tcp_buffers(localhost(), SMALL_RECEIVE, SMALL_SEND);
  expect_answers(start_server_of(name), stream, STREAM, 0, stream_send_and_read_late,
                 "a client that reads late");
}

EACH_PROGRAM(server_answers, "deadlock.2", check_server_answers)

/* ---- deadlock.10 ---- */

/* What comes of a client that does nothing wrong; what is wrong with that is no matter here. */
static struct stream_so_far serve_one(struct program *server) {
  enum { TRIES = 20 };
  struct connection *client = NULL;
  for (int i = 0; i < TRIES && !client && !await_exit(server, 0); i++)
    if (!(client = tcp_connect("next client", "127.0.0.1", at_home())))
      pass(0.1);
  if (!client)
    return (struct stream_so_far){.end = TCP_RESET};
  tcp_send_text(client, CHUNK_TEXT);
  tcp_finish(client);
  tcp_await_end(client, PATIENCE);
  struct stream_so_far answer = tcp_received(client);
  tcp_close(client);
  return answer;
}

static void reset_between(struct connection *client) {
  tcp_send_text(client, CHUNK_TEXT CHUNK_TEXT);
  tcp_await_bytes(client, (size_t)2 * CHUNK, 1);
  tcp_reset(client);
}

/* Sends, and reads nothing, until nothing moves any more: the server waits for room, if it waits.
 */
static void reset_while_full(struct connection *client) {
  enum { TRIES = 200 };
  uint8_t block[4096];
  memset(block, 'x', sizeof block);
  tcp_stop_reading(client);
  for (int i = 0, refused = 0; i < TRIES && refused < 3; i++) {
    bool taken = tcp_send(client, block, sizeof block) > 0;
    refused = taken ? 0 : refused + 1;
    pass(0.05);
  }
  tcp_reset(client);
}

/* Leaves when it has said everything, and its answers have no room any more: the server, which has
 * got FIN, waits in send() then, or comes to it again. */
static void leave_while_full(struct connection *client) {
  enum { TRIES = 100, ENOUGH = 48000, OWN_BUFFER = 4096 };
  static uint8_t block[ENOUGH];
  memset(block, 'x', sizeof block);
  tcp_shrink_buffers(client, OWN_BUFFER);
  tcp_stop_reading(client);
  size_t sent = 0;
  for (int i = 0; i < TRIES && sent < ENOUGH; i++) {
    sent += tcp_send(client, block + sent, ENOUGH - sent);
    pass(0.02);
  }
  tcp_finish(client);
  pass(0.2);
  tcp_reset(client);
  pass(0.2);
}

/* Why the next client is not served. */
static const char *not_survived_cause(struct program *server) {
  if (!await_exit(server, 0))
    return "it still has to do with the client that has left: recv() or send() fails then, which is "
           "the end of this client; close its socket, and go on with accept()";
  if (exit_status(server) == -SIGPIPE)
    return "SIGPIPE has ended it: send() to a client that has left raises that signal; give it "
           "MSG_NOSIGNAL, or ignore the signal, and look at the error";
  if (exit_status(server) == 0)
    return "it ends after one client as if all were done: go on with accept()";
  return "an error of one client (ECONNRESET, EPIPE; an exception in Python) has ended the server: "
         "close that client's socket, and go on with accept()";
}

static bool is_like(struct stream_so_far answer, struct stream_so_far wanted) {
  return answer.length == wanted.length && answer.end == wanted.end;
}

static void check_server_survives(const char *name) {
  enum { LARGE_RECEIVE = 65536, SMALL_SEND_BUFFER = 16384 };
  static const struct {
    void (*misbehave)(struct connection *client);
    const char *what;
    int times;
  } clients[] = {{reset_between, "broke off the connection in the middle", 4},
                 {reset_while_full, "read nothing, and then broke off the connection", 1},
                 {leave_while_full, "left without reading its answer", 1}};
  struct stream_so_far wanted = serve_one(start_server_of(name));
  for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
    fresh_world();
    set_tcp_buffers(localhost(), LARGE_RECEIVE, SMALL_SEND_BUFFER);
    struct program *server = start_server_of(name);
    struct stream_so_far answer = wanted;
    for (int k = 0; k < clients[i].times && is_like(answer, wanted); k++) {
      clients[i].misbehave(connect_to(server, at_home()));
      pass(0.2);
      answer = serve_one(server);
    }
    EXPECT(!await_exit(server, 0) && is_like(answer, wanted),
           .message = say("after a client that %s, the next one is not served", clients[i].what),
           .expected = say("as if nothing had been: %s", quoted(wanted.bytes, wanted.length)),
           .actual = say("%s; the server %s\n%s", quoted(answer.bytes, answer.length),
                         doing(server), printed(server)),
           .cause = not_survived_cause(server));
  }
}

EACH_PROGRAM(server_survives_resets, "deadlock.10", check_server_survives)
