#include "drops.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

static uint64_t state = 1;

static double draw(void) { /* splitmix64 */
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void draw_all(bool *dropped, double probability) {
  for (size_t i = 0; i < DROPS_NEEDED; i++)
    dropped[i] = draw() < probability;
}

/* So many trials of each kind, that one in a thousand would show. */
enum { TRIALS = 2000 };

Test(drops, right_servers_pass) {
  static bool dropped[DROPS_NEEDED];
  for (int trial = 0; trial < TRIALS; trial++) {
    draw_all(dropped, 0.7);
    struct drops_judgement judgement = drops_judge(dropped, DROPS_NEEDED);
    cr_assert(judgement.right, "trial %d failed by its %s: rate %.4f, period %zu", trial,
              judgement.test, judgement.rate, judgement.period);
  }
}

static bool knows_no_regard(const bool *dropped) {
  struct drops_by_client found = drops_by_client(dropped);
  bool right = found.longest >= DROPS_LONGEST_LEAST &&
               found.longest_of_a_client >= DROPS_LONGEST_OF_A_CLIENT_LEAST;
  for (size_t k = 0; k < DROPS_FIRST; k++)
    right &= found.of_first[k] >= DROPS_OF_FIRST_LEAST && found.of_first[k] <= DROPS_OF_FIRST_MOST;
  return right;
}

Test(drops, right_servers_have_no_regard) {
  static bool dropped[DROPS_NEEDED];
  for (int trial = 0; trial < TRIALS; trial++) {
    draw_all(dropped, 0.7);
    cr_assert(knows_no_regard(dropped), "trial %d", trial);
  }
}

/* random() % 10 < 7, and the other ways in which students draw. */
Test(drops, usual_generators_pass) {
  static bool dropped[DROPS_NEEDED];
  for (unsigned seed = 1; seed <= 300; seed++) {
    srand(seed);
    for (size_t i = 0; i < DROPS_NEEDED; i++)
      dropped[i] = rand() % 10 < 7;
    cr_assert(drops_judge(dropped, DROPS_NEEDED).right, "rand, seed %u", seed);
    srand48(seed);
    for (size_t i = 0; i < DROPS_NEEDED; i++)
      dropped[i] = drand48() < 0.7;
    cr_assert(drops_judge(dropped, DROPS_NEEDED).right, "drand48, seed %u", seed);
    for (size_t i = 0; i < DROPS_NEEDED; i++) { /* a server draws a lucky number too, in between */
      dropped[i] = (double)rand() / RAND_MAX < 0.7;
      if (!dropped[i])
        rand();
    }
    cr_assert(drops_judge(dropped, DROPS_NEEDED).right, "rand twice, seed %u", seed);
  }
}

static void expect_caught(const char *what, void (*fill)(bool *dropped, int trial)) {
  static bool dropped[DROPS_NEEDED];
  int passed = 0;
  for (int trial = 0; trial < TRIALS; trial++) {
    fill(dropped, trial);
    passed += drops_judge(dropped, DROPS_NEEDED).right;
  }
  cr_assert_eq(passed, 0, "%s passes in %d of %d trials", what, passed, TRIALS);
}

static void fill_60(bool *dropped, int trial) {
  (void)trial;
  draw_all(dropped, 0.6);
}
static void fill_80(bool *dropped, int trial) {
  (void)trial;
  draw_all(dropped, 0.8);
}

/* Exactly 7 of every 10, in an order that is drawn anew for each ten, from any offset. */
static void fill_shuffled(bool *dropped, int trial) {
  bool ten[10] = {true, true, true, true, true, true, true};
  for (size_t i = 0; i < DROPS_NEEDED; i++) {
    size_t place = (i + (size_t)trial) % 10;
    if (place == 0 || i == 0)
      for (size_t k = 9; k > 0; k--) {
        size_t other = (size_t)(draw() * (double)(k + 1));
        bool kept = ten[k];
        ten[k] = ten[other];
        ten[other] = kept;
      }
    dropped[i] = ten[place];
  }
}

/* A fixed pattern, with 70 % of drops, of any length up to 500. */
static void fill_pattern(bool *dropped, int trial) {
  static bool pattern[500];
  size_t length = 10 + (size_t)trial % 49 * 10;
  for (size_t i = 0; i < length; i++)
    pattern[i] = i < length * 7 / 10;
  for (size_t k = length - 1; k > 0; k--) {
    size_t other = (size_t)(draw() * (double)(k + 1));
    bool kept = pattern[k];
    pattern[k] = pattern[other];
    pattern[other] = kept;
  }
  for (size_t i = 0; i < DROPS_NEEDED; i++)
    dropped[i] = pattern[i % length];
}

/* Dealt from a pack, 70 % of it drops, that is shuffled whenever it is at its end. */
static void fill_dealt(bool *dropped, int trial) {
  size_t pack = 10 + (size_t)trial % 20 * 10;
  for (size_t i = 0; i < DROPS_NEEDED; i++) {
    size_t left = pack - i % pack;
    static size_t drops;
    drops = left == pack ? pack * 7 / 10 : drops;
    dropped[i] = draw() * (double)left < (double)drops;
    drops -= dropped[i];
  }
}

static void fill_bursts(bool *dropped, int trial) {
  bool state_now = trial % 2;
  for (size_t i = 0; i < DROPS_NEEDED; i++) {
    if (draw() < (state_now ? 0.03 : 0.07))
      state_now = !state_now;
    dropped[i] = state_now;
  }
}

static void fill_all(bool *dropped, int trial) {
  memset(dropped, trial % 2, DROPS_NEEDED);
}

Test(drops, wrong_servers_are_caught) {
  expect_caught("60 %", fill_60);
  expect_caught("80 %", fill_80);
  expect_caught("seven of ten", fill_shuffled);
  expect_caught("a pack", fill_dealt);
  expect_caught("a pattern", fill_pattern);
  expect_caught("bursts", fill_bursts);
  expect_caught("all or nothing", fill_all);
}

/* The datagram of a client after so many drops in a row is answered. */
static void fill_mercy_for_each(bool *dropped) {
  enum { MERCY = 7 };
  static size_t runs[DROPS_CLIENTS];
  memset(runs, 0, sizeof runs);
  draw_all(dropped, 0.7);
  for (size_t i = 0; i < DROPS_NEEDED; i++) {
    size_t generation = i / DROPS_AT_A_TIME / DROPS_OF_A_CLIENT;
    size_t *run = &runs[generation * DROPS_AT_A_TIME + i % DROPS_AT_A_TIME];
    dropped[i] &= *run < MERCY;
    *run = dropped[i] ? *run + 1 : 0;
  }
}

static void fill_mercy_for_all(bool *dropped) {
  enum { MERCY = 8 };
  size_t run = 0;
  draw_all(dropped, 0.7);
  for (size_t i = 0; i < DROPS_NEEDED; i++) {
    dropped[i] &= run < MERCY;
    run = dropped[i] ? run + 1 : 0;
  }
}

static void fill_first(bool *dropped, size_t place, bool drop) {
  draw_all(dropped, 0.7);
  for (size_t i = 0; i < DROPS_NEEDED; i++)
    if (i / DROPS_AT_A_TIME % DROPS_OF_A_CLIENT == place)
      dropped[i] = drop;
}

Test(drops, regard_is_caught) {
  static bool dropped[DROPS_NEEDED];
  for (int trial = 0; trial < TRIALS; trial++) {
    fill_mercy_for_each(dropped);
    cr_assert(!knows_no_regard(dropped), "mercy for each client, trial %d", trial);
    fill_mercy_for_all(dropped);
    cr_assert(!knows_no_regard(dropped), "mercy for all, trial %d", trial);
    fill_first(dropped, (size_t)trial % DROPS_FIRST, trial % 2);
    cr_assert(!knows_no_regard(dropped), "by its place, trial %d", trial);
  }
}
