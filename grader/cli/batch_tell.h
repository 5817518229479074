/* What a batch tells while it works, and at its end. Called by batch.c of the command line. */
#pragma once

#include "grader/batch/batch.h"
#include "grader/result/progress.h"

struct batch_tell {
  bool json; /* a JSON object in each line of the standard output, in place of all else */
  struct progress progress;
  double told_s;
};

struct batch_tell batch_tell_begin(bool json);
void batch_tell_event(struct batch_tell *tell, const struct batch_event *event);
/* Wipes what is only for the moment. */
void batch_tell_end(struct batch_tell *tell);

struct batch_totals {
  unsigned students, graded, unreadable, errors, waiting, no_submission;
};
/* How many there are of what, who is not graded and why, and what changed for whom. -1 with a
 * failure if the gradebook cannot be read. */
int batch_tell_summary(const struct batch_tell *tell, struct gradebook *book, const char *out,
                       struct batch_totals *totals, struct failure *failure);
