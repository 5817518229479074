/* What a suite is tested with: the chosen labs, the reference, right programs in other styles, and
 * mutants; read from the tree that the suite lies in. Called by the verification. */
#pragma once

#include "grader/lab/catalogue.h"
#include "grader/lab/place.h"
#include "grader/verify/mutant.h"
#include "grader/verify/style.h"

struct material {
  const struct lab **labs;
  const char **lab_names; /* the same, ends with NULL */
  size_t lab_count;
  char *reference; /* the folder */
  struct style_list styles;
  struct mutant_list mutants;
  size_t styles_found, mutants_found; /* of which these may be a part */
};

/* How much of it is read; 0: all that there is. */
struct material_part {
  unsigned styles_each;  /* so many for each lab */
  unsigned mutants_each; /* so many for each requirement */
};

/* `names`: of the labs, which are all in the catalogue; none: all of them. */
int material_read(const struct places *places, const struct catalogue *catalogue,
                  const char *const *names, size_t name_count, struct material_part part,
                  struct material *material, struct failure *failure);
void material_free(struct material *material);

const struct lab *material_lab(const struct material *material, const char *name);
