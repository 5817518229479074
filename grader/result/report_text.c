#include "grader/result/report_text.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"
#include "grader/result/safe_text.h"
#include "grader/result/timeline.h"

#include <string.h>

enum {
  LABEL_COLUMNS = 12, /* "  expected  " */
  FIELD_LINES = 12,
  TIMELINE_MOMENTS = 14,
  BUILD_LINES = 14,
  NARROW = 60, /* columns; a lab's title is left out below */
};

#define foreach_lab(result_, index_, lab_)                                                         \
  json_array_foreach (json_object_get(result_, "labs"), index_, lab_)
#define foreach_check(lab_, index_, check_)                                                        \
  json_array_foreach (json_object_get(lab_, "checks"), index_, check_)

static bool status_is(const json_t *check, const char *status) {
  return strcmp(result_text(check, "status"), status) == 0;
}

static bool lab_is_begun(const json_t *lab) {
  return !json_is_false(json_object_get(lab, "begun"));
}

static const char *plural(long long number) {
  return number == 1 ? "" : "s";
}

/* ---- a line a lab ---- */

static char *counts_words(const json_t *lab) {
  static const struct {
    const char *status, *word;
  } kinds[] = {
      {"pass", "passed"}, {"fail", "failed"}, {"missing", "missing"}, {"skipped", "skipped"}};
  char *words = memory_text("");
  size_t index;
  json_t *check;
  size_t total = json_array_size(json_object_get(lab, "checks")), errors = 0;
  for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
    size_t count = 0;
    foreach_check (lab, index, check)
      count += status_is(check, kinds[kind].status);
    if (count == 0)
      continue;
    char *longer =
        count == total && total > 1
            ? memory_format("all %zu %s", count, kinds[kind].word)
            : memory_format("%s%s%zu %s", words, *words ? ", " : "", count, kinds[kind].word);
    free(words);
    words = longer;
  }
  foreach_check (lab, index, check)
    errors += status_is(check, "error");
  if (errors) {
    char *longer = memory_format("%s%s%zu error%s", words, *words ? ", " : "", errors,
                                 plural((long long)errors));
    free(words);
    words = longer;
  }
  return words;
}

static enum page_style lab_style(const json_t *lab) {
  size_t index;
  json_t *check;
  enum page_style style = PAGE_GOOD;
  foreach_check (lab, index, check) {
    if (status_is(check, "error"))
      return PAGE_ODD;
    if (!status_is(check, "pass"))
      style = PAGE_BAD;
  }
  return style;
}

static void lab_line(const struct page *page, const json_t *lab, unsigned name_columns) {
  scoped_text char *counts = counts_words(lab);
  scoped_text char *points =
      memory_format("%lld/%lld", result_number(lab, "score"), result_number(lab, "max_score"));
  scoped_text char *name = text_fitted(result_text(lab, "lab"), name_columns, true);
  if (page->width < NARROW) {
    scoped_text char *line = memory_format("%s %7s  %s", name, points, counts);
    page_line(page, lab_style(lab), line);
    return;
  }
  unsigned used = name_columns + 2 + 2 + 7 + 2 + 24;
  scoped_text char *title = text_fitted(result_text(lab, "title"), page->width - used, true);
  scoped_text char *line = memory_format("%s  %s  %7s  %s", name, title, points, counts);
  page_line(page, lab_style(lab), line);
}

static void labs_lines(const struct page *page, const json_t *result) {
  size_t index;
  json_t *lab;
  unsigned name_columns = 0;
  foreach_lab (result, index, lab) {
    unsigned columns = text_columns(result_text(lab, "lab"));
    if (lab_is_begun(lab) && columns > name_columns && columns <= 20)
      name_columns = columns;
  }
  scoped_text char *idle = memory_text("");
  long long idle_points = 0;
  foreach_lab (result, index, lab) {
    if (lab_is_begun(lab)) {
      lab_line(page, lab, name_columns);
      continue;
    }
    char *longer = memory_format("%s%s%s", idle, *idle ? ", " : "", result_text(lab, "lab"));
    free(idle);
    idle = longer;
    idle_points += result_number(lab, "max_score");
  }
  if (*idle) {
    scoped_text char *line =
        memory_format("%s (%lld point%s)", idle, idle_points, plural(idle_points));
    page_paragraph(page, PAGE_FAINT, "not begun:", 11, line, 0);
  }
}

/* ---- the build ---- */

/* From the first error on; if nothing is called an error, the end. */
static const char *log_heart(const char *log) {
  const char *error = strcasestr(log, "error");
  if (error) {
    while (error > log && error[-1] != '\n')
      error--;
    return error;
  }
  const char *from = log + strlen(log);
  for (int lines = 0; from > log; from--)
    if (from[-1] == '\n' && ++lines > BUILD_LINES)
      break;
  return from;
}

static void build_report(const struct page *page, const json_t *result) {
  const json_t *build = json_object_get(result, "build");
  if (!json_is_false(json_object_get(build, "ok")))
    return;
  page_gap(page);
  page_paragraph(page, PAGE_BAD, "BUILD", 6, "failed; what could be built is graded all the same.",
                 0);
  page_paragraph(page, PAGE_PLAIN, "", 2, log_heart(result_text(build, "log")), BUILD_LINES);
}

/* ---- failures ---- */

static void field(const struct page *page, const char *label, const char *text) {
  if (*text)
    page_paragraph(page, PAGE_PLAIN, label, LABEL_COLUMNS, text, FIELD_LINES);
}

static void check_heading(const struct page *page, enum page_style style, const char *label,
                          const json_t *check) {
  long long points = result_number(check, "max_score") - result_number(check, "score");
  scoped_text char *text = memory_format("%s (%s, %lld point%s)", result_text(check, "id"),
                                         result_text(check, "level"), points, plural(points));
  page_gap(page);
  page_paragraph(page, style, label, (unsigned)strlen(label) + 1, text, 0);
}

static void fail_report(const struct page *page, const json_t *check) {
  check_heading(page, PAGE_BAD, "FAIL", check);
  page_paragraph(page, PAGE_STRONG, "", 2, result_text(check, "message"), FIELD_LINES);
  field(page, "  required", result_text(check, "text"));
  field(page, "  expected", result_text(check, "expected"));
  field(page, "  seen", result_text(check, "actual"));
  field(page, "  cause", result_text(check, "hint"));
  field(page, "  read", result_text(check, "read"));
  const json_t *events = json_object_get(check, "events");
  if (json_array_size(events) > 0) {
    page_paragraph(page, PAGE_PLAIN, "", 2, "what happened, in seconds:", 1);
    timeline_draw(page, events, TIMELINE_MOMENTS);
  }
}

static void error_report(const struct page *page, const json_t *check) {
  scoped_text char *text =
      memory_format("%s: this is a fault of the grader, not yours. It costs you nothing.",
                    result_text(check, "id"));
  page_gap(page);
  page_paragraph(page, PAGE_ODD, "ERROR", 6, text, 0);
  page_paragraph(page, PAGE_PLAIN, "", 2, result_text(check, "message"), FIELD_LINES);
  field(page, "  seen", result_text(check, "actual"));
}

static void skipped_report(const struct page *page, const json_t *check) {
  check_heading(page, PAGE_ODD, "SKIPPED", check);
  page_paragraph(page, PAGE_PLAIN, "", 2, result_text(check, "message"), FIELD_LINES);
}

/* A program that is not there costs many checks: told once for all that say the same. */
static void missing_report(const struct page *page, const json_t *lab, size_t first) {
  const json_t *checks = json_object_get(lab, "checks");
  const char *message = result_text(json_array_get(checks, first), "message");
  for (size_t i = 0; i < first; i++) {
    const json_t *before = json_array_get(checks, i);
    if (status_is(before, "missing") && strcmp(result_text(before, "message"), message) == 0)
      return;
  }
  scoped_text char *names = memory_text("");
  long long points = 0;
  const char *last = "";
  for (size_t i = first; i < json_array_size(checks); i++) {
    const json_t *check = json_array_get(checks, i);
    if (!status_is(check, "missing") || strcmp(result_text(check, "message"), message) != 0)
      continue;
    points += result_number(check, "max_score");
    const char *requirement = result_text(check, "requirement");
    if (strcmp(requirement, last) == 0)
      continue;
    char *longer = memory_format("%s%s%s", names, *names ? ", " : "", requirement);
    free(names);
    names = longer;
    last = requirement;
  }
  scoped_text char *costs = memory_format("%s (%lld point%s)", names, points, plural(points));
  page_gap(page);
  page_paragraph(page, PAGE_BAD, "MISSING", 8, *message ? message : "a program", 0);
  page_paragraph(page, PAGE_PLAIN, "  not judged:", 14, costs, 0);
}

static void lab_reports(const struct page *page, const json_t *lab) {
  size_t index;
  json_t *check;
  foreach_check (lab, index, check) {
    if (status_is(check, "fail"))
      fail_report(page, check);
    else if (status_is(check, "error"))
      error_report(page, check);
    else if (status_is(check, "skipped"))
      skipped_report(page, check);
    else if (status_is(check, "missing"))
      missing_report(page, lab, index);
  }
}

/* ---- remarks and the end ---- */

/* The same remark is made once, however many checks found it. */
static void remark_report(const struct page *page, const json_t *check, json_t *told) {
  size_t index;
  json_t *finding;
  json_array_foreach (json_object_get(check, "findings"), index, finding) {
    const char *text = json_string_value(finding);
    if (!text || json_object_get(told, text))
      continue;
    if (json_object_size(told) == 0) {
      page_gap(page);
      page_paragraph(page, PAGE_STRONG, "", 0, "Remarks, which cost nothing:", 0);
    }
    json_object_set_new(told, text, json_true());
    scoped_text char *line = memory_format("%s: %s", result_text(check, "requirement"), text);
    page_paragraph(page, PAGE_PLAIN, "  -", 4, line, 0);
  }
}

static void remarks_report(const struct page *page, const json_t *result) {
  size_t lab_index, check_index;
  json_t *lab, *check, *told = json_object();
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check)
      remark_report(page, check, told);
  }
  json_decref(told);
}

static void faults_report(const struct page *page, const json_t *result) {
  size_t index;
  json_t *fault;
  json_array_foreach (json_object_get(result, "faults"), index, fault) {
    page_gap(page);
    page_paragraph(page, PAGE_ODD, "GRADER", 7,
                   json_string_value(fault) ? json_string_value(fault) : "", 0);
  }
}

/* The first check that failed, or NULL. */
static const json_t *first_failure(const json_t *result) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check) {
      if (status_is(check, "fail"))
        return check;
    }
  }
  return NULL;
}

static void ending(const struct page *page, const json_t *result) {
  long long score = result_number(result, "score"), most = result_number(result, "max_score");
  size_t errors = result_count(result, "error");
  page_gap(page);
  scoped_text char *total =
      memory_format("Score: %lld of %lld point%s, in %.1f s", score, most, plural(most),
                    json_number_value(json_object_get(result, "duration_s")));
  page_line(page, score == most && !errors ? PAGE_GOOD : PAGE_STRONG, total);
  if (errors) {
    scoped_text char *text = memory_format(
        "%zu check%s could not be judged, by a fault of the grader; the points of "
        "%s are left out of the sum. `wiregrade doctor` shows what this machine lacks.",
        errors, plural((long long)errors), errors == 1 ? "it" : "them");
    page_paragraph(page, PAGE_ODD, "", 0, text, 0);
  }
  if (json_is_true(json_object_get(result, "interrupted")))
    page_paragraph(page, PAGE_ODD, "", 0,
                   "Interrupted: only what had been judged before that is shown and counted.", 0);
  const json_t *failure = first_failure(result);
  if (failure) {
    scoped_text char *text =
        memory_format("More: `wiregrade explain %s`; again: `wiregrade grade --check %s %s`",
                      result_text(failure, "requirement"), result_text(failure, "requirement"),
                      result_text(result, "submission"));
    page_paragraph(page, PAGE_FAINT, "", 0, text, 0);
  }
}

void report_text(const json_t *result, const struct page *page) {
  scoped_text char *heading =
      memory_format("%s  (%s clock, seed %lld)", result_text(result, "submission"),
                    result_text(result, "clock"), result_number(result, "seed"));
  page_line(page, PAGE_STRONG, heading);
  page_gap(page);
  labs_lines(page, result);
  build_report(page, result);
  size_t index;
  json_t *lab;
  foreach_lab (result, index, lab)
    if (lab_is_begun(lab))
      lab_reports(page, lab);
  remarks_report(page, result);
  faults_report(page, result);
  ending(page, result);
}
