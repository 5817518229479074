/* tcp: the server, and several clients, signals, and addresses of its own. */
#define LAB tcp
#include "service.h"

#include <signal.h>

/* ---- several clients ---- */

/* Why a client is not served as the one before it was. */
static const char *unserved_cause(const struct service *service) {
  if (service->response.length > 0)
    return "the answer came, but not as it did to the client before: is a buffer or a counter not "
           "begun anew for each client?";
  const char *cause = silence_cause(service->server);
  return cause ? cause
               : say("it never came back to accept(), which belongs in a loop with all that "
                     "serves a client: it %s",
                     doing(service->server));
}

/* Why the server does not go on after a client that failed it. */
static const char *lost_by_one_cause(struct program *server) {
  if (!await_exit(server, 0))
    return "it still waits for something of the client that has gone: its end is the end of this "
           "connection, and the next is to be accepted";
  if (exit_status(server) < 0)
    return silence_cause(server);
  return exit_status(server) == 0
             ? "the server ended as if all were done: the end of one client's stream is not the "
               "end of its work"
             : "the server ended with an error (see what it says on stderr): what goes wrong with "
               "one connection is to be told, and that connection closed, and no more";
}

CHECK(server_serves_one_after_another, "tcp.7", "tcp-server") {
  enum { CLIENTS = 20 };
  static const char others[] = "fedcba9876543210", more[] = "another 16 bytes";
  struct service first = expect_to_serve();
  fresh_world();
  struct service first_cut = serve_first(7);

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
           .cause = await_exit(server, 0)
                        ? say("it ended after %s: is there a limit? accept() belongs in a loop "
                              "without one",
                              counted((size_t)i, "client"))
                        : "is the listening socket closed after a client?");
    struct service service = finish_request(server, client, request, 0);
    expect_as_good(&service, &first, server, what, unserved_cause(&service));
  }

  fresh_world();
  server = start_server();
  struct connection *slow = connect_home();
  tcp_send(slow, REQUEST, 7);
  struct connection *second = tcp_connect("second client", "127.0.0.2", at_home());
  EXPECT(second, .message = "nobody can connect while the server serves a client",
         .expected = "a connection, which waits for its turn",
         .actual = strerror(tcp_connect_error()),
         .cause = "is the listening socket closed as soon as a client is there?");
  tcp_send_text(second, others);
  struct connection *third = tcp_connect("third client", "127.0.0.3", at_home());
  if (third) /* a backlog may be too short for it */
    tcp_send_text(third, more);
  pass(0.5);
  struct service service = finish_request(server, slow, REQUEST, 7);
  expect_as_good(&service, &first_cut, server, "a slow client, while another waits,",
                 "is there one buffer, or one counter, for two clients?");
  for (int i = 0; i < (third ? 2 : 1); i++) {
    service = i == 0 ? finish_request(server, second, others, MESSAGE_SIZE)
                     : finish_request(server, third, more, MESSAGE_SIZE);
    expect_as_good(&service, &first, server, "a client that connected while another was served",
                   "does the server end, or close the listening socket, after a client? those "
                   "that wait are then lost");
  }
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
         .cause = lost_by_one_cause(server));
  struct service service = finish_request(server, client, request, 0);
  expect_as_good(&service, first, server, say("the client after %s", what),
                 service.response.length > 0 ? unserved_cause(&service)
                                             : lost_by_one_cause(server));
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
  struct service first = expect_to_serve();

  fresh_world();
  struct program *server = start_server();
  struct connection *client = connect_home();
  tcp_send(client, REQUEST, 7);
  tcp_finish(client);
  tcp_await_end(client, PATIENCE);
  tcp_close(client);
  expect_next(server, &first, "a request that ended early");

  tcp_close(connect_home());
  expect_next(server, &first, "a client that left without a request");

  client = connect_and_be_seen();
  tcp_reset(client);
  expect_next(server, &first, "a client that broke off before its request");

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

/* When the server is stopped, for a second. */
enum moment { BETWEEN_PIECES, WAITING_FOR_MORE, WAITING_FOR_CLIENTS, MOMENTS };

static struct service serve_and_stop(enum moment when, bool stopped) {
  fresh_world();
  struct program *server = start_server();
  struct connection *client = when == WAITING_FOR_CLIENTS ? NULL : connect_home();
  size_t sent = client ? tcp_send(client, REQUEST, 7) : 0;
  pass(0.1);
  if (stopped)
    send_signal(server, SIGSTOP);
  pass(0.1);
  if (when == WAITING_FOR_CLIENTS)
    client = connect_home();
  if (when == BETWEEN_PIECES)
    sent += tcp_send(client, &REQUEST[sent], 5);
  pass(1);
  if (stopped)
    send_signal(server, SIGCONT);
  pass(0.1);
  return finish_request(server, client, REQUEST, sent);
}

CHECK(server_can_be_stopped, "tcp.13", "tcp-server") {
  static const char *const whens[] = {"while the request comes", "while it waits for more",
                                      "while nobody is connected"};
  expect_to_serve(); /* who serves nobody loses nothing, but that is not what is meant */
  for (enum moment when = 0; when < MOMENTS; when++) {
    struct service without = serve_and_stop(when, false);
    if (without.response.length == 0)
      continue; /* it gives up who is so slow: that says nothing of a stop */
    struct service with = serve_and_stop(when, true);
    EXPECT(is_as_good(&with, &without),
           .message =
               say("a server that was stopped and let go on %s loses something", whens[when]),
           .expected = say("as without: %s", service_text(&without)), .actual = service_text(&with),
           .cause = stopped_cause(with.server));
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

static const char *unreachable_cause(struct program *server, struct address to) {
  const char *elsewhere = tcp_listening_besides(server, to);
  if (elsewhere)
    return say("it listens on %s: are HOST and PORT of the command line what bind() is given? "
               "0.0.0.0 is every interface",
               elsewhere);
  return await_exit(server, 0)
             ? "it ended (see what it says on stderr): HOST may be a name, such as localhost, as "
               "well as an address; getaddrinfo() takes both"
             : NULL;
}

static void expect_served_at(struct program *server, struct host *from, struct address to,
                             const struct service *first, const char *started) {
  struct connection *client = tcp_connect_when_ready(server, from, to);
  EXPECT(client, .message = say("%s cannot be reached at %s", started, address_text(to)),
         .expected = "a connection",
         .actual =
             say("%s; it %s\n%s", strerror(tcp_connect_error()), doing(server), printed(server)),
         .cause = unreachable_cause(server, to));
  struct service service = finish_request(server, client, REQUEST, 0);
  expect_as_good(&service, first, server, say("a client of %s", started), NULL);
}

CHECK(server_listens_where_it_is_told, "tcp.14", "tcp-server") {
  static const struct {
    const char *host, *ip;
    bool from_stranger;
  } reachable[] = {{"localhost", "127.0.0.1", false}, {"0.0.0.0", "127.0.0.1", false},
                   {"0.0.0.0", "127.0.0.5", false},   {"0.0.0.0", "192.168.1.2", false},
                   {"0.0.0.0", "192.168.1.2", true},  {"192.168.1.2", "192.168.1.2", true},
                   {"127.0.0.5", "127.0.0.5", false}};
  struct service first = serve_first(0);
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
         .cause = bound_cause(wanted, listening));
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
