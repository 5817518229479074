#include "grader/verify/findings.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"
#include "grader/verify/agreement.h"
#include "grader/verify/matrix.h"
#include "grader/verify/times.h"

#include <string.h>

/* What is being made. */
struct findings {
  const struct material *material;
  const struct plan *plan;
  const struct findings_about *about;
  struct matrix matrix;
  json_t *checks, *verdicts, *submissions, *gradings;
};

static bool has_several(const struct findings_about *about) {
  return about->runs > 1 || about->clocks[1];
}

/* The submission, and which grading of it that was if there are several. */
static char *name_of(const struct findings *findings, size_t index) {
  const struct planned *planned = &findings->plan->planned[index];
  const char *clock = findings->plan->gradings[index].clock;
  return has_several(findings->about)
             ? language_sentence("%s (%s clock, run %u)", planned->submission, clock, planned->run)
             : memory_text(planned->submission);
}

static json_t *submission_json(const struct planned *planned, const json_t *result) {
  json_t *fails = json_array();
  for (size_t i = 0; planned->mutant && i < planned->mutant->fail_count; i++)
    json_array_append_new(fails, json_string(planned->mutant->fails[i]));
  return json_pack("{s:s, s:s, s:s, s:o*, s:o, s:o}", "name", planned->submission, "kind",
                   submission_kind_name(planned->kind), "lab",
                   planned->mutant ? planned->mutant->lab : "", "sentence",
                   planned->mutant ? json_string(planned->mutant->sentence) : NULL, "fails", fails,
                   "statuses", matrix_statuses(result));
}

/* Of the first run on the first clock: how it did in each requirement. */
static void base_add(struct findings *findings, const struct planned *planned,
                     const json_t *result) {
  const struct material *material = findings->material;
  if (planned->kind == SUBMISSION_REFERENCE)
    matrix_add_reference(&findings->matrix, result);
  else if (planned->kind == SUBMISSION_STYLE)
    matrix_add_style(&findings->matrix, planned->submission, result, material->labs,
                     material->lab_count, planned->style->contained);
  else
    matrix_add_mutant(&findings->matrix, planned->mutant, result);
  if (planned->kind == SUBMISSION_MUTANT)
    times_add_mutant(findings->checks, planned->submission, result);
  json_array_append_new(findings->submissions, submission_json(planned, result));
}

static void grading_add(struct findings *findings, size_t index) {
  const struct planned *planned = &findings->plan->planned[index];
  const struct grading *grading = &findings->plan->gradings[index];
  json_array_append_new(findings->gradings,
                        json_pack("{s:s, s:s, s:s, s:i, s:f, s:f, s:b}", "name", grading->name,
                                  "submission", planned->submission, "clock", grading->clock, "run",
                                  (int)planned->run, "duration_s", grading->duration_s, "late_s",
                                  grading->late_s, "ended", grading->ended));
  if (!grading->ended)
    return;
  scoped_text char *name = name_of(findings, index);
  if (!grading->result) {
    matrix_add_fault(&findings->matrix, name, grading->failure.sentence);
    return;
  }
  if (planned->base)
    base_add(findings, planned, grading->result);
  else
    matrix_add_errors(&findings->matrix, name, grading->result);
  times_add(findings->checks, planned->submission, grading->clock, grading->result);
  agreement_add(findings->verdicts, planned->submission, grading->clock, planned->run,
                grading->late_s, grading->result);
}

/* Of the rows those that no mutant fails, and those that only one does. */
static json_t *coverage_of(const json_t *rows, const char *member) {
  json_t *none = json_array(), *one = json_array(), *row;
  const char *name;
  json_object_foreach ((json_t *)rows, name, row) {
    size_t kills = json_array_size(json_object_get(row, member));
    if (kills <= 1)
      json_array_append_new(kills ? one : none, json_string(name));
  }
  return json_pack("{s:o, s:o}", "none", none, "one", one);
}

static json_t *labs_json(const struct material *material) {
  json_t *labs = json_array();
  for (size_t i = 0; i < material->lab_count; i++)
    json_array_append_new(labs, json_pack("{s:s, s:s}", "lab", material->labs[i]->name, "title",
                                          material->labs[i]->title));
  return labs;
}

static void texts_add(json_t *requirements, const struct material *material) {
  for (size_t i = 0; i < material->lab_count; i++)
    for (unsigned j = 0; j < material->labs[i]->requirement_count; j++) {
      const struct requirement *requirement = &material->labs[i]->requirements[j];
      scoped_text char *name = memory_format("%s.%u", material->labs[i]->name, requirement->number);
      json_object_set_new(json_object_get(requirements, name), "text",
                          json_string(requirement->text));
    }
}

static void about_add(json_t *document, const struct findings *findings) {
  const struct findings_about *about = findings->about;
  json_t *clocks = json_array();
  for (size_t i = 0; about->clocks[i]; i++)
    json_array_append_new(clocks, json_string(about->clocks[i]));
  json_t *members = json_pack(
      "{s:s, s:s, s:b, s:s, s:f, s:o, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:o}", "schema",
      "wiregrade/verify/v2", "lang", language_name(), "interrupted", about->interrupted, "started",
      about->started, "duration_s", about->duration_s, "clocks", clocks, "runs", (int)about->runs,
      "jobs", (int)about->jobs, "mutants_each", (int)about->mutants_each, "styles",
      (json_int_t)findings->material->styles.count, "styles_found",
      (json_int_t)findings->material->styles_found, "mutants",
      (json_int_t)findings->material->mutants.count, "mutants_found",
      (json_int_t)findings->material->mutants_found, "kills_least",
      (json_int_t)findings->matrix.kills_least, "labs", labs_json(findings->material));
  json_object_update(document, members);
  json_decref(members);
}

static json_t *document_make(struct findings *findings) {
  struct matrix *matrix = &findings->matrix;
  json_t *document = json_object();
  about_add(document, findings);
  json_object_set(document, "submissions", findings->submissions);
  json_object_set(document, "requirements", matrix->requirements);
  json_object_set(document, "checks", findings->checks);
  json_object_set_new(document, "coverage",
                      json_pack("{s:o, s:o}", "requirements",
                                coverage_of(matrix->requirements, "killed_by"), "checks",
                                coverage_of(findings->checks, "failed_by")));
  if (findings->about->runs > 1)
    json_object_set_new(document, "flakes",
                        agreement_of_runs(findings->verdicts, matrix->deviations));
  if (findings->about->clocks[1])
    json_object_set_new(document, "between_clocks",
                        agreement_of_clocks(findings->verdicts, matrix->deviations));
  json_object_set(document, "hints", matrix->hints);
  json_object_set(document, "deviations", matrix->deviations);
  json_object_set(document, "faults", matrix->faults);
  json_object_set(document, "gradings", findings->gradings);
  bool ok = !findings->about->interrupted && json_array_size(matrix->deviations) == 0 &&
            json_array_size(matrix->faults) == 0;
  json_object_set_new(document, "ok", json_boolean(ok));
  return document;
}

json_t *findings_make(const struct material *material, const struct plan *plan,
                      const struct findings_about *about) {
  struct findings findings = {
      .material = material,
      .plan = plan,
      .about = about,
      .matrix = matrix_new(material->labs, material->lab_count),
      .checks = json_object(),
      .verdicts = json_object(),
      .submissions = json_array(),
      .gradings = json_array(),
  };
  if (about->mutants_each > 0 && about->mutants_each < findings.matrix.kills_least)
    findings.matrix.kills_least = about->mutants_each; /* no more than are tried */
  for (size_t i = 0; i < plan->count; i++)
    grading_add(&findings, i);
  if (about->interrupted) /* what was not tried is no deviation */
    findings.matrix.kills_least = 0;
  else
    matrix_judge(&findings.matrix);
  times_finish(findings.checks);
  texts_add(findings.matrix.requirements, material);
  json_t *document = document_make(&findings);
  matrix_free(&findings.matrix);
  json_decref(findings.checks);
  json_decref(findings.verdicts);
  json_decref(findings.submissions);
  json_decref(findings.gradings);
  return document;
}
