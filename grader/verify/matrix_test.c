#include "grader/verify/matrix.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <criterion/criterion.h>
#include <string.h>

static char *programs[] = {(char *)"udp-server", (char *)"udp-client"};
static struct requirement requirements[] = {
    {1, LEVEL_CORE, programs, 1, (char *)"", (char *)"", (char *)""},
    {2, LEVEL_CORE, programs + 1, 1, (char *)"", (char *)"", (char *)""},
};
static const struct lab lab = {(char *)"udp", (char *)"", (char *)"1",  20,
                               programs,      2,          requirements, 2};
static const struct lab *const all_labs[] = {&lab};
static struct matrix matrix;

static void matrix_make(void) {
  matrix = matrix_new(all_labs, 1);
}
static void matrix_end(void) {
  matrix_free(&matrix);
}
TestSuite(matrix, .init = matrix_make, .fini = matrix_end);

/* Requirement 1 has two checks, requirement 2 one. */
static json_t *result_with(const char *one_a, const char *one_b, const char *two) {
  return json_pack("{s:{s:b}, s:[{s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:s}]}]}",
                   "build", "ok", 1, "labs", "checks", "id", "udp.1/a", "requirement", "udp.1",
                   "status", one_a, "id", "udp.1/b", "requirement", "udp.1", "status", one_b, "id",
                   "udp.2/c", "requirement", "udp.2", "status", two);
}

static void expect_deviation(const char *wanted) {
  size_t index;
  json_t *sentence;
  json_array_foreach (matrix.deviations, index, sentence) {
    if (strstr(json_string_value(sentence), wanted))
      return;
  }
  scoped_text char *all = json_dumps(matrix.deviations, 0);
  cr_expect(false, "no '%s' in %s", wanted, all);
}

static void expect_deviations(size_t count) {
  scoped_text char *all = json_dumps(matrix.deviations, 0);
  cr_expect_eq(json_array_size(matrix.deviations), count, "not %zu: %s", count, all);
}

static void reference_add(const char *one_a, const char *one_b, const char *two) {
  json_t *result = result_with(one_a, one_b, two);
  matrix_add_reference(&matrix, result);
  json_decref(result);
}

static void mutant_add(const char *fails, const char *one_a, const char *one_b, const char *two) {
  char *names[] = {(char *)fails};
  struct mutant mutant = {
      .name = (char *)"m", .lab = (char *)"udp", .fails = names, .fail_count = 1};
  json_t *result = result_with(one_a, one_b, two);
  matrix_add_mutant(&matrix, &mutant, result);
  json_decref(result);
}

static void style_add(json_t *contained, const char *one_a, const char *one_b, const char *two) {
  json_t *result = result_with(one_a, one_b, two);
  matrix_add_style(&matrix, "python", result, all_labs, 1, contained);
  json_decref(result);
  json_decref(contained);
}

Test(matrix, all_is_as_it_must_be) {
  reference_add("pass", "pass", "pass");
  style_add(json_pack("{s:b}", "udp-client", 1), "missing", "missing", "pass");
  for (int i = 0; i < 2; i++) {
    mutant_add("udp.1", "fail", "pass", "pass");
    mutant_add("udp.2", "pass", "pass", "fail");
  }
  matrix_judge(&matrix);
  expect_deviations(0);
}

Test(matrix, the_reference_must_pass_everything) {
  reference_add("pass", "fail", "missing");
  expect_deviation("reference fails udp.1/b");
  expect_deviation("reference does not pass udp.2/c");
}

Test(matrix, a_mutant_fails_what_it_names_and_nothing_else) {
  mutant_add("udp.1", "pass", "pass", "fail");
  expect_deviation("should fail udp.1, but its verdict is pass");
  expect_deviation("does not name, and fails, udp.2/c");
  expect_deviations(2);
}

Test(matrix, a_mutant_is_shown_the_cause_that_it_names) {
  char *names[] = {(char *)"udp.1"};
  struct mutant_hint hint = {NULL, (char *)"sent twice"};
  const struct mutant mutant = {.name = (char *)"m",
                                .lab = (char *)"udp",
                                .fails = names,
                                .fail_count = 1,
                                .hints = &hint,
                                .hint_count = 1};
  json_t *result = result_with("fail", "pass", "pass");
  matrix_add_mutant(&matrix, &mutant, result);
  expect_deviation("udp/m must be shown a cause that says \"sent twice\"");
  expect_deviations(1);
  cr_expect_eq(json_array_size(matrix.hints), 1);
  json_decref(result);
}

Test(matrix, a_missing_program_is_no_failure) {
  mutant_add("udp.1", "missing", "missing", "pass");
  expect_deviation("should fail udp.1, but its verdict is missing");
}

Test(matrix, an_error_is_the_graders) {
  mutant_add("udp.1", "error", "error", "pass");
  expect_deviations(0);
  cr_expect_eq(json_array_size(matrix.faults), 2);
}

Test(matrix, a_mutant_that_names_what_is_not_checked) {
  mutant_add("udp.7", "pass", "pass", "pass");
  expect_deviation("names udp.7, which has no check");
}

Test(matrix, a_style_must_pass_what_it_contains) {
  style_add(json_pack("{s:b}", "udp-client", 1), "missing", "missing", "missing");
  expect_deviation("does not pass udp.2/c");
  expect_deviations(1);
}

Test(matrix, each_requirement_kills_two_mutants) {
  reference_add("pass", "pass", "pass");
  mutant_add("udp.1", "fail", "fail", "pass");
  matrix_judge(&matrix);
  expect_deviation("udp.1 kills 1 mutant, and must kill at least 2");
  expect_deviation("udp.2 kills 0 mutants");
}

Test(matrix, one_mutant_will_do_where_one_is_tried) {
  reference_add("pass", "pass", "pass");
  mutant_add("udp.1", "fail", "fail", "pass");
  matrix.kills_least = 1;
  matrix_judge(&matrix);
  json_t *sentence;
  size_t index;
  json_array_foreach (matrix.deviations, index, sentence)
    cr_expect_null(strstr(json_string_value(sentence), "udp.1 kills"));
  expect_deviation("udp.2 kills 0 mutants, and must kill at least 1");
}

Test(matrix, a_fault_of_a_grading_is_told) {
  json_t *result = json_pack("{s:[s]}", "faults", "the suite program cannot be run");
  matrix_add_errors(&matrix, "python", result);
  cr_expect_str_eq(json_string_value(json_array_get(matrix.faults, 0)),
                   "python: the suite program cannot be run");
  json_decref(result);
}
