/* halfopen: clients that are gone without a word, and one that is only silent. */
#define LAB halfopen
#include "service.h"

/* ---- silence ---- */

/* Lets the time pass; ends the check if the server ends one of the connections meanwhile. */
static void expect_kept(struct program *server, struct connection *const *clients, size_t count,
                        double seconds) {
  enum { STEPS = 12 };
  double since = now();
  for (int step = 0; step < STEPS; step++) {
    pass(seconds / STEPS);
    for (size_t i = 0; i < count; i++) {
      struct stream_so_far stream = tcp_received(clients[i]);
      EXPECT(stream.end == TCP_OPEN, .message = "a client that is silent, but there, is not kept",
             .expected = say("the connection stays open for %g s", seconds),
             .actual =
                 say("%s after %.1f s of silence\n%s", stream.end == TCP_RESET ? "RST" : "FIN",
                     stream.end_time - since, printed(server)),
             .cause = "a time limit on what clients say (SO_RCVTIMEO, settimeout(), alarm()) "
                      "cannot tell silence from death, nor can a question that the client's "
                      "program would have to answer; the kernel's keep-alive can");
      for (const char *const *word = (const char *const[]){"lost", "closed", NULL}; *word; word++) {
        struct address from = tcp_local(clients[i]);
        double told = await_line(server, STDOUT, 0, say("Connection from %%a %s.", *word), &from);
        EXPECT(told < 0, .message = say("a client that is silent, but there, is told as %s", *word),
               .expected = "no such line: its kernel acknowledges whatever it is asked",
               .actual = say("that line after %.1f s of silence", told - since));
      }
    }
  }
}

static void expect_answer(struct program *server, struct connection *client, double within,
                          const char *what, const char *cause) {
  size_t before = pongs(client);
  tcp_send_text(client, PING);
  EXPECT(await_pongs(client, before + 1, within), .message = say("%s is not answered", what),
         .expected = "“pong”",
         .actual =
             say("%s\nthe server %s\n%s", client_text(client), doing(server), printed(server)),
         .cause = cause);
}

CHECK(server_keeps_silent_clients, "halfopen.4", "halfopen-server") {
  static const char deaf[] =
      "the connection is open, but its socket is not listened to any more: a "
      "client may be silent as long as it likes, and then speak";
  struct program *server = start_server();
  struct connection *clients[] = {connect_from("talker", "127.0.0.2"),
                                  connect_from("listener", "127.0.0.3")};
  tcp_send_text(clients[0], PING);
  await_pongs(clients[0], 1, PATIENCE);
  expect_kept(server, clients, 2, 6);
  expect_answer(server, clients[0], PATIENCE, "a client that has been silent for 6 s", deaf);
  tcp_close(clients[0]); /* so that the next gets its turn even where there are turns */
  expect_answer(server, clients[1], PATIENCE,
                "a client that has been silent for 6 s from the beginning", deaf);
}

/* ---- hosts that vanish, or are restarted ---- */

/* Nothing is on its way on any of the connections: neither side would send anything again. */
static void let_all_arrive(void) {
  pass(0.1);
  settle();
}

CHECK(server_notices_a_host_that_vanishes, "halfopen.3", "halfopen-server") {
  record_calls();
  struct lan *lan = NULL;
  struct program *server = start_server_on_lan(&lan);
  struct victim victims[2];
  struct host *hosts[2];
  size_t count = 0;
  for (int i = 0; i < 2; i++) {
    const char *name = i == 0 ? "talker" : "listener";
    hosts[i] = new_host(say("%s's host", name));
    attach(hosts[i], lan, say("192.168.1.%d/24", i + 3));
    struct connection *client = tcp_connect_at(hosts[i], name, NULL, address(SERVER_IP, PORT));
    EXPECT(client,
           .message = say("the server that is started with 0.0.0.0 cannot be reached at %s",
                          address_text(address(SERVER_IP, PORT))),
           .expected = "a connection",
           .actual = say("%s; the server %s", strerror(tcp_connect_error()), doing(server)),
           .cause = "HOST says where it listens; 0.0.0.0 is every address of its machine");
    if (i == 0) { /* the other one says nothing from the beginning */
      tcp_send_text(client, PING);
      await_pongs(client, 1, PATIENCE);
    }
    bool accepted = is_accepted(client);
    EXPECT(accepted || i > 0, .message = "the server accepts no connection",
           .expected = "accept() returns the client's",
           .actual = say("it %s\n%s", doing(server), printed(server)));
    if (!accepted) /* who serves one at a time has halfopen.1 to mend */
      break;
    victims[count++] = victim_of(client);
  }
  let_all_arrive();
  for (size_t i = 0; i < count; i++)
    cut_links(hosts[i]);
  expect_lost(server, victims, count, "a client whose host has vanished", now(), NULL, NULL);
}

CHECK(server_notices_a_host_that_was_restarted, "halfopen.5", "halfopen-server") {
  record_calls();
  struct program *server = start_server();
  struct connection *client = connect_from("client", "127.0.0.2");
  tcp_send_text(client, PING);
  await_pongs(client, 1, PATIENCE);
  EXPECT(is_accepted(client), .message = "the server accepts no connection",
         .expected = "accept() returns the client's",
         .actual = say("it %s\n%s", doing(server), printed(server)));
  struct victim victim = victim_of(client);
  let_all_arrive();
  tcp_forget(client);
  expect_lost(server, &victim, 1, "a client whose host was restarted", now(), NULL, NULL);
  expect_answer(server, connect_from("another client", "127.0.0.3"), PATIENCE,
                "a client that comes after another was lost",
                "one client's end is no reason to accept no others");
}

struct living {
  struct program *server;
  struct connection *client;
};

static void ask_living(void *context) {
  static const double MEANWHILE = 2; /* not when all is over */
  const struct living *living = context;
  expect_answer(living->server, living->client, MEANWHILE,
                "a client that is there, while 200 others are not,",
                "one who is lost must not keep the server from serving the others: no sleep(), no "
                "waiting for the one client");
}

CHECK(server_notices_many, "halfopen.5", "halfopen-server") {
  record_calls();
  struct lan *lan = NULL;
  struct program *server = start_server_on_lan(&lan);
  struct host *host = new_host("clients' host");
  attach(host, lan, "192.168.1.3/24");
  struct living living = {server, connect_from("living client", "127.0.0.2")};
  is_accepted(living.client); /* before the others come: it is the first */
  static struct victim victims[VICTIMS_MAX];
  for (int i = 0; i < VICTIMS_MAX; i++) {
    struct connection *client =
        tcp_connect_at(host, say("client %d", i + 1), NULL, address(SERVER_IP, PORT));
    if (client && i % 2)
      tcp_send_text(client, PING);
    EXPECT(client && is_accepted(client),
           .message =
               say("the server does not accept client %d, while %d others are there", i + 1, i + 1),
           .expected = say("%d clients at once, and one more", VICTIMS_MAX),
           .actual = say("it %s\n%s", doing(server), printed(server)),
           .cause = too_few_cause((size_t)i + 1));
    victims[i] = victim_of(client);
  }
  let_all_arrive();
  ask_living(&living);
  cut_links(host);
  expect_lost(server, victims, VICTIMS_MAX, "200 clients whose host has vanished", now(),
              ask_living, &living);
  ask_living(&living);
}
