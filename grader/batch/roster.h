/* The roster: who is in the class, from a CSV file with a heading.
 *
 * Called by batch.c. Takes what people have: Moodle's grading worksheet ("Participant 12345"),
 * Canvas's gradebook (whose second line is none of a student), or any file with columns whose names
 * say what they are: id, name (or first and last name), email, login, section. Separated by commas,
 * semicolons or tabs; quoted as RFC 4180 says. */
#pragma once

#include "grader/base/failure.h"

#include <stdbool.h>
#include <stddef.h>

struct roster_student {
  char *key; /* the number, else the login, the address, the name */
  char *name, *email, *number, *login, *section; /* NULL where there is none */
  char *institution; /* the number that the institution gives, where `number` is an LMS's own */
  char *row;         /* JSON: text by column */
};

struct roster {
  struct roster_student *students;
  size_t count;
  const char *kind; /* "moodle", "canvas", "plain" */
  char *columns;    /* JSON: their names, in order */
};

/* Fails, with the line, if it is no such file, or if two lines are of one student. */
int roster_load(const char *path, struct roster *roster, struct failure *failure);
/* The same from its bytes; `path` is for the sentence. */
int roster_read(const char *bytes, size_t length, const char *path, struct roster *roster,
                struct failure *failure);
void roster_free(struct roster *roster);

/* Whom a source means: by number, login or address, or by a name that only one has. A name does not
 * decide where both have numbers of an LMS: of two with one name it would be the wrong one. Texts
 * may be NULL. NULL: nobody. */
const struct roster_student *roster_find(const struct roster *roster, const char *key,
                                         const char *number, const char *email, const char *name);
