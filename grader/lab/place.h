/* Where things are: the labs' folders, the suite's programs, and the source tree that they came
 * from. Found from the running executable, so that a build tree and an installation can both be
 * moved; no path is compiled in.
 *
 *   installed    PREFIX/bin/wiregrade, PREFIX/lib/wiregrade/suite/LAB (programs),
 * PREFIX/share/wiregrade/suite/LAB/ build tree   BUILD/wiregrade, BUILD/suite/LAB (programs),
 * BUILD/source-root (a file that names the source tree)
 *
 * WIREGRADE_SUITE names another folder of labs, for a teacher's own: DIR/LAB/lab.yaml and
 * DIR/LAB/checks, the suite program built from the lab's checks.c; where there is none, the program
 * is looked for in the usual place. */
#pragma once

#include "grader/base/failure.h"

#include <stdbool.h>

struct places {
  char *executable; /* this program */
  char *suite;      /* lab folders */
  char *programs;   /* suite programs */
  char *root;       /* what `suite` lies in: reference/ and fixtures/ are looked for there */
};

/* `suite` may be NULL; it goes before the environment's. */
int places_find(const char *suite, struct places *places, struct failure *failure);
/* The same for an executable that need not be this one. */
int places_find_for(const char *executable, const char *suite, struct places *places,
                    struct failure *failure);
void places_free(struct places *places);

/* The folder of a starter's files, as `make install` and the source tree have it; the caller frees
 * it. */
char *place_starter(const struct places *places);

/* The folder of translations that belongs to this executable, likewise. */
char *place_languages(const char *executable);

/* The suite program of a lab; the caller frees it. */
char *place_program(const struct places *places, const char *lab);
