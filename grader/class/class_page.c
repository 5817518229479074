/* The class's page: what needs a look, how the points spread, what most failed, and everybody. */
#include "grader/class/page.h"

#include "grader/base/scope.h"
#include "grader/result/report_html_parts.h"

#include "grader/base/language.h"
#include <string.h>

enum { CHECKS_SHOWN = 20 };

static const char *plural(size_t count) {
  return count == 1 ? "" : "s";
}

static const char *title_of(const struct class_book *class) {
  return *class->about.course ? class->about.course : _("Class");
}

const char *page_student_name(const struct class_student *student) {
  return *student->row.name ? student->row.name : student->row.key;
}

/* ---- head ---- */

static void head_put(const struct class_book *class, FILE *file) {
  scoped_text char *shared = html_hash(html_style), *own = html_hash(class_style);
  scoped_text char *script = html_hash(class_script), *language = html_language();
  fprintf(file,
          "<!DOCTYPE html>\n<html lang=\"%s\"><head>\n<meta charset=\"utf-8\"/>\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'%s' '%s'; script-src '%s'; base-uri 'none'; form-action 'none'\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
          "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>",
          language, shared, own, script);
  html_text(file, title_of(class));
  fprintf(file, "</title>\n<style>%s</style>\n<style>%s</style>\n</head>\n", html_style,
          class_style);
  fputs(_("<body class=\"class\">\n<a class=\"skip\" href=\"#students\">To the students</a>\n"),
        file);
}

static void header_put(const struct class_book *class, FILE *file) {
  static const char *const files[] = {"grades.csv", "grades.json", "junit.xml"};
  size_t graded = 0;
  for (size_t i = 0; i < class->student_count; i++)
    graded += class->students[i].row.state == GRADEBOOK_GRADED;
  fputs(_("<header>\n<p class=\"brand\">wiregrade</p>\n<h1>"), file);
  html_text(file, title_of(class));
  language_print(file, "</h1>\n<p class=\"meta\">%zu student%s, %zu graded; last run ",
                 class->student_count, plural(class->student_count), graded);
  html_element(file, "time", "when", class->about.begun);
  if (!*class->about.ended)
    fputs(_(" (not ended: a part of it may be missing here)"), file);
  fputs("</p>\n<p class=\"files\">", file);
  if (strcmp(class->about.roster_kind, "moodle") != 0)
    fputs(_("<a href=\"canvas.csv\">canvas.csv</a> "), file);
  if (strcmp(class->about.roster_kind, "canvas") != 0)
    fputs(_("<a href=\"moodle.csv\">moodle.csv</a> "), file);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    fprintf(file, "<a href=\"%s\">%s</a> ", files[i], files[i]);
  fputs("</p>\n</header>\n<main id=\"main\">\n", file);
}

/* ---- what needs a look ---- */

static const char *trouble_of(const struct gradebook_row *row) {
  switch (row->state) {
  case GRADEBOOK_ERROR:
    return _("error of the grader, which costs nothing");
  case GRADEBOOK_UNREADABLE:
    return _("cannot be read");
  case GRADEBOOK_WAITING:
    return _("not graded yet");
  case GRADEBOOK_GRADED:
    return row->errors
               ? _("some checks could not be judged, by a fault of the grader; they are in no "
                   "sum")
           : row->outdated ? _("graded with another suite or course than the last run's")
                           : NULL;
  case GRADEBOOK_NO_SUBMISSION:
    break;
  }
  return NULL;
}

static void trouble_put(const struct class_student *student, const char *trouble, FILE *file) {
  fputs("<li>", file);
  page_student_put(student, file);
  fprintf(file, " <span class=\"%s\">%s</span>",
          student->row.state == GRADEBOOK_UNREADABLE ? "bad" : "odd", trouble);
  if (*student->row.reason) {
    fputs("<br/>", file);
    html_element(file, "span", "why", student->row.reason);
  }
  if (*student->row.file) {
    fputs(" ", file);
    html_element(file, "code", "file", student->row.file);
  }
  fputs("</li>\n", file);
}

static void troubles_put(const struct class_book *class, FILE *file) {
  size_t count = 0;
  for (size_t i = 0; i < class->student_count; i++)
    count += trouble_of(&class->students[i].row) != NULL;
  if (count == 0)
    return;
  language_print(
      file,
      "<section class=\"notice\" aria-labelledby=\"look\"><h2 id=\"look\">To look at <span "
      "class=\"points\">%zu student%s</span></h2>\n<ul class=\"troubles\">\n",
      count, plural(count));
  for (size_t i = 0; i < class->student_count; i++) {
    const char *trouble = trouble_of(&class->students[i].row);
    if (trouble)
      trouble_put(&class->students[i], trouble, file);
  }
  fputs("</ul></section>\n", file);
}

/* ---- what most failed ---- */

static void check_put(const struct class_check *check, FILE *file) {
  size_t attempts = check->passed + check->failed;
  unsigned percent = attempts ? (unsigned)(check->failed * 100 / attempts) : 0;
  fputs("<tr><th scope=\"row\" class=\"id\">", file);
  html_text(file, check->id);
  language_print(file,
                 "</th><td class=\"number\">%zu of %zu</td><td class=\"number\">%u %%</td><td>",
                 check->failed, attempts, percent);
  html_text(file, check->message);
  fputs("</td></tr>\n", file);
}

static void checks_put(const struct class_book *class, FILE *file) {
  if (class->check_count == 0 || class->checks[0].failed == 0)
    return;
  fputs(
      "<section aria-labelledby=\"failed\"><h2 id=\"failed\">What most failed</h2>\n"
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"failed\">"
      "<table class=\"plain\"><thead><tr><th scope=\"col\">Check</th><th scope=\"col\">Failed</th>"
      "<th scope=\"col\">Share</th><th scope=\"col\">One of them was told</th></tr></thead><tbody>\n",
      file);
  for (size_t i = 0; i < class->check_count && i < CHECKS_SHOWN && class->checks[i].failed; i++)
    check_put(&class->checks[i], file);
  fputs("</tbody></table></div></section>\n", file);
}

void class_write_page(const struct class_book *class, FILE *file) {
  head_put(class, file);
  header_put(class, file);
  troubles_put(class, file);
  page_spread_put(class, file);
  checks_put(class, file);
  page_students_put(class, file);
  fprintf(file, "</main>\n<script>%s</script>\n</body></html>\n", class_script);
}
