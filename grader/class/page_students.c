/* The table of a class's students, which sorts and filters. */
#include "grader/class/page.h"

#include "grader/result/report_html_parts.h"

#include "grader/base/language.h"
#include <string.h>

void page_student_put(const struct class_student *student, FILE *file) {
  if (student->page)
    fprintf(file, "<a href=\"%s\">", student->page); /* of letters, digits and dashes */
  html_text(file, page_student_name(student));
  if (student->page)
    fputs("</a>", file);
}

static void column_put(const char *name, const char *title, FILE *file) {
  fputs(_("<th scope=\"col\""), file);
  if (*title) {
    fputs(_(" title=\""), file);
    html_text(file, title);
    fputs("\"", file);
  }
  fputs(">", file);
  html_text(file, name);
  fputs("</th>", file);
}

/* A lab that nobody has begun is no column. */
static void columns_put(const struct class_book *class, FILE *file) {
  static const char *const fixed[] = {N_("Student"), N_("Id"),     N_("Points"), "%",
                                      N_("Passed"),  N_("Failed"), N_("State")};
  /* With widths that are known beforehand thousands of rows are laid out at once. */
  fputs("<colgroup><col class=\"wide\"/><col class=\"wide\"/><col class=\"middle\"/>"
        "<col class=\"small\"/><col class=\"small\"/><col class=\"small\"/><col class=\"wide\"/>",
        file);
  for (size_t i = 0; i < class->lab_count; i++)
    if (class->labs[i].begun)
      fputs("<col class=\"middle\"/>", file);
  fputs("</colgroup>\n<thead><tr>", file);
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    column_put(_(fixed[i]), "", file);
  for (size_t i = 0; i < class->lab_count; i++)
    if (class->labs[i].begun)
      column_put(class->labs[i].name, class->labs[i].title, file);
  fputs("</tr></thead>\n", file);
}

static void state_put(const struct gradebook_row *row, FILE *file) {
  const char *style = row->state == GRADEBOOK_GRADED       ? row->errors ? "odd" : "plain"
                      : row->state == GRADEBOOK_UNREADABLE ? "bad"
                                                           : "odd";
  fprintf(file, "<td class=\"%s\">%s", style, _(gradebook_state_name(row->state)));
  if (row->state == GRADEBOOK_GRADED && row->errors)
    language_print(file, ", %u error%s", row->errors, row->errors == 1 ? "" : "s");
  if (row->late && row->penalty)
    language_print(file, ", late (%u %% less)", row->penalty);
  else if (row->late)
    fputs(_(", late"), file);
  if (row->attempts > 1)
    language_print(file, ", attempt %u", row->attempt);
  fputs("</td>", file);
}

static void points_put(const struct class_student *student, FILE *file) {
  const struct gradebook_row *row = &student->row;
  if (!class_has_points(student)) {
    fputs("<td></td><td></td>", file);
    return;
  }
  long long percent = row->points * 100 / row->max_score;
  language_print(file, "<td class=\"number\">%lld of %lld</td><td class=\"share s%lld\">%lld</td>",
                 row->points, row->max_score, percent / 10, percent);
}

/* How a lab went, in five steps that have a colour. */
static void lab_put(const struct class_points *points, FILE *file) {
  if (!points->known || !points->begun || points->most <= 0)
    fputs("<td></td>", file);
  else
    fprintf(file, "<td class=\"number q%lld\">%lld</td>", points->score * 4 / points->most,
            points->score);
}

static void student_put(const struct class_book *class, const struct class_student *student,
                        FILE *file) {
  const struct gradebook_row *row = &student->row;
  fputs("<tr><th scope=\"row\">", file);
  page_student_put(student, file);
  fputs("</th><td>", file);
  html_text(file, *row->number ? row->number : *row->email ? row->email : row->key);
  fputs("</td>", file);
  points_put(student, file);
  if (row->state == GRADEBOOK_GRADED)
    fprintf(file, "<td class=\"number\">%u</td><td class=\"number\">%u</td>", row->passed,
            row->failed);
  else
    fputs("<td></td><td></td>", file);
  state_put(row, file);
  for (size_t i = 0; i < class->lab_count; i++)
    if (class->labs[i].begun)
      lab_put(&student->labs[i], file);
  fputs("</tr>\n", file);
}

void page_students_put(const struct class_book *class, FILE *file) {
  fputs(_("<section aria-labelledby=\"students\"><h2 id=\"students\">Students</h2>\n"
          "<p id=\"tools\" hidden=\"hidden\"><label>Filter <input type=\"search\" id=\"filter\" "
          "autocomplete=\"off\"/></label> <label>State <select id=\"state\"><option value=\"\">all"
          "</option>"),
        file);
  for (int state = GRADEBOOK_NO_SUBMISSION; state <= GRADEBOOK_GRADED; state++) {
    const char *name = _(gradebook_state_name((enum gradebook_state)state));
    fprintf(file, "<option>%s</option>", name);
  }
  fputs("</select></label> <output id=\"shown\" for=\"filter state\"></output></p>\n"
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"students\">"
        "<table class=\"plain\" id=\"table\">",
        file);
  columns_put(class, file);
  fputs("<tbody>\n", file);
  for (size_t i = 0; i < class->student_count; i++)
    student_put(class, &class->students[i], file);
  fputs("</tbody></table></div></section>\n", file);
}
