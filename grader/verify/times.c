#include "grader/verify/times.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/result.h"

#include <stdlib.h>

static json_t *row_of(json_t *checks, const json_t *check) {
  const char *id = result_text(check, "id");
  json_t *row = json_object_get(checks, id);
  if (!row) {
    row = json_pack("{s:s, s:[], s:{}}", "requirement", result_text(check, "requirement"),
                    "failed_by", "clocks");
    json_object_set_new(checks, id, row);
  }
  return row;
}

static double seconds_of(const json_t *check, const char *key) {
  return json_number_value(json_object_get(check, key));
}

void times_add(json_t *checks, const char *submission, const char *clock, const json_t *result) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check) {
      json_t *clocks = json_object_get(row_of(checks, check), "clocks");
      enum outcome outcome = feedback_outcome(check);
      if (outcome != OUTCOME_PASSED && outcome != OUTCOME_FAILED)
        continue;
      if (!json_object_get(clocks, clock))
        json_object_set_new(clocks, clock,
                            json_pack("{s:[], s:[], s:[]}", "real_s", "judged_s", "of"));
      json_t *samples = json_object_get(clocks, clock);
      json_array_append_new(json_object_get(samples, "real_s"),
                            json_real(seconds_of(check, "real_s")));
      json_array_append_new(json_object_get(samples, "judged_s"),
                            json_real(seconds_of(check, "virtual_s")));
      json_array_append_new(json_object_get(samples, "of"), json_string(submission));
    }
  }
}

void times_add_mutant(json_t *checks, const char *mutant, const json_t *result) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check)
      if (feedback_outcome(check) == OUTCOME_FAILED)
        json_array_append_new(json_object_get(row_of(checks, check), "failed_by"),
                              json_string(mutant));
  }
}

static int is_more(const void *one, const void *other) {
  double left = *(const double *)one, right = *(const double *)other;
  return (left > right) - (left < right);
}

static double median_of(double *seconds, size_t count) {
  qsort(seconds, count, sizeof *seconds, is_more);
  return (seconds[count / 2] + seconds[(count - 1) / 2]) / 2;
}

static json_t *samples_sum(const json_t *samples, const json_t *of) {
  size_t count = json_array_size(samples), most = 0;
  scoped_text double *seconds = memory_zeroed(count, sizeof *seconds);
  for (size_t i = 0; i < count; i++) {
    seconds[i] = json_number_value(json_array_get(samples, i));
    most = seconds[i] > seconds[most] ? i : most;
  }
  double most_s = seconds[most];
  return json_pack("{s:f, s:f, s:O}", "median", median_of(seconds, count), "most", most_s,
                   "most_of", json_array_get(of, most));
}

void times_finish(json_t *checks) {
  const char *check, *clock;
  json_t *row, *samples;
  json_object_foreach (checks, check, row)
    json_object_foreach (json_object_get(row, "clocks"), clock, samples) {
      json_t *of = json_incref(json_object_get(samples, "of"));
      json_t *real = samples_sum(json_object_get(samples, "real_s"), of);
      json_t *judged = samples_sum(json_object_get(samples, "judged_s"), of);
      json_object_clear(samples);
      json_object_set_new(samples, "judged", json_integer((json_int_t)json_array_size(of)));
      json_object_set_new(samples, "real_s", real);
      json_object_set_new(samples, "judged_s", judged);
      json_decref(of);
    }
}
