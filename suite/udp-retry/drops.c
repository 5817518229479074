#include "drops.h"

#include <math.h>

static const double PROBABILITY = 0.7;
static const double VARIANCE = 0.7 * 0.3;

enum {
  RATE_SIGMAS_TENTHS = 53,
  CORRELATION_SIGMAS_TENTHS = 65,
  TOO_EVEN_SIGMAS_TENTHS = 55,
  TOO_UNEVEN_SIGMAS_TENTHS = 80, /* the upper tail of a chi-square is longer */
};

/* In standard deviations: how far the spread of the blocks' counts is from that of independent
 * draws. */
static double evenness(const bool *dropped, size_t count, size_t block, size_t offset) {
  double mean = PROBABILITY * (double)block, variance = VARIANCE * (double)block;
  double sum = 0;
  size_t blocks = 0;
  for (size_t i = offset; i + block <= count; i += block, blocks++) {
    double drops = 0;
    for (size_t k = 0; k < block; k++)
      drops += dropped[i + k];
    sum += (drops - mean) * (drops - mean) / variance;
  }
  double excess_kurtosis = (1 - 6 * VARIANCE) / variance;
  return (sum - (double)blocks) / sqrt((double)blocks * (2 + excess_kurtosis));
}

static double correlation(const bool *dropped, size_t count, size_t lag) {
  double sum = 0;
  for (size_t i = 0; i + lag < count; i++)
    sum += (dropped[i] - PROBABILITY) * (dropped[i + lag] - PROBABILITY);
  return sum / (VARIANCE * sqrt((double)(count - lag)));
}

bool drops_are_dealt(const bool *dropped, size_t count, size_t block) {
  for (size_t i = 0; i + block <= count; i += block) {
    size_t drops = 0;
    for (size_t k = 0; k < block; k++)
      drops += dropped[i + k];
    if (drops * 10 != block * 7)
      return false;
  }
  return true;
}

const bool *drops_of_client(const bool *dropped, size_t client) {
  size_t before = client / DROPS_AT_A_TIME * DROPS_OF_A_CLIENT * DROPS_AT_A_TIME;
  return &dropped[before + client % DROPS_AT_A_TIME];
}

/* Among dropped[0], dropped[step], … */
static size_t longest_run(const bool *dropped, size_t count, size_t step) {
  size_t longest = 0, run = 0;
  for (size_t i = 0; i < count; i++) {
    run = dropped[i * step] ? run + 1 : 0;
    longest = run > longest ? run : longest;
  }
  return longest;
}

struct drops_by_client drops_by_client(const bool *dropped) {
  struct drops_by_client found = {.longest = longest_run(dropped, DROPS_NEEDED, 1)};
  for (size_t i = 0; i < DROPS_CLIENTS; i++) {
    const bool *of_client = drops_of_client(dropped, i);
    size_t longest = longest_run(of_client, DROPS_OF_A_CLIENT, DROPS_AT_A_TIME);
    found.longest_of_a_client =
        longest > found.longest_of_a_client ? longest : found.longest_of_a_client;
    for (size_t k = 0; k < DROPS_FIRST; k++)
      found.of_first[k] += of_client[k * DROPS_AT_A_TIME];
  }
  return found;
}

struct drops_judgement drops_judge(const bool *dropped, size_t count) {
  static const size_t blocks[] = {10, 20};
  struct drops_judgement judgement = {.right = false, .test = "rate"};
  double drops = 0;
  for (size_t i = 0; i < count; i++)
    drops += dropped[i];
  judgement.rate = drops / (double)count;
  double sigmas = (drops - PROBABILITY * (double)count) / sqrt(VARIANCE * (double)count);
  if (fabs(sigmas) > RATE_SIGMAS_TENTHS / 10.0)
    return judgement;
  judgement.test = "evenness";
  for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++)
    for (size_t offset = 0; offset < blocks[b]; offset++) {
      double far = evenness(dropped, count, blocks[b], offset);
      judgement.period = blocks[b];
      if (far < -TOO_EVEN_SIGMAS_TENTHS / 10.0 || far > TOO_UNEVEN_SIGMAS_TENTHS / 10.0)
        return judgement;
    }
  for (size_t pack = 10; pack <= count / 10; pack += 10) {
    judgement.period = pack;
    if (drops_are_dealt(dropped, count, pack))
      return judgement;
  }
  judgement.test = "repetition";
  for (size_t lag = 1; lag <= count / 2; lag++) {
    judgement.period = lag;
    if (fabs(correlation(dropped, count, lag)) > CORRELATION_SIGMAS_TENTHS / 10.0)
      return judgement;
  }
  return (struct drops_judgement){.right = true, .rate = judgement.rate};
}
