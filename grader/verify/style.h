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
void styles_free(struct style_list *list);
