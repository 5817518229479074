/* broadcast: one question, many answers. Here the server; checks_client.c has the client. */
#include "lan.h"

#include <string.h>

/* A server that waits a moment before it answers, so that not all answer at once, is right. */
static const double ANSWER_WITHIN = PATIENCE;

static struct address server_address(int number) {
  return address(server_ip(number), PORT);
}

/* Whether a socket of the program's host is bound to that; any address if its IP is 0.0.0.0. */
static bool is_bound_to(struct program *server, struct address wanted) {
  const struct address nobody = {.ip = 1, .port = wanted.port}; /* 0.0.0.1 */
  const char *bound = udp_bound_besides(server, nobody);
  return bound && (wanted.ip == 0 || strstr(bound, address_text(wanted)));
}

/* Waits until it is, or the program has ended; and then until it receives: it may still set options
 * of its socket. */
static bool await_bound_to(struct program *server, struct address wanted) {
  enum { TRIES = 50 };
  for (int i = 0; i < TRIES && !is_bound_to(server, wanted); i++)
    if (await_exit(server, 0.1))
      return false;
  settle();
  return is_bound_to(server, wanted);
}

static struct program *start_server(struct host *host) {
  struct program *server = start_at(host, "broadcast", "server");
  await_udp_bound(server, PORT);
  settle();
  return server;
}

CHECK(server_runs_until_told, "broadcast.1", "broadcast") {
  expect_runs_until_told(start_server(new_network(1).servers[0]));
  fresh_world();
  expect_ends_when_interrupted(start_server(new_network(1).servers[0]));
}

/* ---- what it prints ---- */

/* What has come before, from the same client. */
static void expect_shown_again(struct program *server, struct peer *asker) {
  enum { TRIES = 20, TWICE = 2 };
  struct address from = peer_address(asker);
  udp_send_text(asker, server_address(0), QUESTION);
  size_t shown = 0;
  for (int i = 0; i < TRIES && shown < TWICE; i++) {
    pass(ANSWER_WITHIN / TRIES);
    struct lines all = lines(server, STDOUT);
    shown = 0;
    for (size_t k = 0; k < all.count; k++)
      shown += line_matches(all.list[k].text, "The client from %a says %t", &from, QUESTION);
  }
  EXPECT(shown >= TWICE, .message = "the server does not show a datagram that comes again",
         .expected = say("two lines “The client from %s says %s”", address_text(from), QUESTION),
         .actual = printed(server),
         .cause = "each datagram has its line, whatever was in the one before");
}

CHECK(server_shows_datagrams, "broadcast.1", "broadcast") {
  char long_text[401] = "";
  while (strlen(long_text) + 1 < sizeof long_text)
    strcat(long_text, "0123456789");
  const char *const texts[] = {QUESTION,
                               "x",
                               "Who's there, \"please\"?",
                               "a b  c; 100 % \\o/, 50 %d or %s",
                               long_text,
                               "(\a, \x1b, \x7f)"};
  struct network network = new_network(2);
  struct program *server = start_at(network.servers[0], "broadcast", "server");
  struct address bound = await_udp_bound(server, PORT), any = address("0.0.0.0", PORT);
  EXPECT(address_equal(bound, any), .message = "without an IP the server is not bound to 0.0.0.0",
         .expected = address_text(any), .actual = address_text(bound),
         .cause =
             say("a socket that is bound to an address of its own, %s, hears no broadcast: bind "
                 "it to 0.0.0.0 (INADDR_ANY)",
                 address_text(bound)));
  expect_line(server, 2, "Listening on %a", &any);
  settle();
  struct peer *const askers[] = {udp_peer_at(network.client, "asker 1", CLIENT_IP, 0),
                                 udp_peer_at(network.servers[1], "asker 2", server_ip(1), 0)};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct address from = peer_address(askers[i % 2]);
    udp_send_text(askers[i % 2], server_address(0), texts[i]);
    expect_line(server, ANSWER_WITHIN, "The client from %a says %t", &from, texts[i]);
  }
  expect_shown_again(server, askers[0]);
}

CHECK(server_tells_where_it_listens, "broadcast.1", "broadcast") {
  struct network network = new_network(1);
  struct program *server =
      start_at(network.servers[0], "broadcast", "server", "0.0.0.0", say("%d", OTHER_PORT));
  struct address bound = await_udp_bound(server, OTHER_PORT);
  expect_line(server, 2, "Listening on %a", &bound);

  fresh_world();
  network = new_network(1);
  server = start_at(network.servers[0], "broadcast", "server", server_ip(0));
  if (!await_bound_to(server, server_address(0)))
    return; /* a server that cannot do that is another requirement's business */
  bound = server_address(0);
  expect_line(server, 2, "Listening on %a", &bound);
}

/* ---- what it answers ---- */

/* Each datagram that the server has sent, but the first `before`, must be an answer, to the asker
 * and nobody else. */
static void judge_answers(size_t before, struct peer *asker, const char *question) {
  struct datagrams_sent sent = datagrams_sent_by("server 1");
  struct address to = peer_address(asker);
  for (size_t i = before; i < sent.count; i++) {
    const struct frame *answer = &sent.list[i];
    EXPECT(!answer->broadcast && address_equal(answer->destination, to),
           .message = say("the answer to %s does not go to the sender only", question),
           .expected = say("one datagram to %s", address_text(to)), .actual = datagram_text(answer),
           .cause = answer->broadcast
                        ? "the answer is broadcast: every host on the LAN has to look at it"
                    : answer->destination.port == PORT
                        ? "it is sent to the server's own port: the client has another one"
                        : "answer to the address that this very recvfrom() returned");
    EXPECT(answer->length == strlen(ANSWER) && memcmp(answer->bytes, ANSWER, strlen(ANSWER)) == 0,
           .message = "the answer is not what is required",
           .expected = quoted(ANSWER, strlen(ANSWER)),
           .actual = quoted(answer->bytes, answer->length),
           .cause = bytes_cause(ANSWER, strlen(ANSWER), answer->bytes, answer->length));
  }
}

/* What is asked, one after another: unicast first, and not always in the same words or turn. */
struct asked {
  int asker;
  bool to_all;
  const char *text;
};

/* Why a datagram to the server's own address gets no answer. */
static const char *unanswered_cause(struct program *server, const struct asked *asked, bool again,
                                    bool after_empty) {
  if (after_empty && await_exit(server, 0))
    return "it has ended after an empty datagram: recvfrom() returns 0 for one, and there is no end "
           "of file in UDP";
  const char *cause = silence_cause(server);
  if (cause)
    return cause;
  struct address own = server_address(0);
  const char *bound = udp_bound_besides(server, own);
  if (bound && !strstr(bound, "0.0.0.0"))
    return say("it is bound to %s, where a datagram to %s does not reach it: bind it to 0.0.0.0",
               bound, address_text(own));
  if (strcmp(asked->text, QUESTION) != 0)
    return say("its text is another one, %s: is only “%s” answered? Each datagram gets an answer",
               quoted(asked->text, strlen(asked->text)), QUESTION);
  return again ? "this one had asked before, and was answered then: is it remembered who has had "
                 "an answer? Each datagram gets one"
               : NULL;
}

CHECK(server_answers_the_sender, "broadcast.2", "broadcast") {
  enum { ASKERS = 3 };
  static const struct asked all[] = {
      {0, false, QUESTION},
      {0, false, QUESTION},
      {1, false, QUESTION},
      {2, false, QUESTION},
      {1, false, ""},
      {1, false, QUESTION},
      {2, false, "Is anybody there?"},
      {0, true, QUESTION},
      {1, true, QUESTION},
      {2, true, QUESTION},
  };
  struct network network = new_network(2);
  struct program *server = start_server(network.servers[0]);
  struct peer *const askers[ASKERS] = {
      udp_peer_at(network.client, "asker 1", CLIENT_IP, 0),
      udp_peer_at(network.client, "asker 2", CLIENT_IP, 0),
      udp_peer_at(network.servers[1], "asker 3", server_ip(1), 0),
  };
  bool has_asked[ASKERS] = {false};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const struct asked *asked = &all[i];
    struct peer *asker = askers[asked->asker];
    struct datagram answer;
    size_t before = datagrams_sent_by("server 1").count;
    udp_send_text(asker, asked->to_all ? address(EVERYBODY, PORT) : server_address(0), asked->text);
    bool received = udp_receive(asker, ANSWER_WITHIN, &answer);
    pass(2); /* there may be more, which nobody may have */
    judge_answers(before, asker, asked->to_all ? "a broadcast" : "a datagram");
    /* Whether it hears broadcasts at all is another requirement, and so is how often it answers.
     * Whoever says nothing may have no answer; but the server goes on. */
    bool must = !asked->to_all && *asked->text;
    EXPECT(received || !must, .message = "the server does not answer a datagram",
           .expected = say("%s, back to the sender", quoted(ANSWER, strlen(ANSWER))),
           .actual = say("nothing came within %g s; the server %s\n%s", ANSWER_WITHIN,
                         doing(server), printed(server)),
           .cause = unanswered_cause(server, asked, has_asked[asked->asker],
                                     i > 0 && !*all[i - 1].text));
    has_asked[asked->asker] = true;
    while (udp_receive(asker, 0, &answer))
      ;
  }
}

/* ---- many servers ---- */

/* To how many addresses the host has sent more than one datagram. */
static size_t count_repeated(const struct datagrams_sent *sent) {
  size_t repeated = 0;
  for (size_t i = 0; i < sent->count; i++)
    for (size_t k = 0; k < i; k++)
      repeated += address_equal(sent->list[i].destination, sent->list[k].destination);
  return repeated;
}

static int count_answering(int servers) {
  int answering = 0;
  for (int i = 0; i < servers; i++)
    answering += datagrams_sent_by(say("server %d", i + 1)).count > 0;
  return answering;
}

static const char *deaf_cause(struct program *server, struct address own) {
  struct address any = address("0.0.0.0", PORT);
  const char *other = udp_bound_besides(server, any), *bound = udp_bound_besides(server, own);
  if (bound && !other)
    return "the datagram reached its socket, which is bound to 0.0.0.0: is it dropped because of the "
           "address that it was sent to?";
  return other ? say("it is bound to %s, and hears only what is sent to that address: bind to "
                     "0.0.0.0",
                     other)
               : silence_cause(server);
}

static void check_one_broadcast(int count) {
  struct network network = new_network(count);
  struct program *servers[SERVERS_MOST];
  for (int i = 0; i < count; i++)
    servers[i] = start_server(network.servers[i]);
  struct peer *client = udp_peer_at(network.client, "asker", CLIENT_IP, 0);
  udp_send_text(client, address(EVERYBODY, PORT), QUESTION);
  double asked = now();
  while (count_answering(count) < count && now() < asked + ANSWER_WITHIN)
    pass(0.1);
  pass(2);
  for (int i = 0; i < count; i++) {
    struct datagrams_sent sent = datagrams_sent_by(say("server %d", i + 1));
    EXPECT(sent.count > 0,
           .message = say("with %d servers on the LAN, one does not answer a broadcast", count),
           .expected = "each hears the one datagram to " EVERYBODY ", and answers it",
           .actual = say("%d of %d answered; server %d (%s) %s\n%s", count_answering(count), count,
                         i + 1, server_ip(i), doing(servers[i]), printed(servers[i])),
           .cause = deaf_cause(servers[i], server_address(i)));
    double apart = sent.list[sent.count - 1].time - sent.list[0].time;
    EXPECT(count_repeated(&sent) == 0, .message = "a server answers one broadcast more than once",
           .expected = "one answer from each server",
           .actual =
               say("%s from server %d (%s)", counted(sent.count, "datagram"), i + 1, server_ip(i)),
           .cause =
               say("the same answer was sent again %.1f s after the first: one sendto() for each "
                   "datagram that came is enough",
                   apart));
  }
}

CHECK(servers_all_hear_one_broadcast, "broadcast.7", "broadcast") {
  check_one_broadcast(2);
  fresh_world();
  check_one_broadcast(3);
  fresh_world();
  check_one_broadcast(SERVERS_MOST);
}

/* ---- bound to other addresses ---- */

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

/* Whether what is wrong with an answer is wrong with every answer: the business of another
 * requirement. */
static bool answers_wrongly(void) {
  fresh_world();
  struct network network = new_network(1);
  start_server(network.servers[0]);
  struct peer *asker = udp_peer_at(network.client, "asker", CLIENT_IP, 0);
  struct frame answer;
  return ask(asker, server_address(0), &answer) && !is_right(&answer, asker);
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
  EXPECT(is_right(&answer, asker) || answers_wrongly(),
         .message = "a server that is bound to its own address answers in another way",
         .expected = "an answer as without an IP: unicast, to the sender",
         .actual = datagram_text(&answer));
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
  pass(2); /* how often it answers is another requirement */
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
  EXPECT(is_right(&answer, asker) || answers_wrongly(),
         .message = say("`broadcast server '%s'` answers in another way", ip),
         .expected = "an answer as without an IP: unicast, to the sender",
         .actual = datagram_text(&answer),
         .cause = answer.broadcast
                      ? "it is broadcast: a question to all is answered to the one "
                        "that asked, at the address that recvfrom() returned"
                      : bytes_cause(ANSWER, strlen(ANSWER), answer.bytes, answer.length));
}

CHECK(server_can_hear_broadcasts_only, "broadcast.10", "broadcast") {
  check_limited_broadcast(EVERYBODY_HERE);
  fresh_world();
  check_limited_broadcast("<broadcast>");
}

/* ---- options ---- */

/* A server with these arguments, in a world of its own. */
static struct program *start_server_with(const char *const *arguments) {
  fresh_world();
  return start_with(new_network(1).servers[0], "broadcast", arguments);
}

/* Why an option has not the effect of the argument. */
static const char *option_cause(struct program *server, const char *bound, struct address wanted) {
  struct address swapped = {.ip = 0, .port = __builtin_bswap16(wanted.port)};
  if (!bound && await_bound_to(server, swapped))
    return say("it is bound to port %u, which is %u with its two bytes swapped: the option's text "
               "is to be converted as the argument's is, with htons()",
               swapped.port, wanted.port);
  if (!bound && await_exit(server, 0) && printed_anything(server, STDERR))
    return "it ended with a message on stderr: is it taken for a wrong argument? --serverIp and "
           "--serverPort, in these letters, may stand together or alone, for server and client";
  return bound ? "the option is read and not used, or taken for something else" : NULL;
}

/* Ends the check unless the server is bound to that in one of the forms that options may have. */
static void expect_options_bind(const char *ip, const char *port, struct address wanted) {
  struct option_forms forms = option_forms("server", ip, port);
  for (size_t i = 0; i < OPTION_FORMS; i++)
    if (await_bound_to(start_server_with(forms.arguments[i]), wanted))
      return;
  struct program *server = start_server_with(forms.arguments[0]);
  await_exit(server, 1);
  const char *bound = udp_bound_besides(server, address("0.0.0.1", PORT));
  check_fail((struct failure_report){
      .message = say("the server does not do what %s", !port ? "--serverIp says"
                                                       : !ip ? "--serverPort says"
                                                             : "--serverIp and --serverPort say"),
      .expected = say("`%s` is bound to %s", option_command("server", ip, port),
                      wanted.ip ? address_text(wanted) : say("port %d", wanted.port)),
      .actual = bound ? say("it is bound to %s", bound)
                      : say("it is not; the program %s\n%s", doing(server), printed(server)),
      .cause = option_cause(server, bound, wanted)});
}

CHECK(server_takes_options, "broadcast.9", "broadcast") {
  /* An address that it takes as an argument: which ones it must take is another requirement. */
  const char *const ips[] = {server_ip(0), EVERYBODY_HERE, EVERYBODY};
  const char *ip = NULL, *port = say("%d", OTHER_PORT);
  for (size_t i = 0; i < sizeof ips / sizeof *ips && !ip; i++) {
    const char *const arguments[] = {"broadcast", "server", ips[i], NULL};
    if (await_bound_to(start_server_with(arguments), address(ips[i], PORT)))
      ip = ips[i];
  }
  if (!ip)
    ip = server_ip(0);
  expect_options_bind(ip, NULL, address(ip, PORT));
  expect_options_bind(NULL, port, address("0.0.0.0", OTHER_PORT));
  expect_options_bind(ip, port, address(ip, OTHER_PORT));
}
