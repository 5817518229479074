#include "grader/verify/agreement.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/result.h"
#include "grader/verify/sentence.h"

#include <string.h>

/* The member that is an object; it is made if it is not there. */
static json_t *object_in(json_t *object, const char *key) {
  json_t *member = json_object_get(object, key);
  if (!member) {
    member = json_object();
    json_object_set_new(object, key, member);
  }
  return member;
}

void agreement_add(json_t *verdicts, const char *submission, const char *clock, unsigned run,
                   double late_s, const json_t *result) {
  json_t *checks = object_in(verdicts, submission), *lab, *check;
  size_t lab_index, check_index;
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check) {
      json_t *statuses = object_in(object_in(checks, result_text(check, "id")), clock);
      const char *status = result_text(check, "status");
      if (!json_object_get(statuses, status))
        json_object_set_new(statuses, status,
                            json_pack("{s:[], s:s, s:f}", "runs", "message",
                                      result_text(check, "message"), "late_s", late_s));
      json_array_append_new(json_object_get(json_object_get(statuses, status), "runs"),
                            json_integer(run));
    }
  }
}

static size_t times_of(const json_t *verdict) {
  return json_array_size(json_object_get(verdict, "runs"));
}

static size_t times_of_all(json_t *statuses) {
  size_t sum = 0;
  const char *status;
  json_t *verdict;
  json_object_foreach (statuses, status, verdict)
    sum += times_of(verdict);
  return sum;
}

/* Of those that are equally frequent, the one that came first. */
static const char *most_frequent(json_t *statuses) {
  const char *most = NULL, *status;
  json_t *verdict;
  json_object_foreach (statuses, status, verdict)
    if (!most || times_of(verdict) > times_of(json_object_get(statuses, most)))
      most = status;
  return most;
}

static void number_add(json_t *object, const char *key, size_t number) {
  json_object_set_new(object, key, json_integer(result_number(object, key) + (json_int_t)number));
}

/* ---- runs ---- */

/* "9 times pass, once fail (run 3: MESSAGE)", in figures. */
static char *verdicts_words(json_t *statuses) {
  char *words = memory_text("");
  const char *status;
  json_t *verdict;
  json_object_foreach (statuses, status, verdict) {
    const char *message = result_text(verdict, "message");
    long long run = json_integer_value(json_array_get(json_object_get(verdict, "runs"), 0));
    char *longer = memory_format("%s%s%s %zux (%lld%s%s)", words, *words ? ", " : "", status,
                                 times_of(verdict), run, *message ? ": " : "", message);
    free(words);
    words = longer;
  }
  return words;
}

static void statuses_count(json_t *flakes, json_t *deviations, const char *submission,
                           const char *check, const char *clock, json_t *statuses) {
  size_t all = times_of_all(statuses);
  size_t changed = all - times_of(json_object_get(statuses, most_frequent(statuses)));
  json_t *of_check = object_in(json_object_get(flakes, "checks"), check);
  number_add(of_check, "verdicts", all);
  number_add(of_check, "changed", changed);
  number_add(flakes, "verdicts", all);
  number_add(flakes, "changed", changed);
  if (changed == 0)
    return;
  json_array_append_new(json_object_get(flakes, "list"),
                        json_pack("{s:s, s:s, s:s, s:O}", "submission", submission, "clock", clock,
                                  "check", check, "verdicts", statuses));
  scoped_text char *words = verdicts_words(statuses);
  sentence_add(deviations,
               "%s: the verdict of %s on the %s clock changes from run to run; behind each the "
               "first such run: %s",
               submission, check, clock, words);
}

json_t *agreement_of_runs(const json_t *verdicts, json_t *deviations) {
  json_t *flakes =
      json_pack("{s:i, s:i, s:[], s:{}}", "verdicts", 0, "changed", 0, "list", "checks");
  const char *submission, *check, *clock;
  json_t *checks, *clocks, *statuses;
  json_object_foreach ((json_t *)verdicts, submission, checks)
    json_object_foreach (checks, check, clocks)
      json_object_foreach (clocks, clock, statuses)
        statuses_count(flakes, deviations, submission, check, clock, statuses);
  return flakes;
}

/* ---- clocks ---- */

/* Real timers are late by less, and checks on the real clock allow for that. */
static const double late_at_most_s = 0.02;

static char *late_words(double late_s) {
  return late_s < late_at_most_s
             ? memory_text("")
             : language_sentence(
                   " (the machine was too busy for the real clock, and woke a process "
                   "%.2f s too late)",
                   late_s);
}

static const char *message_of(json_t *statuses, const char *status) {
  return result_text(json_object_get(statuses, status), "message");
}

static void clocks_compare(json_t *compared, json_t *deviations, const char *submission,
                           const char *check, json_t *clocks) {
  json_t *skipping = json_object_get(clocks, "virtual"), *waiting = json_object_get(clocks, "real");
  if (!skipping || !waiting)
    return;
  const char *skipped = most_frequent(skipping), *waited = most_frequent(waiting);
  number_add(compared, "compared", 1);
  if (strcmp(skipped, waited) == 0)
    return;
  const char *message =
      strcmp(waited, "pass") == 0 ? message_of(skipping, skipped) : message_of(waiting, waited);
  double late_s = json_number_value(json_object_get(json_object_get(waiting, waited), "late_s"));
  scoped_text char *late = late_words(late_s);
  number_add(compared, "differ", 1);
  json_array_append_new(json_object_get(compared, "list"),
                        json_pack("{s:s, s:s, s:s, s:s, s:s, s:f}", "submission", submission,
                                  "check", check, "virtual", skipped, "real", waited, "message",
                                  message, "late_s", late_s));
  sentence_add(deviations,
               "%s: the verdict of %s is %s on the virtual clock, and %s on the real one: %s%s",
               submission, check, skipped, waited, message, late);
}

json_t *agreement_of_clocks(const json_t *verdicts, json_t *deviations) {
  json_t *compared = json_pack("{s:i, s:i, s:[]}", "compared", 0, "differ", 0, "list");
  const char *submission, *check;
  json_t *checks, *clocks;
  json_object_foreach ((json_t *)verdicts, submission, checks)
    json_object_foreach (checks, check, clocks)
      clocks_compare(compared, deviations, submission, check, clocks);
  return compared;
}
