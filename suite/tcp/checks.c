/* tcp: the server. (checks_client.c has the client's checks.)
 *
 * Whether a server serves a second client is tcp.7's business, so every other check has one client
 * in a world. */
#define LAB tcp
#include "exchange.h"

#include <signal.h>

static struct address at_home(void) {
  return address("127.0.0.1", PORT);
}

static struct program *start_server(void) {
  struct program *server = start("tcp-server");
  await_tcp_listening(server, PORT);
  return server;
}

static struct connection *connect_from(const char *name, const char *ip) {
  struct connection *client = tcp_connect(name, ip, at_home());
  EXPECT(client, .message = "the server cannot be reached at 127.0.0.1:60000",
         .expected = "a connection", .actual = strerror(tcp_connect_error()));
  return client;
}

static struct connection *connect_home(void) {
  return connect_from("client", "127.0.0.1");
}

/* Waits until the server can be reached there; NULL if that is never so, or if it has ended. */
static struct connection *connect_when_ready(struct program *server, struct host *from,
                                             struct address to) {
  enum { TRIES = 100 };
  for (int i = 0; i < TRIES; i++) {
    struct connection *client = tcp_connect_at(from, "client", NULL, to);
    if (client || await_exit(server, 0))
      return client;
    pass(PATIENCE / TRIES);
  }
  return NULL;
}

/* How a client was served, to be compared with how another was: what is wrong with every response
 * is not the business of a check that asks whether one comes at all. */
struct service {
  struct stream_so_far response;
  bool request_shown;
};

/* Sends the last bytes of a request and waits for what comes of it. A client that has said all that
 * it has to say may half-close; so servers that wait for that do not hold up the others. */
static struct service finish_request(struct program *server, struct connection *client,
                                     const char *request, size_t sent) {
  tcp_send(client, request + sent, MESSAGE_SIZE - sent);
  if (tcp_await_end(client, 0.5) == TCP_OPEN)
    tcp_finish(client);
  tcp_await_end(client, 3);
  struct service service = {.response = tcp_received(client)};
  tcp_close(client);
  service.request_shown = await_line(server, STDOUT, 1, "Receiving request: %t", request) >= 0;
  return service;
}

/* How a server without arguments serves the first client. */
static struct service serve_first(void) {
  struct program *server = start_server();
  struct service service = finish_request(server, connect_home(), REQUEST, 0);
  EXPECT(service.response.length > 0 || service.response.end != TCP_OPEN || service.request_shown,
         .message = "the server does nothing for a client",
         .expected = "a response to its 16 bytes, and the end of the connection",
         .actual = say("nothing came; the server %s\n%s", doing(server), printed(server)));
  return service;
}

static const char *service_text(const struct service *service) {
  static const char *const ends[] = {"the connection stays open", "FIN", "RST"};
  return say("%s, then %s%s", quoted(service->response.bytes, service->response.length),
             ends[service->response.end],
             service->request_shown ? "; it prints the request"
                                    : "; it does not print the request");
}

static void expect_as_first(const struct service *service, const struct service *first,
                            struct program *server, const char *what, const char *cause) {
  bool same = service->response.length == first->response.length &&
              memcmp(service->response.bytes, first->response.bytes, first->response.length) == 0 &&
              service->response.end == first->response.end &&
              (service->request_shown || !first->request_shown);
  EXPECT(same, .message = say("%s is not served as others are", what),
         .expected = say("as with one client and no disturbance: %s", service_text(first)),
         .actual =
             say("%s; the server %s\n%s", service_text(service), doing(server), printed(server)),
         .cause = cause);
}

/* ---- one client ---- */

CHECK(server_listens_on_127_0_0_1, "tcp.1", "tcp-server") {
  struct lan *lan = new_lan("LAN", 1500);
  struct host *stranger = new_host("stranger");
  attach(localhost(), lan, "192.168.1.2/24");
  attach(stranger, lan, "192.168.1.3/24");
  struct program *server = start("tcp-server");
  struct address listening = await_tcp_listening(server, PORT), wanted = at_home();
  EXPECT(address_equal(listening, wanted),
         .message = "the server does not listen on 127.0.0.1 only",
         .expected = address_text(wanted), .actual = address_text(listening),
         .cause = listening.ip == 0 ? "it is bound to every interface (INADDR_ANY, or an empty "
                                      "host): any machine can reach it"
                                    : NULL);
  const char *besides = tcp_listening_besides(server, wanted);
  EXPECT(!besides, .message = "the server listens on other addresses than 127.0.0.1 too",
         .expected = say("%s, and nothing else", address_text(wanted)),
         .actual = say("also %s", besides));
  EXPECT(!tcp_connect_at(stranger, "stranger", NULL, address("192.168.1.2", PORT)),
         .message = "the server can be reached from another host",
         .expected = "no connection to 192.168.1.2:60000", .actual = "there is one");
  expect_line(server, 2, "Listening at %a", &wanted);
}

static void check_addresses(struct program *server, struct connection *client) {
  struct address own = tcp_local(client), servers = tcp_remote(client);
  tcp_send_text(client, REQUEST);
  tcp_await_end(client, 2); /* it may print all of it only when it is done */
  expect_line(server, 2, "A new TCP Connection from %a was accepted.", &own);
  expect_line(server, 2, "Socket Name: %a", &servers);
  expect_line(server, 2, "Socket Peer: %a", &own);
}

CHECK(server_shows_both_ends, "tcp.2", "tcp-server") {
  struct program *server = start_server();
  check_addresses(server, connect_from("client", "127.0.0.2"));

  /* The listening socket's name would be true above, and is not here. */
  fresh_world();
  server = start("tcp-server", "0.0.0.0");
  struct connection *client = connect_when_ready(server, localhost(), address("127.0.0.5", PORT));
  if (client) /* else tcp.14 has something to say */
    check_addresses(server, client);
}

CHECK(server_reads_sixteen_bytes, "tcp.3", "tcp-server") {
  static const struct {
    const char *text, *how;
    size_t first, then; /* the first piece, and each of those that follow */
  } cuts[] = {{REQUEST, "all at once", 16, 16},
              {"0123456789abcdef", "one byte at a time", 1, 1},
              {"Hello, server! 1", "in pieces of 7 and 9", 7, 9},
              {"50% \"of\" 'it' \\;", "in pieces of 15 and 1", 15, 1}};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    if (i > 0)
      fresh_world();
    struct program *server = start_server();
    struct connection *client = connect_home();
    tcp_send(client, cuts[i].text, cuts[i].first);
    pass(0.05);
    tcp_send_cut(client, cuts[i].text + cuts[i].first, MESSAGE_SIZE - cuts[i].first, cuts[i].then,
                 0.05);
    if (await_line(server, STDOUT, 2, "Receiving request: %t", cuts[i].text) >= 0)
      continue;
    check_fail((struct failure_report){
        .message = say("a request that comes %s is not printed", cuts[i].how),
        .expected = say("Receiving request: %s", cuts[i].text),
        .actual = say("%s\nthe server %s", printed(server), doing(server)),
        .cause = i == 0 ? "no '\\0' ends the 16 bytes; the words must be exactly these"
                        : "one recv() returns what is there, which may be a part: call it until 16 "
                          "bytes have come"});
  }
}

static bool says_sent(struct program *server) {
  struct lines all = lines(server, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    if (line_matches(all.list[i].text, "Response was sent successfully.") ||
        line_matches(all.list[i].text, "Response was been sent successfully."))
      return true;
  return false;
}

static void expect_response(struct program *server, struct connection *client) {
  tcp_send_text(client, REQUEST);
  enum tcp_end end = tcp_await_end(client, PATIENCE);
  struct stream_so_far response = tcp_received(client);
  EXPECT(
      response.length == strlen(RESPONSE) && memcmp(response.bytes, RESPONSE, response.length) == 0,
      .message = "the response is not what is required",
      .expected = say("16 bytes: %s", quoted(RESPONSE, strlen(RESPONSE))),
      .actual = response.length == 0
                    ? say("nothing came; the server %s\n%s", doing(server), printed(server))
                    : difference(RESPONSE, strlen(RESPONSE), response.bytes, response.length),
      .cause = response.length == strlen(RESPONSE) + 1 && response.bytes[response.length - 1] == 0
                   ? "17 bytes: the terminating NUL of the C string is sent too"
                   : NULL);
  EXPECT(end == TCP_FINISHED, .message = "the server does not close the connection as it should",
         .expected = "FIN from the server, after the response",
         .actual =
             end == TCP_RESET ? "RST" : say("nothing in %g s; it %s", PATIENCE, doing(server)),
         .cause = end == TCP_RESET
                      ? "SO_LINGER with a time of 0, or bytes that were never read"
                      : "close() the socket that accept() returned, in every process that has it, "
                        "without waiting for the client to do so");
  tcp_close(client);
  enum { TRIES = 20 };
  for (int i = 0; i < TRIES && !says_sent(server); i++)
    pass(0.1);
  EXPECT(says_sent(server), .message = "the server does not say that the response was sent",
         .expected = "Response was sent successfully.", .actual = printed(server));
}

CHECK(server_responds_to_sixteen_bytes, "tcp.4", "tcp-server") {
  struct program *server = start_server();
  expect_response(server, connect_home());

  fresh_world();
  server = start_server();
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
    tcp_send(client, REQUEST + sent, 1);
    pass(sent + 1 < MESSAGE_SIZE - 1 ? 0.02 : 1);
  }
}

CHECK(server_counts_what_came, "tcp.5", "tcp-server") {
  static const size_t counts[] = {7, 15, 0};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    if (i > 0)
      fresh_world();
    struct program *server = start_server();
    struct connection *client = connect_home();
    tcp_send_cut(client, REQUEST, counts[i], 4, 0.05);
    tcp_finish(client);
    tcp_await_end(client, 2);
    struct stream_so_far response = tcp_received(client);
    EXPECT(response.length == 0,
           .message = say("a request of %s is answered", counted(counts[i], "byte")),
           .expected = "nothing is sent", .actual = quoted(response.bytes, response.length),
           .cause = "send only if all 16 bytes have come");
    expect_early_end(server, "the server", counts[i]);
  }
}

CHECK(server_restarts_at_once, "tcp.6", "tcp-server") {
  struct program *server = start_server();
  struct connection *client = connect_home();
  tcp_send_text(client, REQUEST);
  tcp_await_end(client, 1);
  stop(server); /* if it has not closed the connection by now, the kernel does, in its name */
  tcp_close(client);
  struct program *again = start("tcp-server");
  EXPECT(connect_when_ready(again, localhost(), at_home()),
         .message = "the server cannot be started again right after it closed a connection",
         .expected = "it listens at once, although that connection is in TIME_WAIT",
         .actual = say("it %s\n%s", doing(again), printed(again)),
         .cause = "SO_REUSEADDR is to be set on the listening socket, before bind()");
}

/* ---- several clients ---- */

CHECK(server_serves_one_after_another, "tcp.7", "tcp-server") {
  enum { CLIENTS = 20 };
  static const char others[] = "fedcba9876543210";
  struct service first = serve_first();

  fresh_world();
  struct program *server = start_server();
  for (int i = 0; i < CLIENTS; i++) {
    const char *request = say("request no. %04d", i + 1);
    const char *what = say("client %d in a row", i + 1);
    struct connection *client = tcp_connect(what, "127.0.0.1", at_home());
    EXPECT(client, .message = say("%s cannot connect", what),
           .expected = "the server goes on listening",
           .actual = say("%s; the server %s\n%s", strerror(tcp_connect_error()), doing(server),
                         printed(server)),
           .cause = "does it end, or close the listening socket, after a client?");
    struct service service = finish_request(server, client, request, 0);
    expect_as_first(&service, &first, server, what,
                    "does it end, or wait for ever, after a client? accept() belongs in a loop");
  }

  fresh_world();
  server = start_server();
  struct connection *slow = connect_from("slow client", "127.0.0.1");
  tcp_send(slow, REQUEST, 7);
  struct connection *second = connect_from("second client", "127.0.0.2");
  tcp_send_text(second, others);
  pass(0.5);
  struct service service = finish_request(server, slow, REQUEST, 7);
  expect_as_first(&service, &first, server, "a slow client, while another waits,",
                  "is there one buffer, or one counter, for two clients?");
  service = finish_request(server, second, others, MESSAGE_SIZE);
  expect_as_first(&service, &first, server, "a client that connected while another was served",
                  "does the server end, or close the listening socket, after a client? those that "
                  "wait are then lost");
}

/* Serves one more client, after `what`. */
static void expect_next(struct program *server, const struct service *first, const char *what) {
  static int number;
  const char *request = say("next client, %03d", ++number);
  struct connection *client = tcp_connect("next client", "127.0.0.1", at_home());
  EXPECT(client, .message = say("after %s nobody can connect any more", what),
         .expected = "the server goes on to serve the next",
         .actual = say("%s; the server %s\n%s", strerror(tcp_connect_error()), doing(server),
                       printed(server)),
         .cause = "what goes wrong with one client is no reason to end");
  struct service service = finish_request(server, client, request, 0);
  expect_as_first(&service, first, server, say("the client after %s", what),
                  "what goes wrong with one client is no reason to end, or to wait for ever");
}

/* A client that is connected, and that the server has taken notice of: to break off before accept()
 * returns would be another experiment. */
static struct connection *connect_and_be_seen(void) {
  struct connection *client = connect_home();
  pass(0.5);
  return client;
}

/* Whether the server can be stopped and let go on while a client waits, and serves it then: else
 * tcp.13 has something to say. */
static bool stands_being_stopped(struct program *server, const struct service *first) {
  struct connection *client = connect_and_be_seen();
  send_signal(server, SIGSTOP);
  pass(0.1);
  send_signal(server, SIGCONT);
  pass(0.1);
  struct service service = finish_request(server, client, REQUEST, 0);
  return service.response.length == first->response.length && !await_exit(server, 0);
}

CHECK(server_survives_bad_clients, "tcp.8", "tcp-server") {
  struct service first = serve_first();

  fresh_world();
  struct program *server = start_server();
  struct connection *client = connect_home();
  tcp_send(client, REQUEST, 7);
  tcp_finish(client);
  tcp_await_end(client, 1);
  tcp_close(client);
  expect_next(server, &first, "a request that ended early");

  tcp_close(connect_home());
  expect_next(server, &first, "a client that left without a request");

  client = connect_and_be_seen();
  tcp_send(client, REQUEST, 7);
  tcp_reset(client);
  expect_next(server, &first, "a client that broke off in its request");

  fresh_world();
  server = start_server();
  if (!stands_being_stopped(server, &first))
    return;
  client = connect_and_be_seen();
  send_signal(server, SIGSTOP); /* so that all of this comes before it can respond */
  tcp_send_text(client, REQUEST);
  tcp_reset(client);
  send_signal(server, SIGCONT);
  pass(0.1);
  expect_next(server, &first, "a client that broke off before the response");
}

CHECK(server_can_be_stopped, "tcp.13", "tcp-server") {
  struct service first = serve_first();
  static const char *const whens[] = {"between two pieces of the request",
                                      "while it waits for more", "while nobody is connected"};
  enum { PIECES, WAITING, IDLE, WHENS };
  for (int when = 0; when < WHENS; when++) {
    fresh_world();
    struct program *server = start_server();
    struct connection *client = when == IDLE ? NULL : connect_home();
    size_t sent = client ? tcp_send(client, REQUEST, 7) : 0;
    send_signal(server, SIGSTOP);
    if (when == PIECES)
      sent += tcp_send(client, REQUEST + sent, 5);
    if (when == IDLE)
      client = connect_home();
    pass(1);
    send_signal(server, SIGCONT);
    pass(0.1);
    struct service service = finish_request(server, client, REQUEST, sent);
    expect_as_first(&service, &first, server,
                    say("a client of a server that was stopped and let go on %s", whens[when]),
                    "SIGCONT makes some calls fail with EINTR: call them again");
  }
}

/* ---- HOST and PORT ---- */

/* A host with a LAN, another one on it; and that from which the client comes. */
static struct host *begin_on_lan(bool from_stranger) {
  fresh_world();
  struct lan *lan = new_lan("LAN", 1500);
  struct host *stranger = new_host("stranger");
  attach(localhost(), lan, "192.168.1.2/24");
  attach(stranger, lan, "192.168.1.3/24");
  return from_stranger ? stranger : localhost();
}

static void expect_served_at(struct program *server, struct host *from, struct address to,
                             const struct service *first, const char *started) {
  struct connection *client = connect_when_ready(server, from, to);
  EXPECT(client, .message = say("%s cannot be reached at %s", started, address_text(to)),
         .expected = "a connection",
         .actual =
             say("%s; it %s\n%s", strerror(tcp_connect_error()), doing(server), printed(server)),
         .cause = "bind() to what HOST and PORT say (getaddrinfo(), inet_pton(), htons())");
  struct service service = finish_request(server, client, REQUEST, 0);
  expect_as_first(&service, first, server, say("a client of %s", started), NULL);
}

CHECK(server_listens_where_it_is_told, "tcp.14", "tcp-server") {
  static const struct {
    const char *host, *ip;
    bool from_stranger;
  } reachable[] = {{"localhost", "127.0.0.1", false}, {"0.0.0.0", "127.0.0.1", false},
                   {"0.0.0.0", "127.0.0.5", false},   {"0.0.0.0", "192.168.1.2", false},
                   {"0.0.0.0", "192.168.1.2", true},  {"192.168.1.2", "192.168.1.2", true},
                   {"127.0.0.5", "127.0.0.5", false}};
  struct service first = serve_first();
  for (size_t i = 0; i < sizeof reachable / sizeof *reachable; i++) {
    struct host *from = begin_on_lan(reachable[i].from_stranger);
    expect_served_at(start("tcp-server", reachable[i].host), from, address(reachable[i].ip, PORT),
                     &first, say("“tcp-server %s”", reachable[i].host));
  }

  struct host *stranger = begin_on_lan(true);
  struct program *server = start("tcp-server", "192.168.1.2");
  struct address wanted = address("192.168.1.2", PORT),
                 listening = await_tcp_listening(server, PORT);
  const char *besides = tcp_listening_besides(server, wanted);
  EXPECT(address_equal(listening, wanted) && !besides,
         .message = "“tcp-server 192.168.1.2” does not listen on that address only",
         .expected = address_text(wanted),
         .actual = besides ? say("%s, and %s", address_text(listening), besides)
                           : address_text(listening),
         .cause = listening.ip == 0 ? "it is bound to INADDR_ANY" : NULL);
  EXPECT(!tcp_connect("client", "127.0.0.1", at_home()),
         .message = "“tcp-server 192.168.1.2” can be reached at 127.0.0.1 too",
         .expected = "no connection", .actual = "there is one");
  expect_served_at(server, stranger, wanted, &first, "“tcp-server 192.168.1.2”");

  fresh_world();
  enum { OTHER_PORT = 60007 };
  struct program *one = start("tcp-server", "127.0.0.1", "60007");
  await_tcp_listening(one, OTHER_PORT);
  struct program *other = start("tcp-server", "127.0.0.2", "60007");
  expect_served_at(other, localhost(), address("127.0.0.2", OTHER_PORT), &first,
                   "“tcp-server 127.0.0.2 60007”, beside one at 127.0.0.1,");
  expect_served_at(one, localhost(), address("127.0.0.1", OTHER_PORT), &first,
                   "“tcp-server 127.0.0.1 60007”, beside one at 127.0.0.2,");
}
