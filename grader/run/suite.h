/* One run of one suite program, build/suite/LAB, as a process.
 *
 * Called by describe and run. Knows nothing of labs and points: it starts the program, hands on
 * each verdict record as it comes, keeps what was printed, and makes an end of what never ends.
 *
 * Theory of operation. The program gets a process group of its own (a Ctrl-C at the terminal is for
 * the grader, which then ends the program in order), a SOCK_SEQPACKET socket for verdicts, and
 * pipes for stdout and stderr. One loop polls these and the program's pidfd. The program has ended
 * when the pidfd says so, not when the pipes are closed: a worker of it that has lost its way may
 * hold them open. Whatever is left in its group is then killed. */
#pragma once

#include "grader/base/failure.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct suite_spec {
  const char *program;
  char *const *argv;                 /* argv[0] included */
  const char *const *environment;    /* "NAME=value" to add, ends with NULL; may be NULL */
  bool wants_verdicts;               /* then WIREGRADE_VERDICT_FD is added too */
  double silence_limit_s;            /* killed when it lives and sends no verdict for so long */
  const volatile sig_atomic_t *stop; /* killed when this is not 0; may be NULL */
  void (*take_verdict)(void *context, json_t *verdict); /* borrows it; any JSON object */
  void (*tick)(void *context);                          /* now and then; may be NULL */
  void *context;
};

struct suite_outcome {
  bool silent_too_long, stopped;
  int wait_status;
  char *output, *complaint; /* the end of stdout and stderr (64 KiB at most, for stdout 4 MiB) */
};

/* Fails only if the program cannot be started. */
int suite_run(const struct suite_spec *spec, struct suite_outcome *outcome,
              struct failure *failure);
/* Hands one record, as the program sent it, to spec->take_verdict if it is a JSON object. */
void suite_take_record(const struct suite_spec *spec, const char *record, size_t length);
void suite_outcome_free(struct suite_outcome *outcome);

/* How it ended, in words: "ended with exit status 1", "was killed by SIGSEGV", …; the caller frees
 * it. */
char *suite_outcome_words(const struct suite_outcome *outcome);
