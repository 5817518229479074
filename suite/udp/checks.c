/* udp: the server. */
#include "suite/udp/exchange.h"

#include <stdlib.h>
#include <string.h>

static struct program *start_server(void) {
  struct program *server = start("udp-server");
  await_udp_bound(server, PORT);
  return server;
}

/* Asks once and returns the answer's text. */
static struct datagram ask(struct program *server, struct peer *client, const char *text) {
  struct datagram answer;
  udp_send_text(client, server_address(), text);
  if (udp_receive(client, PATIENCE, &answer))
    return answer;
  const char *cause = no_answer_cause(server, server_address(), peer_address(client));
  size_t answered = frames_from_port(PORT).count;
  check_fail((struct failure_report){
      .message = "the server does not answer a datagram",
      .expected = "one datagram, back to the sender",
      .actual = say("nothing came; the server %s", doing(server)),
      .cause = cause || answered == 0
                   ? cause
                   : say("%s were sent before: an answer is due for each datagram, whatever its "
                         "number",
                         counted(answered, "answer"))});
}

CHECK(server_announces_itself, "udp.1", "udp-server") {
  struct program *server = start("udp-server");
  struct address bound = await_udp_bound(server, PORT);
  struct address wanted = server_address();
  EXPECT(address_equal(bound, wanted), .message = "the server is not bound to 127.0.0.1 only",
         .expected = address_text(wanted), .actual = address_text(bound),
         .cause = bound_cause(wanted, bound));
  const char *besides = udp_bound_besides(server, wanted);
  EXPECT(!besides, .message = "the server is bound to other addresses than 127.0.0.1 too",
         .expected = say("%s, and nothing else", address_text(wanted)),
         .actual = say("also %s", besides),
         .cause = "one socket, bound to 127.0.0.1, is all that it needs");
  expect_line(server, PATIENCE, "Listening at %a", &wanted);
}

CHECK(server_runs_until_told, "udp.1", "udp-server") {
  expect_runs_until_told(start_server());
  fresh_world();
  expect_ends_when_interrupted(start_server());
}

static size_t times_shown(struct program *server, const struct address *from, const char *text) {
  struct lines all = lines(server, STDOUT);
  size_t shown = 0;
  for (size_t i = 0; i < all.count; i++)
    shown += line_matches(all.list[i].text, "The client at %a says %t", from, text);
  return shown;
}

/* Of one client, and twice the same text. */
static void expect_shown_each_time(struct program *server) {
  static const char *const texts[] = {"once", "twice", "twice"};
  static const double STEP = 0.5;
  enum { DATAGRAMS = sizeof texts / sizeof *texts };
  struct peer *client = udp_peer("client", "127.0.0.1", 0);
  struct address from = peer_address(client);
  for (int i = 0; i < DATAGRAMS; i++) {
    struct datagram answer;
    udp_send_text(client, server_address(), texts[i]);
    udp_receive(client, PATIENCE, &answer);
    settle();
  }
  for (size_t i = 0; i < DATAGRAMS; i++) {
    size_t sent = i == 0 ? 1 : 2, shown = 0;
    double until = now() + PATIENCE;
    while ((shown = times_shown(server, &from, texts[i])) < sent && now() < until)
      pass(STEP);
    EXPECT(shown >= sent, .message = "the server does not show each datagram of a client",
           .expected = say("a line for each: \"%s\" came %s", texts[i], counted(sent, "time")),
           .actual = printed(server),
           .cause =
               "each datagram has its line, whoever sent the one before it and whatever was in it");
  }
}

CHECK(server_shows_datagrams, "udp.2", "udp-server") {
  char long_text[1001] = "";
  while (strlen(long_text) + 1 < sizeof long_text)
    strcat(long_text, "0123456789");
  const char *const texts[] = {QUESTION,
                               "x",
                               "What's the time, \"please\"?",
                               "a b  c; 100 % \\o/, 50 %d or %s",
                               long_text,
                               "(\a, \x1b, \x7f)"};
  struct program *server = start_server();
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct peer *client = udp_peer("client", i % 2 ? "127.0.0.2" : "127.0.0.1", 0);
    struct address from = peer_address(client);
    udp_send_text(client, server_address(), texts[i]);
    expect_line(server, PATIENCE, "The client at %a says %t", &from, texts[i]);
  }
  expect_shown_each_time(server);
}

/* Most questions come before the answer to the one before. */
static void expect_answers_in_a_row(struct program *server, struct peer *client) {
  enum { IN_A_ROW = 40 };
  struct datagram answer;
  for (int i = 0; i < IN_A_ROW; i++)
    udp_send_text(client, server_address(), say("question %d of %d", i + 1, IN_A_ROW));
  for (int i = 0; i < IN_A_ROW; i++)
    EXPECT(udp_receive(client, PATIENCE, &answer),
           .message = say("%d questions of a client in a row do not get an answer each", IN_A_ROW),
           .expected = "one datagram for each",
           .actual = say("%s came; the server %s", counted((size_t)i, "answer"), doing(server)),
           .cause = "an answer is due for each datagram, not for each client that has asked");
}

/* A number that is too large now and then shows when there are many. */
static void expect_many_answers(struct program *server, struct peer *client) {
  enum { MANY = 260 };
  for (int i = 0; i < MANY; i++) {
    struct datagram answer = ask(server, client, QUESTION);
    expect_lucky_answer(&answer, server_address(), "");
  }
}

CHECK(server_answers_once, "udp.3", "udp-server") {
  static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.1"};
  enum { CLIENTS = sizeof hosts / sizeof *hosts, QUESTIONS = 2 };
  struct peer *clients[CLIENTS];
  struct program *server = start_server();
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = udp_peer(say("client %d", i + 1), hosts[i], 0);
    for (int k = 0; k < QUESTIONS; k++) {
      struct datagram answer = ask(server, clients[i], QUESTION);
      expect_lucky_answer(&answer, server_address(), "");
    }
  }
  expect_answers_in_a_row(server, clients[0]);
  expect_many_answers(server, clients[0]);
  pass(5);
  for (int i = 0; i < CLIENTS; i++) {
    struct datagram second;
    EXPECT(!udp_receive(clients[i], 0, &second), .message = "there are more answers than questions",
           .expected = "one datagram for each question, to the one that asked",
           .actual = say("client %d got one more: %s", i + 1, quoted(second.bytes, second.length)),
           .cause = say("%s were sent for %s: is sendto() called twice, or once more for each "
                        "client that is known?",
                        counted(frames_from_port(PORT).count, "datagram"),
                        counted(frames_to_port(PORT).count, "question")));
  }
}

/* Asks by *client, and if that gets no answer, by a new one: a server that has a limit of clients,
 * or of questions, is the business of other requirements. */
static bool ask_patiently(struct peer **client, const void *bytes, size_t length,
                          struct datagram *answer) {
  for (int attempt = 0; attempt < 2; attempt++) {
    if (!*client || attempt > 0)
      *client = udp_peer("client", "127.0.0.1", 0);
    udp_send(*client, server_address(), bytes, length);
    if (udp_receive(*client, PATIENCE, answer))
      return true;
  }
  return false;
}

/* How many answers there are to one question is another requirement. */
static void drop_further_answers(struct peer *client) {
  struct datagram answer;
  while (udp_receive(client, 0, &answer))
    ;
}

/* In how many datagrams it comes is another requirement, too: what comes of them is one answer. */
static void take_whole_answer(struct peer *client, struct datagram *answer) {
  struct datagram more;
  settle();
  while (udp_receive(client, 0, &more)) {
    const char *whole = say("%s%s", (const char *)answer->bytes, (const char *)more.bytes);
    answer->bytes = (const uint8_t *)whole;
    answer->length = strlen(whole);
  }
}

enum { ANSWERS = 64 };

static void collect_answers(struct datagram answers[ANSWERS]) {
  struct program *server = start_server();
  struct peer *client = NULL;
  for (int i = 0; i < ANSWERS; i++) {
    EXPECT(ask_patiently(&client, QUESTION, strlen(QUESTION), &answers[i]),
           .message = "the server does not answer a datagram", .expected = "one datagram",
           .actual = say("nothing came for question %d", i + 1),
           .cause = no_answer_cause(server, server_address(), peer_address(client)));
    take_whole_answer(client, &answers[i]);
  }
}

static bool is_same_answer(const struct datagram *one, const struct datagram *other) {
  return one->length == other->length && memcmp(one->bytes, other->bytes, one->length) == 0;
}

/* Why answers of one second have the same number: does one of another second? */
static const char *same_number_cause(const struct datagram *last) {
  struct peer *client = udp_peer("client", "127.0.0.1", 0);
  struct datagram answer;
  pass(2);
  udp_send_text(client, server_address(), QUESTION);
  if (!udp_receive(client, PATIENCE, &answer))
    return NULL;
  take_whole_answer(client, &answer);
  return is_same_answer(&answer, last)
             ? "the number is drawn once, at the start: draw a new one for each answer"
             : "2 s later the number is another: is the generator seeded with the time before each "
               "answer? Seed it once, at the start";
}

static int count_distinct(const struct datagram answers[ANSWERS]) {
  int distinct = 0;
  for (int i = 0; i < ANSWERS; i++) {
    bool seen = false;
    for (int k = 0; k < i; k++)
      seen |= is_same_answer(&answers[i], &answers[k]);
    distinct += !seen;
  }
  return distinct;
}

static int count_repeated(const struct datagram answers[ANSWERS]) {
  int repeated = 0;
  for (int i = 1; i < ANSWERS; i++)
    repeated += is_same_answer(&answers[i], &answers[i - 1]);
  return repeated;
}

static bool is_same_sequence(const struct datagram first[ANSWERS],
                             const struct datagram second[ANSWERS]) {
  for (int i = 0; i < ANSWERS; i++)
    if (!is_same_answer(&first[i], &second[i]))
      return false;
  return true;
}

/* After how many answers they begin anew; 0 if they do not. */
static int period_of(const struct datagram answers[ANSWERS]) {
  for (int period = 1; period <= ANSWERS / 2; period++) {
    int same = 0;
    while (period + same < ANSWERS && is_same_answer(&answers[same], &answers[period + same]))
      same++;
    if (period + same == ANSWERS)
      return period;
  }
  return 0;
}

/* The last run had the numbers of one that began so many seconds before. Does that hold of the next
 * one, too, when the machine's own clock is later as well? */
static void expect_other_numbers(const struct datagram before[ANSWERS], int seconds) {
  struct datagram again[ANSWERS];
  fresh_world_really_after(seconds);
  collect_answers(again);
  EXPECT(!is_same_sequence(before, again),
         .message = "two runs of the server give the same numbers, in the same order",
         .expected = "other numbers in a run that starts in another second",
         .actual = say("both begin with %s, %s", quoted(before[0].bytes, before[0].length),
                       quoted(before[1].bytes, before[1].length)),
         .cause = "the generator is not seeded (srand, random.seed), or with the same number for "
                  "some seconds");
}

/* Runs that begin two seconds after each other (time(NULL) | 1, for a generator that wants no 0, is
 * a right seed), and one a minute after the first, of a server that reads the time before it is
 * ready. */
static void check_runs(void) {
  enum { RUNS = 4, MORE_RUNS = 8 };
  static const int begins[RUNS] = {0, 2, 4, 60};
  struct datagram runs[RUNS][ANSWERS], more[ANSWERS];
  bool same_number = true;
  for (int i = 0; i < RUNS; i++) {
    fresh_world_after(i > 0 ? begins[i] - begins[i - 1] : 1);
    collect_answers(runs[i]);
    same_number &= is_same_answer(&runs[i][0], &runs[0][0]);
    for (int k = 0; k < i; k++)
      if (is_same_sequence(runs[k], runs[i]))
        expect_other_numbers(runs[i], begins[i] - begins[k]);
  }
  for (int i = 0; i < MORE_RUNS && same_number; i++) {
    fresh_world();
    collect_answers(more);
    same_number = is_same_answer(&more[0], &runs[0][0]);
  }
  EXPECT(!same_number, .message = "the first number is the same in each run of the server",
         .expected = "other numbers in a run that starts in another second",
         .actual = say("%d runs begin with %s", RUNS + MORE_RUNS,
                       quoted(runs[0][0].bytes, runs[0][0].length)),
         .cause = "seed the generator before the first number is drawn, not after it");
}

CHECK(server_numbers_differ, "udp.4", "udp-server") {
  /* Even numbers of one digit after the point, drawn at random, repeat 20 times with a probability
   * below 1e-5. */
  enum { DISTINCT_LEAST = 4, REPEATED_MOST = 19 };
  struct datagram first[ANSWERS];
  collect_answers(first);
  int distinct = count_distinct(first), repeated = count_repeated(first);
  int period = period_of(first);
  EXPECT(distinct >= DISTINCT_LEAST && repeated <= REPEATED_MOST,
         .message = "the number does not differ from answer to answer",
         .expected = say("%d answers with different numbers", ANSWERS),
         .actual = say("%d different among %d, %d times the same as before; the first: %s",
                       distinct, ANSWERS, repeated, quoted(first[0].bytes, first[0].length)),
         .cause = distinct <= 2 ? same_number_cause(&first[ANSWERS - 1]) : NULL);
  EXPECT(period == 0,
         .message = say("after %s the numbers come again, in the same order",
                        counted((size_t)period, "answer")),
         .expected = say("%d answers with different numbers", ANSWERS),
         .actual =
             say("%s, %s and so on, and then %s again", quoted(first[0].bytes, first[0].length),
                 quoted(first[1].bytes, first[1].length),
                 quoted(first[period].bytes, first[period].length)),
         .cause = "draw a number for each answer: a list of them is at its end too soon");
  check_runs();
}

/* Why one of many clients got no answer, each having asked once. */
static const char *unserved_cause(struct program *server, size_t questions) {
  struct frames sent = frames_from_port(PORT);
  for (size_t i = 0; i < sent.count; i++)
    for (size_t k = 0; k < i; k++)
      if (address_equal(sent.list[i].destination, sent.list[k].destination))
        return say("%s got more than one answer instead: is the sender's address kept in one place "
                   "that the next datagram overwrites?",
                   address_text(sent.list[i].destination));
  const char *cause = silence_cause(server);
  return cause ? cause
               : say("%zu of %zu questions were answered: is there an array that has room for so "
                     "many clients only? A server need not remember any",
                     sent.count, questions);
}

/* A server that remembers its clients may have room for so many, or as many descriptors. That it
 * answers each datagram is another requirement: a client may ask twice. */
static void expect_room_for_more(struct program *server, size_t before) {
  enum { MORE = 240 };
  struct datagram answer;
  for (size_t i = 0; i < MORE; i++) {
    struct peer *client = udp_peer(say("client %zu", before + i + 1), "127.0.0.1", 0);
    bool answered = false;
    for (int attempt = 0; attempt < 2 && !answered; attempt++) {
      udp_send_text(client, server_address(), QUESTION);
      answered = udp_receive(client, PATIENCE, &answer);
    }
    EXPECT(answered, .message = "a client gets no answer when many have asked before",
           .expected = "each client gets an answer",
           .actual = say("client %zu got none; the server %s", before + i + 1, doing(server)),
           .cause = unserved_cause(server, before + i + 1));
  }
}

CHECK(server_serves_many, "udp.5", "udp-server") {
  enum { CLIENTS = 20, ROUNDS = 3, SILENT = 3 };
  struct peer *clients[CLIENTS], *silent[SILENT];
  struct datagram answer;
  struct program *server = start_server();
  for (int i = 0; i < SILENT; i++) { /* known to the server, but with no more questions */
    silent[i] = udp_peer(say("silent client %d", i + 1), "127.0.0.1", 0);
    ask(server, silent[i], QUESTION);
  }
  pass(0.1);
  for (int i = 0; i < SILENT; i++)
    drop_further_answers(silent[i]);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < CLIENTS; i++)
      clients[i] = udp_peer(say("client %d", round * CLIENTS + i + 1), "127.0.0.1", 0);
    for (int i = 0; i < CLIENTS; i++)
      udp_send_text(clients[(i * 7 + round) % CLIENTS], server_address(),
                    say("client %d, round %d", i, round));
    for (int i = 0; i < CLIENTS; i++)
      EXPECT(udp_receive(clients[i], CLIENTS * PATIENCE, &answer),
             .message = "a client gets no answer when many ask at once",
             .expected = say("each of %d clients gets an answer of its own", CLIENTS),
             .actual = say("client %d of round %d got none", i + 1, round + 1),
             .cause = unserved_cause(server, (size_t)(SILENT + (round + 1) * CLIENTS)));
  }
  pass(0.1);
  for (int i = 0; i < SILENT; i++)
    EXPECT(!udp_receive(silent[i], 0, &answer),
           .message = "a client gets an answer that it did not ask for",
           .expected = "an answer goes to the client that asked, and to no other",
           .actual = say("a client that had asked nothing more got %s",
                         quoted(answer.bytes, answer.length)),
           .cause = "the answer went to another client than the one that asked");
  expect_room_for_more(server, SILENT + ROUNDS * CLIENTS);
}

static const char *odd_unanswered_cause(struct program *server, const char *text, size_t length,
                                        struct address client) {
  const char *cause = no_answer_cause(server, server_address(), client);
  bool ended = await_exit(server, 0);
  if (length == 0)
    return ended ? "the server ended: recvfrom() returns 0 for an empty datagram, which is not the "
                   "end of anything"
                 : "an empty datagram is passed over: recvfrom() returns 0 for it, and it is to be "
                   "answered like any other";
  if (ended && exit_status(server) > 0 && (unsigned char)text[0] > 127)
    return "the server ended on bytes that are not ASCII: does it decode what it prints, and not "
           "expect that to fail? What it says on stderr tells more";
  return cause;
}

static struct datagram answer_to(struct program *server, struct peer **client, const void *bytes,
                                 size_t length, const char *what) {
  struct datagram answer;
  EXPECT(ask_patiently(client, bytes, length, &answer), .message = say("%s is not answered", what),
         .expected = "an answer to it, as to any other",
         .actual = say("nothing came; the server %s\n%s", doing(server), printed(server)),
         .cause = odd_unanswered_cause(server, bytes, length, peer_address(*client)));
  return answer;
}

/* Whether it is the text that is required and a number, of whatever size. */
static bool is_numbered(const struct datagram *answer) {
  const char *text = (const char *)answer->bytes, *number = text + strlen(LUCKY_ANSWER);
  if (strncmp(text, LUCKY_ANSWER, strlen(LUCKY_ANSWER)) != 0)
    return false;
  char *end = NULL;
  strtod(number, &end);
  return end > number && end == text + answer->length;
}

/* What is wrong with every answer is the business of another requirement, and so is how large its
 * number is, which may be wrong in some of them. */
static void expect_like(const struct datagram *odd, const struct datagram *ordinary,
                        const char *what) {
  bool number = !is_numbered(ordinary) || is_numbered(odd);
  EXPECT(number, .message = say("the answer to %s is not what is required", what),
         .expected = say("an answer like that to an ordinary datagram, %s",
                         quoted(ordinary->bytes, ordinary->length)),
         .actual = quoted(odd->bytes, odd->length));
  bool usual_sender = !address_equal(ordinary->from, server_address()) ||
                      address_equal(odd->from, server_address());
  EXPECT(usual_sender, .message = say("the answer to %s comes from another address", what),
         .expected = address_text(ordinary->from), .actual = address_text(odd->from));
}

CHECK(server_survives_odd_datagrams, "udp.6", "udp-server") {
  enum { LARGEST = 65507 };
  static uint8_t large[LARGEST];
  memset(large, 'x', sizeof large);
  const struct {
    const void *bytes;
    size_t length;
    const char *what;
  } odd[] = {
      {"", 0, "an empty datagram"},
      {large, LARGEST, "a datagram of 65507 bytes"},
      {"\xe4\xbd\xa0\xe5\xa5\xbd", 6, "a datagram in UTF-8 that is not ASCII"},
      {"\xff\xfe\x80 \xc3(", 6, "a datagram that is not even UTF-8"},
      {QUESTION, strlen(QUESTION), "an ordinary datagram after these"},
      {"", 0, "a second empty datagram"},
      {large, LARGEST, "a second datagram of 65507 bytes"},
  };
  struct program *server = start_server();
  struct peer *client = NULL;
  struct datagram again,
      ordinary = answer_to(server, &client, QUESTION, strlen(QUESTION), "an ordinary datagram");
  pass(0.1);
  bool always_again = udp_receive(client, 0, &again); /* another requirement's business */
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    drop_further_answers(client);
    struct datagram answer = answer_to(server, &client, odd[i].bytes, odd[i].length, odd[i].what);
    expect_like(&answer, &ordinary, odd[i].what);
    pass(0.1);
    EXPECT(always_again || !udp_receive(client, 0, &again),
           .message = say("%s is answered more than once", odd[i].what),
           .expected = "one answer, as to any other",
           .actual = say("and then %s", quoted(again.bytes, again.length)),
           .cause = "it is a datagram like any other: answer it once");
  }
  pass(4);
  answer_to(server, &client, QUESTION, strlen(QUESTION), "an ordinary datagram, 4 s later,");
  EXPECT(!await_exit(server, 0), .message = "the server ends after an odd datagram",
         .expected = "it goes on", .actual = doing(server));
}
