#include "grader/run/run.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/run/suite.h"
#include "grader/sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest check's limit is 120 s of CPU; on a machine with many busy processes that may take
 * several times as long. A suite program that says nothing for longer hangs. */
enum { SILENCE_LIMIT_S = 900 };

struct lab_run {
  const struct run_spec *spec;
  const struct description *description;
  struct judged_check *judged;
  bool *wanted; /* in the run that is going on */
  void (*fault)(void *context, const char *sentence);
};

struct judged_check *judged_checks(const struct description *description) {
  struct judged_check *judged = memory_zeroed(description->count, sizeof *judged);
  for (size_t i = 0; i < description->count; i++) {
    judged[i].id = memory_text(description->checks[i].id);
    judged[i].requirement = description->checks[i].requirement;
  }
  return judged;
}

void judged_checks_free(struct judged_check *judged, size_t count) {
  for (size_t i = 0; i < count; i++) {
    free(judged[i].id);
    json_decref(judged[i].verdict);
  }
  free(judged);
}

json_t *verdict_make(const char *id, const char *status, const char *message) {
  json_t *verdict = json_pack("{s:s, s:s, s:s}", "check", id, "status", status, "message", message);
  if (!verdict) /* the message is not UTF-8 */
    verdict = json_pack("{s:s, s:s, s:s}", "check", id, "status", status, "message", "");
  return verdict;
}

static bool verdict_is_error(const json_t *verdict) {
  return strcmp(result_text(verdict, "status"), "error") == 0;
}

static bool status_is_known(const char *status) {
  static const char *const known[] = {"pass", "fail", "missing", "skipped", "error"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(status, known[i]) == 0)
      return true;
  return false;
}

/* The first verdict of a check stands. A second that says otherwise shows that the check is broken:
 * neither of the two can be believed. */
static void verdict_take(void *context, json_t *verdict) {
  struct lab_run *run = context;
  const char *id = result_text(verdict, "check"), *status = result_text(verdict, "status");
  size_t i = 0;
  while (i < run->description->count && strcmp(run->description->checks[i].id, id) != 0)
    i++;
  if (i == run->description->count || !run->wanted[i] || !status_is_known(status)) {
    scoped_text char *sentence =
        language_sentence("%s sent a verdict '%.40s' for '%.80s', which was not asked for",
                          run->spec->program, status, id);
    run->fault(run->spec->context, sentence);
    return;
  }
  struct judged_check *judged = &run->judged[i];
  if (!judged->verdict) {
    judged->verdict = json_incref(verdict);
    if (run->spec->progress)
      run->spec->progress(run->spec->context, verdict);
  } else if (strcmp(result_text(judged->verdict, "status"), status) != 0) {
    json_decref(judged->verdict);
    judged->verdict = verdict_make(id, "error", _("The check gave two different verdicts."));
  }
}

static void run_tick(void *context) {
  const struct lab_run *run = context;
  if (run->spec->progress)
    run->spec->progress(run->spec->context, NULL);
}

/* The names of the tests that are wanted, or of none if all are: that is what the suite program
 * takes. */
static char **arguments_make(const struct lab_run *run, const char *jobs) {
  const struct description *description = run->description;
  char **argv = memory_zeroed(description->count + 4, sizeof *argv);
  size_t used = 0, wanted = 0;
  argv[used++] = (char *)run->spec->program;
  argv[used++] = "--checks";
  argv[used++] = (char *)jobs;
  for (size_t i = 0; i < description->count; i++)
    wanted += run->wanted[i];
  for (size_t i = 0; i < description->count && wanted < description->count; i++)
    if (run->wanted[i])
      argv[used++] = description->checks[i].test;
  return argv;
}

/* Runs the suite program once, for the checks that are wanted. */
static int suite_run_once(struct lab_run *run, struct suite_outcome *outcome,
                          struct failure *failure) {
  const struct run_spec *spec = run->spec;
  scoped_text char *manifest = memory_format("WIREGRADE_MANIFEST=%s", spec->manifest);
  scoped_text char *clock = memory_format("WIREGRADE_CLOCK=%s", spec->clock);
  scoped_text char *seed = memory_format("WIREGRADE_SEED=%u", spec->seed);
  const char *set = getenv(SANDBOX_LIMITS_VARIABLE);
  scoped_text char *limits = memory_format(SANDBOX_LIMITS_VARIABLE "=%s", set ? set : "");
  scoped_text char *user = memory_format(SANDBOX_USER_VARIABLE "=%u", sandbox_user());
  const char *open =
      sandbox_is_open() ? SANDBOX_OPEN_VARIABLE "=1" : NULL; /* the last: it may be none */
  scoped_text char *captures =
      memory_format("WIREGRADE_CAPTURES=%s", spec->captures ? spec->captures : "");
  scoped_text char *all =
      memory_format("WIREGRADE_CAPTURES_OF_ALL=%s", spec->captures_of_all ? "1" : "");
  scoped_text char *files = language_files();
  scoped_text char *language = memory_format("WIREGRADE_LANG=%s", language_name());
  scoped_text char *messages = memory_format("WIREGRADE_MESSAGES=%s", files);
  scoped_text char *jobs = memory_format("%u", spec->jobs ? spec->jobs : 1);
  scoped_text char **argv = arguments_make(run, jobs);
  struct suite_spec suite = {
      .program = spec->program,
      .argv = argv,
      .environment = (const char *const[]){manifest, clock, seed, limits, captures, all, user,
                                           language, messages, open, NULL},
      .wants_verdicts = true,
      .silence_limit_s = spec->silence_limit_s > 0 ? spec->silence_limit_s : SILENCE_LIMIT_S,
      .stop = spec->stop,
      .take_verdict = verdict_take,
      .tick = run_tick,
      .context = run,
  };
  return suite_run(&suite, outcome, failure);
}

/* The last line of a text that is not empty. */
static char *last_line(const char *text) {
  size_t end = strlen(text);
  while (end > 0 && strchr(" \n\r\t", text[end - 1]))
    end--;
  size_t begin = end;
  while (begin > 0 && text[begin - 1] != '\n')
    begin--;
  return memory_format("%.*s", (int)(end - begin), text + begin);
}

static char *no_verdict_words(const struct suite_outcome *outcome, const char *sentence) {
  if (*sentence)
    return memory_text(sentence);
  scoped_text char *words = suite_outcome_words(outcome);
  scoped_text char *line = last_line(outcome->complaint);
  return language_sentence("The suite program gave no verdict; it %s%s%s", words,
                           *line ? ": " : ".", line);
}

static bool is_stopped(const struct lab_run *run) {
  return run->spec->stop && *run->spec->stop;
}

/* Once more, alone. Its first verdict, if there is one, is kept for the case that the second run
 * gives none. */
static void check_retry(struct lab_run *run, size_t index) {
  struct judged_check *judged = &run->judged[index];
  json_t *first = steal_pointer(&judged->verdict);
  memset(run->wanted, 0, run->description->count * sizeof *run->wanted);
  run->wanted[index] = true;
  struct suite_outcome outcome = {0};
  struct failure failure = {""};
  suite_run_once(run, &outcome, &failure);
  if (!judged->verdict && !is_stopped(run)) {
    scoped_text char *words = no_verdict_words(&outcome, failure.sentence);
    judged->verdict = first ? json_incref(first) : verdict_make(judged->id, "error", words);
  }
  json_decref(first);
  suite_outcome_free(&outcome);
}

static size_t unjudged_count(const struct lab_run *run) {
  size_t count = 0;
  for (size_t i = 0; i < run->description->count; i++)
    count += !run->judged[i].verdict;
  return count;
}

/* The whole suite program gave not one verdict: to retry each check alone would only take long.
 * Once more as a whole. */
static void whole_retry(struct lab_run *run) {
  struct suite_outcome outcome = {0};
  struct failure failure = {""};
  suite_run_once(run, &outcome, &failure);
  scoped_text char *words = no_verdict_words(&outcome, failure.sentence);
  for (size_t i = 0; i < run->description->count && !is_stopped(run); i++)
    if (!run->judged[i].verdict)
      run->judged[i].verdict = verdict_make(run->judged[i].id, "error", words);
  suite_outcome_free(&outcome);
}

void run_lab(const struct run_spec *spec, const struct description *description, const bool *wanted,
             struct judged_check *judged, void (*fault)(void *context, const char *sentence)) {
  size_t count = description->count;
  scoped_text bool *asked = memory_zeroed(count, sizeof *asked);
  scoped_text bool *wanted_now = memory_zeroed(count, sizeof *wanted_now);
  size_t asked_count = 0;
  for (size_t i = 0; i < count; i++)
    asked_count += asked[i] = wanted_now[i] = !wanted || wanted[i];
  struct lab_run run = {spec, description, judged, wanted_now, fault};

  if (asked_count > 0) {
    struct suite_outcome outcome = {0};
    struct failure failure = {""};
    suite_run_once(&run, &outcome, &failure);
    suite_outcome_free(&outcome);
    if (unjudged_count(&run) == count && asked_count == count && !is_stopped(&run)) {
      whole_retry(&run);
      return;
    }
  }
  for (size_t i = 0; i < count && !is_stopped(&run); i++)
    if (asked[i] && (!judged[i].verdict || verdict_is_error(judged[i].verdict)))
      check_retry(&run, i);
}
