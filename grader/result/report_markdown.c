#include "grader/result/report_markdown.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/result.h"

#include <string.h>

enum {
  LINE_MOST = 400,
  CHECK_MOST = 16 * 1024,
  BUILD_MOST = 16 * 1024,
  ENDING = 256, /* room for the line that says what is left out */
};

struct sheet {
  char *text;
  size_t length, most, left_out;
};

/* All of it or nothing. */
static bool sheet_add(struct sheet *sheet, const char *text, size_t kept_free) {
  size_t length = strlen(text);
  if (sheet->length + length + kept_free > sheet->most)
    return false;
  sheet->text = memory_resize(sheet->text, sheet->length + length + 1);
  memcpy(sheet->text + sheet->length, text, length + 1);
  sheet->length += length;
  return true;
}

static void sheet_add_freed(struct sheet *sheet, char *text) {
  if (!sheet_add(sheet, text, ENDING))
    sheet->left_out++;
  free(text);
}

static char *code(const char *text) {
  return feedback_line(SAFE_MARKDOWN, text, LINE_MOST);
}

static const char *outcome_sign(enum outcome outcome) {
  static const char *const signs[] = {
      [OUTCOME_PASSED] = "✅",       [OUTCOME_FAILED] = "❌",     [OUTCOME_MISSING] = "❌",
      [OUTCOME_SKIPPED] = "⚠️", [OUTCOME_ERROR] = "⚠️",
  };
  return signs[outcome];
}

static const char *plural(long long number) {
  return number == 1 ? "" : "s";
}

/* ---- what is told of first ---- */

static void heading_add(struct sheet *sheet, const json_t *result) {
  long long most = result_number(result, "max_score");
  sheet_add_freed(sheet, language_sentence("## wiregrade: %lld of %lld point%s\n\n",
                                           result_number(result, "score"), most, plural(most)));
}

static void warnings_add(struct sheet *sheet, const json_t *result) {
  size_t index, errors = feedback_error_count(result);
  json_t *fault;
  if (*result_text(result, "uncontained")) {
    scoped_text char *safe = code(result_text(result, "uncontained"));
    sheet_add_freed(sheet, memory_format("> [!WARNING]\n> %s\n\n", safe));
  }
  if (errors)
    sheet_add_freed(
        sheet, language_sentence(
                   "> [!WARNING]\n> **The grader itself went wrong (%zu time%s).** That costs "
                   "nothing: the points of checks that could not be judged are left out of the "
                   "sum. Have it graded again.\n\n",
                   errors, plural((long long)errors)));
  json_array_foreach (json_object_get(result, "faults"), index, fault) {
    if (!json_is_string(fault))
      continue;
    scoped_text char *safe = code(json_string_value(fault));
    sheet_add_freed(sheet, memory_format("- %s\n", safe));
  }
  if (json_array_size(json_object_get(result, "faults")))
    sheet_add_freed(sheet, memory_text("\n"));
  if (json_is_true(json_object_get(result, "interrupted")))
    sheet_add_freed(sheet,
                    memory_text(_("> [!WARNING]\n> **The grading was interrupted.** Only what "
                                  "had been judged before that is shown and counted.\n\n")));
  if (result_count(result, NULL) == 0)
    sheet_add_freed(sheet, memory_text(_("> [!WARNING]\n> **Nothing was judged.**\n\n")));
}

static void build_add(struct sheet *sheet, const json_t *result) {
  scoped_text char *log = feedback_of_build(result, SAFE_MARKUP, BUILD_MOST);
  if (*log)
    sheet_add_freed(sheet,
                    language_sentence("### ❌ The build failed\n\n<pre>\n%s\n</pre>\n\n", log));
}

/* ---- a row a lab ---- */

static enum outcome lab_outcome(const json_t *lab) {
  enum outcome worst = OUTCOME_PASSED;
  size_t index;
  json_t *check;
  foreach_check (lab, index, check) {
    enum outcome outcome = feedback_outcome(check);
    if (outcome > worst)
      worst = outcome;
  }
  return worst;
}

static size_t lab_passed(const json_t *lab) {
  size_t index, count = 0;
  json_t *check;
  foreach_check (lab, index, check)
    count += feedback_outcome(check) == OUTCOME_PASSED;
  return count;
}

static void labs_add(struct sheet *sheet, const json_t *result) {
  size_t index;
  json_t *lab;
  if (json_array_size(json_object_get(result, "labs")) == 0)
    return;
  sheet_add_freed(sheet,
                  memory_text(_("| | lab | points | checks passed |\n|---|---|---:|---:|\n")));
  foreach_lab (result, index, lab) {
    scoped_text char *name = code(result_text(lab, "lab"));
    sheet_add_freed(sheet, language_sentence("| %s | %s | %lld of %lld | %zu of %zu |\n",
                                             outcome_sign(lab_outcome(lab)), name,
                                             result_number(lab, "score"),
                                             result_number(lab, "max_score"), lab_passed(lab),
                                             json_array_size(json_object_get(lab, "checks"))));
  }
  sheet_add_freed(sheet, memory_text("\n"));
}

/* ---- checks ---- */

static char *check_costs(const json_t *check) {
  long long points = result_number(check, "max_score") - result_number(check, "score");
  return feedback_outcome(check) == OUTCOME_ERROR
             ? memory_text(_("no points"))
             : language_sentence("%lld point%s", points, plural(points));
}

static char *check_text(const json_t *check) {
  scoped_text char *plain_name = feedback_name(check, SAFE_TERMINAL);
  scoped_text char *name = code(plain_name);
  scoped_text char *message = code(result_text(check, "message"));
  scoped_text char *costs = check_costs(check);
  scoped_text char *details = feedback_of_check(check, SAFE_MARKUP, CHECK_MOST);
  return memory_format("<details><summary>%s %s (%s) %s</summary>\n\n<pre>\n%s\n</pre>\n\n"
                       "</details>\n\n",
                       outcome_sign(feedback_outcome(check)), name, costs, message, details);
}

/* Programs that are missing are the same sentence for many checks: a line is enough. */
static char *check_line(const json_t *check) {
  scoped_text char *plain_name = feedback_name(check, SAFE_TERMINAL);
  scoped_text char *name = code(plain_name);
  scoped_text char *message = code(result_text(check, "message"));
  scoped_text char *costs = check_costs(check);
  return memory_format("- %s %s (%s) %s\n\n", outcome_sign(feedback_outcome(check)), name, costs,
                       message);
}

/* How to look at one of them again, once for all: by the first whose name may be told. A name that
 * is none of ours would need escapes, which a command must not have. */
static void again_add(struct sheet *sheet, const json_t *result) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
  size_t lab_index, check_index;
  json_t *lab, *check;
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check) {
      const char *requirement = result_text(check, "requirement");
      if (feedback_outcome(check) != OUTCOME_FAILED || json_object_get(check, "hidden_count") ||
          !*requirement || requirement[strspn(requirement, plain)])
        continue;
      sheet_add_freed(
          sheet, language_sentence("To check just one of them again, here the first: `wiregrade "
                                   "grade --check %s .`; to read what it asks for: `wiregrade "
                                   "explain %s`.\n\n",
                                   requirement, requirement));
      return;
    }
  }
}

static void checks_add(struct sheet *sheet, const json_t *result) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  bool begun = false;
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check) {
      enum outcome outcome = feedback_outcome(check);
      if (outcome == OUTCOME_PASSED)
        continue;
      if (!begun) {
        sheet_add_freed(sheet, memory_text(_("### What did not pass\n\n")));
        again_add(sheet, result);
      }
      begun = true;
      sheet_add_freed(sheet, outcome == OUTCOME_MISSING ? check_line(check) : check_text(check));
    }
  }
}

static void remarks_add(struct sheet *sheet, const json_t *result) {
  size_t lab_index, check_index, index;
  json_t *lab, *check, *finding, *told = json_object();
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check) {
      json_array_foreach (json_object_get(check, "findings"), index, finding) {
        const char *text = json_string_value(finding);
        if (!text || json_object_get(told, text))
          continue;
        if (json_object_size(told) == 0)
          sheet_add_freed(sheet, memory_text(_("### Remarks, which cost nothing\n\n")));
        json_object_set_new(told, text, json_true());
        scoped_text char *safe = code(text);
        sheet_add_freed(sheet, memory_format("- %s\n", safe));
      }
    }
  }
  json_decref(told);
}

char *report_markdown(const json_t *result, size_t most) {
  struct sheet sheet = {.text = memory_text(""), .most = most};
  heading_add(&sheet, result);
  warnings_add(&sheet, result);
  labs_add(&sheet, result);
  build_add(&sheet, result);
  checks_add(&sheet, result);
  remarks_add(&sheet, result);
  if (sheet.left_out) {
    scoped_text char *line = language_sentence(
        "\n**%zu more piece%s of this report would not fit here; `wiregrade report "
        "result.json` shows all.**\n",
        sheet.left_out, plural((long long)sheet.left_out));
    sheet_add(&sheet, line, 0);
  }
  return sheet.text;
}
