#include "grader/verify/material.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdlib.h>
#include <string.h>

static bool is_among(const char *name, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

static void labs_choose(struct material *material, const struct catalogue *catalogue,
                        const char *const *names, size_t name_count) {
  material->labs = memory_zeroed(catalogue->count, sizeof *material->labs);
  material->lab_names = memory_zeroed(catalogue->count + 1, sizeof *material->lab_names);
  for (size_t i = 0; i < catalogue->count; i++) {
    const struct lab *lab = catalogue->labs[i];
    if (name_count && !is_among(lab->name, names, name_count))
      continue;
    material->labs[material->lab_count] = lab;
    material->lab_names[material->lab_count++] = lab->name;
  }
}

int material_read(const struct places *places, const struct catalogue *catalogue,
                  const char *const *names, size_t name_count, struct material_part part,
                  struct material *material, struct failure *failure) {
  labs_choose(material, catalogue, names, name_count);
  material->reference = memory_format("%s/reference", places->root);
  if (access(material->reference, R_OK))
    return failure_errno(failure,
                         "Verifying needs the source tree, with reference/ and fixtures/ beside "
                         "suite/; cannot read %s",
                         material->reference);
  scoped_text char *styles = memory_format("%s/fixtures/submissions", places->root);
  scoped_text char *mutants = memory_format("%s/fixtures/mutants", places->root);
  if (styles_read(styles, material->labs, material->lab_count, &material->styles, failure))
    return -1;
  for (size_t i = 0; i < material->lab_count; i++)
    if (mutants_read(mutants, material->labs[i]->name, &material->mutants, failure))
      return -1;
  material->styles_found = material->styles.count;
  material->mutants_found = material->mutants.count;
  if (part.styles_each)
    styles_thin(&material->styles, part.styles_each);
  if (part.mutants_each)
    mutants_thin(&material->mutants, part.mutants_each);
  return 0;
}

void material_free(struct material *material) {
  mutants_free(&material->mutants);
  styles_free(&material->styles);
  free(material->labs);
  free(material->lab_names);
  free(material->reference);
}

const struct lab *material_lab(const struct material *material, const char *name) {
  size_t i = 0;
  while (strcmp(material->labs[i]->name, name) != 0)
    i++;
  return material->labs[i];
}
