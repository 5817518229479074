/* What a gradebook tells. */
#include "grader/batch/gradebook_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { DOCUMENT_MOST = 256 << 20 }; /* bytes of JSON; a large one has 4 MB */

static const char *const state_names[] = {
    [GRADEBOOK_NO_SUBMISSION] = "no submission",
    [GRADEBOOK_WAITING] = "waiting",
    [GRADEBOOK_UNREADABLE] = "unreadable",
    [GRADEBOOK_ERROR] = "error",
    [GRADEBOOK_GRADED] = "graded",
};

const char *gradebook_state_name(enum gradebook_state state) {
  return state_names[state];
}

/* ---- rows ---- */

/* In the order of the enumeration below. */
static const char rows_query[] =
    "SELECT student.id, student.key, student.name, student.email, student.number, student.login,"
    " student.section, student.roster, submission.id, submission.hash, submission.source,"
    " submission.file, submission.attempt,"
    " (SELECT count(*) FROM submission WHERE student = student.id), submission.late,"
    " coalesce(submission.late_s, -1), submission.submitted, submission.penalty, submission.note,"
    " grading.state, grading.reason, grading.id,"
    " run.id = latest.id, run.suite <> latest.suite OR run.course <> latest.course, grading.score, grading.max_score,"
    " grading.passed, grading.failed, grading.missing, grading.skipped, grading.errors,"
    " grading.tries, grading.graded, grading.duration_s"
    " FROM student"
    " LEFT JOIN submission ON submission.student = student.id AND submission.counts = 1"
    " LEFT JOIN grading ON grading.id = (SELECT max(id) FROM grading WHERE hash = submission.hash)"
    " LEFT JOIN run ON run.id = grading.run"
    " LEFT JOIN run AS latest ON latest.id = (SELECT max(id) FROM run)"
    " ORDER BY student.name COLLATE NOCASE, student.key";

enum column {
  COLUMN_STUDENT,
  COLUMN_KEY,
  COLUMN_NAME,
  COLUMN_EMAIL,
  COLUMN_NUMBER,
  COLUMN_LOGIN,
  COLUMN_SECTION,
  COLUMN_ROSTER,
  COLUMN_SUBMISSION,
  COLUMN_HASH,
  COLUMN_SOURCE,
  COLUMN_FILE,
  COLUMN_ATTEMPT,
  COLUMN_ATTEMPTS,
  COLUMN_LATE,
  COLUMN_LATE_S,
  COLUMN_SUBMITTED,
  COLUMN_PENALTY,
  COLUMN_NOTE,
  COLUMN_STATE,
  COLUMN_REASON,
  COLUMN_GRADING,
  COLUMN_FRESH,
  COLUMN_OUTDATED,
  COLUMN_SCORE,
  COLUMN_MAX_SCORE,
  COLUMN_PASSED,
  COLUMN_FAILED,
  COLUMN_MISSING,
  COLUMN_SKIPPED,
  COLUMN_ERRORS,
  COLUMN_TRIES,
  COLUMN_GRADED,
  COLUMN_DURATION,
};

static const char *text_of(sqlite3_stmt *statement, enum column column) {
  const char *text = (const char *)sqlite3_column_text(statement, (int)column);
  return text ? text : "";
}

static long long number_of(sqlite3_stmt *statement, enum column column) {
  return sqlite3_column_int64(statement, (int)column);
}

static unsigned count_of(sqlite3_stmt *statement, enum column column) {
  return (unsigned)sqlite3_column_int64(statement, (int)column);
}

static enum gradebook_state state_of(sqlite3_stmt *statement) {
  if (!number_of(statement, COLUMN_SUBMISSION))
    return GRADEBOOK_NO_SUBMISSION;
  const char *name = text_of(statement, COLUMN_STATE);
  for (enum gradebook_state state = GRADEBOOK_UNREADABLE; state <= GRADEBOOK_GRADED; state++)
    if (strcmp(name, state_names[state]) == 0)
      return state;
  return GRADEBOOK_WAITING;
}

static struct gradebook_row row_of(sqlite3_stmt *statement) {
  struct gradebook_row row = {
      .student = number_of(statement, COLUMN_STUDENT),
      .key = text_of(statement, COLUMN_KEY),
      .name = text_of(statement, COLUMN_NAME),
      .email = text_of(statement, COLUMN_EMAIL),
      .number = text_of(statement, COLUMN_NUMBER),
      .login = text_of(statement, COLUMN_LOGIN),
      .section = text_of(statement, COLUMN_SECTION),
      .roster = text_of(statement, COLUMN_ROSTER),
      .submission = number_of(statement, COLUMN_SUBMISSION),
      .hash = text_of(statement, COLUMN_HASH),
      .source = text_of(statement, COLUMN_SOURCE),
      .file = text_of(statement, COLUMN_FILE),
      .attempt = count_of(statement, COLUMN_ATTEMPT),
      .attempts = count_of(statement, COLUMN_ATTEMPTS),
      .late = number_of(statement, COLUMN_LATE) != 0,
      .late_s = number_of(statement, COLUMN_LATE_S),
      .submitted = text_of(statement, COLUMN_SUBMITTED),
      .penalty = count_of(statement, COLUMN_PENALTY),
      .note = text_of(statement, COLUMN_NOTE),
      .state = state_of(statement),
      .reason = text_of(statement, COLUMN_REASON),
      .grading = number_of(statement, COLUMN_GRADING),
      .fresh = number_of(statement, COLUMN_FRESH) != 0,
      .outdated = number_of(statement, COLUMN_OUTDATED) != 0,
      .score = number_of(statement, COLUMN_SCORE),
      .max_score = number_of(statement, COLUMN_MAX_SCORE),
      .passed = count_of(statement, COLUMN_PASSED),
      .failed = count_of(statement, COLUMN_FAILED),
      .missing = count_of(statement, COLUMN_MISSING),
      .skipped = count_of(statement, COLUMN_SKIPPED),
      .errors = count_of(statement, COLUMN_ERRORS),
      .tries = count_of(statement, COLUMN_TRIES),
      .graded = text_of(statement, COLUMN_GRADED),
      .duration_s = sqlite3_column_double(statement, COLUMN_DURATION),
  };
  row.rostered = *row.roster != '\0';
  row.points = gradebook_points(row.score, row.penalty);
  return row;
}

long long gradebook_points(long long score, unsigned penalty) {
  return (score * (100 - (long long)penalty) + 50) / 100;
}

int gradebook_rows(struct gradebook *book,
                   int (*take)(void *context, const struct gradebook_row *row), void *context,
                   struct failure *failure) {
  sqlite3_stmt *statement = gradebook_statement(book, failure, rows_query, "");
  if (!statement)
    return -1;
  int outcome = 0, step = SQLITE_DONE;
  while (outcome == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
    const struct gradebook_row row = row_of(statement);
    outcome = take(context, &row);
  }
  if (step != SQLITE_ROW && step != SQLITE_DONE)
    outcome = gradebook_failure(book, failure, "read");
  sqlite3_finalize(statement);
  return outcome;
}

/* ---- documents ---- */

static json_t *document_unpack(const void *packed, size_t length) {
  char *text = NULL;
  size_t room = 4 * length + 1024, used = 0;
  z_stream stream = {.next_in = (Bytef *)packed, .avail_in = (uInt)length};
  int outcome = inflateInit(&stream);
  while (outcome == Z_OK && room <= DOCUMENT_MOST) {
    text = memory_resize(text, room);
    stream.next_out = (Bytef *)text + used;
    stream.avail_out = (uInt)(room - used);
    outcome = inflate(&stream, Z_NO_FLUSH);
    used = room - stream.avail_out;
    if (stream.avail_out == 0)
      room *= 2;
    else if (outcome == Z_OK && stream.avail_in == 0)
      break; /* cut off */
  }
  inflateEnd(&stream);
  json_t *document = outcome == Z_STREAM_END ? json_loadb(text, used, 0, NULL) : NULL;
  free(text);
  return document;
}

json_t *gradebook_document(struct gradebook *book, long long grading, struct failure *failure) {
  sqlite3_stmt *statement =
      gradebook_statement(book, failure, "SELECT document FROM grading WHERE id = ?", "n", grading);
  if (!statement)
    return NULL;
  json_t *document = NULL;
  int step = sqlite3_step(statement);
  if (step == SQLITE_ROW && sqlite3_column_type(statement, 0) == SQLITE_BLOB) {
    const void *packed = sqlite3_column_blob(statement, 0);
    document = document_unpack(packed, (size_t)sqlite3_column_bytes(statement, 0));
    if (!document)
      failure_set(failure, "The document of grading %lld in %s is damaged", grading, book->path);
  } else if (step == SQLITE_ROW || step == SQLITE_DONE) {
    failure_set(failure, "There is no document of a grading %lld in %s", grading, book->path);
  } else {
    gradebook_failure(book, failure, "read");
  }
  sqlite3_finalize(statement);
  return document;
}

long long gradebook_grading_before(struct gradebook *book, long long student, long long grading) {
  long long before = 0;
  struct failure ignored;
  gradebook_ask(book, &ignored, &before,
                "SELECT max(grading.id) FROM grading JOIN submission USING (hash)"
                " WHERE submission.student = ? AND grading.id < ? AND grading.state = 'graded'",
                "nn", student, grading);
  return before;
}

long long gradebook_same_before(struct gradebook *book, long long grading) {
  long long before = 0;
  struct failure ignored;
  gradebook_ask(book, &ignored, &before,
                "SELECT max(id) FROM grading WHERE id < ?1 AND state = 'graded'"
                " AND hash = (SELECT hash FROM grading WHERE id = ?1)",
                "n", grading);
  return before;
}

/* ---- the last run ---- */

int gradebook_about(struct gradebook *book, struct gradebook_about *about,
                    struct failure *failure) {
  sqlite3_finalize(book->about);
  book->about = gradebook_statement(
      book, failure,
      "SELECT course.name, course.file, course.hash, suite.hash, suite.wiregrade, suite.labs,"
      " run.begun, run.ended, run.id, run.roster_columns, run.roster_kind"
      " FROM run JOIN course ON course.id = run.course JOIN suite ON suite.id = run.suite"
      " WHERE run.id = (SELECT max(id) FROM run)",
      "");
  if (!book->about)
    return -1;
  int step = sqlite3_step(book->about);
  if (step == SQLITE_DONE)
    return failure_set(failure, "Nothing was graded into %s yet", book->path);
  if (step != SQLITE_ROW)
    return gradebook_failure(book, failure, "read");
  const char **const members[] = {
      &about->course,         &about->course_file, &about->course_hash,
      &about->suite_hash,     &about->wiregrade,   &about->labs,
      &about->begun,          &about->ended,       NULL,
      &about->roster_columns, &about->roster_kind,
  };
  for (size_t i = 0; i < sizeof members / sizeof *members; i++)
    if (members[i])
      *members[i] = (const char *)sqlite3_column_text(book->about, (int)i);
  about->run = sqlite3_column_int64(book->about, 8);
  return 0;
}
