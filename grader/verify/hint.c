#include "grader/verify/hint.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/result.h"
#include "grader/verify/sentence.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

json_t *hints_shown(const char *name, const json_t *result, const json_t *general) {
  size_t lab_index, check_index;
  json_t *lab, *check, *shown = json_array();
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check) {
      if (feedback_outcome(check) != OUTCOME_FAILED)
        continue;
      const char *requirement = result_text(check, "requirement");
      const char *cause = result_text(check, "hint");
      json_array_append_new(
          shown, json_pack("{s:s, s:s, s:s, s:s, s:b}", "mutant", name, "check",
                           result_text(check, "id"), "requirement", requirement, "cause", cause,
                           "general", strcmp(cause, result_text(general, requirement)) == 0));
    }
  }
  return shown;
}

/* The text with one space for all white space between two words. */
static char *folded(const char *text) {
  char *copy = memory_text(""), *rest = memory_text(text), *words = rest, *word;
  while ((word = strsep(&words, " \t\n"))) {
    char *longer = *word ? memory_format("%s%s%s", copy, *copy ? " " : "", word) : NULL;
    if (!longer)
      continue;
    free(copy);
    copy = longer;
  }
  free(rest);
  return copy;
}

static bool says(const char *cause, const char *words) {
  scoped_text char *in = folded(cause), *wanted = folded(words);
  return strcasestr(in, wanted);
}

static bool concerns(const json_t *shown, const struct mutant *mutant,
                     const struct mutant_hint *hint) {
  const char *requirement = result_text(shown, "requirement");
  return hint->requirement ? strcmp(requirement, hint->requirement) == 0
                           : mutant_names(mutant, requirement);
}

static bool is_shown(const json_t *shown, const struct mutant *mutant,
                     const struct mutant_hint *hint) {
  size_t index;
  json_t *one;
  json_array_foreach (shown, index, one) {
    if (concerns(one, mutant, hint) && !json_is_true(json_object_get(one, "general")) &&
        says(result_text(one, "cause"), hint->words))
      return true;
  }
  return false;
}

/* What is shown in place of the hint, a line for each check. */
static char *shown_instead(const json_t *shown, const struct mutant *mutant,
                           const struct mutant_hint *hint) {
  char *text = memory_text("");
  size_t index;
  json_t *one;
  json_array_foreach (shown, index, one) {
    if (!concerns(one, mutant, hint))
      continue;
    bool general = json_is_true(json_object_get(one, "general"));
    char *longer =
        memory_format("%s\n%s: %s", text, result_text(one, "check"),
                      general ? _("only the lab's general hint") : result_text(one, "cause"));
    free(text);
    text = longer;
  }
  return text;
}

void hints_judge(const struct mutant *mutant, const char *name, const json_t *shown,
                 json_t *deviations) {
  if (mutant->lacks_hint)
    sentence_add(deviations,
                 "%s does not say which cause must be shown: a line 'Hint: ' is missing", name);
  for (size_t i = 0; i < mutant->hint_count; i++) {
    const struct mutant_hint *hint = &mutant->hints[i];
    if (is_shown(shown, mutant, hint))
      continue;
    scoped_text char *instead = shown_instead(shown, mutant, hint);
    if (*instead) /* if nothing failed, that is told already */
      sentence_add(deviations, "%s must be shown a cause that says \"%s\"; shown is%s", name,
                   hint->words, instead);
  }
}
