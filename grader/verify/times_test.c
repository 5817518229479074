#include "grader/verify/times.h"

#include "grader/result/result.h"

#include <criterion/criterion.h>

static json_t *result_with(const char *status, double real_s, double judged_s) {
  return json_pack("{s:[{s:[{s:s, s:s, s:s, s:f, s:f}]}]}", "labs", "checks", "id", "udp.1/a",
                   "requirement", "udp.1", "status", status, "real_s", real_s, "virtual_s",
                   judged_s);
}

static void add(json_t *checks, const char *submission, const char *clock, const char *status,
                double real_s, double judged_s) {
  json_t *result = result_with(status, real_s, judged_s);
  times_add(checks, submission, clock, result);
  json_decref(result);
}

static double seconds(const json_t *checks, const char *clock, const char *which,
                      const char *member) {
  const json_t *clocks = json_object_get(json_object_get(checks, "udp.1/a"), "clocks");
  const json_t *of_clock = json_object_get(clocks, clock);
  return json_number_value(json_object_get(json_object_get(of_clock, which), member));
}

Test(times, median_and_most_of_each_clock) {
  json_t *checks = json_object();
  add(checks, "reference", "virtual", "pass", 1, 60);
  add(checks, "python", "virtual", "pass", 4, 61);
  add(checks, "udp/twice", "virtual", "fail", 2, 10);
  add(checks, "reference", "real", "pass", 62, 62);
  add(checks, "python", "real", "pass", 64, 64);
  times_finish(checks);
  cr_expect_float_eq(seconds(checks, "virtual", "real_s", "median"), 2, 1e-9);
  cr_expect_float_eq(seconds(checks, "virtual", "real_s", "most"), 4, 1e-9);
  cr_expect_float_eq(seconds(checks, "virtual", "judged_s", "median"), 60, 1e-9);
  cr_expect_float_eq(seconds(checks, "real", "real_s", "median"), 63, 1e-9);
  const json_t *clocks = json_object_get(json_object_get(checks, "udp.1/a"), "clocks");
  const json_t *real = json_object_get(json_object_get(clocks, "virtual"), "real_s");
  cr_expect_str_eq(result_text(real, "most_of"), "python");
  cr_expect_eq(result_number(json_object_get(clocks, "virtual"), "judged"), 3);
  json_decref(checks);
}

Test(times, what_was_not_run_took_no_time) {
  json_t *checks = json_object();
  add(checks, "python", "virtual", "missing", 0, 0);
  add(checks, "python", "virtual", "error", 300, 0);
  times_finish(checks);
  const json_t *row = json_object_get(checks, "udp.1/a");
  cr_expect_str_eq(result_text(row, "requirement"), "udp.1");
  cr_expect_eq(json_object_size(json_object_get(row, "clocks")), 0);
  json_decref(checks);
}

Test(times, mutants_that_fail_a_check) {
  json_t *checks = json_object(), *failed = result_with("fail", 1, 1),
         *passed = result_with("pass", 1, 1);
  times_add_mutant(checks, "udp/twice", failed);
  times_add_mutant(checks, "udp/never", passed);
  const json_t *by = json_object_get(json_object_get(checks, "udp.1/a"), "failed_by");
  cr_expect_eq(json_array_size(by), 1);
  cr_expect_str_eq(json_string_value(json_array_get(by, 0)), "udp/twice");
  json_decref(failed);
  json_decref(passed);
  json_decref(checks);
}
