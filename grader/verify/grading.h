/* Many gradings, a few at a time, each by a `wiregrade grade` of its own: what goes wrong in one
 * touches no other. Called by verify. Knows folders and command lines, but nothing of what the
 * gradings are for. */
#pragma once

#include "grader/base/failure.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct grading {
  const char *name;   /* of its files in the work folder: unique, a file name */
  const char *folder; /* the submission */
  const char *patch;  /* applied to a copy of the folder, which is then graded; NULL: the folder
                         itself is graded */
  const char *const *labs; /* ends with NULL */
  char *const *programs;   /* only checks that start one of them; none: all checks */
  size_t program_count;
  bool keeps_build;  /* the same folder is graded several times: what was built is taken again */
  const char *clock; /* "virtual" or "real" */
  unsigned seed;
  unsigned stage;    /* it does not begin before all of the earlier stages have ended */
  unsigned turn;     /* nor before all of the stage's earlier turns have begun */
  size_t kind;       /* a small number: those of a kind take about the same time */
  bool ended;        /* false: it was stopped, or had not begun yet */
  json_t *result;    /* what it found; NULL: failure says why there is nothing */
  double duration_s; /* from its start to its end, copy and build included */
  double late_s;     /* by how much the machine woke a process too late meanwhile, at most: so late
                        may a program have been on the real clock */
  struct failure failure;
};

struct grading_pool {
  const char *executable; /* wiregrade */
  const char *suite;      /* the folder of labs, NULL: its own */
  const char *work;       /* an empty folder for copies and results */
  unsigned jobs;
  const volatile sig_atomic_t *stop;
  /* Called now and then: the one that has been at work for the longest time, and how many have
   * ended. */
  void (*progress)(void *context, const char *name, size_t done, size_t total);
  void *context;
};

/* Does them all, beginning with those that are likely to take longest: first one of each kind, as
 * nothing is known of it yet. One that fails has a failure, and no result; -1 only if it was
 * stopped. */
int gradings_do(const struct grading_pool *pool, struct grading *gradings, size_t count);

/* Runs a command without input, its output going to `log` (appended), and waits for it: 0 if it
 * ends with status 0. */
int command_do(char *const *argv, const char *log);

/* Copies a folder to a place that is not there yet, with its times. Links are replaced by what they
 * point to: whoever changes the copy can then never change the original. */
int folder_copy(const char *folder, const char *copy, const char *log);
