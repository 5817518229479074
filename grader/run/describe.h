/* What checks a suite program has, as its --describe tells. Called by run and by the command line.
 */
#pragma once

#include "grader/base/failure.h"
#include "grader/lab/lab.h"

#include <jansson.h>

struct check_description {
  char *id; /* "udp-retry.6/gaps_double" */
  unsigned requirement;
  char *test;       /* what --filter takes for it */
  json_t *programs; /* names that it starts */
};

struct description {
  struct check_description *checks; /* by requirement, and then as the program lists them */
  size_t count;
};

/* Runs `program --describe`. Fails if it cannot, or if it tells of checks that do not belong to the
 * lab. */
int describe(const char *program, const struct lab *lab, struct description *description,
             struct failure *failure);
/* The same from what the program printed, which it overwrites. On failure too, the description is
 * to be freed. */
int description_parse(struct description *description, const struct lab *lab, char *output,
                      struct failure *failure);
void description_free(struct description *description);
