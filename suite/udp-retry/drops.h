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

enum {
  DROPS_NEEDED = 2000,
  DROPS_AT_A_TIME = 50, /* one of each client */
  DROPS_OF_A_CLIENT = 20,
  DROPS_CLIENTS = DROPS_NEEDED / DROPS_OF_A_CLIENT,
};

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

/* What DROPS_NEEDED datagrams say of a server that looks at who sent them, or at how many it has
 * dropped. They come DROPS_AT_A_TIME together, one of each client, and after DROPS_OF_A_CLIENT of
 * each there are new clients. */
enum { DROPS_FIRST = 3 };
struct drops_by_client {
  size_t longest;               /* run of drops, whoever sent them */
  size_t longest_of_a_client;   /* among those of one */
  size_t of_first[DROPS_FIRST]; /* how many clients' first, second, third are dropped */
};
struct drops_by_client drops_by_client(const bool *dropped);
/* The first of a client's, from 0; its others follow every DROPS_AT_A_TIME. */
const bool *drops_of_client(const bool *dropped, size_t client);

/* What a right server exceeds, or does not. That it drops fewer than 9 in a row in all 2,000 has a
 * probability of 1.1e-12, and fewer than 8 in a row of each of 100 clients 9e-14 (by the chain of
 * the states "so many in a row"); that it drops fewer than 39 or more than 95 of the first ones of
 * 100 clients, 8.5e-11 (binomial), and as much for the second and the third; fewer than 4 of the 30
 * that come first in three runs, 1.1e-11. */
enum {
  DROPS_LONGEST_LEAST = 9,
  DROPS_LONGEST_OF_A_CLIENT_LEAST = 8,
  DROPS_OF_FIRST_LEAST = 39,
  DROPS_OF_FIRST_MOST = 95,
  DROPS_RUNS = 3,
  DROPS_AT_START = 10,
  DROPS_AT_START_LEAST = 4,
};
