/* Workers: processes that each do one job, so many at once as are wanted and as memory allows.
 *
 * Called by batch.c. Knows nothing of what a job is.
 *
 * Theory of operation. The caller, which must have one thread, is forked for each job. The child
 * has a process group of its own (a Ctrl-C is for the caller, which ends its workers in order),
 * dies with the caller, writes its answer into a memfd, and ends by _exit. One loop polls the
 * workers' pidfds. A worker that dies, or takes longer than it may, is started once more, alone
 * among others; what comes of that counts. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

enum pool_end {
  POOL_DONE,   /* it ended with status 0: there is an answer */
  POOL_FAILED, /* it crashed or hung; `reason` says how */
};

struct pool_outcome {
  enum pool_end end;
  const char *reason; /* "was killed by SIGSEGV", "took longer than 60 s" */
  const void *answer;
  size_t length;
  unsigned tries; /* this one included */
  bool last;      /* it is not tried again */
};

struct pool_spec {
  unsigned workers;
  double limit_s;                    /* of one job */
  size_t worker_bytes;               /* no further worker is started where less memory is free */
  const volatile sig_atomic_t *stop; /* not 0: workers are told to end (SIGTERM), none is begun */
  /* In the child. Writes its answer to the descriptor; returns the exit status. */
  int (*work)(void *context, size_t job, int answer_fd);
  /* In the caller, of each try. Returns -1 to stop all. */
  int (*take)(void *context, size_t job, const struct pool_outcome *outcome);
  /* Now and then, with how many are at work. */
  void (*tick)(void *context, unsigned working);
  void *context;
};

/* Does jobs 0 to count-1. 0; 1 if it was stopped by the signal; -1 if take() said so. */
int pool_run(const struct pool_spec *spec, size_t count);

/* Bytes of memory that could be had now: of the machine, and of the control groups that this
 * process is in. */
size_t pool_memory_available(void);
