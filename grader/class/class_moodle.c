/* The class for Moodle's "Upload grading worksheet": rows are found again by Identifier, and one is
 * left alone there if its "Last modified (grade)" is not what Moodle has. */
#include "grader/class/class.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/class/csv.h"
#include "grader/result/safe_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[] = {"Identifier",
                                      "Full name",
                                      "Email address",
                                      "Status",
                                      "Grade",
                                      "Maximum Grade",
                                      "Grade can be changed",
                                      "Last modified (submission)",
                                      "Last modified (grade)",
                                      "Feedback comments"};

/* Moodle takes a comment for HTML: its lines are made safe, and parted in its way. */
static char *comment_html(const char *comment) {
  char *text = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  for (const char *line = comment; *line;) {
    size_t length = strcspn(line, "\n");
    scoped_text char *safe = safe_for(SAFE_MARKUP, line, length);
    fputs(safe, file);
    line += length;
    if (*line) {
      fputs("<br>", file);
      line++;
    }
  }
  fclose(file);
  return text;
}

/* "100.00", or "100,00" where the language has it so; `otherwise` if it is no number above 0. */
static double maximum_of(const char *text, double otherwise) {
  scoped_text char *number = memory_text(text);
  for (char *comma = strchr(number, ','); comma; comma = NULL)
    *comma = '.';
  double maximum = strtod(number, NULL);
  return maximum > 0 && maximum < 1e9 ? maximum : otherwise;
}

/* Without a maximum of Moodle's own it is the class's, which is also what stands in the column. */
static void grade_write(const struct class_student *student, const char *maximum, long long most,
                        FILE *file) {
  const struct gradebook_row *row = &student->row;
  if (!class_has_points(student)) {
    csv_plain(file, false, "%s", "");
    return;
  }
  csv_plain(file, false, "%.2f",
            (double)row->points * maximum_of(maximum, (double)most) / (double)row->max_score);
}

/* What a column has where the roster does not say. */
static void own_cell(const struct class_student *student, const char *column, FILE *file,
                     bool first) {
  const struct gradebook_row *row = &student->row;
  scoped_text char *identifier = memory_format("Participant %s", row->number);
  const char *text = "";
  if (strcmp(column, "Identifier") == 0)
    text = *row->number ? identifier : row->key;
  else if (strcmp(column, "Full name") == 0)
    text = row->name;
  else if (strcmp(column, "Email address") == 0)
    text = row->email;
  else if (strcmp(column, "Grade can be changed") == 0)
    text = "Yes";
  csv_text(file, first, text);
}

static void student_write(const struct class_student *student, const json_t *titles, long long most,
                          FILE *file) {
  json_t *roster = json_loads(student->row.roster, 0, NULL), *title;
  const char *maximum = json_string_value(json_object_get(roster, "Maximum Grade"));
  size_t index;
  json_array_foreach (titles, index, title) {
    const char *column = json_string_value(title);
    const char *kept = json_string_value(json_object_get(roster, column));
    if (strcmp(column, "Grade") == 0) {
      grade_write(student, maximum ? maximum : "", most, file);
    } else if (strcmp(column, "Maximum Grade") == 0 && !kept) {
      csv_plain(file, false, "%lld", most);
    } else if (strcmp(column, "Feedback comments") == 0) {
      scoped_text char *comment = comment_html(student->comment);
      csv_text(file, false, comment);
    } else if (kept) {
      csv_text(file, index == 0, kept);
    } else {
      own_cell(student, column, file, index == 0);
    }
  }
  csv_end(file);
  json_decref(roster);
}

/* The worksheet's own columns, if it was the roster and has those that matter. */
static json_t *titles_of(const struct class_book *class) {
  json_t *titles = json_array(), *title;
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
    json_array_append_new(titles, json_string(columns[i]));
  if (strcmp(class->about.roster_kind, "moodle") != 0)
    return titles;
  json_t *own = json_loads(class->about.roster_columns, 0, NULL);
  size_t index, known = 0;
  json_array_foreach (own, index, title) {
    const char *text = json_string_value(title);
    known +=
        text && index > 0 && (strcmp(text, "Grade") == 0 || strcmp(text, "Feedback comments") == 0);
    if (!text)
      known = 0;
  }
  if (known < 2) { /* downloaded without a place for comments */
    json_decref(own);
    return titles;
  }
  json_decref(titles);
  return own;
}

void class_write_moodle(const struct class_book *class, FILE *file) {
  json_t *titles = titles_of(class), *title;
  size_t index;
  json_array_foreach (titles, index, title)
    csv_text(file, index == 0, json_string_value(title));
  csv_end(file);
  for (size_t i = 0; i < class->student_count; i++)
    student_write(&class->students[i], titles, class_most(class), file);
  json_decref(titles);
}
