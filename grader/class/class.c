#include "grader/class/class.h"

#include "grader/base/memory.h"
#include "grader/class/student.h"
#include "grader/result/feedback.h"
#include "grader/result/result.h"

#include <stdlib.h>
#include <string.h>

/* ---- texts that outlive the gradebook's rows ---- */

static const size_t row_texts[] = {
    offsetof(struct gradebook_row, key),       offsetof(struct gradebook_row, name),
    offsetof(struct gradebook_row, email),     offsetof(struct gradebook_row, number),
    offsetof(struct gradebook_row, login),     offsetof(struct gradebook_row, section),
    offsetof(struct gradebook_row, roster),    offsetof(struct gradebook_row, hash),
    offsetof(struct gradebook_row, source),    offsetof(struct gradebook_row, file),
    offsetof(struct gradebook_row, submitted), offsetof(struct gradebook_row, note),
    offsetof(struct gradebook_row, reason),    offsetof(struct gradebook_row, graded),
};
static const size_t about_texts[] = {
    offsetof(struct gradebook_about, course),         offsetof(struct gradebook_about, course_file),
    offsetof(struct gradebook_about, course_hash),    offsetof(struct gradebook_about, suite_hash),
    offsetof(struct gradebook_about, wiregrade),      offsetof(struct gradebook_about, labs),
    offsetof(struct gradebook_about, begun),          offsetof(struct gradebook_about, ended),
    offsetof(struct gradebook_about, roster_columns), offsetof(struct gradebook_about, roster_kind),
};
enum {
  ROW_TEXTS = sizeof row_texts / sizeof *row_texts,
  ABOUT_TEXTS = sizeof about_texts / sizeof *about_texts,
};

static char **text_at(void *object, size_t offset) {
  return (char **)((char *)object + offset);
}

static void texts_keep(void *object, const size_t *offsets, size_t count) {
  for (size_t i = 0; i < count; i++)
    *text_at(object, offsets[i]) = memory_text(*text_at(object, offsets[i]));
}

static void texts_free(void *object, const size_t *offsets, size_t count) {
  for (size_t i = 0; i < count; i++)
    free(*text_at(object, offsets[i]));
}

/* ---- checks ---- */

static struct class_check *check_of(struct class_book *class, const char *id) {
  for (size_t i = 0; i < class->check_count; i++)
    if (strcmp(class->checks[i].id, id) == 0)
      return &class->checks[i];
  class->checks = memory_resize(class->checks, (class->check_count + 1) * sizeof *class->checks);
  struct class_check *check = &class->checks[class->check_count++];
  *check = (struct class_check){.id = memory_text(id), .message = memory_text("")};
  return check;
}

static void check_add(struct class_book *class, const json_t *verdict) {
  struct class_check *check = check_of(class, result_text(verdict, "id"));
  check->judged++;
  switch (feedback_outcome(verdict)) {
  case OUTCOME_PASSED:
    check->passed++;
    break;
  case OUTCOME_FAILED:
    check->failed++;
    if (*check->message)
      break;
    free(check->message);
    check->message = memory_text(result_text(verdict, "message"));
    break;
  case OUTCOME_MISSING:
    check->missing++;
    break;
  case OUTCOME_ERROR:
    check->errors++;
    break;
  case OUTCOME_SKIPPED:
    break;
  }
}

static int check_compare(const void *a, const void *b) {
  const struct class_check *first = a, *second = b;
  if (first->failed != second->failed)
    return first->failed < second->failed ? 1 : -1;
  return strcmp(first->id, second->id);
}

/* ---- one student ---- */

static void document_add(struct class_book *class, struct class_student *student,
                         const json_t *document) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  foreach_lab (document, lab_index, lab) {
    foreach_check (lab, check_index, check)
      check_add(class, check);
    for (size_t i = 0; i < class->lab_count; i++) {
      struct class_lab *of_class = &class->labs[i];
      if (strcmp(of_class->name, result_text(lab, "lab")) != 0)
        continue;
      bool begun = !json_is_false(json_object_get(lab, "begun"));
      student->labs[i] = (struct class_points){.score = result_number(lab, "score"),
                                               .most = result_number(lab, "max_score"),
                                               .known = true,
                                               .begun = begun};
      of_class->begun |= begun;
      if (result_number(lab, "max_score") > of_class->most)
        of_class->most = result_number(lab, "max_score");
      if (!*of_class->title) {
        free(of_class->title);
        of_class->title = memory_text(result_text(lab, "title"));
      }
    }
  }
}

static int student_read(struct class_book *class, struct class_student *student,
                        struct gradebook *book, const struct class_reading *reading,
                        struct failure *failure) {
  student->labs = memory_zeroed(class->lab_count + 1, sizeof *student->labs);
  student->comment = memory_text(student->row.reason);
  if (student->row.state != GRADEBOOK_GRADED)
    return 0;
  json_t *document = gradebook_document(book, student->row.grading, failure);
  if (!document)
    return -1;
  document_add(class, student, document);
  int outcome = student_tell(student, document, reading->pages, failure);
  json_decref(document);
  return outcome;
}

bool class_has_points(const struct class_student *student) {
  return student->row.state == GRADEBOOK_GRADED && student->row.max_score > 0;
}

long long class_most(const struct class_book *class) {
  long long most = 0;
  for (size_t i = 0; i < class->student_count; i++)
    if (class_has_points(&class->students[i]) && class->students[i].row.max_score > most)
      most = class->students[i].row.max_score;
  return most;
}

/* ---- all of them ---- */

static int row_take(void *context, const struct gradebook_row *row) {
  struct class_book *class = context;
  class->students =
      memory_resize(class->students, (class->student_count + 1) * sizeof *class->students);
  struct class_student *student = &class->students[class->student_count++];
  *student = (struct class_student){.row = *row};
  texts_keep(&student->row, row_texts, ROW_TEXTS);
  return 0;
}

/* What a teacher has to look at stands first. */
static int state_rank(const struct gradebook_row *row) {
  if (row->state == GRADEBOOK_ERROR || row->errors > 0)
    return 0;
  return row->state == GRADEBOOK_UNREADABLE ? 1 : row->state == GRADEBOOK_WAITING ? 2 : 3;
}

static int student_compare(const void *a, const void *b) {
  const struct gradebook_row *first = &((const struct class_student *)a)->row;
  const struct gradebook_row *second = &((const struct class_student *)b)->row;
  if (state_rank(first) != state_rank(second))
    return state_rank(first) - state_rank(second);
  int by_name =
      strcoll(*first->name ? first->name : first->key, *second->name ? second->name : second->key);
  return by_name ? by_name : strcmp(first->key, second->key);
}

static void labs_read(struct class_book *class) {
  json_t *names = json_loads(class->about.labs, 0, NULL), *name;
  size_t index;
  class->labs = memory_zeroed(json_array_size(names) + 1, sizeof *class->labs);
  json_array_foreach (names, index, name)
    if (json_is_string(name))
      class->labs[class->lab_count++] = (struct class_lab){
          .name = memory_text(json_string_value(name)), .title = memory_text("")};
  json_decref(names);
}

static int class_fill(struct class_book *class, struct gradebook *book,
                      const struct class_reading *reading, struct failure *failure) {
  if (gradebook_about(book, &class->about, failure) < 0) {
    class->about = (struct gradebook_about){0};
    return -1;
  }
  texts_keep(&class->about, about_texts, ABOUT_TEXTS);
  labs_read(class);
  if (gradebook_rows(book, row_take, class, failure))
    return -1;
  for (size_t i = 0; i < class->student_count; i++) {
    if (student_read(class, &class->students[i], book, reading, failure))
      return -1;
    if (reading->tell)
      reading->tell(reading->context, i + 1, class->student_count);
  }
  if (class->student_count)
    qsort(class->students, class->student_count, sizeof *class->students, student_compare);
  if (class->check_count)
    qsort(class->checks, class->check_count, sizeof *class->checks, check_compare);
  return 0;
}

struct class_book *class_read(struct gradebook *book, const struct class_reading *reading,
                              struct failure *failure) {
  struct class_book *class = memory_zeroed(1, sizeof *class);
  if (class_fill(class, book, reading, failure)) {
    class_free(class);
    return NULL;
  }
  return class;
}

void class_free(struct class_book *class) {
  if (!class)
    return;
  for (size_t i = 0; i < class->lab_count; i++) {
    free(class->labs[i].name);
    free(class->labs[i].title);
  }
  for (size_t i = 0; i < class->student_count; i++) {
    struct class_student *student = &class->students[i];
    texts_free(&student->row, row_texts, ROW_TEXTS);
    free(student->labs);
    free(student->page);
    free(student->comment);
  }
  for (size_t i = 0; i < class->check_count; i++) {
    free(class->checks[i].id);
    free(class->checks[i].message);
  }
  texts_free(&class->about, about_texts, ABOUT_TEXTS);
  free(class->labs);
  free(class->students);
  free(class->checks);
  free(class);
}
