/* The way of one submission: from a folder or archive to the result document.
 *
 * Called by grade, and by batch in a process for each submission. Knows what was chosen to be
 * judged (selection.h); prints nothing. */
#pragma once

#include "grader/cli/selection.h"
#include "grader/course/course.h"
#include "grader/submission/submission.h"

#include <jansson.h>

struct grading_spec {
  const char *folder; /* the submission, or an archive of it */
  const char *name;   /* what the document calls it */
  const struct catalogue *catalogue;
  const struct selection *selection;
  const struct course *course; /* which has been applied to the catalogue; NULL */
  const char *clock;
  unsigned jobs, seed;
  unsigned build_limit_s; /* 0: the default */
  bool reuse_builds;      /* see grader/submission/build_cache.h */
  const char *captures;   /* an absolute path; NULL: none are kept */
  bool captures_of_all;
  /* Called now and then, from any thread, one at a time. May be NULL. */
  void (*progress)(void *context, const char *doing, size_t done, size_t total);
  void *context;
};

/* What is known beside the document. */
struct grading_outcome {
  json_t *result; /* the caller's; NULL if there is a fault */
  bool begun;     /* there is something for a program of any lab */
  bool built;
};

/* Must be called after sandbox_enter(), while the process has one thread. An interruption is no
 * fault: the document says it. */
enum submission_fault grading_do(const struct grading_spec *spec, struct grading_outcome *outcome,
                                 struct failure *failure);

/* The names of all programs of the chosen labs, with commas; the caller frees it. */
char *grading_programs(const struct selection *selection);
