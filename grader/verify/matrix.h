/* What verify found out: for each requirement how the reference did, which styles pass it and which
 * mutants it kills, which cause each mutant is shown, and everything that is not as it must be.
 * Called by verify; filled from result documents. */
#pragma once

#include "grader/lab/catalogue.h"
#include "grader/verify/mutant.h"

#include <jansson.h>

struct matrix {
  json_t *requirements; /* "udp.1": {"reference", "styles", "styles_passed", "killed_by": […]} */
  json_t *hints;        /* what was shown for each mutant: see hint.h */
  json_t *general;      /* {"udp.1": the lab's own hint, which is shown where no cause is known} */
  json_t *deviations;   /* sentences */
  json_t *faults;       /* sentences: the grader's own errors */
  size_t kills_least;   /* so many mutants each requirement must kill: 2, unless set otherwise */
};

struct matrix matrix_new(const struct lab *const *labs, size_t count);
void matrix_free(struct matrix *matrix);

/* The reference must pass everything. */
void matrix_add_reference(struct matrix *matrix, const json_t *result);
/* A style must have no failure, and nothing missing of the programs that it contains. */
void matrix_add_style(struct matrix *matrix, const char *name, const json_t *result,
                      const struct lab *const *labs, size_t count, const json_t *contained);
/* A mutant must fail exactly what it names, and be shown the cause that it names. */
void matrix_add_mutant(struct matrix *matrix, const struct mutant *mutant, const json_t *result);
/* Every check that is an error is told, whoever was graded: a mutant may not be killed by an
 * accident. All that are added above are looked through. */
void matrix_add_errors(struct matrix *matrix, const char *name, const json_t *result);
/* Something could not be graded at all. */
void matrix_add_fault(struct matrix *matrix, const char *name, const char *sentence);
/* Each requirement must be checked, and kill enough mutants. Called last. */
void matrix_judge(struct matrix *matrix);
/* How a submission did in each requirement, {"udp.1": status}: of several checks the status that
 * weighs most. */
json_t *matrix_statuses(const json_t *result);
