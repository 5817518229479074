/* Which MTU a program told, by what it printed on stdout.
 *
 * Further lines are allowed, and may have numbers in them; so the answer has to be found. What is
 * to be found is known, as are the other MTUs that could be taken for it. */
#pragma once

#include "grader/sdk/wiregrade.h"

enum { LOOPBACK = 65535 }; /* what IP_MTU is there; the link's own MTU is one more */
enum { ODD_MTU = 1337 };   /* that no table of MTUs has */

/* How a program told an MTU. */
struct telling {
  bool alone;     /* as an integer on a line of its own; the last such line that can be an MTU */
  bool at_all;    /* the same; or, if no integer is alone, in a line with words */
  bool ambiguous; /* another MTU stands where the answer does */
};

struct telling telling_of(struct program *program, long mtu);
/* Whether it printed the number where the MTU should be. */
bool tells(struct program *program, long number);
