/* The class as a table for any spreadsheet. */
#include "grader/class/class.h"
#include "grader/class/csv.h"

static void head_write(const struct class_book *class, FILE *file) {
  fputs("name,key,email,number,login,section,state,attempt,late,penalty,points,max_points,score,"
        "passed,failed,missing,skipped,errors",
        file);
  for (size_t i = 0; i < class->lab_count; i++)
    csv_text(file, false, class->labs[i].name);
  fputs(",reason,page", file);
  csv_end(file);
}

/* Empty where there is none: a 0 would be a mark. */
static void points_write(const struct class_student *student, FILE *file) {
  const struct gradebook_row *row = &student->row;
  if (class_has_points(student))
    csv_plain(file, false, "%lld,%lld,%lld", row->points, row->max_score, row->score);
  else
    csv_plain(file, false, ",,");
  if (row->state == GRADEBOOK_GRADED)
    csv_plain(file, false, "%u,%u,%u,%u,%u", row->passed, row->failed, row->missing, row->skipped,
              row->errors);
  else
    csv_plain(file, false, ",,,,");
}

static void student_write(const struct class_book *class, const struct class_student *student,
                          FILE *file) {
  const struct gradebook_row *row = &student->row;
  csv_text(file, true, row->name);
  csv_text(file, false, row->key);
  csv_text(file, false, row->email);
  csv_text(file, false, row->number);
  csv_text(file, false, row->login);
  csv_text(file, false, row->section);
  csv_text(file, false, gradebook_state_name(row->state));
  if (row->submission)
    csv_plain(file, false, "%u,%s,%u", row->attempt, row->late ? "yes" : "no", row->penalty);
  else
    csv_plain(file, false, ",,");
  points_write(student, file);
  for (size_t i = 0; i < class->lab_count; i++)
    if (student->labs[i].known)
      csv_plain(file, false, "%lld", student->labs[i].score);
    else
      csv_plain(file, false, "%s", "");
  csv_text(file, false, row->reason);
  csv_text(file, false, student->page ? student->page : "");
  csv_end(file);
}

void class_write_csv(const struct class_book *class, FILE *file) {
  head_write(class, file);
  for (size_t i = 0; i < class->student_count; i++)
    student_write(class, &class->students[i], file);
}
