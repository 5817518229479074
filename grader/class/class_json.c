/* The class for programs: one JSON document, "wiregrade/class/v1". */
#include "grader/class/class.h"

#include <jansson.h>

static json_t *points_json(const struct class_book *class, const struct class_student *student) {
  json_t *labs = json_object();
  for (size_t i = 0; i < class->lab_count; i++)
    if (student->labs[i].known)
      json_object_set_new(labs, class->labs[i].name,
                          json_pack("{s:I, s:I, s:b}", "score", (json_int_t)student->labs[i].score,
                                    "max_score", (json_int_t)student->labs[i].most, "begun",
                                    student->labs[i].begun));
  return labs;
}

/* NULL where there are none. */
static json_t *number_or_null(bool is_there, long long number) {
  return is_there ? json_integer(number) : json_null();
}

static json_t *student_json(const struct class_book *class, const struct class_student *student) {
  const struct gradebook_row *row = &student->row;
  bool graded = class_has_points(student);
  json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "key", row->key,
                             "name", row->name, "email", row->email, "number", row->number, "login",
                             row->login, "section", row->section, "rostered", row->rostered,
                             "state", gradebook_state_name(row->state), "reason", row->reason);
  json_object_set_new(object, "points", number_or_null(graded, row->points));
  json_object_set_new(object, "max_points", number_or_null(graded, row->max_score));
  json_object_set_new(object, "score", number_or_null(graded, row->score));
  if (row->submission)
    json_object_set_new(object, "submission",
                        json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:i, s:s}", "hash",
                                  row->hash, "source", row->source, "file", row->file, "submitted",
                                  row->submitted, "attempt", (int)row->attempt, "attempts",
                                  (int)row->attempts, "late", row->late, "penalty",
                                  (int)row->penalty, "note", row->note));
  if (row->state == GRADEBOOK_GRADED)
    json_object_set_new(object, "checks",
                        json_pack("{s:i, s:i, s:i, s:i, s:i}", "passed", (int)row->passed, "failed",
                                  (int)row->failed, "missing", (int)row->missing, "skipped",
                                  (int)row->skipped, "errors", (int)row->errors));
  json_object_set_new(object, "labs", points_json(class, student));
  json_object_set_new(object, "outdated", json_boolean(row->outdated));
  json_object_set_new(object, "page", student->page ? json_string(student->page) : json_null());
  return object;
}

void class_write_json(const struct class_book *class, FILE *file) {
  const struct gradebook_about *about = &class->about;
  json_t *labs = json_array(), *students = json_array(), *checks = json_array();
  for (size_t i = 0; i < class->lab_count; i++)
    json_array_append_new(labs, json_pack("{s:s, s:s, s:I, s:b}", "lab", class->labs[i].name,
                                          "title", class->labs[i].title, "max_score",
                                          (json_int_t) class->labs[i].most, "begun",
                                          class->labs[i].begun));
  for (size_t i = 0; i < class->student_count; i++)
    json_array_append_new(students, student_json(class, &class->students[i]));
  for (size_t i = 0; i < class->check_count; i++) {
    const struct class_check *check = &class->checks[i];
    json_array_append_new(checks,
                          json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "id", check->id, "judged",
                                    (int)check->judged, "passed", (int)check->passed, "failed",
                                    (int)check->failed, "missing", (int)check->missing, "errors",
                                    (int)check->errors));
  }
  json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "schema",
                               "wiregrade/class/v1", "course", about->course, "course_hash",
                               about->course_hash, "suite_hash", about->suite_hash, "wiregrade",
                               about->wiregrade, "begun", about->begun, "ended", about->ended,
                               "labs", labs, "checks", checks, "students", students);
  json_dumpf(document, file, JSON_INDENT(1));
  fputc('\n', file);
  json_decref(document);
}
