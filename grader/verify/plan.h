/* Which gradings a verification takes: each submission on each clock, and as often as is wanted.
 * Called by the verification.
 *
 * Those on the virtual clock come first: with many at once they leave no CPU idle, which changes
 * none of their verdicts, but on the real clock a program that must wait for a CPU is late. */
#pragma once

#include "grader/verify/grading.h"
#include "grader/verify/material.h"

enum submission_kind { SUBMISSION_REFERENCE, SUBMISSION_STYLE, SUBMISSION_MUTANT };

/* What one grading is for. */
struct planned {
  enum submission_kind kind;
  const struct style *style;   /* of a style */
  const struct mutant *mutant; /* of a mutant */
  char *submission;            /* its name in sentences: "reference", "python", "udp/twice" */
  char *name;                  /* the grading's: "udp-twice.real.2" */
  unsigned run;                /* from 1 on; it is the seed, too */
  bool base; /* the first run on the first clock, which the others are compared with */
};

struct plan {
  struct planned *planned;
  struct grading *gradings; /* as many, in the same order */
  size_t count;
};

/* `clocks` ends with NULL; `base` is a built copy of the reference, which mutants are made from.
 * The material must outlive the plan. */
struct plan plan_make(const struct material *material, const char *base, const char *const *clocks,
                      unsigned runs);
void plan_free(struct plan *plan);

/* "reference", "style", "mutant". */
const char *submission_kind_name(enum submission_kind kind);
