/* How long a build may take. The time limit is for a machine that has time for it: a build that has
 * not had as much of a processor, on one that is busy with others, may go on while it gets any, up
 * to PATIENCE_MOST times the limit. One that waits for what never comes, or computes for ever, is
 * ended at the limit. */
#pragma once

#include "grader/sandbox/sandbox.h"

enum { PATIENCE_MOST = 5 };

/* Of one build; its steps may run side by side. */
struct patience {
  double limit_s; /* real time */
  double begun_s; /* CLOCK_MONOTONIC */
  bool is_over;   /* a step has used it up: no other begins */
};

/* Of one of its steps. Begin with zeros. */
struct patience_look {
  double time_s, processor_s; /* when it was last looked how much it had had, and how much */
};

/* Whether this step, which still runs in `sandbox`, has taken too long. */
bool patience_ends(struct patience *patience, struct patience_look *look,
                   const struct sandbox *sandbox, double now_s);
