/* What the files of source.c know of each other; nobody else includes this. */
#pragma once

#include "grader/batch/source.h"

#include <dirent.h>

struct source_reading {
  const struct source_spec *spec;
  struct source_list *list;
  unsigned unpacked; /* archives, each of which has a folder in spec->work */
};

/* A new submission at the end of the list, of one student without a name. All texts are copied. */
struct source_submission *source_add(struct source_reading *reading, const char *file,
                                     const char *key);

/* The names in a folder that could be submissions, sorted: without those that begin with a dot, and
 * without spec->except. */
struct source_names {
  char **names;
  size_t count;
};
int source_names_read(const struct source_reading *reading, const char *folder,
                      struct source_names *names, struct failure *failure);
void source_names_free(struct source_names *names);
