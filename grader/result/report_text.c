#include "grader/result/report_text.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/report_parts.h"
#include "grader/result/result.h"

#include <string.h>

enum {
  NAME_COLUMNS = 20,
  BAR_COLUMNS = 20,
  POINTS_COLUMNS = 9, /* "  150/150" */
  NARROW = 74,        /* columns; no bar is drawn below */
};

bool report_status_is(const json_t *check, const char *status) {
  return strcmp(result_text(check, "status"), status) == 0;
}

const char *report_plural(long long number) {
  return number == 1 || !language_is_english() ? "" : "s";
}

const char *report_word(const char *word) {
  static const char *const words[] = {N_("core"), N_("stretch"), N_("virtual"), N_("real")};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(word, words[i]) == 0)
      return _(words[i]);
  return word;
}

void report_append(char **list, const char *between, const char *text) {
  char *longer = memory_format("%s%s%s", *list, **list ? between : "", text);
  free(*list);
  *list = longer;
}

static bool lab_is_begun(const json_t *lab) {
  return !json_is_false(json_object_get(lab, "begun"));
}

static size_t lab_count(const json_t *lab, const char *status) {
  size_t count = 0, index;
  json_t *check;
  foreach_check (lab, index, check)
    count += report_status_is(check, status);
  return count;
}

/* ---- a line a lab ---- */

static char *counts_words(const json_t *lab) {
  size_t all = json_array_size(json_object_get(lab, "checks"));
  size_t passed = lab_count(lab, "pass"), errors = lab_count(lab, "error");
  if (all == 0)
    return memory_text(_("nothing was judged"));
  if (passed == all)
    return all == 1 ? memory_text(_("the check passed"))
                    : language_sentence("all %zu checks passed", all);
  if (errors)
    return language_sentence("%zu of %zu passed, %zu error%s", passed, all, errors,
                             report_plural((long long)errors));
  return language_sentence("%zu of %zu check%s passed", passed, all, report_plural((long long)all));
}

static enum page_style lab_style(const json_t *lab) {
  if (lab_count(lab, "error"))
    return PAGE_ODD;
  size_t all = json_array_size(json_object_get(lab, "checks"));
  return lab_count(lab, "pass") == all ? PAGE_GOOD : PAGE_BAD;
}

/* A bar is full only if nothing is lost, and empty only if there is nothing. */
static void bar_draw(const struct page *page, enum page_style style, long long score,
                     long long most) {
  long long full = most > 0 && score > 0 ? score * BAR_COLUMNS / most : 0;
  if (score > 0 && full == 0)
    full = 1;
  if (full > BAR_COLUMNS)
    full = BAR_COLUMNS;
  scoped_text char *done = memory_text(""), *rest = memory_text("");
  for (long long i = 0; i < BAR_COLUMNS; i++)
    report_append(i < full ? &done : &rest, "",
                  page->drawing ? (i < full ? "█" : "░") : (i < full ? "#" : "."));
  page_cell(page, style, done, (unsigned)full);
  page_cell(page, PAGE_FAINT, rest, BAR_COLUMNS - (unsigned)full);
}

/* What a course has made of the lab, if anything. */
static char *standing_words(const json_t *lab) {
  scoped_text char *counts = counts_words(lab);
  if (json_is_true(json_object_get(lab, "dropped")))
    return language_sentence("does not count, %s", counts);
  if (json_is_true(json_object_get(lab, "extra")))
    return language_sentence("extra, %s", counts);
  return steal_pointer(&counts);
}

static void lab_line(const struct page *page, const json_t *lab, unsigned name_columns) {
  long long score = result_number(lab, "score"), most = result_number(lab, "max_score");
  scoped_text char *ratio = memory_format("%lld/%lld", score, most);
  scoped_text char *points = memory_format("%*s", POINTS_COLUMNS, ratio);
  scoped_text char *counts = standing_words(lab);
  enum page_style style = lab_style(lab);
  unsigned used = 2 + name_columns + POINTS_COLUMNS + 2;
  page_cell(page, PAGE_PLAIN, "", 2);
  page_cell(page, PAGE_STRONG, result_text(lab, "lab"), name_columns);
  if (page->width >= NARROW) {
    page_cell(page, PAGE_PLAIN, "", 2);
    bar_draw(page, style, score, most);
    used += 2 + BAR_COLUMNS;
  }
  page_cell(page, PAGE_PLAIN, points, POINTS_COLUMNS);
  page_cell(page, PAGE_PLAIN, "", 2);
  unsigned columns = text_columns(counts), room = page->width - used;
  page_cell(page, style, counts, columns < room ? columns : room);
  page_gap(page);
}

static void labs_lines(const struct page *page, const json_t *result) {
  size_t index;
  json_t *lab;
  unsigned name_columns = 0;
  foreach_lab (result, index, lab) {
    unsigned columns = text_columns(result_text(lab, "lab"));
    if (lab_is_begun(lab) && columns > name_columns)
      name_columns = columns < NAME_COLUMNS ? columns : NAME_COLUMNS;
  }
  scoped_text char *idle = memory_text("");
  long long points = 0;
  foreach_lab (result, index, lab) {
    if (lab_is_begun(lab)) {
      lab_line(page, lab, name_columns);
      continue;
    }
    report_append(&idle, ", ", result_text(lab, "lab"));
    points += result_number(lab, "max_score");
  }
  if (*idle) {
    scoped_text char *line =
        language_sentence("%s (%lld point%s)", idle, points, report_plural(points));
    page_paragraph(page, PAGE_FAINT, _("  no program yet:"), 18, line, 0);
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
      page_line(page, PAGE_STRONG, _("Remarks, which cost nothing:"));
    }
    json_object_set_new(told, text, json_true());
    scoped_text char *line = memory_format("%s: %s", result_text(check, "requirement"), text);
    page_paragraph(page, PAGE_PLAIN, "  -", 4, line, 4);
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
    const char *sentence = json_string_value(fault);
    page_gap(page);
    page_paragraph(page, PAGE_ODD, _("GRADER"), text_columns(_("GRADER")) + 1,
                   sentence ? sentence : "", 4);
  }
}

/* Twice: above what is read first, and where the end of a long report is read. */
static void uncontained_report(const struct page *page, const json_t *result) {
  const char *sentence = result_text(result, "uncontained");
  if (!*sentence)
    return;
  page_gap(page);
  page_paragraph(page, PAGE_BAD, _("WARNING"), text_columns(_("WARNING")) + 1, sentence, 0);
}

/* The first check that failed, or NULL; what is hidden cannot be looked into. */
static const json_t *first_failure(const json_t *result) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check) {
      if (report_status_is(check, "fail") && !json_object_get(check, "hidden_count"))
        return check;
    }
  }
  return NULL;
}

char *report_shell_word(const char *word) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+,:@%";
  if (*word && strspn(word, plain) == strlen(word))
    return memory_text(word);
  char *quoted = memory_text("'");
  for (const char *c = word; *c; c++)
    report_append(&quoted, "", *c == '\'' ? "'\\''" : (char[]){*c, '\0'});
  report_append(&quoted, "", "'");
  return quoted;
}

static void next_steps(const struct page *page, const json_t *result) {
  const json_t *failure = first_failure(result);
  if (!failure)
    return;
  const char *requirement = result_text(failure, "requirement");
  scoped_text char *submission = report_shell_word(result_text(result, "submission"));
  scoped_text char *explain = memory_format("wiregrade explain %s", requirement);
  scoped_text char *again = memory_format("wiregrade grade --check %s %s", requirement, submission);
  page_paragraph(page, PAGE_PLAIN, _("What it asks for:"), 19, explain, 0);
  page_paragraph(page, PAGE_PLAIN, _("Check it again:"), 19, again, 0);
  if (*result_text(failure, "capture")) {
    scoped_text char *capture = report_shell_word(result_text(failure, "capture"));
    scoped_text char *open = memory_format("  wireshark %s", capture);
    page_line(page, PAGE_PLAIN, _("See its frames:"));
    page_command(page, open);
  }
}

static void ending(const struct page *page, const json_t *result) {
  long long score = result_number(result, "score"), most = result_number(result, "max_score");
  size_t errors = result_count(result, "error"), all = result_count(result, NULL);
  bool passed = all > 0 && result_count(result, "pass") == all;
  page_gap(page);
  scoped_text char *total =
      language_sentence("Score: %lld of %lld point%s, in %.1f s", score, most, report_plural(most),
                        json_number_value(json_object_get(result, "duration_s")));
  page_line(page, passed ? PAGE_GOOD : PAGE_STRONG, total);
  if (errors) {
    scoped_text char *text = language_sentence(
        "%zu check%s could not be judged, by a fault of the grader; the points of "
        "%s are left out of the sum. `wiregrade doctor` shows what this machine lacks.",
        errors, report_plural((long long)errors), errors == 1 ? "it" : "them");
    page_paragraph(page, PAGE_ODD, "", 0, text, 0);
  }
  if (json_is_true(json_object_get(result, "interrupted")))
    page_paragraph(page, PAGE_ODD, "", 0,
                   _("Interrupted: only what had been judged before that is shown and counted."),
                   0);
  next_steps(page, result);
}

static void title(const struct page *page, const json_t *result) {
  scoped_text char *terms =
      language_sentence("%s clock, seed %lld", report_word(result_text(result, "clock")),
                        result_number(result, "seed"));
  unsigned columns = text_columns(terms);
  if (columns + 10 > page->width) {
    page_line(page, PAGE_STRONG, result_text(result, "submission"));
    return;
  }
  page_cell(page, PAGE_STRONG, result_text(result, "submission"), page->width - columns - 2);
  page_cell(page, PAGE_PLAIN, "", 2);
  page_cell(page, PAGE_FAINT, terms, columns);
  page_gap(page);
}

void report_text(const json_t *result, const struct page *page) {
  size_t index;
  json_t *lab;
  title(page, result);
  uncontained_report(page, result);
  page_gap(page);
  labs_lines(page, result);
  report_build(page, json_object_get(result, "build"));
  foreach_lab (result, index, lab)
    if (lab_is_begun(lab))
      report_checks(page, lab);
  remarks_report(page, result);
  faults_report(page, result);
  uncontained_report(page, result);
  ending(page, result);
}
