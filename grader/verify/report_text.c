/* What a verification found, for a terminal. */
#include "grader/verify/findings.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/page.h"
#include "grader/result/result.h"
#include "grader/verify/words.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK_COLUMNS = 41, SLOWEST_SHOWN = 5, NAMES_LINES = 12 };

static double number_in(const json_t *object, const char *key) {
  return json_number_value(json_object_get(object, key));
}

static size_t count_in(const json_t *object, const char *key) {
  return json_array_size(json_object_get(object, key));
}

static void requirements_print(const struct page *page, const json_t *findings) {
  const char *requirement;
  json_t *row;
  page_line(page, PAGE_STRONG, _("requirement       reference  styles  mutants killed"));
  json_object_foreach (json_object_get(findings, "requirements"), requirement, row) {
    long long passed = result_number(row, "styles_passed"), styles = result_number(row, "styles");
    size_t kills = count_in(row, "killed_by");
    const char *reference = result_text(row, "reference");
    bool judged = strcmp(reference, "no check") != 0; /* else that is told, unless interrupted */
    bool right = (!judged || strcmp(reference, "pass") == 0) && passed == styles &&
                 (long long)kills >= result_number(findings, "kills_least");
    scoped_text char *ratio = memory_format("%lld/%lld", passed, styles);
    scoped_text char *line =
        memory_format("%-16s  %-9s  %6s  %7zu", requirement, reference, ratio, kills);
    page_line(page, right ? PAGE_PLAIN : PAGE_BAD, line);
  }
  page_gap(page);
}

static void check_print(const struct page *page, const char *id, const json_t *row,
                        const json_t *times) {
  const json_t *real = json_object_get(times, "real_s"),
               *judged = json_object_get(times, "judged_s");
  size_t failed = count_in(row, "failed_by");
  scoped_text char *name = text_fitted(id, CHECK_COLUMNS, true);
  scoped_text char *line = memory_format("%s%7zu  %6.2f  %6.2f  %6.2f  %6.2f", name, failed,
                                         number_in(real, "median"), number_in(real, "most"),
                                         number_in(judged, "median"), number_in(judged, "most"));
  page_line(page, failed ? PAGE_PLAIN : PAGE_ODD, line);
}

static void checks_print(const struct page *page, const json_t *findings, const char *clock) {
  if (json_object_size(json_object_get(findings, "checks")) == 0)
    return;
  const char *id;
  json_t *row;
  scoped_text char *title =
      language_sentence("On the %s clock: seconds that each check took, and judged (median, most)",
                        clock_word(clock));
  page_line(page, PAGE_STRONG, title);
  page_line(page, PAGE_STRONG,
            _("                                         mutants    took    most  judged    most"));
  json_object_foreach (json_object_get(findings, "checks"), id, row) {
    const json_t *times = json_object_get(json_object_get(row, "clocks"), clock);
    if (times)
      check_print(page, id, row, times);
  }
  page_gap(page);
}

/* The names of a list in one paragraph. */
static void names_print(const struct page *page, const char *label, const json_t *names) {
  size_t index;
  json_t *name;
  scoped_text char *all = memory_text("");
  json_array_foreach (names, index, name) {
    char *longer = memory_format("%s%s%s", all, *all ? ", " : "", json_string_value(name));
    free(all);
    all = longer;
  }
  if (*all)
    page_paragraph(page, PAGE_PLAIN, label, text_columns(label) + 2, all, NAMES_LINES);
}

/* Of a part of the mutants it would say nothing. */
static void coverage_print(const struct page *page, const json_t *findings) {
  if (result_number(findings, "mutants_each") > 0)
    return;
  const json_t *coverage = json_object_get(findings, "coverage");
  const json_t *checks = json_object_get(coverage, "checks"),
               *requirements = json_object_get(coverage, "requirements");
  names_print(page, _("no mutant fails"), json_object_get(requirements, "none"));
  names_print(page, _("one mutant fails"), json_object_get(requirements, "one"));
  names_print(page, _("no mutant fails the check"), json_object_get(checks, "none"));
  names_print(page, _("one mutant fails the check"), json_object_get(checks, "one"));
}

static void agreement_print(const struct page *page, const json_t *findings) {
  const json_t *flakes = json_object_get(findings, "flakes");
  const json_t *clocks = json_object_get(findings, "between_clocks");
  if (flakes) {
    long long all = result_number(flakes, "verdicts"), changed = result_number(flakes, "changed");
    scoped_text char *line = language_sentence(
        "flake rate  %lld of %lld verdicts changed in %lld runs (%.3f %%)", changed, all,
        result_number(findings, "runs"), all ? (double)changed * 100 / (double)all : 0);
    page_line(page, changed ? PAGE_BAD : PAGE_PLAIN, line);
  }
  if (clocks) {
    long long differ = result_number(clocks, "differ");
    scoped_text char *line = language_sentence("both clocks  %lld of %lld verdicts differ", differ,
                                               result_number(clocks, "compared"));
    page_line(page, differ ? PAGE_BAD : PAGE_PLAIN, line);
  }
}

static void slowest_print(const struct page *page, const json_t *findings) {
  scoped_text char *slowest = memory_text("");
  scoped_text const json_t **sorted = slowest_gradings(findings);
  for (size_t i = 0; i < SLOWEST_SHOWN && sorted[i]; i++) {
    scoped_text char *name = grading_words(findings, sorted[i]);
    char *longer = memory_format("%s%s%s (%.1f s)", slowest, i ? ", " : "", name,
                                 number_in(sorted[i], "duration_s"));
    free(slowest);
    slowest = longer;
  }
  if (*slowest)
    page_paragraph(page, PAGE_FAINT, _("slowest"), 9, slowest, 0);
}

static void sentences_print(const struct page *page, enum page_style style, const char *label,
                            const json_t *list) {
  size_t index;
  json_t *sentence;
  json_array_foreach (list, index, sentence)
    page_paragraph(page, style, label, (unsigned)strlen(label) + 1, json_string_value(sentence), 6);
}

static void wrong_print(const struct page *page, const json_t *findings) {
  const json_t *deviations = json_object_get(findings, "deviations"),
               *faults = json_object_get(findings, "faults");
  sentences_print(page, PAGE_BAD, "-", deviations);
  sentences_print(page, PAGE_ODD, "- error:", faults);
  if (json_array_size(deviations) || json_array_size(faults))
    page_gap(page);
}

void findings_print(const json_t *findings, FILE *file) {
  struct page page = page_for(file);
  size_t index;
  json_t *clock;
  requirements_print(&page, findings);
  json_array_foreach (json_object_get(findings, "clocks"), index, clock)
    checks_print(&page, findings, json_string_value(clock));
  wrong_print(&page, findings);
  coverage_print(&page, findings);
  agreement_print(&page, findings);
  slowest_print(&page, findings);
  page_gap(&page);
  scoped_text char *summary = findings_summary(findings);
  page_paragraph(&page, json_is_true(json_object_get(findings, "ok")) ? PAGE_GOOD : PAGE_BAD, "", 0,
                 summary, 0);
}
