/* What a gradebook keeps, and what it says of it. */
#include "grader/batch/gradebook.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static char folder[64];
static struct failure failure;

static void folder_make(void) {
  strcpy(folder, "/tmp/gradebook-test-XXXXXX");
  cr_assert(mkdtemp(folder));
}

static void folder_remove(void) {
  scoped_text char *command = memory_format("rm -rf '%s'", folder);
  cr_expect_eq(system(command), 0);
}

TestSuite(gradebook, .init = folder_make, .fini = folder_remove);

#define must(call) cr_assert_eq((call), 0, "%s", failure.sentence)

static struct gradebook *book_open(enum gradebook_access access) {
  struct gradebook *book = gradebook_open(folder, access, &failure);
  cr_assert(book, "%s", failure.sentence);
  return book;
}

static const struct gradebook_run first_run = {
    .suite_hash = "suite-1", .wiregrade = "1", .labs = "[\"udp\"]", .course_hash = ""};

static void run_begin(struct gradebook *book, const char *suite, bool regrade) {
  struct gradebook_run run = first_run;
  run.suite_hash = suite;
  run.regrade = regrade;
  must(gradebook_run_begin(book, &run, &failure));
}

static void hand_in(struct gradebook *book, const char *key, const char *hash, unsigned penalty) {
  struct gradebook_submission submission = {
      .hash = hash, .file = key, .penalty = penalty, .late = penalty > 0};
  must(gradebook_put_student(book, &(struct gradebook_student){.key = key, .name = key},
                             &submission.student, &failure));
  must(gradebook_put_submission(book, &submission, &failure));
}

static void grade(struct gradebook *book, const char *hash, long long score) {
  json_t *document = json_pack("{s:I}", "score", (json_int_t)score);
  size_t length;
  scoped_text char *packed = gradebook_pack(document, &length);
  json_decref(document);
  must(gradebook_put_grading(book,
                             &(struct gradebook_grading){.hash = hash,
                                                         .state = GRADEBOOK_GRADED,
                                                         .document = packed,
                                                         .document_length = length,
                                                         .score = score,
                                                         .max_score = 100,
                                                         .tries = 1},
                             &failure));
}

static bool needs_grading(struct gradebook *book, const char *hash) {
  bool needs;
  must(gradebook_needs_grading(book, hash, &needs, &failure));
  return needs;
}

static struct gradebook_row found;

static int row_find(void *context, const struct gradebook_row *row) {
  if (strcmp(row->key, context) != 0)
    return 0;
  found = *row;
  return 1;
}

/* Numbers only: the texts of a row do not outlive it. */
static const struct gradebook_row *row_of(struct gradebook *book, const char *key) {
  cr_assert_eq(gradebook_rows(book, row_find, (void *)key, &failure), 1, "no row of %s", key);
  return &found;
}

Test(gradebook, keeps_what_was_graded) {
  struct gradebook *book = book_open(GRADEBOOK_WRITE);
  run_begin(book, "suite-1", false);
  hand_in(book, "alice", "aa", 0);
  hand_in(book, "bob", "aa", 15);
  cr_expect(needs_grading(book, "aa"));
  cr_expect_eq(row_of(book, "alice")->state, GRADEBOOK_WAITING);
  grade(book, "aa", 90);
  gradebook_close(book);

  book = book_open(GRADEBOOK_READ);
  cr_expect_eq(row_of(book, "alice")->points, 90);
  cr_expect_eq(row_of(book, "bob")->score, 90);
  cr_expect_eq(row_of(book, "bob")->points, 77, "76.5 is rounded");
  cr_expect(row_of(book, "bob")->late);
  json_t *document = gradebook_document(book, row_of(book, "bob")->grading, &failure);
  cr_assert(document, "%s", failure.sentence);
  cr_expect_eq(json_integer_value(json_object_get(document, "score")), 90);
  json_decref(document);
  cr_expect_null(gradebook_document(book, 4711, &failure));
  gradebook_close(book);
}

Test(gradebook, knows_what_is_to_be_graded_again) {
  struct gradebook *book = book_open(GRADEBOOK_WRITE);
  run_begin(book, "suite-1", false);
  hand_in(book, "alice", "aa", 0);
  grade(book, "aa", 90);
  cr_expect_not(needs_grading(book, "aa"));
  run_begin(book, "suite-1", false);
  cr_expect_not(needs_grading(book, "aa"), "by a second run");
  run_begin(book, "suite-2", false);
  cr_expect(needs_grading(book, "aa"), "by another suite");
  cr_expect(row_of(book, "alice")->outdated);
  grade(book, "aa", 80);
  cr_expect_not(row_of(book, "alice")->outdated);
  long long now = row_of(book, "alice")->grading;
  cr_expect_lt(gradebook_grading_before(book, row_of(book, "alice")->student, now), now);
  cr_expect_gt(gradebook_grading_before(book, row_of(book, "alice")->student, now), 0);
  gradebook_close(book);
}

Test(gradebook, tries_again_what_the_grader_erred_in) {
  struct gradebook *book = book_open(GRADEBOOK_WRITE);
  run_begin(book, "suite-1", false);
  hand_in(book, "alice", "aa", 0);
  must(gradebook_put_grading(
      book, &(struct gradebook_grading){.hash = "aa", .state = GRADEBOOK_ERROR, .reason = "crash"},
      &failure));
  cr_expect_not(needs_grading(book, "aa"), "not twice by one run");
  cr_expect_eq(row_of(book, "alice")->state, GRADEBOOK_ERROR);
  run_begin(book, "suite-1", false);
  cr_expect(needs_grading(book, "aa"));
  gradebook_close(book);
}

Test(gradebook, goes_on_with_a_regrading) {
  struct gradebook *book = book_open(GRADEBOOK_WRITE);
  run_begin(book, "suite-1", false);
  hand_in(book, "alice", "aa", 0);
  hand_in(book, "bob", "bb", 0);
  grade(book, "aa", 90);
  grade(book, "bb", 90);
  must(gradebook_run_end(book, &failure));
  run_begin(book, "suite-1", true);
  cr_expect(needs_grading(book, "aa") && needs_grading(book, "bb"));
  grade(book, "aa", 91);
  gradebook_close(book); /* as if it had been killed: the run has no end */

  book = book_open(GRADEBOOK_WRITE);
  run_begin(book, "suite-1", true);
  cr_expect_not(needs_grading(book, "aa"));
  cr_expect(needs_grading(book, "bb"));
  grade(book, "bb", 92);
  must(gradebook_run_end(book, &failure));
  run_begin(book, "suite-1", true);
  cr_expect(needs_grading(book, "aa"), "a regrading that ended is not gone on with");
  gradebook_close(book);
}

Test(gradebook, keeps_attempts) {
  struct gradebook *book = book_open(GRADEBOOK_WRITE);
  run_begin(book, "suite-1", false);
  hand_in(book, "alice", "aa", 0);
  run_begin(book, "suite-1", false);
  hand_in(book, "alice", "bb", 0);
  cr_expect_eq(row_of(book, "alice")->attempt, 2);
  cr_expect_eq(row_of(book, "alice")->attempts, 2);
  cr_expect_eq(row_of(book, "alice")->state, GRADEBOOK_WAITING);
  run_begin(book, "suite-1", false);
  hand_in(book, "alice", "aa", 0);
  cr_expect_eq(row_of(book, "alice")->attempt, 1, "what is in the source now counts");
  gradebook_close(book);
}

Test(gradebook, has_students_without_a_submission) {
  struct gradebook *book = book_open(GRADEBOOK_WRITE);
  long long id;
  run_begin(book, "suite-1", false);
  must(gradebook_put_student(
      book, &(struct gradebook_student){.key = "eve", .roster = "{\"id\":\"1\"}"}, &id, &failure));
  must(gradebook_put_student(book, &(struct gradebook_student){.key = "eve", .name = "Eve"}, &id,
                             &failure));
  cr_expect_eq(row_of(book, "eve")->state, GRADEBOOK_NO_SUBMISSION);
  cr_expect(row_of(book, "eve")->rostered, "what is known of a student stays known");
  gradebook_close(book);
}

Test(gradebook, says_what_the_last_run_was_done_with) {
  struct gradebook *book = book_open(GRADEBOOK_WRITE);
  struct gradebook_about about;
  cr_expect_neq(gradebook_about(book, &about, &failure), 0);
  run_begin(book, "suite-1", false);
  must(gradebook_about(book, &about, &failure));
  cr_expect_str_eq(about.labs, "[\"udp\"]");
  cr_expect_str_eq(about.ended, "");
  gradebook_close(book);
}

Test(gradebook, is_written_by_one_process_at_a_time) {
  struct gradebook *book = book_open(GRADEBOOK_WRITE);
  pid_t pid = fork();
  if (pid == 0) {
    struct gradebook *other = gradebook_open(folder, GRADEBOOK_WRITE, &failure);
    _exit(!other && strstr(failure.sentence, "Another batch (process ") ? 0 : 1);
  }
  int status;
  waitpid(pid, &status, 0);
  cr_expect_eq(status, 0);
  gradebook_close(book);
}

Test(gradebook, is_no_other_database_and_of_no_later_version) {
  scoped_text char *path = memory_format("%s/" GRADEBOOK_FILE, folder);
  sqlite3 *database;
  cr_assert_eq(sqlite3_open(path, &database), SQLITE_OK);
  cr_assert_eq(sqlite3_exec(database, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
  cr_expect_null(gradebook_open(folder, GRADEBOOK_WRITE, &failure));
  cr_expect(strstr(failure.sentence, "is not a gradebook"), "%s", failure.sentence);
  cr_assert_eq(sqlite3_exec(database, "DROP TABLE t; PRAGMA user_version = 99", NULL, NULL, NULL),
               SQLITE_OK);
  cr_expect_null(gradebook_open(folder, GRADEBOOK_WRITE, &failure));
  cr_expect(strstr(failure.sentence, "a later wiregrade"), "%s", failure.sentence);
  sqlite3_close(database);
  cr_expect_null(gradebook_open("/nonexistent", GRADEBOOK_READ, &failure));
}
