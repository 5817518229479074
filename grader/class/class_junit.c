/* The class as JUnit XML: a suite for each student, a case for each lab. */
#include "grader/class/class.h"

#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <string.h>

static void attribute(FILE *file, const char *name, const char *text) {
  scoped_text char *safe = safe_for(SAFE_MARKUP, text, strlen(text));
  fprintf(file, " %s=\"%s\"", name, safe);
}

struct tally {
  size_t tests, failures, errors, skipped;
};

static bool lab_is_judged(const struct class_points *points) {
  return points->known && points->begun;
}

/* What is not graded is one case, which says so. */
static struct tally tally_of(const struct class_book *class, const struct class_student *student) {
  struct tally tally = {0};
  if (student->row.state != GRADEBOOK_GRADED) {
    tally.tests = 1;
    tally.errors = student->row.state == GRADEBOOK_ERROR;
    tally.failures = student->row.state == GRADEBOOK_UNREADABLE;
    tally.skipped = tally.tests - tally.errors - tally.failures;
    return tally;
  }
  for (size_t i = 0; i < class->lab_count; i++) {
    tally.tests += student->labs[i].known;
    tally.skipped += student->labs[i].known && !student->labs[i].begun;
    tally.failures +=
        lab_is_judged(&student->labs[i]) && student->labs[i].score < student->labs[i].most;
  }
  return tally;
}

static void tally_write(const struct tally *tally, FILE *file) {
  fprintf(file, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", tally->tests,
          tally->failures, tally->errors, tally->skipped);
}

static void outcome_write(const char *element, const char *message, FILE *file) {
  fprintf(file, "      <%s", element);
  attribute(file, "message", message);
  fputs("/>\n", file);
}

static void case_begin(const char *name, const char *class_name, FILE *file) {
  fputs("    <testcase", file);
  attribute(file, "name", name);
  attribute(file, "classname", class_name);
  fputs(">\n", file);
}

static void lab_write(const struct class_lab *lab, const struct class_points *points,
                      const char *class_name, FILE *file) {
  char message[80];
  case_begin(lab->name, class_name, file);
  snprintf(message, sizeof message, "%lld of %lld points", points->score, points->most);
  if (!points->begun)
    outcome_write("skipped", "not begun", file);
  else if (points->score < points->most)
    outcome_write("failure", message, file);
  fputs("    </testcase>\n", file);
}

static void student_write(const struct class_book *class, const struct class_student *student,
                          FILE *file) {
  const struct gradebook_row *row = &student->row;
  struct tally tally = tally_of(class, student);
  fputs("  <testsuite", file);
  attribute(file, "name", *row->name ? row->name : row->key);
  tally_write(&tally, file);
  fprintf(file, " time=\"%.3f\">\n", row->duration_s);
  for (size_t i = 0; i < class->lab_count; i++)
    if (row->state == GRADEBOOK_GRADED && student->labs[i].known)
      lab_write(&class->labs[i], &student->labs[i], row->key, file);
  if (row->state != GRADEBOOK_GRADED) {
    const char *state = gradebook_state_name(row->state);
    case_begin("submission", row->key, file);
    outcome_write(row->state == GRADEBOOK_ERROR        ? "error"
                  : row->state == GRADEBOOK_UNREADABLE ? "failure"
                                                       : "skipped",
                  *row->reason ? row->reason : state, file);
    fputs("    </testcase>\n", file);
  }
  fputs("  </testsuite>\n", file);
}

void class_write_junit(const struct class_book *class, FILE *file) {
  struct tally all = {0};
  for (size_t i = 0; i < class->student_count; i++) {
    struct tally tally = tally_of(class, &class->students[i]);
    all.tests += tally.tests;
    all.failures += tally.failures;
    all.errors += tally.errors;
    all.skipped += tally.skipped;
  }
  fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", file);
  attribute(file, "name", *class->about.course ? class->about.course : "wiregrade");
  tally_write(&all, file);
  fputs(">\n", file);
  for (size_t i = 0; i < class->student_count; i++)
    student_write(class, &class->students[i], file);
  fputs("</testsuites>\n", file);
}
