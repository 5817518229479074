#include "grader/result/report_parts.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"
#include "grader/result/timeline.h"

#include <string.h>

enum {
  LABEL_COLUMNS = 12, /* "  expected  " */
  REQUIRED_LINES = 4, /* `wiregrade explain` has it whole */
  FIELD_LINES = 8,
  MOMENTS = 14,
};

static void field(const struct page *page, const char *label, const char *text, unsigned lines) {
  if (*text)
    page_paragraph(page, PAGE_PLAIN, label, LABEL_COLUMNS, text, lines);
}

static void heading(const struct page *page, enum page_style style, const char *word,
                    const json_t *check) {
  long long points = result_number(check, "max_score") - result_number(check, "score");
  const char *level = report_word(result_text(check, "level"));
  scoped_text char *text =
      *level ? language_sentence("%s  (%s, %lld point%s)", result_text(check, "id"), level, points,
                                 report_plural(points))
             : language_sentence("%s  (%lld point%s)", result_text(check, "id"), points,
                                 report_plural(points));
  page_gap(page);
  page_paragraph(page, style, word, text_columns(word) + 1, text, 0);
}

static void fail_report(const struct page *page, const json_t *check) {
  heading(page, PAGE_BAD, _("FAIL"), check);
  page_paragraph(page, PAGE_STRONG, "", 2, result_text(check, "message"), FIELD_LINES);
  field(page, _("  required"), result_text(check, "text"), REQUIRED_LINES);
  field(page, _("  expected"), result_text(check, "expected"), FIELD_LINES);
  field(page, _("  seen"), result_text(check, "actual"), FIELD_LINES);
  field(page, _("  cause"), result_text(check, "hint"), FIELD_LINES);
  field(page, _("  read"), result_text(check, "read"), 2);
  timeline_draw(page, json_object_get(check, "events"), MOMENTS);
}

static void error_report(const struct page *page, const json_t *check) {
  scoped_text char *text =
      language_sentence("%s  (the grader's own; it costs you nothing)", result_text(check, "id"));
  page_gap(page);
  page_paragraph(page, PAGE_ODD, _("ERROR"), text_columns(_("ERROR")) + 1, text, 0);
  page_paragraph(page, PAGE_PLAIN, "", 2, result_text(check, "message"), FIELD_LINES);
  field(page, _("  seen"), result_text(check, "actual"), FIELD_LINES);
}

static bool is_alike(const json_t *check, const json_t *other) {
  return strcmp(result_text(check, "status"), result_text(other, "status")) == 0 &&
         strcmp(result_text(check, "message"), result_text(other, "message")) == 0;
}

/* What one cause keeps from being judged (a program that is not there) is told once. */
static void unjudged_report(const struct page *page, const char *word, const json_t *checks,
                            size_t first) {
  const json_t *check = json_array_get(checks, first);
  for (size_t i = 0; i < first; i++)
    if (is_alike(json_array_get(checks, i), check))
      return;
  scoped_text char *names = memory_text("");
  const char *last = "";
  long long points = 0;
  for (size_t i = first; i < json_array_size(checks); i++) {
    const json_t *other = json_array_get(checks, i);
    if (!is_alike(other, check))
      continue;
    const char *requirement = result_text(other, "requirement");
    points += result_number(other, "max_score");
    if (strcmp(requirement, last) != 0)
      report_append(&names, ", ", requirement);
    last = requirement;
  }
  const char *message = result_text(check, "message");
  scoped_text char *costs =
      language_sentence("not judged: %s (%lld point%s)", names, points, report_plural(points));
  page_gap(page);
  page_paragraph(page, PAGE_BAD, word, text_columns(word) + 1,
                 *message ? message : _("no reason is given"), FIELD_LINES);
  page_paragraph(page, PAGE_PLAIN, "", 2, costs, 0);
}

void report_checks(const struct page *page, const json_t *lab) {
  const json_t *checks = json_object_get(lab, "checks");
  size_t index;
  json_t *check;
  json_array_foreach (checks, index, check) {
    if (report_status_is(check, "fail"))
      fail_report(page, check);
    else if (report_status_is(check, "error"))
      error_report(page, check);
    else if (report_status_is(check, "skipped"))
      unjudged_report(page, _("SKIPPED"), checks, index);
    else if (report_status_is(check, "missing"))
      unjudged_report(page, _("MISSING"), checks, index);
  }
}
