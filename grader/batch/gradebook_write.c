/* What a batch writes into its gradebook. */
#include "grader/batch/gradebook_inner.h"

#include "grader/base/instant.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- runs ---- */

static int suite_put(struct gradebook *book, const struct gradebook_run *run,
                     struct failure *failure) {
  return gradebook_do(book, failure,
                      "INSERT INTO suite (hash, wiregrade, labs) VALUES (?, ?, ?)"
                      " ON CONFLICT (hash) DO UPDATE SET wiregrade = excluded.wiregrade",
                      "ttt", run->suite_hash, run->wiregrade, run->labs) ||
                 gradebook_ask(book, failure, &book->suite, "SELECT id FROM suite WHERE hash = ?",
                               "t", run->suite_hash)
             ? -1
             : 0;
}

static int course_put(struct gradebook *book, const struct gradebook_run *run,
                      struct failure *failure) {
  return gradebook_do(book, failure,
                      "INSERT INTO course (hash, name, file) VALUES (?, ?, ?)"
                      " ON CONFLICT (hash) DO UPDATE SET name = excluded.name,"
                      " file = excluded.file",
                      "ttt", run->course_hash, run->course_name, run->course_file) ||
                 gradebook_ask(book, failure, &book->course, "SELECT id FROM course WHERE hash = ?",
                               "t", run->course_hash)
             ? -1
             : 0;
}

/* The last run's id, if it was a regrading by the same suite and course that came to no end. */
static int regrade_find(struct gradebook *book, struct failure *failure) {
  return gradebook_ask(book, failure, &book->run,
                       "SELECT id FROM run WHERE id = (SELECT max(id) FROM run) AND regrade = 1"
                       " AND ended = '' AND suite = ? AND course = ?",
                       "nn", book->suite, book->course);
}

static int run_put(struct gradebook *book, const struct gradebook_run *run,
                   struct failure *failure) {
  book->run = 0;
  book->regrade = run->regrade;
  if (suite_put(book, run, failure) || course_put(book, run, failure) ||
      (run->regrade && regrade_find(book, failure)))
    return -1;
  if (book->run)
    return 0;
  if (gradebook_do(book, failure,
                   "INSERT INTO run (suite, course, regrade, roster_kind, roster_columns, begun,"
                   " ended) VALUES (?, ?, ?, ?, ?, ?, '')",
                   "nnnttt", book->suite, book->course, (long long)run->regrade, run->roster_kind,
                   run->roster_columns, instant_format(time(NULL)).text))
    return -1;
  book->run = sqlite3_last_insert_rowid(book->database);
  return 0;
}

int gradebook_run_begin(struct gradebook *book, const struct gradebook_run *run,
                        struct failure *failure) {
  if (gradebook_begin(book, failure))
    return -1;
  return run_put(book, run, failure) || gradebook_commit(book, failure) ? -1 : 0;
}

int gradebook_run_end(struct gradebook *book, struct failure *failure) {
  return gradebook_do(book, failure, "UPDATE run SET ended = ? WHERE id = ?", "tn",
                      instant_format(time(NULL)).text, book->run);
}

/* ---- students and what they handed in ---- */

/* Whoever had another key until now keeps what was handed in under it. */
static int student_rename(struct gradebook *book, const struct gradebook_student *student,
                          struct failure *failure) {
  if (!student->former_key || strcmp(student->former_key, student->key) == 0)
    return 0;
  return gradebook_do(book, failure,
                      "UPDATE student SET key = ?1 WHERE key = ?2"
                      " AND NOT EXISTS (SELECT 1 FROM student WHERE key = ?1)",
                      "tt", student->key, student->former_key);
}

int gradebook_put_student(struct gradebook *book, const struct gradebook_student *student,
                          long long *id, struct failure *failure) {
  return student_rename(book, student, failure) ||
                 gradebook_do(
                     book, failure,
                     "INSERT INTO student (key, name, email, number, login, section, roster)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (key) DO UPDATE SET"
                     " name = CASE ?2 WHEN '' THEN name ELSE ?2 END,"
                     " email = CASE ?3 WHEN '' THEN email ELSE ?3 END,"
                     " number = CASE ?4 WHEN '' THEN number ELSE ?4 END,"
                     " login = CASE ?5 WHEN '' THEN login ELSE ?5 END,"
                     " section = CASE ?6 WHEN '' THEN section ELSE ?6 END,"
                     " roster = CASE ?7 WHEN '' THEN roster ELSE ?7 END",
                     "ttttttt", student->key, student->name, student->email, student->number,
                     student->login, student->section, student->roster) ||
                 gradebook_ask(book, failure, id, "SELECT id FROM student WHERE key = ?", "t",
                               student->key)
             ? -1
             : 0;
}

static int submission_insert(struct gradebook *book, const struct gradebook_submission *submission,
                             struct failure *failure) {
  return gradebook_do(
      book, failure,
      "INSERT INTO submission (student, hash, attempt, counts, source, file, late, late_s,"
      " submitted, penalty, note, run)"
      " VALUES (?1, ?2, CASE ?3 WHEN 0 THEN"
      "   1 + coalesce((SELECT max(attempt) FROM submission WHERE student = ?1), 0) ELSE ?3 END,"
      "   0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
      " ON CONFLICT (student, hash) DO UPDATE SET"
      "   attempt = CASE ?3 WHEN 0 THEN attempt ELSE ?3 END, source = ?4, file = ?5, late = ?6,"
      "   late_s = ?7, submitted = ?8, penalty = ?9, note = ?10, run = ?11",
      "ntnttnntntn", submission->student, submission->hash, (long long)submission->attempt,
      submission->source, submission->file, (long long)submission->late, submission->late_s,
      submission->submitted, (long long)submission->penalty, submission->note, book->run);
}

/* The last attempt of those that the newest run with any has met: what a source no longer has does
 * not count any more. */
static int submission_choose(struct gradebook *book, long long student, struct failure *failure) {
  return gradebook_do(book, failure,
                      "UPDATE submission SET counts = (id = (SELECT id FROM submission"
                      "  WHERE student = ?1 ORDER BY run DESC, attempt DESC, id DESC LIMIT 1))"
                      " WHERE student = ?1",
                      "n", student);
}

int gradebook_put_submission(struct gradebook *book, const struct gradebook_submission *submission,
                             struct failure *failure) {
  return submission_insert(book, submission, failure) ||
                 submission_choose(book, submission->student, failure)
             ? -1
             : 0;
}

/* ---- gradings ---- */

int gradebook_needs_grading(struct gradebook *book, const char *hash, bool *needs,
                            struct failure *failure) {
  long long good = 0;
  int outcome =
      gradebook_ask(book, failure, &good,
                    "SELECT count(*) FROM grading JOIN run ON run.id = grading.run"
                    " WHERE grading.id = (SELECT max(id) FROM grading WHERE hash = ?1)"
                    " AND run.suite = ?2 AND run.course = ?3"
                    " AND (grading.run = ?4 OR (?5 = 0 AND state <> 'error' AND errors = 0))",
                    "tnnnn", hash, book->suite, book->course, book->run, (long long)book->regrade);
  *needs = good == 0;
  return outcome;
}

int gradebook_put_grading(struct gradebook *book, const struct gradebook_grading *grading,
                          struct failure *failure) {
  return gradebook_do(
      book, failure,
      "INSERT INTO grading (hash, run, state, reason, score, max_score, passed, failed, missing,"
      " skipped, errors, tries, graded, duration_s, document)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      "tnttnnnnnnnntrb", grading->hash, book->run, gradebook_state_name(grading->state),
      grading->reason, grading->score, grading->max_score, (long long)grading->passed,
      (long long)grading->failed, (long long)grading->missing, (long long)grading->skipped,
      (long long)grading->errors, (long long)grading->tries,
      grading->graded ? grading->graded : instant_format(time(NULL)).text, grading->duration_s,
      grading->document, grading->document_length);
}

int gradebook_put_mishap(struct gradebook *book, const char *hash, unsigned try, const char *reason,
                         struct failure *failure) {
  return gradebook_do(
      book, failure, "INSERT INTO mishap (hash, run, try, reason, at) VALUES (?, ?, ?, ?, ?)",
      "tnntt", hash, book->run, (long long)try, reason, instant_format(time(NULL)).text);
}

void *gradebook_pack(const json_t *document, size_t *length) {
  scoped_text char *text = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(12));
  if (!text)
    return NULL;
  size_t size = strlen(text);
  uLongf packed = compressBound(size);
  void *bytes = memory_resize(NULL, packed);
  if (compress2(bytes, &packed, (const Bytef *)text, size, Z_BEST_SPEED) != Z_OK) {
    free(bytes);
    return NULL;
  }
  *length = packed;
  return bytes;
}
