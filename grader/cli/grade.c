/* wiregrade grade: builds a submission, runs the labs' checks, reports. */
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/cli.h"
#include "grader/cli/interrupt.h"
#include "grader/result/file.h"
#include "grader/result/progress.h"
#include "grader/result/report_junit.h"
#include "grader/result/report_tap.h"
#include "grader/result/report_text.h"
#include "grader/run/run.h"
#include "grader/sandbox/sandbox.h"
#include "grader/submission/submission.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct grade_options {
  struct cli_words labs, checks;
  const char *clock, *json, *junit, *submission;
  unsigned jobs, seed;
  bool tap;
};

struct grade {
  const struct grade_options *options;
  struct places places;
  struct catalogue catalogue;
  struct submission *submission;
  json_t *result;
  struct progress progress;
  size_t done, total; /* checks of the lab that is being judged */
  char doing[128];
  double begun_s;
};

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- what is to be judged ---- */

/* "udp.6" is all its checks, "udp.6/gaps" the one. */
static bool check_is_named(const struct lab *lab, const struct check_description *check,
                           const char *name) {
  if (strcmp(name, check->id) == 0)
    return true;
  scoped_text char *requirement = memory_format("%s.%u", lab->name, check->requirement);
  return strcmp(name, requirement) == 0;
}

/* A lab is chosen by --lab, or by a --check of it; without either all are. */
static bool lab_is_chosen(const struct grade *grade, const struct lab *lab) {
  const struct cli_words *labs = &grade->options->labs, *checks = &grade->options->checks;
  if (cli_words_has(labs, lab->name) || (labs->count == 0 && checks->count == 0))
    return true;
  size_t length = strlen(lab->name);
  for (size_t i = 0; i < checks->count; i++)
    if (strncmp(checks->words[i], lab->name, length) == 0 && checks->words[i][length] == '.')
      return true;
  return false;
}

/* Without a --check of this lab all its checks are wanted. */
static bool *checks_wanted(const struct grade *grade, const struct lab *lab,
                           const struct description *description) {
  const struct cli_words *names = &grade->options->checks;
  bool *wanted = memory_zeroed(description->count, sizeof *wanted);
  size_t length = strlen(lab->name);
  bool all = true;
  for (size_t i = 0; i < names->count; i++) {
    const char *name = names->words[i];
    if (strncmp(name, lab->name, length) != 0 || name[length] != '.')
      continue;
    all = false;
    for (size_t j = 0; j < description->count; j++)
      wanted[j] = wanted[j] || check_is_named(lab, &description->checks[j], name);
  }
  for (size_t j = 0; all && j < description->count; j++)
    wanted[j] = true;
  return wanted;
}

static bool lab_is_begun(const struct grade *grade, const struct lab *lab) {
  for (unsigned i = 0; i < lab->program_count; i++)
    if (submission_has(grade->submission, lab->programs[i]))
      return true;
  return false;
}

/* ---- judging ---- */

static void progress_note(void *context, const json_t *verdict) {
  struct grade *grade = context;
  grade->done += verdict != NULL;
  progress_show(&grade->progress, grade->doing, grade->done, grade->total);
}

static void fault_note(void *context, const char *sentence) {
  struct grade *grade = context;
  result_add_fault(grade->result, sentence);
}

/* A lab whose suite program cannot even describe itself: each of its requirements is an error. */
static void lab_add_broken(struct grade *grade, const struct lab *lab, const char *sentence) {
  struct judged_check *judged = memory_zeroed(lab->requirement_count, sizeof *judged);
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    unsigned number = lab->requirements[i].number;
    judged[i].id = memory_format("%s.%u", lab->name, number);
    judged[i].requirement = number;
    judged[i].verdict = verdict_make(judged[i].id, "error", sentence);
  }
  result_add_lab(grade->result, lab, judged, lab->requirement_count, true);
  judged_checks_free(judged, lab->requirement_count);
}

/* Nothing of it is there: no need to run it to know what the verdicts are. */
static void verdicts_not_begun(const struct description *description, const bool *wanted,
                               struct judged_check *judged) {
  for (size_t i = 0; i < description->count; i++)
    if (wanted[i])
      judged[i].verdict = verdict_make(judged[i].id, "missing",
                                       "The submission has no program of this lab.");
}

static void lab_grade(struct grade *grade, const struct lab *lab) {
  struct failure failure;
  struct description description;
  scoped_text char *program = place_program(&grade->places, lab->name);
  if (describe(program, lab, &description, &failure)) {
    lab_add_broken(grade, lab, failure.sentence);
    return;
  }
  scoped_text bool *wanted = checks_wanted(grade, lab, &description);
  struct judged_check *judged = judged_checks(&description);
  bool begun = lab_is_begun(grade, lab);
  snprintf(grade->doing, sizeof grade->doing, "%s", lab->name);
  grade->done = grade->total = 0;
  for (size_t i = 0; i < description.count; i++)
    grade->total += wanted[i];
  struct run_spec spec = {
      .program = program,
      .manifest = submission_manifest(grade->submission),
      .clock = grade->options->clock,
      .seed = grade->options->seed,
      .jobs = grade->options->jobs,
      .stop = &interrupt_signal,
      .progress = progress_note,
      .context = grade,
  };
  if (begun)
    run_lab(&spec, &description, wanted, judged, fault_note);
  else
    verdicts_not_begun(&description, wanted, judged);
  result_add_lab(grade->result, lab, judged, description.count, begun);
  judged_checks_free(judged, description.count);
  description_free(&description);
}

/* ---- before and after ---- */

/* The names of --lab and --check, corrected or complained about. */
static int names_check(const struct grade *grade, struct grade_options *options) {
  if (cli_labs_check(&grade->catalogue, &options->labs))
    return -1;
  for (size_t i = 0; i < options->checks.count; i++) {
    struct failure failure;
    const struct lab *lab;
    const struct requirement *requirement;
    if (catalogue_requirement(&grade->catalogue, options->checks.words[i], &lab, &requirement,
                              &failure)) {
      cli_complain(failure.sentence);
      return -1;
    }
  }
  return 0;
}

static int outputs_write(const struct grade *grade) {
  struct failure failure;
  int outcome = 0;
  if (grade->options->json && result_write(grade->result, grade->options->json, &failure)) {
    cli_complain(failure.sentence);
    outcome = -1;
  }
  if (grade->options->junit &&
      report_write(grade->result, report_junit, grade->options->junit, &failure)) {
    cli_complain(failure.sentence);
    outcome = -1;
  }
  if (grade->options->tap) {
    report_tap(grade->result, stdout);
  } else {
    struct page page = page_for(stdout);
    report_text(grade->result, &page);
  }
  return outcome;
}

static int grade_status(const struct grade *grade) {
  if (interrupt_signal)
    return 128 + interrupt_signal;
  const json_t *result = grade->result;
  if (result_count(result, "error") || json_array_size(json_object_get(result, "faults")))
    return CLI_ERROR;
  size_t passed = result_count(result, "pass"), all = result_check_count(result);
  return passed == all ? CLI_PASSED : CLI_FAILED;
}
