/* Mutants: the reference with one deliberate bug, as a patch whose first lines say what is wrong
 * with it and which requirements must fail:
 *
 *   # The client sends once more when it has its reply.
 *   Fails: udp-retry.8
 *   Hint: sent after the reply
 *
 * Hint has words of the likely cause that a student with this bug must be shown: for one at least
 * of the requirements that fail, or, as "Hint udp-retry.8: words", for that one. There may be
 * several.
 *
 * A line "Clock: virtual" behind them says that the bug only shows on a date that a check chooses,
 * while on the real clock the world has the machine's own. Called by verify. */
#pragma once

#include "grader/base/failure.h"

#include <stdbool.h>
#include <stddef.h>

struct mutant_hint {
  char *requirement; /* NULL: any that fails */
  char *words;
};

struct mutant {
  char *path, *name, *lab;
  char *key;           /* "LAB-NAME" */
  const char *labs[2]; /* the lab, and NULL */
  char *sentence;
  char **fails; /* requirements */
  size_t fail_count;
  struct mutant_hint *hints;
  size_t hint_count;
  bool lacks_hint;   /* it has none, though others of its lab have */
  bool virtual_only; /* it is not graded on the real clock */
  char **sources;    /* what the patch changes, without folders and extension: "udp-client"; but
                        "udp.h" */
  size_t source_count;
};

struct mutant_list {
  struct mutant *mutants;
  size_t count;
};

/* Adds those of fixtures/mutants/LAB/, by name; none if there is no such folder. */
int mutants_read(const char *mutants_folder, const char *lab, struct mutant_list *list,
                 struct failure *failure);
/* Keeps only what it takes for each requirement to have `each` mutants that name it (fewer where
 * there are fewer): those first that name few requirements, and by name. */
void mutants_thin(struct mutant_list *list, unsigned each);
void mutants_free(struct mutant_list *list);
bool mutant_names(const struct mutant *mutant, const char *requirement);
