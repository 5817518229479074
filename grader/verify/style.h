/* Styles: right programs in other languages and manners, fixtures/submissions/NAME, each a
 * submission of some of the programs. Called by verify. */
#pragma once

#include "grader/lab/lab.h"

#include <jansson.h>

struct style {
  char *name, *folder;
  json_t *contained; /* {"udp-client": true}: by the names of its files, or by its wiregrade.yaml */
  const char **labs; /* of which it has a program; ends with NULL */
};

struct style_list {
  struct style *styles;
  size_t count;
};

/* Those that have a program of one of the labs, by name. */
int styles_read(const char *folder, const struct lab *const *labs, size_t count,
                struct style_list *list, struct failure *failure);
/* Keeps only what it takes for each lab to have `each` of them (fewer where there are no more), in
 * as many languages as possible: what stands before the first '-' in a name. */
void styles_thin(struct style_list *list, unsigned each);
void styles_free(struct style_list *list);
