/* One check on the page. */
#include "grader/result/report_html_parts.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/report_parts.h"
#include "grader/result/result.h"

#include <string.h>

enum { MOMENTS = 60, MOMENTS_PASSED = 16 };

static const struct outcome {
  const char *status, *class, *sign, *word;
} outcomes[] = {
    {"pass", "pass", "✓", N_("passed")},       {"fail", "fail", "✗", N_("failed")},
    {"missing", "fail", "–", N_("not there")}, {"skipped", "skip", "–", N_("skipped")},
    {"error", "odd", "!", N_("not judged")},   {NULL, "odd", "?", N_("of an unknown outcome")},
};

static const struct outcome *outcome_of(const json_t *check) {
  const struct outcome *outcome = outcomes;
  while (outcome->status && !report_status_is(check, outcome->status))
    outcome++;
  return outcome;
}

static void summary(FILE *file, const json_t *check) {
  const struct outcome *outcome = outcome_of(check);
  fprintf(file,
          "<summary><h3><span class=\"sign\" aria-hidden=\"true\">%s</span> "
          "<span class=\"outcome\">%s</span> <span class=\"id\">",
          outcome->sign, _(outcome->word));
  html_text(file, result_text(check, "id"));
  language_print(file, "</span></h3> <span class=\"points\">%lld of %lld</span>",
                 result_number(check, "score"), result_number(check, "max_score"));
  html_element(file, "span", "message", result_text(check, "message"));
  fputs("</summary>\n", file);
}

static void field(FILE *file, const char *heading, const char *text) {
  if (!*text)
    return;
  fprintf(file, "<dt>%s</dt><dd>", heading);
  html_text(file, text);
  fputs("</dd>\n", file);
}

static void command(FILE *file, const char *heading, const char *line) {
  fprintf(file, "<dt>%s</dt><dd><code class=\"command\">", heading);
  html_text(file, line);
  fputs("</code></dd>\n", file);
}

static void remarks(FILE *file, const json_t *check) {
  size_t index;
  json_t *finding;
  json_array_foreach (json_object_get(check, "findings"), index, finding) {
    const char *text = json_string_value(finding);
    if (text)
      field(file, _("Remark, which costs nothing"), text);
  }
}

static void capture(const struct html *html, const json_t *check) {
  const char *path = result_text(check, "capture"), *name = html_capture_name(check);
  if (html->has_captures && name) {
    fputs(_("<dt>Its frames</dt><dd><a download=\"download\" href=\""), html->file);
    html_text(html->file, name);
    fputs("\">", html->file);
    html_text(html->file, name);
    fputs(_("</a>, for Wireshark; the times in it are those of the diagram</dd>\n"), html->file);
  } else if (*path && !html->has_captures) {
    scoped_text char *word = report_shell_word(path);
    scoped_text char *line = memory_format("wireshark %s", word);
    command(html->file, _("Its frames"), line);
  }
}

static void commands(const struct html *html, const json_t *check) {
  if (json_object_get(check, "hidden_count")) /* nobody is told what these are */
    return;
  const char *requirement = result_text(check, "requirement");
  scoped_text char *submission = report_shell_word(html->submission);
  scoped_text char *word = report_shell_word(requirement);
  scoped_text char *again = memory_format("wiregrade grade --check %s %s", word, submission);
  scoped_text char *explain = memory_format("wiregrade explain %s", word);
  command(html->file, _("Check just this again"), again);
  command(html->file, _("What it asks for, in full"), explain);
}

/* The first sentences say what went wrong; then pictures of it; then where to go from there. */
static void failed_body(const struct html *html, const json_t *check) {
  FILE *file = html->file;
  const char *expected = result_text(check, "expected"), *seen = result_text(check, "actual");
  html_comparison(file, expected, seen);
  html_bytes(file, expected, seen);
  html_gaps(file, expected, seen);
  html_standstill(file, seen);
  if (*result_text(check, "hint")) {
    fprintf(file, "<p class=\"cause\" data-label=\"%s\">", _("Likely cause: "));
    html_text(file, result_text(check, "hint"));
    fputs("</p>\n", file);
  }
  struct diagram diagram = diagram_make(check, MOMENTS);
  html_diagram(file, &diagram);
  diagram_free(&diagram);
  fputs("<dl class=\"fields\">\n", file);
  field(file, _("Required"), result_text(check, "text"));
  field(file, _("Read on"), result_text(check, "read"));
  remarks(file, check);
  capture(html, check);
  commands(html, check);
  fputs("</dl>\n", file);
}

static void passed_body(const struct html *html, const json_t *check) {
  fputs("<dl class=\"fields\">\n", html->file);
  field(html->file, _("Required"), result_text(check, "text"));
  remarks(html->file, check);
  capture(html, check);
  fputs("</dl>\n", html->file);
  struct diagram diagram = diagram_make(check, MOMENTS_PASSED);
  html_diagram(html->file, &diagram);
  diagram_free(&diagram);
}

/* ---- what was not judged ---- */

static bool is_unjudged(const json_t *check) {
  return report_status_is(check, "missing") || report_status_is(check, "skipped");
}

static bool is_alike(const json_t *check, const json_t *other) {
  return report_status_is(other, result_text(check, "status")) &&
         strcmp(result_text(check, "message"), result_text(other, "message")) == 0;
}

static bool is_first_of_its_kind(const json_t *checks, size_t number) {
  for (size_t i = 0; i < number; i++)
    if (is_alike(json_array_get(checks, number), json_array_get(checks, i)))
      return false;
  return true;
}

/* What one cause keeps from being judged is told once, with a line for each check. */
static void unjudged(FILE *file, const json_t *checks, size_t number) {
  const json_t *check = json_array_get(checks, number);
  const char *message = result_text(check, "message");
  size_t count = 0, index;
  long long points = 0;
  json_t *other;
  json_array_foreach (checks, index, other)
    if (is_alike(check, other)) {
      count++;
      points += result_number(other, "max_score");
    }
  language_print(file,
                 "<summary><h3><span class=\"sign\" aria-hidden=\"true\">–</span> "
                 "<span class=\"outcome\">%s</span> %zu check%s</h3> "
                 "<span class=\"points\">0 of %lld</span>",
                 _(outcome_of(check)->word), count, report_plural((long long)count), points);
  html_element(file, "span", "message", *message ? message : _("no reason is given"));
  fputs("</summary>\n<div class=\"body\"><ul>\n", file);
  json_array_foreach (checks, index, other) {
    if (!is_alike(check, other))
      continue;
    fputs("<li>", file);
    html_element(file, "b", "id", result_text(other, "id"));
    html_text(file, result_text(other, "text"));
    fputs("</li>\n", file);
  }
  fputs("</ul></div>", file);
}

/* ---- any check ---- */

void html_check(const struct html *html, const json_t *checks, size_t lab, size_t number) {
  const json_t *check = json_array_get(checks, number);
  if (is_unjudged(check) && !is_first_of_its_kind(checks, number))
    return;
  bool open = report_status_is(check, "fail") || report_status_is(check, "error");
  fprintf(html->file, "<details class=\"check %s\" id=\"check-%zu-%zu\"%s>\n",
          outcome_of(check)->class, lab, number, open ? " open=\"open\"" : "");
  if (is_unjudged(check)) {
    unjudged(html->file, checks, number);
  } else {
    summary(html->file, check);
    fputs("<div class=\"body\">\n", html->file);
    if (report_status_is(check, "pass"))
      passed_body(html, check);
    else
      failed_body(html, check);
    fputs("</div>", html->file);
  }
  fputs("</details>\n", html->file);
}
