/* Steps of a build: commands that run in the sandbox, without network, with all of a copy writable,
 * what they print kept, and an end to their time.
 *
 * Called by submission.c. Knows nothing of what the commands are. */
#pragma once

#include "grader/base/failure.h"
#include "grader/submission/patience.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

enum step_end {
  STEP_NOT_RUN, /* stopped, or out of time before its turn */
  STEP_DONE,    /* exit status 0 */
  STEP_FAILED,
  STEP_TOO_LONG,
  STEP_TOO_LARGE,  /* used more memory than it may */
  STEP_NO_COMMAND, /* argv[0] is not on this machine */
};

struct step {
  const char *const *argv;
  enum step_end end;
  int wait_status; /* of STEP_FAILED */
  char *
      log; /* as printed, NUL-terminated, the middle left out if it is long; the caller's to free */
  size_t log_length;
};

struct step_plan {
  const char *folder;
  struct sandbox_limits limits;
  unsigned jobs;
  struct patience *patience;
  const volatile sig_atomic_t *stop;
  void (*tick)(void *context, const struct step *running); /* now and then */
  void *context;
};

/* Runs them, plan->jobs at once, and waits for all. -1 only if a sandbox cannot be had. */
int steps_run(const struct step_plan *plan, struct step *steps, size_t count,
              struct failure *failure);

double steps_now_s(void);
