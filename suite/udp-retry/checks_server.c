/* udp-retry: the server that pretends to lose datagrams. */
#define LAB udp_retry
#include "suite/lucky_number.h"

#include "causes.h"
#include "drops.h"
#include "observe.h"

#include <string.h>

enum { PORT = 60000 };

/* For what a server prints, which may take its time: more than any right one needs. */
static const double PATIENCE = 10;

static struct address server_address(void) {
  return address("127.0.0.1", PORT);
}

static struct program *start_server(void) {
  struct program *server = start("udp-flaky-server");
  await_udp_bound(server, PORT);
  return server;
}

CHECK(server_runs_until_told, "udp-retry.1", "udp-flaky-server") {
  expect_runs_until_told(start_server());
  fresh_world();
  expect_ends_when_interrupted(start_server());
}

/* It says the one or the other; `first`: the line from which on it can have done so. */
static void expect_no_line_of_an_answer(struct program *server, size_t first,
                                        const struct address *from, const char *text) {
  struct lines all = lines(server, STDOUT);
  for (size_t i = first; i < all.count; i++)
    EXPECT(!line_matches(all.list[i].text, "The client at %a says %t", from, text) &&
               !line_matches(all.list[i].text, "Packet sent successfully!"),
           .message = "the server says of a datagram that it drops what it says of answered ones",
           .expected = say("“Pretending to drop packet from %s”, and neither of the two lines "
                           "that belong to an answer",
                           address_text(*from)),
           .actual = printed(server), .cause = "decide first, then print");
}

/* Among its lines from `first` on. */
static bool await_success_line(struct program *server, size_t first) {
  static const double STEP = 0.05;
  double until = now() + PATIENCE;
  do {
    pass(STEP);
    struct lines all = lines(server, STDOUT);
    for (size_t i = first; i < all.count; i++)
      if (line_matches(all.list[i].text, "Packet sent successfully!"))
        return true;
  } while (now() < until && !await_exit(server, 0));
  return false;
}

/* The questions that are answered are of all kinds; an empty one may be dropped. */
static const char *question_text(int number, int answered) {
  enum { EMPTY = 40, EMPTIES = 8 };
  if (number >= EMPTY && number < EMPTY + EMPTIES)
    return "";
  switch (answered) {
  case 1:
    return say("datagram %d (\a, \x1b, \x7f)", number + 1);
  case 2:
    return say("datagram %d and %0450d", number + 1, number);
  default:
    return say("datagram %d", number + 1);
  }
}

CHECK(server_shows_what_it_does, "udp-retry.1", "udp-flaky-server") {
  enum { QUESTIONS = 100, OF_A_CLIENT = 3 };
  struct program *server = start("udp-flaky-server");
  struct address listening = await_udp_bound(server, PORT);
  expect_line(server, PATIENCE, "Listening at %a", &listening);
  struct peer *clients[QUESTIONS / OF_A_CLIENT + 1];
  int answered = 0;
  for (int i = 0; i < QUESTIONS; i++) {
    if (i % OF_A_CLIENT == 0)
      clients[i / OF_A_CLIENT] =
          udp_peer("client", i / OF_A_CLIENT % 2 ? "127.0.0.2" : "127.0.0.1", 0);
    struct peer *client = clients[i / OF_A_CLIENT];
    struct address from = peer_address(client);
    const char *text = question_text(i, answered);
    struct datagram answer;
    size_t lines_before = lines(server, STDOUT).count;
    if (await_fate(server, client, text, &answer) != FATE_ANSWERED) {
      EXPECT(await_line(server, STDOUT, PATIENCE, "Pretending to drop packet from %a", &from) >= 0,
             .message = "the server does not say that it drops a datagram",
             .expected = say("Pretending to drop packet from %s", address_text(from)),
             .actual = printed(server),
             .cause = lines(server, STDOUT).count > lines_before
                          ? missing_line_cause(server, STDOUT, "Pretending to drop packet from %a",
                                               &from)
                          : "there was neither an answer nor a line: print the line where the "
                            "datagram is dropped, and its newline (\\n)");
      pass(0.05);
      expect_no_line_of_an_answer(server, lines_before, &from, text);
      continue;
    }
    answered++;
    expect_lucky_answer(&answer, server_address(), "");
    bool said = await_success_line(server, lines_before), pretended = false;
    struct lines all = lines(server, STDOUT);
    for (size_t k = lines_before; k < all.count; k++)
      pretended |= line_matches(all.list[k].text, "Pretending to drop packet from %a", &from);
    EXPECT(!pretended, .message = "the server says that it drops a datagram, and answers it",
           .expected = "one or the other", .actual = printed(server),
           .cause = "decide first, then print");
    if (*text)
      expect_line(server, PATIENCE, "The client at %a says %t", &from, text);
    EXPECT(said, .message = "the server does not say that it has sent its answer",
           .expected = "Packet sent successfully!", .actual = printed(server),
           .cause = missing_line_cause(server, STDOUT, "Packet sent successfully!"));
    EXPECT(!udp_receive(client, 0, &answer), .message = "the server answers one datagram twice",
           .expected = "one answer", .actual = quoted(answer.bytes, answer.length),
           .cause = "two came for one question: is sendto() called twice?");
  }
  pass(5);
  for (int i = 0; i <= (QUESTIONS - 1) / OF_A_CLIENT; i++) {
    struct datagram late;
    EXPECT(!udp_receive(clients[i], 0, &late),
           .message = "the server answers, later, a datagram that it said to drop",
           .expected = "no answer to it", .actual = quoted(late.bytes, late.length),
           .cause = "who drops a datagram keeps nothing of it");
  }
}

#define INDEPENDENT "each datagram is dropped with probability 0.7, independently of the others"

/* Whether exactly seven of every ten of each client are dropped. */
static bool dealt_to_each(const bool *dropped) {
  enum { PACK = 10 };
  bool of_client[DROPS_OF_A_CLIENT];
  for (size_t client = 0; client < DROPS_CLIENTS; client++) {
    for (size_t i = 0; i < DROPS_OF_A_CLIENT; i++)
      of_client[i] = drops_of_client(dropped, client)[i * DROPS_AT_A_TIME];
    if (!drops_are_dealt(of_client, DROPS_OF_A_CLIENT, PACK))
      return false;
  }
  return true;
}

/* Nobody is spared because so many before were dropped, nor judged by how many there were before.
 */
static void expect_no_regard(const bool *dropped) {
  struct drops_by_client found = drops_by_client(dropped);
  for (size_t k = 0; k < DROPS_FIRST; k++)
    EXPECT(found.of_first[k] >= DROPS_OF_FIRST_LEAST && found.of_first[k] <= DROPS_OF_FIRST_MOST,
           .message =
               say("whether datagram %zu of a client is dropped depends on its number", k + 1),
           .expected = INDEPENDENT,
           .actual = say("of %d clients %zu have theirs dropped", DROPS_CLIENTS, found.of_first[k]),
           .cause = "is it counted how many a client has sent? Draw for each datagram by itself");
  bool spared = found.longest < DROPS_LONGEST_LEAST;
  EXPECT(!spared && found.longest_of_a_client >= DROPS_LONGEST_OF_A_CLIENT_LEAST,
         .message = "the server never drops many datagrams in a row", .expected = INDEPENDENT,
         .actual = spared ? say("%zu in a row are the most, of %d", found.longest, DROPS_NEEDED)
                          : say("of one client's, %zu in a row are the most, with %d clients",
                                found.longest_of_a_client, DROPS_CLIENTS),
         .cause = "is a datagram answered because those before it were dropped? Chance knows no "
                  "mercy: draw for each by itself");
}

/* Nor does it matter whether the server has just been started; `dropped`: in a first run. */
static void expect_no_grace_at_the_start(const bool *dropped) {
  enum { APART_S = 61 };
  size_t drops = 0;
  bool again[DROPS_AT_START];
  for (size_t run = 0; run < DROPS_RUNS; run++) {
    if (run > 0) {
      fresh_world_after(APART_S); /* for who seeds with the time */
      observe_drops(again, DROPS_AT_START, DROPS_AT_START, 1, 0);
    }
    for (size_t i = 0; i < DROPS_AT_START; i++)
      drops += run > 0 ? again[i] : dropped[i];
  }
  EXPECT(drops >= DROPS_AT_START_LEAST,
         .message =
             "the first datagrams after the server's start are not dropped as the others are",
         .expected = INDEPENDENT,
         .actual = say("of the first %d in each of %d runs %zu are dropped", DROPS_AT_START,
                       DROPS_RUNS, drops),
         .cause = "is it counted how many have come? Draw for each datagram, from the first on");
}

CHECK(server_drops_seven_of_ten, "udp-retry.2", "udp-flaky-server") {
  bool dropped[DROPS_NEEDED];
  observe_drops(dropped, DROPS_NEEDED, DROPS_AT_A_TIME, DROPS_OF_A_CLIENT, 0);
  struct drops_judgement judgement = drops_judge(dropped, DROPS_NEEDED);
  EXPECT(!judgement.right || !dealt_to_each(dropped),
         .message = "the drops come too evenly to be independent", .expected = INDEPENDENT,
         .actual = "of any ten of one client exactly seven are dropped",
         .cause = "they are dealt from a pack of ten, for each client by itself");
  if (judgement.right) {
    expect_no_regard(dropped);
    expect_no_grace_at_the_start(dropped);
    return;
  }
  bool rate = strcmp(judgement.test, "rate") == 0, even = strcmp(judgement.test, "evenness") == 0;
  check_fail((struct failure_report){
      .message = rate   ? say("the server drops %.1f %% of the datagrams", judgement.rate * 100)
                 : even ? "the drops come too evenly (or in bursts) to be independent"
                        : "the drops follow a pattern that repeats",
      .expected = INDEPENDENT,
      .actual =
          rate ? say("%.0f of %d dropped", judgement.rate * DROPS_NEEDED, DROPS_NEEDED)
          : even
              ? say("%.1f %% dropped, but the counts in blocks of %zu do not spread as chance would have it",
                    judgement.rate * 100, judgement.period)
              : say("%.1f %% dropped, and what happens to a datagram follows from what happened %zu before it",
                    judgement.rate * 100, judgement.period),
      .cause = drops_cause(&judgement, dropped, DROPS_NEEDED)});
}

CHECK(server_runs_differ, "udp-retry.3", "udp-flaky-server") {
  /* In several seconds: a server that seeds its generator with the time, again and again, drops
   * all or none in each of them, and its runs differ all the same. Two seconds after each other:
   * time(NULL) | 1, for a generator that wants no 0, is a right seed. The last begins a minute
   * after the first. */
  enum { COUNT = 100, OF_A_MOMENT = 10, RUNS = 4 };
  static const int begins[RUNS] = {0, 2, 4, 60};
  static const double PAUSE = 0.6;
  bool runs[RUNS][COUNT], again[COUNT];
  for (int i = 0; i < RUNS; i++) {
    fresh_world_after(i > 0 ? begins[i] - begins[i - 1] : 1);
    observe_drops(runs[i], COUNT, OF_A_MOMENT, COUNT, PAUSE);
    for (int k = 0; k < i; k++) {
      if (memcmp(runs[k], runs[i], COUNT) != 0)
        continue;
      fresh_world_really_after(begins[i] - begins[k]); /* who asks no clock of the world's */
      observe_drops(again, COUNT, OF_A_MOMENT, COUNT, PAUSE);
      EXPECT(memcmp(runs[i], again, COUNT) != 0,
             .message = "two runs of the server drop the same datagrams",
             .expected = "runs that start in different seconds drop differently",
             .actual = say("of %d datagrams, the same ones were dropped in both runs", COUNT),
             .cause = same_drops_cause(runs[i], COUNT));
    }
  }
}
