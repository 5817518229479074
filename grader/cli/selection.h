/* What is to be judged: which labs, and which of their checks. Called by grade; knows the labs and
 * what their suite programs describe, but nothing of submissions. */
#pragma once

#include "grader/cli/cli.h"
#include "grader/run/describe.h"

struct chosen_lab {
  const struct lab *lab;
  char *program;                  /* of the suite */
  struct description description; /* if broken: one check for each requirement, with its name */
  bool *wanted;                   /* of each check described */
  size_t wanted_count;
  bool broken; /* the suite program cannot be used, and failure says why */
  struct failure failure;
};

struct selection {
  struct chosen_lab *labs;
  size_t count;
  bool is_all; /* nothing was named */
};

/* What was named on the command line. */
struct selection_names {
  struct cli_words labs, checks, programs;
};
void selection_names_free(struct selection_names *names);

/* Without any name all is chosen. A lab is chosen by its name, or by that of one of its
 * requirements or checks; the latter choose nothing else of that lab. With names of programs only
 * checks that start one of them stay chosen. Fails if a name is not known. */
int selection_make(const struct places *places, const struct catalogue *catalogue,
                   const struct selection_names *names, struct selection *selection,
                   struct failure *failure);
void selection_free(struct selection *selection);

/* Fails, and complains, if the course (NULL: none) hides a check by a name that none of the chosen
 * labs' checks has: what should be hidden would be shown. */
int cli_hidden_check(const struct course *course, const struct selection *selection);
