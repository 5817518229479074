/* Where a program is in a submission's copy. Called by submission.c. Knows the names to look for,
 * in their order, and looks without ever following a link out of the copy. */
#pragma once

#include "grader/submission/own_commands.h"

#include <stdbool.h>

enum found_kind {
  FOUND_MISSING, /* text: one sentence */
  FOUND_COMMAND, /* argv */
  FOUND_SOURCE,  /* text: the path of a C file in the folder, to be compiled */
};

struct found {
  enum found_kind kind;
  bool attempted; /* of FOUND_MISSING: there is something for it, which cannot be used */
  char *text;
  char **argv; /* ends with NULL */
};

struct find_place {
  int folder_fd; /* the copy */
  bool has_makefile;
  const struct own_commands *own;
};

bool find_makefile(int folder_fd);

/* wiregrade.yaml's word, then bin/NAME, NAME, NAME.c (without a Makefile), NAME.py; a dash may be
 * an underscore. */
struct found find_program(const struct find_place *place, const char *program);
void found_free(struct found *found);

/* The contents of a file of the copy, NUL-terminated, at most `most` bytes; NULL with errno. */
char *find_contents(int folder_fd, const char *path, size_t most, size_t *length);
