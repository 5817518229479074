#include "grader/verify/findings.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <criterion/criterion.h>
#include <string.h>

static char *programs[] = {(char *)"udp-client"};
static struct requirement requirements[] = {
    {1, LEVEL_CORE, programs, 1, (char *)"It asks <once>.", (char *)"", (char *)""}};
static const struct lab udp = {
    (char *)"udp", (char *)"A lab", (char *)"1", 20, programs, 1, requirements, 1};
static const struct lab *all_labs[] = {&udp};
static const char *names[] = {"udp", NULL};
static const char *const both[] = {"virtual", "real", NULL}, *const one[] = {"virtual", NULL};

/* A lab with the reference, a style and two mutants. */
static char *fails[] = {(char *)"udp.1"};
static struct mutant mutants[] = {
    {.name = (char *)"twice",
     .lab = (char *)"udp",
     .key = (char *)"udp-twice",
     .labs = {"udp", NULL},
     .sentence = (char *)"It asks & asks.",
     .fails = fails,
     .fail_count = 1},
    {.name = (char *)"never",
     .lab = (char *)"udp",
     .key = (char *)"udp-never",
     .labs = {"udp", NULL},
     .sentence = (char *)"It never asks.",
     .fails = fails,
     .fail_count = 1},
};

static struct style style = {
    .name = (char *)"<b>python", .folder = (char *)"/styles/python", .labs = names};

static struct material material_with_all(void) {
  style.contained = json_pack("{s:b}", "udp-client", 1);
  return (struct material){.labs = all_labs,
                           .lab_names = names,
                           .lab_count = 1,
                           .reference = (char *)"/reference",
                           .styles = {&style, 1},
                           .mutants = {mutants, 2},
                           .styles_found = 1,
                           .mutants_found = 2};
}

static json_t *result_with(const char *status) {
  return json_pack("{s:{s:b}, s:[{s:[{s:s, s:s, s:s, s:s, s:f, s:f}]}]}", "build", "ok", 1, "labs",
                   "checks", "id", "udp.1/a", "requirement", "udp.1", "status", status, "message",
                   "<script>", "real_s", .25, "virtual_s", 3.);
}

/* Every grading ends as it must. */
static void gradings_end(struct plan *plan) {
  for (size_t i = 0; i < plan->count; i++) {
    plan->gradings[i].ended = true;
    plan->gradings[i].duration_s = (double)i;
    plan->gradings[i].result =
        result_with(plan->planned[i].kind == SUBMISSION_MUTANT ? "fail" : "pass");
  }
}

static void grading_change(struct plan *plan, const char *name, const char *status) {
  for (size_t i = 0; i < plan->count; i++)
    if (strcmp(plan->gradings[i].name, name) == 0) {
      json_decref(plan->gradings[i].result);
      plan->gradings[i].result = result_with(status);
      return;
    }
  cr_assert(false, "no grading %s", name);
}

static json_t *findings_of(struct plan *plan, const struct material *material,
                           struct findings_about about) {
  about.started = "2026-11-29T12:00:00Z";
  about.jobs = 2;
  json_t *findings = findings_make(material, plan, &about);
  plan_free(plan);
  json_decref(style.contained);
  return findings;
}

static char *written(void (*report)(const json_t *findings, FILE *file), json_t *findings) {
  char *text = NULL;
  size_t length;
  FILE *file = open_memstream(&text, &length);
  report(findings, file);
  fclose(file);
  json_decref(findings);
  return text;
}

static void expect_in(const char *text, const char *wanted) {
  cr_expect(strstr(text, wanted), "no '%s' in:\n%s", wanted, text);
}

Test(plan, each_submission_on_each_clock_and_in_each_run) {
  const struct material material = material_with_all();
  struct plan plan = plan_make(&material, "/base", both, 3);
  cr_assert_eq(plan.count, 4 * 2 * 3);
  size_t base = 0;
  for (size_t i = 0; i < plan.count; i++) {
    base += plan.planned[i].base;
    cr_expect_eq(plan.gradings[i].seed, plan.planned[i].run);
    for (size_t j = 0; j < i; j++)
      cr_expect_str_neq(plan.gradings[i].name, plan.gradings[j].name);
  }
  cr_expect_eq(base, 4);
  cr_expect_str_eq(plan.gradings[0].name, "reference.virtual.1");
  cr_expect_str_eq(plan.gradings[plan.count - 1].name, "udp-never.real.3");
  cr_expect_str_eq(plan.gradings[plan.count - 1].clock, "real");
  plan_free(&plan);
  json_decref(style.contained);
}

Test(plan, what_only_shows_on_the_virtual_clock_is_graded_there) {
  const struct material material = material_with_all();
  mutants[0].virtual_only = true;
  struct plan plan = plan_make(&material, "/base", both, 1);
  mutants[0].virtual_only = false;
  cr_assert_eq(plan.count, 4 * 2 - 1);
  cr_expect_str_eq(plan.gradings[4].name, "udp-twice.virtual.1");
  cr_expect_str_eq(plan.gradings[5].name, "udp-never.virtual.1");
  plan_free(&plan);
  json_decref(style.contained);
}

Test(plan, mutants_of_a_lab_are_of_a_kind_on_each_clock) {
  const struct material material = material_with_all();
  struct plan plan = plan_make(&material, "/base", both, 1);
  const struct grading *gradings = plan.gradings; /* of each, first virtual and then real */
  cr_expect_eq(gradings[4].kind, gradings[6].kind);
  cr_expect_eq(gradings[5].kind, gradings[7].kind);
  for (size_t i = 0; i < 6; i++)
    for (size_t j = 0; j < i; j++)
      cr_expect_neq(gradings[i].kind, gradings[j].kind, "%zu and %zu", i, j);
  plan_free(&plan);
  json_decref(style.contained);
}

Test(findings, nothing_is_wrong) {
  const struct material material = material_with_all();
  struct plan plan = plan_make(&material, "/base", one, 1);
  gradings_end(&plan);
  json_t *findings =
      findings_of(&plan, &material, (struct findings_about){.clocks = one, .runs = 1});
  cr_expect(json_is_true(json_object_get(findings, "ok")));
  cr_expect_null(json_object_get(findings, "flakes"));
  cr_expect_null(json_object_get(findings, "between_clocks"));
  cr_expect_eq(json_array_size(json_object_get(findings, "submissions")), 4);
  scoped_text char *text = written(findings_print, findings);
  expect_in(text, "udp.1             pass          1/1        2");
  expect_in(text,
            "udp.1/a                                        2    0.25    0.25    3.00    3.00");
  expect_in(text, "1 styles and 2 mutants: 0 deviations, 0 errors");
  expect_in(text, "slowest  udp/never (3.0 s), udp/twice (2.0 s)");
}

Test(findings, what_no_mutant_fails_is_told) {
  const struct material material = material_with_all();
  struct plan plan = plan_make(&material, "/base", one, 1);
  gradings_end(&plan);
  grading_change(&plan, "udp-twice.virtual.1", "pass");
  grading_change(&plan, "udp-never.virtual.1", "pass");
  json_t *findings =
      findings_of(&plan, &material, (struct findings_about){.clocks = one, .runs = 1});
  const json_t *coverage = json_object_get(findings, "coverage");
  const json_t *none = json_object_get(json_object_get(coverage, "checks"), "none");
  cr_expect_str_eq(json_string_value(json_array_get(none, 0)), "udp.1/a");
  scoped_text char *text = written(findings_print, findings);
  expect_in(text, "no mutant fails the check  udp.1/a");
  expect_in(text, "- udp/twice should fail udp.1, but its verdict is pass");
  expect_in(text, "- udp.1 kills 0 mutants");
}

Test(findings, runs_and_clocks_that_disagree) {
  const struct material material = material_with_all();
  struct plan plan = plan_make(&material, "/base", both, 2);
  gradings_end(&plan);
  grading_change(&plan, "reference.virtual.2", "fail");
  grading_change(&plan, "udp-twice.real.1", "pass");
  grading_change(&plan, "udp-twice.real.2", "pass");
  json_t *findings =
      findings_of(&plan, &material, (struct findings_about){.clocks = both, .runs = 2});
  cr_expect_not(json_is_true(json_object_get(findings, "ok")));
  cr_expect_eq(json_array_size(json_object_get(findings, "deviations")), 2);
  scoped_text char *text = written(findings_print, findings);
  expect_in(text, "flake rate  1 of 16 verdicts changed in 2 runs (6.250 %)");
  expect_in(text, "both clocks  1 of 4 verdicts differ");
  expect_in(text, "On the real clock");
}

Test(findings, of_what_was_interrupted_only_what_was_seen_counts) {
  const struct material material = material_with_all();
  struct plan plan = plan_make(&material, "/base", one, 1);
  gradings_end(&plan);
  for (size_t i = 1; i < plan.count; i++) {
    json_decref(plan.gradings[i].result);
    plan.gradings[i].result = NULL;
    plan.gradings[i].ended = false;
  }
  json_t *findings = findings_of(
      &plan, &material, (struct findings_about){.clocks = one, .runs = 1, .interrupted = true});
  cr_expect_eq(json_array_size(json_object_get(findings, "deviations")), 0);
  cr_expect_eq(json_array_size(json_object_get(findings, "faults")), 0);
  cr_expect_not(json_is_true(json_object_get(findings, "ok")));
  scoped_text char *text = written(findings_print, findings);
  expect_in(text, "Interrupted, 1 of 4 gradings done.");
}

Test(findings, what_could_not_be_graded_is_an_error) {
  const struct material material = material_with_all();
  struct plan plan = plan_make(&material, "/base", both, 1);
  gradings_end(&plan);
  json_decref(plan.gradings[1].result);
  plan.gradings[1].result = NULL;
  strcpy(plan.gradings[1].failure.sentence, "it cannot be graded");
  json_t *findings =
      findings_of(&plan, &material, (struct findings_about){.clocks = both, .runs = 1});
  const json_t *faults = json_object_get(findings, "faults");
  cr_expect_str_eq(json_string_value(json_array_get(faults, 0)),
                   "reference (real clock, run 1): it cannot be graded");
  json_decref(findings);
}

Test(findings, page_obeys_nothing_of_what_it_shows) {
  const struct material material = material_with_all();
  struct plan plan = plan_make(&material, "/base", both, 2);
  gradings_end(&plan);
  grading_change(&plan, "<b>python.real.1", "fail");
  json_t *findings =
      findings_of(&plan, &material, (struct findings_about){.clocks = both, .runs = 2});
  scoped_text char *page = written(findings_page, findings);
  cr_expect_null(strstr(page, "<b>python"));
  cr_expect_null(strstr(page, "<script"));
  cr_expect_null(strstr(page, "<once>"));
  expect_in(page, "&#60;b&#62;python");
  expect_in(page, "It asks &#60;once&#62;.");
  expect_in(page, "title=\"It asks &#38; asks.\"");
  expect_in(page, "default-src 'none'");
  expect_in(page, "<td class=\"good\">✗</td>");
  expect_in(page, "twice, never");
}
