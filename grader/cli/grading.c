#include "grader/cli/grading.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/interrupt.h"
#include "grader/result/hidden.h"
#include "grader/result/result.h"
#include "grader/run/run.h"
#include "grader/sandbox/sandbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct grading {
  const struct grading_spec *spec;
  struct submission *submission;
  json_t *result;
  const char *doing;     /* a lab that is being judged */
  size_t done, total;    /* checks, of all labs */
  pthread_mutex_t mutex; /* of result, progress and labs' states, as labs are judged side by side */
  pthread_cond_t advanced; /* a verdict has come, or a lab is done */
};

/* ---- building ---- */

static void building_note(void *context, const char *doing) {
  struct grading *grading = context;
  if (grading->spec->progress)
    grading->spec->progress(grading->spec->context, doing, 0, 0);
}

/* The names of all programs of some labs, each once. */
static void programs_add(struct cli_words *programs, const struct lab *lab) {
  for (unsigned i = 0; i < lab->program_count; i++)
    if (!cli_words_has(programs, lab->programs[i]))
      cli_words_add(programs, lab->programs[i]);
}

/* All labs' programs are asked for, not the chosen labs' only: whether a folder is a submission at
 * all must not depend on what is chosen. */
static enum submission_fault submission_make(struct grading *grading, struct failure *failure) {
  struct cli_words programs = {0};
  for (size_t i = 0; i < grading->spec->catalogue->count; i++)
    programs_add(&programs, grading->spec->catalogue->labs[i]);
  const struct submission_spec spec = {
      .folder = grading->spec->folder,
      .programs = programs.words,
      .program_count = programs.count,
      .limits = sandbox_default_limits(),
      .build_limit_s = grading->spec->build_limit_s,
      .languages = grading->spec->course ? grading->spec->course->languages : NULL,
      .language_count = grading->spec->course ? grading->spec->course->language_count : 0,
      .jobs = grading->spec->jobs,
      .reuse = grading->spec->reuse_builds,
      .stop = &interrupt_signal,
      .progress = building_note,
      .context = grading,
  };
  enum submission_fault fault = submission_open(&spec, &grading->submission, failure);
  free(programs.words);
  if (!fault) {
    struct submission_build build = submission_build(grading->submission);
    result_set_build(grading->result, build.ok, build.log, build.duration_s);
  }
  return fault;
}

static bool lab_is_begun(const struct grading *grading, const struct lab *lab) {
  for (unsigned i = 0; i < lab->program_count; i++)
    if (submission_attempts(grading->submission, lab->programs[i]))
      return true;
  return false;
}

/* ---- judging ---- */

/* One verdict for all, where nothing needs to be run to know it. */
static void verdicts_set(const struct chosen_lab *chosen, struct judged_check *judged,
                         const char *status, const char *message) {
  for (size_t i = 0; i < chosen->description.count; i++)
    if (chosen->wanted[i])
      judged[i].verdict = verdict_make(judged[i].id, status, message);
}

/* Of a lab that is not begun: why the first of a check's programs is missing. */
static void verdicts_set_missing(const struct grading *grading, const struct chosen_lab *chosen,
                                 struct judged_check *judged) {
  for (size_t i = 0; i < chosen->description.count; i++) {
    const json_t *programs = chosen->description.checks[i].programs;
    const char *program = json_string_value(json_array_get(programs, 0));
    const char *why = program ? submission_missing(grading->submission, program) : NULL;
    if (chosen->wanted[i])
      judged[i].verdict =
          verdict_make(judged[i].id, "missing", why ? why : "the program is missing");
  }
}

/* A lab on its way to the result. */
struct lab_judging {
  struct grading *grading;
  const struct chosen_lab *chosen;
  struct judged_check *judged; /* NULL: not yet */
  bool beside;                 /* of all others */
  bool has_thread;
  pthread_t thread;
  size_t verdicts; /* that have come, one for each check */
  bool done;
};

static void verdict_note(void *context, const json_t *verdict) {
  struct lab_judging *judging = context;
  struct grading *grading = judging->grading;
  pthread_mutex_lock(&grading->mutex);
  if (verdict) {
    bool is_another = judging->verdicts < judging->chosen->wanted_count; /* than a repeated one */
    judging->verdicts += is_another;
    grading->done += is_another;
    grading->doing = judging->chosen->lab->name;
    pthread_cond_signal(&grading->advanced);
  }
  if (grading->spec->progress)
    grading->spec->progress(grading->spec->context, grading->doing, grading->done, grading->total);
  pthread_mutex_unlock(&grading->mutex);
}

static void fault_note(void *context, const char *sentence) {
  const struct lab_judging *judging = context;
  pthread_mutex_lock(&judging->grading->mutex);
  result_add_fault(judging->grading->result, sentence);
  pthread_mutex_unlock(&judging->grading->mutex);
}

static void *lab_judge(void *context) {
  struct lab_judging *judging = context;
  struct grading *grading = judging->grading;
  const struct chosen_lab *chosen = judging->chosen;
  const struct run_spec spec = {
      .program = chosen->program,
      .manifest = submission_manifest(grading->submission),
      .clock = grading->spec->clock,
      .seed = grading->spec->seed,
      .captures = grading->spec->captures,
      .captures_of_all = grading->spec->captures_of_all,
      .jobs = grading->spec->jobs * chosen->lab->at_once,
      .stop = &interrupt_signal,
      .progress = verdict_note,
      .context = judging,
  };
  judging->judged = judged_checks(&chosen->description);
  if (!lab_is_begun(grading, chosen->lab))
    verdicts_set_missing(grading, chosen, judging->judged);
  else if (chosen->broken)
    verdicts_set(chosen, judging->judged, "error", chosen->failure.sentence);
  else
    run_lab(&spec, &chosen->description, chosen->wanted, judging->judged, fault_note);
  pthread_mutex_lock(&grading->mutex);
  judging->done = true;
  pthread_cond_signal(&grading->advanced);
  pthread_mutex_unlock(&grading->mutex);
  return NULL;
}

static void lab_begin(struct lab_judging *judging) {
  struct grading *grading = judging->grading;
  pthread_mutex_lock(&grading->mutex);
  grading->doing = judging->chosen->lab->name;
  pthread_mutex_unlock(&grading->mutex);
  judging->has_thread = pthread_create(&judging->thread, NULL, lab_judge, judging) == 0;
  if (!judging->has_thread)
    lab_judge(judging);
}

/* Checks of the labs that were begun, without those that wait in real time. */
static size_t checks_outstanding(const struct lab_judging *judgings, size_t begun) {
  size_t count = 0;
  for (size_t i = 0; i < begun; i++)
    if (!judgings[i].beside && !judgings[i].done)
      count += judgings[i].chosen->wanted_count - judgings[i].verdicts;
  return count;
}

/* Until no check of these labs is left that is not being judged. */
static void last_checks_await(struct lab_judging *judgings, size_t begun) {
  struct grading *grading = judgings[0].grading;
  pthread_mutex_lock(&grading->mutex);
  while (checks_outstanding(judgings, begun) > grading->spec->jobs)
    pthread_cond_wait(&grading->advanced, &grading->mutex);
  pthread_mutex_unlock(&grading->mutex);
}

/* Labs that wait in real time are judged beside all others, not before or after them. Of the others
 * the next one begins beside the last checks of those before it: a suite program waits for the
 * kernel when it begins, and when the worlds of its checks are closed. */
static void labs_judge(struct lab_judging *judgings, size_t count) {
  for (size_t i = 0; i < count; i++) {
    judgings[i].beside =
        judgings[i].chosen->lab->at_once > 1 && judgings[i].grading->spec->jobs > 1;
    if (judgings[i].beside)
      lab_begin(&judgings[i]);
  }
  for (size_t i = 0; i < count && !interrupt_signal; i++)
    if (!judgings[i].beside) {
      lab_begin(&judgings[i]);
      last_checks_await(judgings, i + 1);
    }
  for (size_t i = 0; i < count; i++)
    if (judgings[i].has_thread)
      pthread_join(judgings[i].thread, NULL);
}

static void labs_grade(struct grading *grading) {
  size_t count = grading->spec->selection->count;
  scoped_text struct lab_judging *judgings = memory_zeroed(count, sizeof *judgings);
  for (size_t i = 0; i < count; i++) {
    judgings[i] =
        (struct lab_judging){.grading = grading, .chosen = &grading->spec->selection->labs[i]};
    if (lab_is_begun(grading, judgings[i].chosen->lab))
      grading->total += judgings[i].chosen->wanted_count;
  }
  labs_judge(judgings, count);
  for (size_t i = 0; i < count; i++) {
    const struct chosen_lab *chosen = judgings[i].chosen;
    if (!judgings[i].judged)
      continue;
    result_add_lab(grading->result, chosen->lab, judgings[i].judged, chosen->description.count,
                   lab_is_begun(grading, chosen->lab));
    judged_checks_free(judgings[i].judged, chosen->description.count);
  }
}

static bool check_is_hidden(const void *context, const char *check, const char *requirement) {
  return course_hides(context, check, requirement);
}

/* What the course says of the sum. Of a part of the labs none is dropped. */
static void course_take(const struct grading *grading) {
  const struct course *course = grading->spec->course;
  if (!course)
    return;
  if (course->hidden_count)
    result_hide(grading->result, check_is_hidden, course, course->release_hidden);
  if (course->drop && grading->spec->selection->is_all)
    result_set_drop(grading->result, course->drop);
}

enum submission_fault grading_do(const struct grading_spec *spec, struct grading_outcome *outcome,
                                 struct failure *failure) {
  struct grading grading = {
      .spec = spec, .mutex = PTHREAD_MUTEX_INITIALIZER, .advanced = PTHREAD_COND_INITIALIZER};
  double begun_s = cli_now_s();
  *outcome = (struct grading_outcome){0};
  grading.result = result_new(spec->name, spec->clock, spec->seed);
  if (sandbox_missing())
    result_set_uncontained(grading.result, sandbox_missing());
  sandbox_user_take();
  enum submission_fault fault = submission_make(&grading, failure);
  if (!fault) {
    labs_grade(&grading);
    for (size_t i = 0; i < spec->catalogue->count; i++)
      outcome->begun = outcome->begun || lab_is_begun(&grading, spec->catalogue->labs[i]);
    outcome->built = submission_build(grading.submission).ok;
  }
  if (!fault || interrupt_signal) {
    course_take(&grading);
    result_finish(grading.result, cli_now_s() - begun_s, interrupt_signal != 0);
    outcome->result = json_incref(grading.result);
  }
  submission_close(grading.submission);
  sandbox_user_give_back();
  json_decref(grading.result);
  return fault;
}

char *grading_programs(const struct selection *selection) {
  struct cli_words programs = {0};
  for (size_t i = 0; i < selection->count; i++)
    programs_add(&programs, selection->labs[i].lab);
  char *names = cli_words_join(&programs, ", ");
  free(programs.words);
  return names;
}
