#include "grader/verify/hint.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <criterion/criterion.h>
#include <string.h>

static const char general[] = "It is easily wrong.";
static char *fails[] = {(char *)"udp.1", (char *)"udp.2"};

/* What verify says of a mutant that fails udp.1 and udp.2 with these causes. */
static json_t *deviations_of(struct mutant mutant, const char *first, const char *second) {
  json_t *result =
      json_pack("{s:[{s:[{s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}]}]}",
                "labs", "checks", "id", "udp.1/a", "requirement", "udp.1", "status", "fail", "hint",
                first, "id", "udp.2/b", "requirement", "udp.2", "status", "fail", "hint", second,
                "id", "udp.3/c", "requirement", "udp.3", "status", "pass", "hint", "");
  json_t *generals = json_pack("{s:s, s:s}", "udp.1", general, "udp.2", general);
  json_t *shown = hints_shown("udp/m", result, generals), *deviations = json_array();
  cr_expect_eq(json_array_size(shown), 2);
  mutant.fails = fails;
  mutant.fail_count = 2;
  hints_judge(&mutant, "udp/m", shown, deviations);
  json_decref(shown);
  json_decref(generals);
  json_decref(result);
  return deviations;
}

/* `wanted`: what the only sentence has; NULL: none is expected. */
static void expect(const char *wanted, json_t *deviations) {
  scoped_text char *all = json_dumps(deviations, 0);
  cr_expect_eq(json_array_size(deviations), wanted ? 1 : 0, "%s", all);
  const char *sentence = json_string_value(json_array_get(deviations, 0));
  if (wanted)
    cr_expect(sentence && strstr(sentence, wanted), "no '%s' in %s", wanted, all);
  json_decref(deviations);
}

static struct mutant with_hint(const char *requirement, const char *words) {
  static struct mutant_hint hint;
  hint = (struct mutant_hint){(char *)requirement, (char *)words};
  return (struct mutant){.hints = &hint, .hint_count = 1};
}

Test(hint, may_come_with_any_requirement) {
  expect(NULL, deviations_of(with_hint(NULL, "not doubled"), "the delay is not doubled", general));
  expect(NULL, deviations_of(with_hint(NULL, "not doubled"), general, "the delay is not doubled"));
}

Test(hint, comes_with_the_requirement_that_it_names) {
  expect(NULL, deviations_of(with_hint("udp.2", "not doubled"), general, "it is not doubled"));
  expect("udp.2/b: only the lab's general hint",
         deviations_of(with_hint("udp.2", "not doubled"), "it is not doubled", general));
}

Test(hint, is_compared_without_case_and_with_white_space_folded) {
  expect(NULL, deviations_of(with_hint(NULL, "the  Delay is"), "so\n  THE delay\tis fixed", ""));
}

Test(hint, that_does_not_come_is_told_with_what_came) {
  expect("must be shown a cause that says \"twice\"; shown is\nudp.1/a: never\nudp.2/b: seldom",
         deviations_of(with_hint(NULL, "twice"), "never", "seldom"));
}

Test(hint, of_the_lab_in_general_teaches_nothing_of_the_bug) {
  expect("only the lab's general hint",
         deviations_of(with_hint(NULL, "easily wrong"), general, general));
}

Test(hint, may_not_be_missing_where_it_is_due) {
  expect(NULL, deviations_of((struct mutant){0}, general, general));
  expect("'Hint: ' is missing", deviations_of((struct mutant){.lacks_hint = true}, "a", "b"));
}
