#include "grader/verify/agreement.h"

#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *verdicts, *deviations;
static double late_s;

static void lists_make(void) {
  late_s = 0;
  verdicts = json_object();
  deviations = json_array();
}
static void lists_end(void) {
  json_decref(verdicts);
  json_decref(deviations);
}
TestSuite(agreement, .init = lists_make, .fini = lists_end);

static void add(const char *submission, const char *clock, unsigned run, const char *one,
                const char *two) {
  json_t *result =
      json_pack("{s:[{s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}]}]}", "labs", "checks", "id", "udp.1/a",
                "status", one, "message", strcmp(one, "pass") == 0 ? "" : "it sends twice", "id",
                "udp.2/b", "status", two, "message", "");
  agreement_add(verdicts, submission, clock, run, late_s, result);
  json_decref(result);
}

static void expect_deviation(const char *wanted) {
  const char *sentence = json_string_value(json_array_get(deviations, 0));
  cr_expect_eq(json_array_size(deviations), 1);
  cr_assert(sentence);
  cr_expect(strstr(sentence, wanted), "no '%s' in: %s", wanted, sentence);
}

Test(agreement, verdicts_that_never_change) {
  for (unsigned run = 1; run <= 3; run++)
    add("python", "virtual", run, "pass", "fail");
  json_t *flakes = agreement_of_runs(verdicts, deviations);
  cr_expect_eq(result_number(flakes, "verdicts"), 6);
  cr_expect_eq(result_number(flakes, "changed"), 0);
  cr_expect_eq(json_array_size(json_object_get(flakes, "list")), 0);
  cr_expect_eq(json_array_size(deviations), 0);
  json_decref(flakes);
}

Test(agreement, a_verdict_that_changes_is_a_deviation) {
  add("python", "virtual", 1, "pass", "pass");
  add("python", "virtual", 2, "fail", "pass");
  add("python", "virtual", 3, "pass", "pass");
  json_t *flakes = agreement_of_runs(verdicts, deviations);
  cr_expect_eq(result_number(flakes, "changed"), 1);
  json_t *of_check = json_object_get(json_object_get(flakes, "checks"), "udp.1/a");
  cr_expect_eq(result_number(of_check, "verdicts"), 3);
  cr_expect_eq(result_number(of_check, "changed"), 1);
  json_t *entry = json_array_get(json_object_get(flakes, "list"), 0);
  cr_expect_str_eq(result_text(entry, "submission"), "python");
  expect_deviation("python: the verdict of udp.1/a on the virtual clock changes");
  expect_deviation("pass 2x (1), fail 1x (2: it sends twice)");
  json_decref(flakes);
}

Test(agreement, runs_of_one_clock_are_not_held_against_those_of_the_other) {
  add("python", "virtual", 1, "pass", "pass");
  add("python", "real", 1, "fail", "pass");
  json_t *flakes = agreement_of_runs(verdicts, deviations);
  cr_expect_eq(result_number(flakes, "changed"), 0);
  cr_expect_eq(json_array_size(deviations), 0);
  json_decref(flakes);
}

Test(agreement, both_clocks_give_the_same_verdicts) {
  add("udp/twice", "virtual", 1, "fail", "pass");
  add("udp/twice", "real", 1, "fail", "pass");
  json_t *clocks = agreement_of_clocks(verdicts, deviations);
  cr_expect_eq(result_number(clocks, "compared"), 2);
  cr_expect_eq(result_number(clocks, "differ"), 0);
  cr_expect_eq(json_array_size(deviations), 0);
  json_decref(clocks);
}

Test(agreement, a_verdict_that_differs_between_clocks_is_a_deviation) {
  add("udp/twice", "virtual", 1, "fail", "pass");
  add("udp/twice", "real", 1, "pass", "pass");
  json_t *clocks = agreement_of_clocks(verdicts, deviations);
  cr_expect_eq(result_number(clocks, "differ"), 1);
  json_t *entry = json_array_get(json_object_get(clocks, "list"), 0);
  cr_expect_str_eq(result_text(entry, "check"), "udp.1/a");
  cr_expect_str_eq(result_text(entry, "virtual"), "fail");
  cr_expect_str_eq(result_text(entry, "real"), "pass");
  expect_deviation(
      "udp/twice: the verdict of udp.1/a is fail on the virtual clock, and pass on the "
      "real one: it sends twice");
  json_decref(clocks);
}

Test(agreement, a_machine_that_was_too_busy_for_the_real_clock_is_told) {
  add("udp/twice", "virtual", 1, "pass", "pass");
  late_s = 0.25;
  add("udp/twice", "real", 1, "fail", "pass");
  json_t *clocks = agreement_of_clocks(verdicts, deviations);
  expect_deviation(
      "it sends twice (the machine was too busy for the real clock, and woke a process "
      "0.25 s too late)");
  json_t *entry = json_array_get(json_object_get(clocks, "list"), 0);
  cr_expect_float_eq(json_number_value(json_object_get(entry, "late_s")), 0.25, 1e-9);
  json_decref(clocks);
}

Test(agreement, of_clocks_is_between_the_most_frequent_verdicts) {
  add("udp/twice", "virtual", 1, "pass", "pass");
  for (unsigned run = 1; run <= 3; run++)
    add("udp/twice", "real", run, run == 1 ? "fail" : "pass", "pass");
  json_t *clocks = agreement_of_clocks(verdicts, deviations);
  cr_expect_eq(result_number(clocks, "differ"), 0);
  json_decref(clocks);
}

Test(agreement, what_was_graded_on_one_clock_only_is_not_compared) {
  add("udp/twice", "real", 1, "pass", "fail");
  json_t *clocks = agreement_of_clocks(verdicts, deviations);
  cr_expect_eq(result_number(clocks, "compared"), 0);
  json_decref(clocks);
}
