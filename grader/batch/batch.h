/* A class at a time: submissions from their sources, through workers, into the gradebook.
 *
 * Called by the command line. Knows sources, the roster, the pool and the gradebook; how one
 * submission becomes a document is the caller's function, which a worker calls.
 *
 * Theory of operation. Everything that is done is in the gradebook before anybody is told of it,
 * each step a transaction, so that a batch that was killed is gone on with by being started again:
 *
 *   1. The sources are read, archives being unpacked below OUT/work, which is of this run only. All
 *      students and submissions are put into the gradebook at once.
 *   2. Contents that have no grading yet (by this suite and course) are jobs: each hash once.
 *   3. Workers do the jobs; each answer is put into the gradebook as it comes. */
#pragma once

#include "grader/batch/gradebook.h"
#include "grader/batch/source.h"

#include <signal.h>

/* What becomes of one submission, in a worker. */
enum batch_fault { BATCH_GRADED, BATCH_UNREADABLE, BATCH_IMPOSSIBLE };

/* What the course says of a submission's being late; see grader/course. */
struct batch_lateness {
  bool late;
  long long late_s; /* -1: not known */
  unsigned penalty;
};

struct batch_event {
  const char *file, *student; /* of the submission that was just done; NULL: none */
  enum gradebook_state state;
  const char *reason;
  long long score, max_score;
  unsigned tries;
  bool retried; /* its worker crashed or hung, and it is tried again: `reason` */
  size_t done, total, unreadable, errors; /* contents; those that did not need to be graded are not
                                             among them */
  unsigned working;
  double elapsed_s;
};

struct batch_spec {
  const char *out; /* a folder that is there */
  const char *const *sources;
  size_t source_count;
  const char *roster;              /* file; NULL */
  const char *const *except;       /* files that are no submissions; ends with NULL */
  const struct gradebook_run *run; /* without what the roster says */
  unsigned workers;
  double limit_s; /* of one submission */
  const volatile sig_atomic_t *stop;
  /* In a worker, which has one thread and has not called sandbox_enter(). Captures are to be kept
   * in the folder `captures`. */
  enum batch_fault (*grade)(void *context, const char *path, const char *name, const char *captures,
                            json_t **document, struct failure *failure);
  struct batch_lateness (*lateness)(void *context, bool marked, const char *submitted);
  void (*tell)(void *context, const struct batch_event *event);
  void *context;
};

/* 0 if all is graded that can be; 1 if it was stopped; -1 on failure: of BATCH_UNREADABLE a source
 * or the roster, of BATCH_IMPOSSIBLE this machine or the gradebook. */
int batch_run(const struct batch_spec *spec, struct gradebook *book, enum batch_fault *fault,
              struct failure *failure);

/* ---- the same on several machines (plan.c) ----
 *
 * One process reads the sources and writes a plan of tasks into a folder that all machines share;
 * each task is done by a process somewhere, which leaves an answer for each submission; a last one
 * puts the answers into the gradebook. A task that is done again does what is not there yet. */

/* Instead of grading. *tasks is how many there are; 0: nothing is to be done. */
int batch_plan(const struct batch_spec *spec, struct gradebook *book, const char *folder,
               size_t chunk, size_t *tasks, enum batch_fault *fault, struct failure *failure);
/* Does one task, numbered from 0; spec->out, workers, limit_s, stop, grade, tell and context count.
 * As batch_run, but without a gradebook. */
int batch_task(const struct batch_spec *spec, const char *folder, size_t task,
               struct failure *failure);
/* Puts the answers that are there into the gradebook, and removes plan, answers and what was
 * unpacked. *missing is how many jobs had none: these are graded by the next batch. */
int batch_merge(const struct batch_spec *spec, struct gradebook *book, const char *folder,
                size_t *missing, struct failure *failure);
/* How many answers there are now, of how many jobs. Both 0 if there is no plan. */
void batch_plan_progress(const char *folder, size_t *answers, size_t *jobs);
