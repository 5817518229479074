/* Tests a suite: the reference and every right program in another style must pass, every mutant
 * must fail exactly what it names, and each verdict must be the same in every run and on both
 * clocks. Called by the command line. */
#pragma once

#include "grader/lab/catalogue.h"
#include "grader/lab/place.h"
#include "grader/verify/material.h"

#include <jansson.h>
#include <signal.h>

struct verification {
  const struct places *places;
  const struct catalogue *catalogue;
  const char *const *labs; /* names, all of them in the catalogue; none: all */
  size_t lab_count;
  struct material_part part; /* of the styles and mutants that there are */
  const char *const *clocks; /* "virtual", "real": ends with NULL */
  unsigned runs;             /* of each submission on each clock */
  unsigned jobs;             /* gradings at once */
  const volatile sig_atomic_t *stop;
  /* Called now and then: what is at work, and how many gradings have ended. */
  void (*progress)(void *context, const char *name, size_t done, size_t total);
  void *context;
};

/* What was found (findings.h), though not all of it if it was stopped; NULL with a failure if
 * nothing could be begun. The caller owns it. */
json_t *verification_do(const struct verification *verification, struct failure *failure);
