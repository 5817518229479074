#include "grader/verify/plan.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdlib.h>
#include <string.h>

const char *submission_kind_name(enum submission_kind kind) {
  static const char *const names[] = {"reference", "style", "mutant"};
  return names[kind];
}

static bool is_program(const struct lab *lab, const char *name) {
  for (unsigned i = 0; i < lab->program_count; i++)
    if (strcmp(lab->programs[i], name) == 0)
      return true;
  return false;
}

/* A patch of programs' own sources leaves the others what they are in the reference, which passes:
 * only what starts one of those programs is judged. */
static void grading_narrow(struct grading *grading, const struct mutant *mutant,
                           const struct lab *lab) {
  for (size_t i = 0; i < mutant->source_count; i++)
    if (!is_program(lab, mutant->sources[i]))
      return;
  grading->programs = mutant->sources;
  grading->program_count = mutant->source_count;
}

/* One submission, however often it is graded. */
struct submission {
  struct planned planned;
  struct grading grading;
  const char *key; /* of the grading's name */
};

struct planning {
  const struct material *material;
  const char *base;
  const char *const *clocks;
  unsigned runs;
  struct plan plan;
};

/* Mutants of a lab take about the same time; every other submission is of its own kind. */
static size_t kind_number(const struct material *material, const struct planned *planned,
                          size_t clock) {
  size_t number = 0, kinds = 1 + material->styles.count + material->lab_count;
  if (planned->kind == SUBMISSION_STYLE)
    number = 1 + (size_t)(planned->style - material->styles.styles);
  if (planned->kind == SUBMISSION_MUTANT) {
    while (strcmp(material->lab_names[number], planned->mutant->lab) != 0)
      number++;
    number += 1 + material->styles.count;
  }
  return clock * kinds + number;
}

static bool is_graded_on(const struct submission *submission, const char *clock) {
  const struct mutant *mutant = submission->planned.mutant;
  return !mutant || !mutant->virtual_only || strcmp(clock, "virtual") == 0;
}

static void submission_add(struct planning *planning, const struct submission *submission) {
  struct plan *plan = &planning->plan;
  for (size_t clock = 0; planning->clocks[clock]; clock++)
    for (unsigned run = 1;
         is_graded_on(submission, planning->clocks[clock]) && run <= planning->runs; run++) {
      struct planned *planned = &plan->planned[plan->count];
      struct grading *grading = &plan->gradings[plan->count++];
      *planned = submission->planned;
      planned->submission = memory_text(submission->planned.submission);
      planned->name = memory_format("%s.%s.%u", submission->key, planning->clocks[clock], run);
      planned->run = run;
      planned->base = clock == 0 && run == 1;
      *grading = submission->grading;
      grading->name = planned->name;
      if (planned->kind == SUBMISSION_REFERENCE && !planned->base) /* it builds: that is known */
        grading->folder = planning->base;
      grading->keeps_build =
          planned->kind == SUBMISSION_STYLE && (planning->runs > 1 || planning->clocks[1]);
      grading->clock = planning->clocks[clock];
      grading->seed = run;
      grading->stage = (unsigned)clock;
      grading->turn = run;
      grading->kind = kind_number(planning->material, planned, clock);
    }
}

static void reference_add(struct planning *planning) {
  const struct material *material = planning->material;
  const struct submission submission = {
      .planned = {.kind = SUBMISSION_REFERENCE, .submission = (char *)"reference"},
      .grading = {.folder = material->reference, .labs = material->lab_names},
      .key = "reference",
  };
  submission_add(planning, &submission);
}

static void style_add(struct planning *planning, const struct style *style) {
  const struct submission submission = {
      .planned = {.kind = SUBMISSION_STYLE, .style = style, .submission = style->name},
      .grading = {.folder = style->folder, .labs = style->labs},
      .key = style->name,
  };
  submission_add(planning, &submission);
}

static void mutant_add(struct planning *planning, const struct mutant *mutant) {
  scoped_text char *name = memory_format("%s/%s", mutant->lab, mutant->name);
  struct submission submission = {
      .planned = {.kind = SUBMISSION_MUTANT, .mutant = mutant, .submission = name},
      .grading = {.folder = planning->base, .patch = mutant->path, .labs = mutant->labs},
      .key = mutant->key,
  };
  grading_narrow(&submission.grading, mutant, material_lab(planning->material, mutant->lab));
  submission_add(planning, &submission);
}

struct plan plan_make(const struct material *material, const char *base, const char *const *clocks,
                      unsigned runs) {
  size_t most = (1 + material->styles.count + material->mutants.count) * runs, clock_count = 0;
  while (clocks[clock_count])
    clock_count++;
  most *= clock_count;
  struct planning planning = {
      .material = material,
      .base = base,
      .clocks = clocks,
      .runs = runs,
      .plan = {.planned = memory_zeroed(most, sizeof *planning.plan.planned),
               .gradings = memory_zeroed(most, sizeof *planning.plan.gradings)},
  };
  reference_add(&planning);
  for (size_t i = 0; i < material->styles.count; i++)
    style_add(&planning, &material->styles.styles[i]);
  for (size_t i = 0; i < material->mutants.count; i++)
    mutant_add(&planning, &material->mutants.mutants[i]);
  return planning.plan;
}

void plan_free(struct plan *plan) {
  for (size_t i = 0; i < plan->count; i++) {
    json_decref(plan->gradings[i].result);
    free(plan->planned[i].submission);
    free(plan->planned[i].name);
  }
  free(plan->planned);
  free(plan->gradings);
}
