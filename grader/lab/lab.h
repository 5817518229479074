/* Labs: what suite/LAB/lab.yaml says, as values. A lab is a set of requirements; each has a number
 * that never changes.
 *
 * Called by: the command line, run (which checks belong where) and result (titles, points, hints).
 * Knows nothing of checks.c, submissions or worlds: it reads files and answers questions. */
#pragma once

#include "grader/base/failure.h"

#include <stdbool.h>
#include <stddef.h>

enum level { LEVEL_CORE, LEVEL_STRETCH };

struct requirement {
  unsigned number;
  enum level level;
  char **programs; /* that it concerns; none: all of the lab's */
  unsigned program_count;
  char *text;      /* what is required, in one or a few sentences */
  char *hint;      /* the likely cause when it fails; "" if there is none */
  char *read;      /* where to read on; "" if there is nothing */
  bool has_points; /* a course has given it points of its own, out of the lab's */
  unsigned points;
};

struct lab {
  char *name; /* "udp-retry" */
  char *title;
  char *section; /* of the notes: "1.1.2" */
  unsigned points;
  char **programs;
  unsigned program_count;
  struct requirement *requirements;
  unsigned requirement_count;
  unsigned at_once;       /* checks for each CPU: usually 1, more where they wait in real time */
  unsigned core, stretch; /* in which ratio a course wants its points to be divided; 0 and 0: the
                             usual one, 3 and 1 */
  bool extra;             /* a course takes its points only to make up for others */
};

/* Reads one lab.yaml. On failure the sentence names the file and, where it is the YAML's fault, the
 * line. */
struct lab *lab_load(const char *path, struct failure *failure);
void lab_free(struct lab *lab);

const struct requirement *lab_requirement(const struct lab *lab, unsigned number);
const char *level_name(enum level level);

/* The points of each requirement, in their order and in whole numbers: what a course has given to
 * single ones, and of the rest so much to core and so much to stretch. */
void lab_points(const struct lab *lab, unsigned *points);
