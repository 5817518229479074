/* The matrix: requirements by reference, styles and mutants, lab by lab. */
#include "grader/verify/report_page.h"

#include "grader/base/language.h"
#include "grader/result/report_html_parts.h"
#include "grader/result/result.h"

#include <string.h>

static bool is_of_lab(const char *requirement, const char *lab) {
  size_t length = strlen(lab);
  return strncmp(requirement, lab, length) == 0 && requirement[length] == '.';
}

static bool is_named(const json_t *names, const char *wanted) {
  size_t index;
  json_t *name;
  json_array_foreach (names, index, name)
    if (strcmp(json_string_value(name), wanted) == 0)
      return true;
  return false;
}

/* ---- requirements ---- */

static void requirement_put(const char *requirement, const json_t *row, long long kills_least,
                            FILE *file) {
  const json_t *killed_by = json_object_get(row, "killed_by");
  size_t kills = json_array_size(killed_by), index;
  long long passed = result_number(row, "styles_passed"), styles = result_number(row, "styles");
  const char *reference = result_text(row, "reference");
  json_t *name;
  fputs("<tr><th scope=\"row\" class=\"id\">", file);
  html_text(file, requirement);
  fputs("</th><td class=\"text\">", file);
  html_text(file, result_text(row, "text"));
  fprintf(file, "</td><td class=\"%s\">", strcmp(reference, "pass") == 0 ? "good" : "bad");
  html_text(file, reference);
  fprintf(file,
          "</td><td class=\"number %s\">%lld/%lld</td><td class=\"number %s\">%zu</td>"
          "<td class=\"names\">",
          passed == styles ? "good" : "bad", passed, styles,
          (long long)kills >= kills_least ? "good" : "bad", kills);
  json_array_foreach (killed_by, index, name) {
    fputs(index ? ", " : "", file);
    html_text(file, json_string_value(name));
  }
  fputs("</td></tr>\n", file);
}

static void requirements_put(const json_t *findings, const char *lab, FILE *file) {
  const char *requirement;
  json_t *row;
  fputs(_("<table class=\"plain\"><thead><tr><th scope=\"col\">Requirement</th><th scope=\"col\">"
          "What it asks for</th><th scope=\"col\">Reference</th><th scope=\"col\">Styles</th>"
          "<th scope=\"col\" colspan=\"2\">Mutants killed</th></tr></thead><tbody>\n"),
        file);
  json_object_foreach (json_object_get(findings, "requirements"), requirement, row)
    if (is_of_lab(requirement, lab))
      requirement_put(requirement, row, result_number(findings, "kills_least"), file);
  fputs("</tbody></table>\n", file);
}

/* ---- submissions ---- */

/* What stands in a cell, and whether that is as it must be. */
static void status_put(const json_t *submission, const char *requirement, FILE *file) {
  const char *status = result_text(json_object_get(submission, "statuses"), requirement);
  bool must_fail = is_named(json_object_get(submission, "fails"), requirement);
  bool passed = strcmp(status, "pass") == 0, failed = strcmp(status, "fail") == 0;
  bool missing = strcmp(status, "missing") == 0 || strcmp(status, "skipped") == 0;
  const char *sign = passed ? "✓" : failed ? "✗" : missing ? "–" : *status ? "!" : "";
  const char *style = failed == must_fail ? failed ? "good" : "plain-text" : "bad";
  if (!*status && !must_fail)
    fputs("<td></td>", file);
  else
    fprintf(file, "<td class=\"%s\">%s</td>",
            *status && !passed && !failed && !missing ? "odd" : style, *sign ? sign : "?");
}

static bool has_lab(const json_t *findings, const json_t *submission, const char *lab) {
  const char *own = result_text(submission, "lab"), *requirement;
  json_t *status;
  if (*own)
    return strcmp(own, lab) == 0;
  json_object_foreach (json_object_get(submission, "statuses"), requirement, status)
    if (is_of_lab(requirement, lab) &&
        json_object_get(json_object_get(findings, "requirements"), requirement))
      return true;
  return false;
}

static void submission_put(const json_t *findings, const json_t *submission, const char *lab,
                           FILE *file) {
  const char *requirement;
  json_t *row;
  fputs("<tr><th scope=\"row\" title=\"", file);
  html_text(file, result_text(submission, "sentence"));
  fputs("\">", file);
  html_text(file, result_text(submission, "name"));
  fputs("</th>", file);
  json_object_foreach (json_object_get(findings, "requirements"), requirement, row)
    if (is_of_lab(requirement, lab))
      status_put(submission, requirement, file);
  fputs("</tr>\n", file);
}

static void grid_put(const json_t *findings, const char *lab, FILE *file) {
  const char *requirement;
  size_t index;
  json_t *row, *submission;
  fputs(_("<table class=\"plain grid\"><caption>Each submission by requirement</caption><thead><tr>"
          "<th scope=\"col\">Submission</th>"),
        file);
  json_object_foreach (json_object_get(findings, "requirements"), requirement, row)
    if (is_of_lab(requirement, lab)) {
      fputs("<th scope=\"col\">", file);
      html_text(file, requirement + strlen(lab));
      fputs("</th>", file);
    }
  fputs("</tr></thead><tbody>\n", file);
  json_array_foreach (json_object_get(findings, "submissions"), index, submission)
    if (has_lab(findings, submission, lab))
      submission_put(findings, submission, lab, file);
  fputs("</tbody></table>\n", file);
}

static void lab_put(const json_t *findings, const json_t *lab, size_t number, FILE *file) {
  const char *name = result_text(lab, "lab");
  fprintf(file, "<section aria-labelledby=\"lab-%zu\"><h2 id=\"lab-%zu\">", number, number);
  html_text(file, name);
  fputs(" ", file);
  html_element(file, "span", "title", result_text(lab, "title"));
  fprintf(
      file,
      "</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"lab-%zu\">\n",
      number);
  requirements_put(findings, name, file);
  grid_put(findings, name, file);
  fputs("</div></section>\n", file);
}

void page_matrix_put(const json_t *findings, FILE *file) {
  size_t index;
  json_t *lab;
  fputs(
      _("<div id=\"matrix\">\n<p class=\"legend\">✓ passes, ✗ fails, – has no such program, "
        "! an error of the grader, ? was not judged. What is as it must be is green: of a mutant, "
        "that it fails what it names.</p>\n"),
      file);
  json_array_foreach (json_object_get(findings, "labs"), index, lab)
    lab_put(findings, lab, index, file);
  fputs("</div>\n", file);
}
