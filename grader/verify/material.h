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
  size_t mutants_found; /* of which `mutants` may be a part */
};

/* `names`: of the labs, which are all in the catalogue; none: all of them. Of mutants only so many
 * that each requirement has `mutants_each` of them; 0: all that there are. */
int material_read(const struct places *places, const struct catalogue *catalogue,
                  const char *const *names, size_t name_count, unsigned mutants_each,
                  struct material *material, struct failure *failure);
void material_free(struct material *material);

const struct lab *material_lab(const struct material *material, const char *name);
