/* broadcast: one question, many answers. Here the server; checks_bound.c has it bound to other
 * addresses, checks_client.c has the client, checks_options.c the options of both. */
#include "server.h"

#include <string.h>

CHECK(server_runs_until_told, "broadcast.1", "broadcast") {
  expect_runs_until_told(start_server(new_network(1).servers[0]));
  fresh_world();
  expect_ends_when_interrupted(start_server(new_network(1).servers[0]));
}

/* ---- what it prints ---- */

/* What has come before, from the same client. It is the datagram of that number with this text. */
static void expect_shown_again(struct program *server, struct peer *asker, size_t number) {
  enum { TRIES = 20 };
  struct address from = peer_address(asker);
  udp_send_text(asker, server_address(0), QUESTION);
  size_t shown = 0;
  for (int i = 0; i < TRIES && shown < number; i++) {
    pass(ANSWER_WITHIN / TRIES);
    struct lines all = lines(server, STDOUT);
    shown = 0;
    for (size_t k = 0; k < all.count; k++)
      shown += line_matches(all.list[k].text, "The client from %a says %t", &from, QUESTION);
  }
  EXPECT(shown >= number, .message = "the server does not show a datagram that comes again",
         .expected =
             say("%zu lines “The client from %s says %s”", number, address_text(from), QUESTION),
         .actual = printed(server),
         .cause = "each datagram has its line, whatever was in the one before");
}

/* Whether it hears broadcasts is another requirement: one that it answers it has heard. */
static void expect_broadcast_shown(struct program *server, struct peer *asker) {
  static const char text[] = "Is anybody there?";
  struct address from = peer_address(asker);
  size_t before = datagrams_sent_by("server 1").count;
  udp_send_text(asker, address(EVERYBODY, PORT), text);
  bool shown =
      await_line(server, STDOUT, ANSWER_WITHIN, "The client from %a says %t", &from, text) >= 0;
  EXPECT(shown || datagrams_sent_by("server 1").count == before,
         .message = "the server does not show a datagram that came as a broadcast",
         .expected = say("The client from %s says %s", address_text(from), text),
         .actual = say("it has answered it\n%s", printed(server)),
         .cause = "each datagram has its line, to whatever address it was sent");
}

CHECK(server_shows_datagrams, "broadcast.1", "broadcast") {
  char long_text[701] = "";
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
  expect_shown_again(server, askers[0], 2);
  expect_shown_again(server, askers[0], 3);
  expect_broadcast_shown(server, askers[0]);
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

  fresh_world();
  network = new_network(1);
  server = start_at(network.servers[0], "broadcast", "server", server_ip(0), say("%d", OTHER_PORT));
  bound.port = OTHER_PORT;
  EXPECT(await_bound_to(server, bound),
         .message = "given an IP and a PORT, the server is not bound to them",
         .expected = say("`broadcast server %s %d` is bound to %s", server_ip(0), OTHER_PORT,
                         address_text(bound)),
         .actual = say("it is not; the program %s\n%s", doing(server), printed(server)),
         .cause = is_bound_to(server, server_address(0))
                      ? "it is bound to port 60000: is PORT used with some IPs only?"
                      : NULL);
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

enum { ASKERS = 3 };
struct asking {
  struct program *server;
  struct peer *askers[ASKERS];
};

static struct asking start_asking(void) {
  struct network network = new_network(2);
  return (struct asking){
      start_server(network.servers[0]),
      {udp_peer_at(network.client, "asker 1", CLIENT_IP, 0),
       udp_peer_at(network.client, "asker 2", CLIENT_IP, 0),
       udp_peer_at(network.servers[1], "asker 3", server_ip(1), 0)},
  };
}

/* Why a datagram to the server's own address gets no answer. */
static const char *unanswered_cause(struct program *server, const struct asked *asked, bool again,
                                    bool after_empty) {
  enum { LONG = 64 };
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
  if (strlen(asked->text) >= LONG)
    return say("its text is longer than those before, %zu bytes: each datagram gets an answer, "
               "however long it is",
               strlen(asked->text));
  if (strcmp(asked->text, QUESTION) != 0)
    return say("its text is another one, %s: is only “%s” answered? Each datagram gets an answer",
               quoted(asked->text, strlen(asked->text)), QUESTION);
  if (asked->to_all)
    return "a broadcast before this one was answered: each one gets an answer";
  return again ? "this one had asked before, and was answered then: is it remembered who has had "
                 "an answer? Each datagram gets one"
               : NULL;
}

CHECK(server_answers_the_sender, "broadcast.2", "broadcast") {
  char text_of_100[101] = "", text_of_700[701] = "";
  memset(text_of_100, 'x', sizeof text_of_100 - 1);
  memset(text_of_700, 'y', sizeof text_of_700 - 1);
  const struct asked all[] = {
      {0, false, QUESTION},
      {0, false, QUESTION},
      {1, false, QUESTION},
      {2, false, QUESTION},
      {1, false, ""},
      {1, false, QUESTION},
      {2, false, "Is anybody there?"},
      {2, false, text_of_100},
      {1, false, text_of_700},
      {0, true, QUESTION},
      {1, true, QUESTION},
      {2, true, QUESTION},
  };
  struct asking asking = start_asking();
  bool has_asked[ASKERS] = {false}, hears_broadcasts = false;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const struct asked *asked = &all[i];
    struct peer *asker = asking.askers[asked->asker];
    struct datagram answer;
    size_t before = datagrams_sent_by("server 1").count;
    udp_send_text(asker, asked->to_all ? address(EVERYBODY, PORT) : server_address(0), asked->text);
    bool received = udp_receive(asker, ANSWER_WITHIN, &answer);
    pass(4); /* there may be more, which nobody may have; or the same again, but not to the next */
    judge_answers(before, asker, asked->to_all ? "a broadcast" : "a datagram");
    /* Whether it hears broadcasts at all is another requirement, and so is how often it answers.
     * Whoever says nothing may have no answer; but the server goes on. */
    bool must = asked->to_all ? hears_broadcasts : *asked->text;
    EXPECT(received || !must, .message = "the server does not answer a datagram",
           .expected = say("%s, back to the sender", quoted(ANSWER, strlen(ANSWER))),
           .actual = say("nothing came within %g s; the server %s\n%s", ANSWER_WITHIN,
                         doing(asking.server), printed(asking.server)),
           .cause = unanswered_cause(asking.server, asked, has_asked[asked->asker],
                                     i > 0 && !*all[i - 1].text));
    has_asked[asked->asker] = true;
    hears_broadcasts |= asked->to_all && received;
    while (udp_receive(asker, 0, &answer))
      ;
  }
}

/* How many datagrams the server has sent to it. */
static size_t count_answers(const struct peer *asker) {
  struct datagrams_sent sent = datagrams_sent_by("server 1");
  size_t count = 0;
  for (size_t i = 0; i < sent.count; i++)
    count += address_equal(sent.list[i].destination, peer_address(asker));
  return count;
}

/* Several datagrams wait for the server before it has read any: on the virtual clock, where nobody
 * runs between these sendings. */
CHECK(server_answers_each_of_many, "broadcast.2", "broadcast") {
  static const int turns[] = {0, 1, 1, 2, 0};
  enum { TURNS = sizeof turns / sizeof *turns };
  struct asking asking = start_asking();
  size_t wanted[ASKERS] = {0};
  for (size_t i = 0; i < TURNS; i++) {
    udp_send_text(asking.askers[turns[i]], server_address(0), QUESTION);
    wanted[turns[i]]++;
  }
  pass(ANSWER_WITHIN * TURNS);
  size_t answers = 0;
  for (int i = 0; i < ASKERS; i++)
    answers += count_answers(asking.askers[i]);
  for (int i = 0; i < ASKERS; i++)
    EXPECT(count_answers(asking.askers[i]) >= wanted[i],
           .message = "the server does not answer every datagram of several that come together",
           .expected = say("%d answers: one for each datagram", TURNS),
           .actual = say("%s; the server %s\n%s", counted(answers, "answer"), doing(asking.server),
                         printed(asking.server)),
           .cause = answers == 0
                        ? silence_cause(asking.server)
                        : "each datagram is a question of its own: read on while there are "
                          "any, and answer one that has asked a moment ago, too");
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
  pass(count < SERVERS_MOST ? AGAIN_WITHIN : 2); /* many that poll would need much CPU time */
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
