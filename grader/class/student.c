#include "grader/class/student.h"

#include "grader/base/file.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/base/version.h"
#include "grader/result/feedback.h"
#include "grader/result/hidden.h"
#include "grader/result/report_html.h"
#include "grader/result/result.h"

#include "grader/base/language.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_MOST = 40, COMMENT_CHECKS = 12 };

char *class_student_folder(const struct gradebook_row *row) {
  char letters[NAME_MOST + 1] = "";
  size_t length = 0;
  for (const char *at = *row->name ? row->name : row->key; *at && length < NAME_MOST; at++)
    if (isalnum((unsigned char)*at) && (unsigned char)*at < 128)
      letters[length++] = (char)tolower((unsigned char)*at);
    else if (length > 0 && letters[length - 1] != '-')
      letters[length++] = '-';
  while (length > 0 && letters[length - 1] == '-')
    length--;
  letters[length] = '\0';
  return memory_format("%s%s%lld", letters, length ? "-" : "student-", row->student);
}

/* ---- the comment ---- */

static char *comment_make(const struct class_student *student, const json_t *document) {
  char *text = NULL;
  size_t size = 0, lab_index, check_index, told = 0, left_out = 0;
  json_t *lab, *check;
  FILE *file = open_memstream(&text, &size);
  language_print(file, "%lld of %lld points", student->row.points, student->row.max_score);
  if (student->row.penalty)
    language_print(file, " (%lld, and %u %% less for being late)", student->row.score,
                   student->row.penalty);
  foreach_lab (document, lab_index, lab)
    foreach_check (lab, check_index, check) {
      if (feedback_outcome(check) != OUTCOME_FAILED)
        continue;
      if (told++ < COMMENT_CHECKS)
        fprintf(file, "\n%s: %s", result_text(check, "requirement"), result_text(check, "message"));
      else
        left_out++;
    }
  if (left_out)
    language_print(file, "\n… and %zu more that did not pass", left_out);
  fclose(file);
  return text;
}

/* ---- the page ---- */

/* What the student is to see of it. */
static json_t *document_for(const struct class_student *student, json_t *document) {
  json_t *shown = result_for_students(document), *copy = json_copy(shown);
  json_decref(shown);
  const char *name = *student->row.name ? student->row.name : student->row.key;
  json_object_set_new(copy, "submission", json_string(name));
  if (student->row.penalty) {
    scoped_text char *late = language_sentence(
        "This was handed in late, which costs %u %%: %lld of %lld points are counted.",
        student->row.penalty, student->row.points, student->row.max_score);
    json_object_set_new(copy, "remarks", json_pack("[s]", late));
  }
  return copy;
}

/* Of what the page in a folder was made. */
static char *made_of(const struct class_student *student) {
  return memory_format("%lld %u " WIREGRADE_VERSION "\n", student->row.grading,
                       student->row.penalty);
}

static bool is_up_to_date(const char *mark, const char *wanted) {
  char text[200] = "";
  scoped_file FILE *file = fopen(mark, "r");
  return file && fgets(text, sizeof text, file) && strcmp(text, wanted) == 0;
}

static int page_write(const struct class_student *student, json_t *document, const char *folder,
                      struct failure *failure) {
  scoped_text char *mark = memory_format("%s/.made-of", folder), *wanted = made_of(student);
  if (is_up_to_date(mark, wanted))
    return 0;
  if (unlink(mark) < 0 && errno != ENOENT)
    return failure_errno(failure, "cannot remove %s", mark);
  json_t *own = document_for(student, document);
  int outcome = report_html_write(own, folder, failure);
  json_decref(own);
  return outcome ? outcome : file_replace(mark, wanted, strlen(wanted), failure);
}

int student_tell(struct class_student *student, json_t *document, const char *pages,
                 struct failure *failure) {
  free(student->comment);
  json_t *shown = result_for_students(document);
  student->comment = comment_make(student, shown);
  json_decref(shown);
  if (!pages)
    return 0;
  scoped_text char *name = class_student_folder(&student->row);
  scoped_text char *folder = memory_format("%s/%s", pages, name);
  student->page = memory_format("students/%s/index.html", name);
  return page_write(student, document, folder, failure);
}
