/* Is this sequence of drops one of independent draws with probability 0.7?
 *
 * Three tests, each of which fails a right server with a probability far below 1e-6 (together about
 * 2e-7):
 *   - the rate: within 5.3 standard deviations of 0.7;
 *   - the dispersion of the counts in blocks of 10 and 20, at every offset: neither far too even
 * (exactly 7 of each 10, in whatever order) nor far too uneven (bursts);
 *   - the correlation with itself at every lag up to half the length: a pattern that repeats
 * correlates fully. With DROPS_NEEDED draws a server that drops 60 % or 80 %, by a pattern, or
 * exactly 7 of 10, passes with a probability below 1e-4. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { DROPS_NEEDED = 2000 };

struct drops_judgement {
  bool right;
  const char *test; /* which one failed: "rate", "evenness", "repetition" */
  double rate;      /* of drops, 0 … 1 */
  size_t period;    /* of the block or the lag that gave it away */
};

/* dropped[i]: the i-th datagram that the server received was not answered. */
struct drops_judgement drops_judge(const bool *dropped, size_t count);

/* Whether exactly 70 % of each block are dropped: a sequence that is dealt out, in whatever order,
 * from a pack of that size. Chance does so to a hundred of
 * them with a probability below 1e-12. */
bool drops_are_dealt(const bool *dropped, size_t count, size_t block);
