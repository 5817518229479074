/* tcp: the client. */
#define LAB tcp
#include "exchange.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>

/* Why it does not connect there: where did it try to? */
static const char *elsewhere_cause(struct program *client, struct address wanted) {
  struct frames all = frames_all();
  for (size_t i = 0; i < all.count; i++) {
    struct address to = all.list[i].destination;
    if (all.list[i].protocol != IPPROTO_TCP || !(all.list[i].tcp_flags & TH_SYN) ||
        all.list[i].tcp_flags & TH_ACK || address_equal(to, wanted))
      continue;
    return to.port == __builtin_bswap16(wanted.port)
               ? say("it connects to port %u, which is %u with its two bytes swapped: sin_port must "
                     "be htons(port)",
                     to.port, wanted.port)
           : to.ip == wanted.ip
               ? say("it connects to port %u: is PORT, the second argument, looked at?", to.port)
               : say("it connects to %s: are HOST and PORT, its arguments, looked at?",
                     address_text(to));
  }
  return silence_cause(client);
}

/* Starts the client, with up to two arguments, against a peer that plays the server at
 * 127.0.0.1:60000, or where the arguments say, and waits for its request. */
static struct program *start_client_for(const char *ip, int port, const char *const *arguments,
                                        struct listener **listener, struct connection **server) {
  *listener = tcp_listen("server", ip, port);
  struct program *client = start_with(localhost(), "tcp-client", arguments);
  *server = tcp_accept(*listener, PATIENCE);
  EXPECT(
      *server, .message = say("tcp-client does not connect to %s", address_text(address(ip, port))),
      .expected = arguments[1] ? "a connection to HOST and PORT of its arguments" : "a connection",
      .actual = say("none within %g s; it %s\n%s", PATIENCE, doing(client), printed(client)),
      .cause = elsewhere_cause(client, address(ip, port)));
  tcp_await_bytes(*server, MESSAGE_SIZE, PATIENCE);
  return client;
}

static struct program *start_client(struct connection **server) {
  struct listener *listener = NULL;
  return start_client_for("127.0.0.1", PORT, (const char *const[]){"tcp-client", NULL}, &listener,
                          server);
}

static void expect_request(const char *ip, int port, const char *const *arguments) {
  struct listener *listener = NULL;
  struct connection *server = NULL;
  struct program *client = start_client_for(ip, port, arguments, &listener, &server);
  pass(0.2); /* for whatever else it may send, before the response and after it */
  tcp_send_text(server, RESPONSE);
  tcp_finish(server);
  await_exit(client, PATIENCE);
  struct stream_so_far request = tcp_received(server);
  EXPECT(request.length == strlen(REQUEST) && memcmp(request.bytes, REQUEST, request.length) == 0,
         .message = "the request is not what is required",
         .expected = say("16 bytes: %s", quoted(REQUEST, strlen(REQUEST))),
         .actual = difference(REQUEST, strlen(REQUEST), request.bytes, request.length),
         .cause = bytes_cause(REQUEST, strlen(REQUEST), request.bytes, request.length));
  struct connection *more = tcp_accept(listener, 0);
  EXPECT(!more || !tcp_await_bytes(more, 1, 1), .message = "tcp-client sends two requests",
         .expected = "one connection, and 16 bytes", .actual = "a second connection, with more");

  /* It may have a port by bind(), before it has an address by connect(). */
  struct address own = tcp_remote(server), any = address("0.0.0.0", own.port);
  struct address servers = tcp_local(server);
  struct lines all = lines(client, STDOUT);
  bool bound = false;
  for (size_t i = 0; i < all.count; i++)
    bound |= line_matches(all.list[i].text, "Client is bound to %a", &own) ||
             line_matches(all.list[i].text, "Client is bound to %a", &any);
  EXPECT(bound, .message = "tcp-client does not print the address that it has",
         .expected = say("Client is bound to %s", address_text(own)), .actual = printed(client),
         .cause = await_line(client, STDOUT, 0, "Client is bound to %a", &servers) >= 0
                      ? "that is the server's address: a socket's own is told by getsockname(), "
                        "the other end's by getpeername()"
                      : missing_line_cause(client, STDOUT, "Client is bound to %a", &own));
  expect_line(client, PATIENCE, "Sending to Server: %t", REQUEST);
}

CHECK(client_sends_sixteen_bytes, "tcp.9", "tcp-client") {
  expect_request("127.0.0.1", PORT, (const char *const[]){"tcp-client", NULL});
  fresh_world();
  expect_request("127.0.0.5", PORT, (const char *const[]){"tcp-client", "127.0.0.5", NULL});
  fresh_world();
  expect_request("127.0.0.1", 60007,
                 (const char *const[]){"tcp-client", "localhost", "60007", NULL});
}

CHECK(client_reads_sixteen_bytes, "tcp.10", "tcp-client") {
  static const struct {
    const char *text, *how;
    size_t first, then; /* the first piece, and each of those that follow */
    bool closes_late;
  } cuts[] = {{RESPONSE, "all at once", 16, 16, false},
              {RESPONSE, "one byte at a time", 1, 1, false},
              {"it's 100 %s, ok!", "in pieces of 7 and 9", 7, 9, true}};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    if (i > 0)
      fresh_world();
    struct connection *server = NULL;
    struct program *client = start_client(&server);
    tcp_send(server, cuts[i].text, cuts[i].first);
    pass(0.05);
    tcp_send_cut(server, cuts[i].text + cuts[i].first, MESSAGE_SIZE - cuts[i].first, cuts[i].then,
                 0.05);
    if (cuts[i].closes_late)
      await_exit(client, 1);
    tcp_finish(server);
    await_exit(client, PATIENCE);
    struct lines all = lines(client, STDOUT);
    bool shown = false;
    for (size_t k = 0; k < all.count; k++)
      shown |= line_matches(all.list[k].text, "Server responded %t", cuts[i].text);
    EXPECT(shown, .message = say("a response that comes %s is not printed", cuts[i].how),
           .expected = say("Server responded %s", cuts[i].text),
           .actual = say("%s\ntcp-client %s", printed(client), doing(client)),
           .cause =
               i == 0 ? missing_line_cause(client, STDOUT, "Server responded %t", cuts[i].text)
               : await_line(client, STDOUT, 0, "Server responded %t", RESPONSE) >= 0 &&
                       strcmp(cuts[i].text, RESPONSE) != 0
                   ? "it prints the response that it expects, and another one came: print what "
                     "recv() has put into the buffer"
                   : "one recv() returns what is there, which may be a part: call it until "
                     "16 bytes have come");
    expect_success(client, "tcp-client, after the response,");
    enum tcp_end end = tcp_received(server).end;
    EXPECT(end == TCP_FINISHED, .message = "tcp-client does not close the connection in order",
           .expected = "FIN from the client",
           .actual = end == TCP_RESET ? "RST" : "neither FIN nor RST",
           .cause = "SO_LINGER with a time of 0 makes close() break off the connection");
  }
}

/* What came of a client, to be compared with what came of another. */
struct outcome {
  struct program *client;
  bool shown;
  int status;
};

enum stops { NO_STOPS, WHILE_IT_WAITS, WHILE_PIECES_COME };

/* Runs a client whose response comes in pieces of so many bytes. It may be stopped for a while, and
 * let go on, before each of them or while each comes. */
static struct outcome run_client(size_t piece, enum stops stops) {
  struct connection *server = NULL;
  struct program *client = start_client(&server);
  for (size_t sent = 0; sent < MESSAGE_SIZE; sent += piece) {
    if (stops != NO_STOPS)
      send_signal(client, SIGSTOP);
    pass(0.3);
    if (stops == WHILE_IT_WAITS)
      send_signal(client, SIGCONT);
    pass(0.1);
    tcp_send(server, &RESPONSE[sent], piece);
    pass(0.3);
    if (stops == WHILE_PIECES_COME)
      send_signal(client, SIGCONT);
    pass(0.1);
  }
  tcp_finish(server);
  struct outcome outcome = {.client = client, .status = -1};
  if (await_exit(client, PATIENCE))
    outcome.status = exit_status(client);
  struct lines all = lines(client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    outcome.shown |= line_matches(all.list[i].text, "Server responded %t", RESPONSE);
  return outcome;
}

/* Whether it took the response for one, whatever it made of it. */
static bool is_content(const struct outcome *outcome) {
  return outcome->shown || outcome->status == 0;
}

static void check_early_end(size_t count, size_t piece) {
  fresh_world();
  struct connection *server = NULL;
  struct program *client = start_client(&server);
  tcp_send_cut(server, RESPONSE, count, piece, 0.05);
  tcp_finish(server);
  await_exit(client, PATIENCE);
  expect_early_end(client, "tcp-client", count);
  expect_failure_because(client, say("tcp-client, after %s of a response,", counted(count, "byte")),
                         (struct failure_causes){.said = true});
}

CHECK(client_counts_what_came, "tcp.11", "tcp-client") {
  struct outcome undisturbed = run_client(8, NO_STOPS);
  check_early_end(7, 7);
  check_early_end(15, 15);
  check_early_end(0, 1);
  if (is_content(&undisturbed)) /* else it reads once: tcp.10's business */
    check_early_end(7, 4);
}

/* When it first, and last, asked for a connection with the server; negative if it never did. */
static double first_attempt(double *last) {
  struct frames all = frames_all();
  double first = -1;
  for (size_t i = 0; i < all.count; i++)
    if (all.list[i].protocol == IPPROTO_TCP && all.list[i].tcp_flags & TH_SYN &&
        all.list[i].destination.port == PORT) {
      first = first < 0 ? all.list[i].time : first;
      *last = all.list[i].time;
    }
  return first;
}

CHECK(client_finds_nobody, "tcp.12", "tcp-client") {
  static const double TRYING = 0.25, ENDING = 0.9; /* who sleeps before, sleeps a second at least */
  struct program *client = start("tcp-client");
  await_exit(client, PATIENCE);
  double last = 0, first = first_attempt(&last);
  EXPECT(first >= 0, .message = "tcp-client does not try to connect to 127.0.0.1:60000",
         .expected = "a SYN", .actual = say("none; it %s\n%s", doing(client), printed(client)));
  EXPECT(last - first <= TRYING, .message = "tcp-client, with nobody listening, tries again",
         .expected = "its end, as soon as connect() has failed",
         .actual = say("another SYN %.3f s after the first", last - first),
         .cause = await_exit(client, 0)
                      ? "connect() is called again after it has failed: ECONNREFUSED tells at once "
                        "that nobody listens"
                      : "connect() is called again and again: ECONNREFUSED tells at once that "
                        "nobody listens, and is the end");
  expect_failure(client, "tcp-client, with nobody listening,");
  EXPECT(exit_time(client) - last <= ENDING,
         .message = "tcp-client, with nobody listening, does not end at once",
         .expected = "its end, as soon as connect() has failed",
         .actual = say("%.3f s after it", exit_time(client) - last));
}

CHECK(client_can_be_stopped, "tcp.13", "tcp-client") {
  size_t piece = 8;
  struct outcome undisturbed = run_client(piece, NO_STOPS);
  if (!is_content(&undisturbed)) { /* it reads once, perhaps: tcp.10's business */
    fresh_world();
    piece = MESSAGE_SIZE;
    undisturbed = run_client(piece, NO_STOPS);
  }
  EXPECT(is_content(&undisturbed),
         .message = "tcp-client does not take a response even if nothing disturbs it",
         .expected = "Server responded " RESPONSE,
         .actual = say("it %s\n%s", doing(undisturbed.client), printed(undisturbed.client)));
  for (enum stops stops = WHILE_IT_WAITS; stops <= WHILE_PIECES_COME; stops++) {
    fresh_world();
    struct outcome outcome = run_client(piece, stops);
    EXPECT(outcome.shown == undisturbed.shown && outcome.status == undisturbed.status,
           .message =
               say("tcp-client, stopped and let go on while %s, does not go on as it should",
                   stops == WHILE_IT_WAITS ? "it waits for the response" : "the response comes"),
           .expected = say("as without: the response %s printed, exit status %d",
                           undisturbed.shown ? "is" : "is not", undisturbed.status),
           .actual = say("it %s\n%s", doing(outcome.client), printed(outcome.client)),
           .cause = stopped_cause(outcome.client));
  }
}
