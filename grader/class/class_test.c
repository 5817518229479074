/* What a teacher is given of a class. */
#include "grader/class/class.h"
#include "grader/class/compare.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static struct failure failure;

static void folder_make(void) {
  strcpy(folder, "/tmp/class-test-XXXXXX");
  cr_assert(mkdtemp(folder));
}

static void folder_remove(void) {
  scoped_text char *command = memory_format("rm -rf '%s'", folder);
  cr_expect_eq(system(command), 0);
}

TestSuite(class, .init = folder_make, .fini = folder_remove);

#define must(call) cr_assert_eq((call), 0, "%s", failure.sentence)

static struct gradebook *book_begin(const char *roster_kind, const char *roster_columns) {
  struct gradebook *book = gradebook_open(folder, GRADEBOOK_WRITE, &failure);
  cr_assert(book, "%s", failure.sentence);
  must(gradebook_run_begin(book,
                           &(struct gradebook_run){.suite_hash = "s",
                                                   .wiregrade = "1",
                                                   .labs = "[\"udp\", \"tcp\"]",
                                                   .course_hash = "",
                                                   .roster_kind = roster_kind,
                                                   .roster_columns = roster_columns},
                           &failure));
  return book;
}

static long long student_put(struct gradebook *book, const char *key, const char *name,
                             const char *number, const char *roster) {
  long long id;
  must(gradebook_put_student(
      book,
      &(struct gradebook_student){.key = key, .name = name, .number = number, .roster = roster},
      &id, &failure));
  return id;
}

static void submission_put(struct gradebook *book, long long student, const char *hash,
                           unsigned penalty) {
  must(gradebook_put_submission(book,
                                &(struct gradebook_submission){.student = student,
                                                               .hash = hash,
                                                               .file = "file",
                                                               .penalty = penalty,
                                                               .late = penalty > 0},
                                &failure));
}

/* udp.1 passed and udp.2 failed with this message; tcp is not begun. */
static void grading_put(struct gradebook *book, const char *hash, const char *message) {
  json_t *document = json_pack(
      "{s:s, s:s, s:i, s:i, s:[{s:s, s:s, s:i, s:i, s:b, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}]}, "
      "{s:s, s:s, s:i, s:i, s:b, s:[{s:s, s:s, s:s}]}]}",
      "schema", "wiregrade/result/v1", "submission", hash, "score", 80, "max_score", 200, "labs",
      "lab", "udp", "title", "UDP", "score", 80, "max_score", 100, "begun", true, "checks", "id",
      "udp.1/a", "requirement", "udp.1", "status", "pass", "id", "udp.2/b", "requirement", "udp.2",
      "status", "fail", "message", message, "lab", "tcp", "title", "TCP", "score", 0, "max_score",
      100, "begun", false, "checks", "id", "tcp.1/a", "requirement", "tcp.1", "status", "missing");
  cr_assert(document);
  size_t length;
  scoped_text char *packed = gradebook_pack(document, &length);
  json_decref(document);
  must(gradebook_put_grading(book,
                             &(struct gradebook_grading){.hash = hash,
                                                         .state = GRADEBOOK_GRADED,
                                                         .document = packed,
                                                         .document_length = length,
                                                         .score = 80,
                                                         .max_score = 200,
                                                         .passed = 1,
                                                         .failed = 1,
                                                         .missing = 1,
                                                         .tries = 1},
                             &failure));
}

static void refusal_put(struct gradebook *book, const char *hash, enum gradebook_state state,
                        const char *reason) {
  must(gradebook_put_grading(
      book, &(struct gradebook_grading){.hash = hash, .state = state, .reason = reason, .tries = 2},
      &failure));
}

static struct class_book *class_open(struct gradebook *book) {
  struct class_book *class = class_read(book, &(struct class_reading){0}, &failure);
  cr_assert(class, "%s", failure.sentence);
  return class;
}

/* The caller frees it. */
static char *written(const struct class_book *class,
                     void (*write)(const struct class_book *class, FILE *file)) {
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  write(class, file);
  fclose(file);
  return text;
}

static void canvas_write(const struct class_book *class, FILE *file) {
  class_write_canvas(class, "Labs (7)", file);
}

static void expect_has(const char *text, const char *part) {
  cr_expect(strstr(text, part), "no %s in\n%s", part, text);
}

static struct gradebook *nasty_book(void) {
  struct gradebook *book = book_begin("", "");
  submission_put(book, student_put(book, "1", "=cmd|' /C calc'!A0", "11", NULL), "h1", 0);
  submission_put(book, student_put(book, "2", "<script>alert(1)</script>", "12", NULL), "h2", 50);
  submission_put(book, student_put(book, "3", "Error", "13", NULL), "h3", 0);
  submission_put(book, student_put(book, "4", "Unreadable", "14", NULL), "h4", 0);
  student_put(book, "5", "Absent \"quoted\", with a comma", "15", "{}");
  grading_put(book, "h1", "it prints\n::error::<img src=x onerror=alert(1)>");
  grading_put(book, "h2", "another message");
  refusal_put(book, "h3", GRADEBOOK_ERROR, "the worker that graded it was killed by SIGSEGV");
  refusal_put(book, "h4", GRADEBOOK_UNREADABLE, "+1 is no archive");
  return book;
}

Test(class, errors_come_first_and_nobody_without_points_gets_a_number) {
  struct gradebook *book = nasty_book();
  struct class_book *class = class_open(book);
  cr_assert_eq(class->student_count, 5);
  cr_expect_str_eq(class->students[0].row.name, "Error");
  cr_expect_str_eq(class->students[1].row.name, "Unreadable");
  scoped_text char *text = written(class, class_write_csv);
  expect_has(text,
             "\"'=cmd|' /C calc'!A0\",\"1\",\"\",\"11\",\"\",\"\",\"graded\",1,no,0,80,200,80,");
  expect_has(text, "\"graded\",1,yes,50,40,200,80,1,1,1,0,0,80,0,");
  expect_has(text, "\"error\",1,no,0,,,,,,,,,,,\"the worker that graded it");
  expect_has(text, "\"'+1 is no archive\"");
  expect_has(text, "\"Absent \"\"quoted\"\", with a comma\"");
  class_free(class);
  gradebook_close(book);
}

Test(class, a_page_shows_what_students_wrote_and_obeys_none_of_it) {
  struct gradebook *book = nasty_book();
  struct class_book *class = class_open(book);
  scoped_text char *text = written(class, class_write_page);
  expect_has(text, "&#60;script&#62;alert(1)");
  expect_has(text, "another message");
  expect_has(text, "2 of 2"); /* udp.2, of those who tried it */
  cr_expect(!strstr(text, "<script>alert"), "a script came through");
  cr_expect(!strstr(text, "<img"), "an element came through");
  class_free(class);
  gradebook_close(book);
}

Test(class, canvas_takes_it_back) {
  struct gradebook *book = nasty_book();
  struct class_book *class = class_open(book);
  scoped_text char *text = written(class, canvas_write);
  const char *head = "Student,ID,SIS User ID,SIS Login ID,Section,\"Labs (7)\"\r\n"
                     "    Points Possible,,,,,200\r\n";
  cr_expect_eq(strncmp(text, head, strlen(head)), 0, "%s", text);
  expect_has(text, "\"Error\",\"13\",\"\",\"\",\"\",\r\n");
  expect_has(text, "alert(1)</script>\",\"12\",\"\",\"\",\"\",40\r\n");
  class_free(class);
  gradebook_close(book);
}

Test(class, canvas_gets_the_rosters_own_cells) {
  struct gradebook *book = book_begin("canvas", "[\"Student\",\"ID\"]");
  submission_put(
      book,
      student_put(book, "9", "San Zhang", "9",
                  "{\"Student\": \"Zhang, San\", \"ID\": \"9\", \"SIS User ID\": \"s9\", "
                  "\"SIS Login ID\": \"zs\", \"Section\": \"A\"}"),
      "h1", 0);
  grading_put(book, "h1", "m");
  struct class_book *class = class_open(book);
  scoped_text char *text = written(class, canvas_write);
  expect_has(text, "\"Zhang, San\",\"9\",\"s9\",\"zs\",\"A\",80\r\n");
  class_free(class);
  gradebook_close(book);
}

Test(class, moodles_worksheet_comes_back_with_its_columns_and_scale) {
  const char *columns = "[\"Identifier\",\"Full name\",\"Grade\",\"Maximum Grade\",\"Last modified "
                        "(grade)\",\"Feedback comments\"]";
  struct gradebook *book = book_begin("moodle", columns);
  const char *row = "{\"Identifier\": \"Participant 9\", \"Full name\": \"Zhang San\", \"Grade\": "
                    "\"\", \"Maximum Grade\": \"10,00\", \"Last modified (grade)\": \"-\", "
                    "\"Feedback comments\": \"\"}";
  submission_put(book, student_put(book, "9", "Zhang San", "9", row), "h1", 0);
  student_put(book, "10", "Absent", "10", "{\"Identifier\": \"Participant 10\"}");
  grading_put(book, "h1", "a <b>bold</b> message");
  struct class_book *class = class_open(book);
  scoped_text char *text = written(class, class_write_moodle);
  expect_has(text, "\"Identifier\",\"Full name\",\"Grade\",\"Maximum Grade\",\"Last modified "
                   "(grade)\",\"Feedback comments\"\r\n");
  expect_has(text, "\"Participant 9\",\"Zhang San\",4.00,\"10,00\",\"-\",\"80 of 200 "
                   "points<br>udp.2: a &#60;b&#62;bold&#60;/b&#62; message\"\r\n");
  expect_has(text, "\"Participant 10\",\"Absent\",,");
  class_free(class);
  gradebook_close(book);
}

Test(class, all_of_it_is_written_and_pages_are_made_once) {
  struct gradebook *book = nasty_book();
  must(class_write_all(book, folder, NULL, &(struct class_reading){0}, &failure));
  static const char *const names[] = {"index.html", "grades.csv", "grades.json",
                                      "junit.xml",  "canvas.csv", "moodle.csv"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    scoped_text char *path = memory_format("%s/%s", folder, names[i]);
    cr_expect_eq(access(path, R_OK), 0, "%s", path);
  }
  scoped_text char *page = memory_format("%s/students/cmd-c-calc-a0-1/index.html", folder);
  FILE *file = fopen(page, "w");
  cr_assert(file, "%s", page);
  fputs("as it was", file);
  fclose(file);
  must(class_write_all(book, folder, NULL, &(struct class_reading){0}, &failure));
  char text[10] = "";
  file = fopen(page, "r");
  cr_assert(file && fgets(text, sizeof text, file));
  fclose(file);
  cr_expect_str_eq(text, "as it was", "the page was made again, though nothing had changed");
  gradebook_close(book);
}

Test(class, a_comparison_tells_of_those_for_whom_something_changed) {
  json_t *old_side = json_pack(
      "{s:{s:s, s:s, s:i, s:i, s:{s:s, s:s}}, s:{s:s, s:s, s:i, s:i, s:{s:s}}, s:{s:s, s:s, s:n, "
      "s:n, s:{}}}",
      "a", "name", "A", "state", "graded", "points", 10, "max_points", 20, "checks", "x", "pass",
      "y", "fail", "b", "name", "B", "state", "graded", "points", 5, "max_points", 20, "checks",
      "x", "pass", "c", "name", "C", "state", "error", "points", "max_points", "checks");
  json_t *new_side = json_deep_copy(old_side);
  json_t *a = json_object_get(new_side, "a");
  cr_assert(old_side && a);
  json_t *same = compare_sides(old_side, new_side);
  cr_expect(compare_is_empty(same));
  json_object_set_new(a, "points", json_integer(20));
  json_object_set_new(json_object_get(a, "checks"), "y", json_string("pass"));
  json_object_del(new_side, "c");
  json_t *comparison = compare_sides(old_side, new_side);
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  compare_print(comparison, file);
  fclose(file);
  cr_expect_str_eq(
      text, "A: 10 of 20, now 20 of 20\n    y: fail, now pass\nC: error, now not there\n\n"
            "2 compared: 1 better, 0 worse, 1 the same in points; 1 only in the old, 0 only\n"
            "in the new\n");
  json_decref(old_side);
  json_decref(new_side);
  json_decref(same);
  json_decref(comparison);
}
