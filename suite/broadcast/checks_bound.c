/* broadcast: a server that is bound to another address than 0.0.0.0. */
#include "server.h"

#include <string.h>

/* Asks server 1, and waits for its answer: the first datagram that it sends, whatever it is and
 * wherever it goes. False if none comes. */
static bool ask(struct peer *asker, struct address to, struct frame *answer) {
  size_t before = datagrams_sent_by("server 1").count;
  udp_send_text(asker, to, QUESTION);
  double asked = now();
  while (datagrams_sent_by("server 1").count == before && now() < asked + ANSWER_WITHIN)
    pass(0.1);
  struct datagrams_sent sent = datagrams_sent_by("server 1");
  if (sent.count > before)
    *answer = sent.list[before];
  return sent.count > before;
}

static bool is_right(const struct frame *answer, struct peer *asker) {
  return !answer->broadcast && address_equal(answer->destination, peer_address(asker)) &&
         answer->length == strlen(ANSWER) && memcmp(answer->bytes, ANSWER, answer->length) == 0;
}

/* Whether a server without arguments, asked at one of these addresses, answers wrongly, too: then
 * what is wrong is the business of another requirement. In a world of its own. */
static bool answers_wrongly(const struct address *asked_at, size_t count) {
  fresh_world();
  struct network network = new_network(1);
  start_server(network.servers[0]);
  struct peer *asker = udp_peer_at(network.client, "asker", CLIENT_IP, 0);
  struct frame answer;
  for (size_t i = 0; i < count; i++) {
    if (ask(asker, asked_at[i], &answer) && !is_right(&answer, asker))
      return true;
    pass(AGAIN_WITHIN);
  }
  return false;
}

/* Why nothing is bound where it is told to; `otherwise`, unless nothing is bound to that port. */
static const char *unbound_cause(struct program *server, const char *otherwise) {
  if (is_bound_to(server, address("0.0.0.0", PORT)) || await_exit(server, 0))
    return otherwise;
  return say("nothing is bound to port %d, which is the port where none is given", PORT);
}

static const char *refused_cause(struct program *server) {
  struct output complaint = output_of(server, STDERR);
  if (memmem(complaint.bytes, complaint.length, "denied", strlen("denied")))
    return "the kernel refuses to send to a broadcast address (EACCES): is the answer sent to the "
           "address that the server is bound to, and not to the sender's?";
  const char *cause = silence_cause(server);
  return cause ? cause
               : "the datagram reached its socket, which is bound to that address: is it dropped, "
                 "or its answer not sent?";
}

CHECK(server_can_be_bound_to_its_own_address, "broadcast.8", "broadcast") {
  struct network network = new_network(1);
  struct address own = server_address(0);
  struct program *server = start_at(network.servers[0], "broadcast", "server", server_ip(0));
  EXPECT(await_bound_to(server, own),
         .message = "given an address of its host, the server is not bound to it",
         .expected = say("`broadcast server %s` is bound to %s", server_ip(0), address_text(own)),
         .actual = say("it is not; the program %s\n%s", doing(server), printed(server)),
         .cause = await_exit(server, 0)
                      ? "it ended, as if that were no address to listen on: any of the host's is "
                        "(see what it says on stderr)"
                      : unbound_cause(server, "the IP is an argument: bind to what it says"));
  struct peer *asker = udp_peer_at(network.client, "asker", CLIENT_IP, 0);
  struct frame answer;
  EXPECT(ask(asker, own, &answer),
         .message = "a server that is bound to its own address does not answer",
         .expected = "an answer to a datagram that is sent to that address",
         .actual = say("nothing came within %g s; the server %s\n%s", ANSWER_WITHIN, doing(server),
                       printed(server)),
         .cause = refused_cause(server));
  if (is_right(&answer, asker) || answers_wrongly(&own, 1))
    return;
  check_fail((struct failure_report){
      .message = "a server that is bound to its own address answers in another way",
      .expected = "an answer as without an IP: unicast, to the sender",
      .actual = datagram_text(&answer)});
}

static void check_limited_broadcast(const char *ip) {
  struct network network = new_network(1);
  struct program *server = start_at(network.servers[0], "broadcast", "server", ip);
  EXPECT(
      await_bound_to(server, address("0.0.0.0", PORT)),
      .message = say("`broadcast server '%s'` does not listen", ip),
      .expected = "a UDP socket bound to " EVERYBODY_HERE ":60000",
      .actual = say("there is none; the program %s\n%s", doing(server), printed(server)),
      .cause = unbound_cause(
          server,
          strcmp(ip, EVERYBODY_HERE) != 0
              ? "<broadcast> is the socket module's name for " EVERYBODY_HERE
                "; others (asyncio, C) do not know it by themselves"
          : await_exit(server, 0)
              ? "does it use inet_addr()? That returns -1 for an error, and -1 is " EVERYBODY_HERE
              : NULL));
  struct peer *asker = udp_peer_at(network.client, "asker", CLIENT_IP, 0);
  struct frame answer;
  EXPECT(ask(asker, address(EVERYBODY_HERE, PORT), &answer),
         .message =
             say("`broadcast server '%s'` does not answer a broadcast to " EVERYBODY_HERE, ip),
         .expected = "an answer, unicast, to the sender",
         .actual = say("nothing came within %g s; the server %s\n%s", ANSWER_WITHIN, doing(server),
                       printed(server)),
         .cause = refused_cause(server));
  pass(AGAIN_WITHIN); /* how often it answers is another requirement */
  static const char unicast[] = "For one host only.";
  size_t before = datagrams_sent_by("server 1").count;
  udp_send_text(asker, server_address(0), unicast);
  pass(2);
  struct lines all = lines(server, STDOUT);
  bool shown = false;
  for (size_t i = 0; i < all.count; i++)
    shown |= strstr(all.list[i].text, unicast) != NULL;
  EXPECT(!shown && datagrams_sent_by("server 1").count == before,
         .message = say("a unicast datagram reaches `broadcast server '%s'`", ip),
         .expected = "it hears what is sent to " EVERYBODY_HERE ", and nothing else",
         .actual = say("%s\n%s", shown ? "it has shown the datagram" : "it has answered it",
                       printed(server)),
         .cause = "the socket is bound to 0.0.0.0, not to " EVERYBODY_HERE);
  const struct address others[] = {server_address(0), address(EVERYBODY, PORT)};
  if (is_right(&answer, asker) || answers_wrongly(others, sizeof others / sizeof *others))
    return;
  check_fail((struct failure_report){
      .message = say("`broadcast server '%s'` answers in another way", ip),
      .expected = "an answer as without an IP: unicast, to the sender",
      .actual = datagram_text(&answer),
      .cause = answer.broadcast
                   ? "it is broadcast: a question to all is answered to the one "
                     "that asked, at the address that recvfrom() returned"
                   : bytes_cause(ANSWER, strlen(ANSWER), answer.bytes, answer.length)});
}

/* Whether it is bound to the other port when it is given that IP too, in a world of its own. */
static bool takes_port_with(const char *ip) {
  fresh_world();
  struct program *server =
      start_at(new_network(1).servers[0], "broadcast", "server", ip, say("%d", OTHER_PORT));
  return await_bound_to(server, address("0.0.0.0", OTHER_PORT));
}

CHECK(server_can_hear_broadcasts_only, "broadcast.10", "broadcast") {
  check_limited_broadcast(EVERYBODY_HERE);
  fresh_world();
  check_limited_broadcast("<broadcast>");
  /* Which port it takes with any IP is another requirement. */
  EXPECT(takes_port_with(EVERYBODY_HERE) || !takes_port_with(server_ip(0)),
         .message = "`broadcast server " EVERYBODY_HERE " PORT` does not listen on PORT",
         .expected = say("a UDP socket bound to " EVERYBODY_HERE ":%d", OTHER_PORT),
         .actual = "there is none; with an address of its host there is one",
         .cause = "PORT is an argument with this IP as with any other");
}
