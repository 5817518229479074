/* Runs a lab's checks against a submission and collects a verdict for each.
 *
 * Called by the command line. Knows the suite program's command line and environment
 * (grader/result/verdict.h), but nothing of what checks do or of how a submission was built.
 *
 * A check may end without a verdict (the suite program crashed, or hung) or with the grader's own
 * error. It is then run once more, alone; what comes then is what counts, and if there is still no
 * verdict, it is an error. After this, every check that was asked for has a verdict, whatever
 * happened. */
#pragma once

#include "grader/lab/lab.h"
#include "grader/result/result.h"
#include "grader/run/describe.h"

#include <signal.h>
#include <stdbool.h>

struct run_spec {
  const char *program;  /* the suite program */
  const char *manifest; /* of the submission */
  const char *clock;    /* "virtual" or "real" */
  unsigned seed;
  const char *captures;   /* folder for the captures of failed checks; NULL: none are kept */
  bool captures_of_all;   /* of all checks */
  unsigned jobs;          /* checks at once; 0: one */
  double silence_limit_s; /* for a suite program that sends no verdict; 0: a default that no right
                             check reaches */
  const volatile sig_atomic_t *stop; /* not 0: end at once; checks without a verdict stay without */
  /* Called for each verdict as it comes, and (with NULL) now and then. */
  void (*progress)(void *context, const json_t *verdict);
  void *context;
};

/* Judges the checks whose `wanted` is true (NULL: all). judged[i] belongs to
 * description->checks[i], and was made by judged_checks(). Faults of the grader that concern no
 * single check are told by `fault`. */
void run_lab(const struct run_spec *spec, const struct description *description, const bool *wanted,
             struct judged_check *judged, void (*fault)(void *context, const char *sentence));

/* One for each check, without a verdict yet. */
struct judged_check *judged_checks(const struct description *description);
void judged_checks_free(struct judged_check *judged, size_t count);

/* A verdict in the grader's own words: status "error", "missing" or "skipped". */
json_t *verdict_make(const char *id, const char *status, const char *message);
