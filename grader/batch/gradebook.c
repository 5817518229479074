#include "grader/batch/gradebook_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/batch/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  STEP_COUNT = sizeof GRADEBOOK_STEPS / sizeof *GRADEBOOK_STEPS,
  BUSY_MS = 30000, /* for another's transaction, which takes milliseconds */
};

int gradebook_failure(struct gradebook *book, struct failure *failure, const char *what) {
  return failure_set(failure, "Cannot %s the gradebook %s: %s", what, book->path,
                     sqlite3_errmsg(book->database));
}

/* ---- statements ---- */

static int parameters_bind(sqlite3_stmt *statement, const char *types, va_list arguments) {
  int outcome = SQLITE_OK;
  for (int i = 1; *types && outcome == SQLITE_OK; types++, i++) {
    if (*types == 't') {
      const char *text = va_arg(arguments, const char *);
      outcome = sqlite3_bind_text(statement, i, text ? text : "", -1, SQLITE_TRANSIENT);
    } else if (*types == 'n') {
      outcome = sqlite3_bind_int64(statement, i, va_arg(arguments, long long));
    } else if (*types == 'r') {
      outcome = sqlite3_bind_double(statement, i, va_arg(arguments, double));
    } else {
      const void *bytes = va_arg(arguments, const void *);
      outcome = sqlite3_bind_blob64(statement, i, bytes, va_arg(arguments, size_t), SQLITE_STATIC);
    }
  }
  return outcome;
}

static sqlite3_stmt *statement_make(struct gradebook *book, struct failure *failure,
                                    const char *sql, const char *types, va_list arguments) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(book->database, sql, -1, &statement, NULL) == SQLITE_OK &&
      parameters_bind(statement, types, arguments) == SQLITE_OK)
    return statement;
  gradebook_failure(book, failure, "use");
  sqlite3_finalize(statement);
  return NULL;
}

sqlite3_stmt *gradebook_statement(struct gradebook *book, struct failure *failure, const char *sql,
                                  const char *types, ...) {
  va_list arguments;
  va_start(arguments, types);
  sqlite3_stmt *statement = statement_make(book, failure, sql, types, arguments);
  va_end(arguments);
  return statement;
}

int gradebook_do(struct gradebook *book, struct failure *failure, const char *sql,
                 const char *types, ...) {
  va_list arguments;
  va_start(arguments, types);
  sqlite3_stmt *statement = statement_make(book, failure, sql, types, arguments);
  va_end(arguments);
  if (!statement)
    return -1;
  int outcome = sqlite3_step(statement);
  if (outcome != SQLITE_DONE && outcome != SQLITE_ROW)
    gradebook_failure(book, failure, "write");
  sqlite3_finalize(statement);
  return outcome == SQLITE_DONE || outcome == SQLITE_ROW ? 0 : -1;
}

int gradebook_ask(struct gradebook *book, struct failure *failure, long long *number,
                  const char *sql, const char *types, ...) {
  va_list arguments;
  va_start(arguments, types);
  sqlite3_stmt *statement = statement_make(book, failure, sql, types, arguments);
  va_end(arguments);
  if (!statement)
    return -1;
  int outcome = sqlite3_step(statement);
  if (outcome == SQLITE_ROW)
    *number = sqlite3_column_int64(statement, 0);
  else if (outcome != SQLITE_DONE)
    gradebook_failure(book, failure, "read");
  sqlite3_finalize(statement);
  return outcome == SQLITE_ROW || outcome == SQLITE_DONE ? 0 : -1;
}

static int all_do(struct gradebook *book, const char *sql, const char *what,
                  struct failure *failure) {
  if (sqlite3_exec(book->database, sql, NULL, NULL, NULL) == SQLITE_OK)
    return 0;
  return gradebook_failure(book, failure, what);
}

int gradebook_begin(struct gradebook *book, struct failure *failure) {
  return all_do(book, "BEGIN IMMEDIATE", "write", failure);
}

int gradebook_commit(struct gradebook *book, struct failure *failure) {
  return all_do(book, "COMMIT", "write", failure);
}

/* ---- opening ---- */

/* A lock of this process only: a worker, which is a fork of it, has none and keeps none. */
static int lock_take(struct gradebook *book, const char *out, struct failure *failure) {
  scoped_text char *path = memory_format("%s/gradebook.lock", out);
  book->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (book->lock_fd < 0)
    return failure_errno(failure, "Cannot write %s", path);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(book->lock_fd, F_SETLK, &lock) == 0)
    return 0;
  if (errno != EACCES && errno != EAGAIN)
    return failure_errno(failure, "Cannot lock %s", path);
  struct flock other = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(book->lock_fd, F_GETLK, &other) == 0 && other.l_type != F_UNLCK && other.l_pid > 0)
    return failure_set(failure,
                       "Another batch (process %ld) is grading into %s; wait for it, or choose "
                       "another --out",
                       (long)other.l_pid, out);
  return failure_set(failure,
                     "Another batch is grading into %s; wait for it, or choose another --out", out);
}

static int number_of(struct gradebook *book, const char *pragma, long long *number,
                     struct failure *failure) {
  return gradebook_ask(book, failure, number, pragma, "");
}

static int schema_check(struct gradebook *book, long long *version, struct failure *failure) {
  long long application = 0, tables = 0;
  if (number_of(book, "PRAGMA application_id", &application, failure) ||
      number_of(book, "PRAGMA user_version", version, failure) ||
      number_of(book, "SELECT count(*) FROM sqlite_schema", &tables, failure))
    return -1;
  if (tables > 0 && application != GRADEBOOK_APPLICATION)
    return failure_set(failure, "%s is not a gradebook of wiregrade", book->path);
  if (*version > STEP_COUNT)
    return failure_set(failure,
                       "The gradebook %s has version %lld, and this wiregrade reads up to %d; use "
                       "a later wiregrade",
                       book->path, *version, (int)STEP_COUNT);
  return 0;
}

static int schema_update(struct gradebook *book, long long version, struct failure *failure) {
  if (version == STEP_COUNT)
    return 0;
  if (gradebook_begin(book, failure))
    return -1;
  for (long long step = version; step < STEP_COUNT; step++)
    if (all_do(book, GRADEBOOK_STEPS[step], "make", failure))
      return -1;
  scoped_text char *mark = memory_format("PRAGMA application_id = %d; PRAGMA user_version = %d",
                                         GRADEBOOK_APPLICATION, (int)STEP_COUNT);
  return all_do(book, mark, "make", failure) || gradebook_commit(book, failure) ? -1 : 0;
}

static int gradebook_prepare(struct gradebook *book, enum gradebook_access access,
                             struct failure *failure) {
  long long version = 0;
  sqlite3_busy_timeout(book->database, BUSY_MS);
  if (schema_check(book, &version, failure))
    return -1;
  if (access == GRADEBOOK_READ)
    return version == STEP_COUNT
               ? 0
               : failure_set(failure,
                             "The gradebook %s is of an older version; `wiregrade batch` on it "
                             "brings it up to date",
                             book->path);
  /* FULL: what was reported as done is on the disk, also after a power cut. */
  return all_do(book,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                "PRAGMA foreign_keys = ON",
                "write", failure) ||
                 schema_update(book, version, failure)
             ? -1
             : 0;
}

struct gradebook *gradebook_open(const char *out, enum gradebook_access access,
                                 struct failure *failure) {
  struct gradebook *book = memory_zeroed(1, sizeof *book);
  book->lock_fd = -1;
  book->path = memory_format("%s/" GRADEBOOK_FILE, out);
  /* A reader, too, has to be able to write where the log of a killed batch is to be taken over;
   * SQLite turns to reading alone where it cannot. */
  int flags = SQLITE_OPEN_READWRITE | (access == GRADEBOOK_WRITE ? SQLITE_OPEN_CREATE : 0);
  bool good = access == GRADEBOOK_READ || lock_take(book, out, failure) == 0;
  if (good && sqlite3_open_v2(book->path, &book->database, flags, NULL) != SQLITE_OK) {
    gradebook_failure(book, failure, "open");
    good = false;
  }
  if (good && gradebook_prepare(book, access, failure) == 0)
    return book;
  gradebook_close(book);
  return NULL;
}

void gradebook_close(struct gradebook *book) {
  if (!book)
    return;
  sqlite3_finalize(book->about);
  sqlite3_close(book->database);
  scope_close_fd(&book->lock_fd);
  free(book->path);
  free(book);
}
