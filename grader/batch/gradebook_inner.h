/* What the files of gradebook.c know of each other; nobody else includes this. */
#pragma once

#include "grader/batch/gradebook.h"

#include <sqlite3.h>

struct gradebook {
  sqlite3 *database;
  char *path;
  int lock_fd;             /* -1: open for reading */
  long long run;           /* of the writer: begun by gradebook_run_begin() */
  long long suite, course; /* of that run */
  bool regrade;            /* likewise */
  sqlite3_stmt *about;     /* whose texts were handed out last */
};

/* A statement with its parameters bound, the caller's to finalize. `types` has a letter for each:
 * t const char * (NULL: ''), n long long, r double, b const void * and size_t (an int to the
 * compiler is none of these: cast it). NULL with a failure. */
sqlite3_stmt *gradebook_statement(struct gradebook *book, struct failure *failure, const char *sql,
                                  const char *types, ...);
/* Runs such a statement to its end: 0, or -1. */
int gradebook_do(struct gradebook *book, struct failure *failure, const char *sql,
                 const char *types, ...);
/* The first column of its only row in *number, which stays as it is if there is no row. */
int gradebook_ask(struct gradebook *book, struct failure *failure, long long *number,
                  const char *sql, const char *types, ...);
/* Says what SQLite says. Returns -1. */
int gradebook_failure(struct gradebook *book, struct failure *failure, const char *what);
