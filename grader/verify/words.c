#include "grader/verify/words.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <stdlib.h>
#include <string.h>

static double duration_of(const json_t *grading) {
  return json_number_value(json_object_get(grading, "duration_s"));
}

static int is_faster(const void *one, const void *other) {
  double left = duration_of(*(const json_t *const *)one),
         right = duration_of(*(const json_t *const *)other);
  return (left < right) - (left > right);
}

const json_t **slowest_gradings(const json_t *findings) {
  const json_t *gradings = json_object_get(findings, "gradings");
  const json_t **sorted = memory_zeroed(json_array_size(gradings) + 1, sizeof *sorted);
  size_t index, used = 0;
  json_t *grading;
  json_array_foreach (gradings, index, grading)
    if (json_is_true(json_object_get(grading, "ended")))
      sorted[used++] = grading;
  qsort(sorted, used, sizeof *sorted, is_faster);
  return sorted;
}

/* Of a clock's name as it stands in a document. */
const char *clock_word(const char *clock) {
  return strcmp(clock, "virtual") == 0 ? _("virtual") : _("real");
}

char *grading_words(const json_t *findings, const json_t *grading) {
  bool both = json_array_size(json_object_get(findings, "clocks")) > 1;
  bool again = result_number(findings, "runs") > 1;
  const char *submission = result_text(grading, "submission");
  const char *clock = clock_word(result_text(grading, "clock"));
  long long run = result_number(grading, "run");
  return both && again ? language_sentence("%s, %s clock, run %lld", submission, clock, run)
         : both        ? language_sentence("%s, %s clock", submission, clock)
         : again       ? language_sentence("%s, run %lld", submission, run)
                       : memory_text(submission);
}

static size_t gradings_ended(const json_t *findings) {
  size_t index, count = 0;
  json_t *grading;
  json_array_foreach (json_object_get(findings, "gradings"), index, grading)
    count += json_is_true(json_object_get(grading, "ended"));
  return count;
}

static char *of_all(long long part, long long all) {
  return part == all ? memory_text("") : language_sentence(" of %lld", all);
}

char *findings_summary(const json_t *findings) {
  long long styles = result_number(findings, "styles"),
            mutants = result_number(findings, "mutants");
  size_t deviations = json_array_size(json_object_get(findings, "deviations"));
  size_t faults = json_array_size(json_object_get(findings, "faults"));
  double duration_s = duration_of(findings);
  scoped_text char *of_styles = of_all(styles, result_number(findings, "styles_found"));
  scoped_text char *of_mutants = of_all(mutants, result_number(findings, "mutants_found"));
  scoped_text char *interrupted =
      json_is_true(json_object_get(findings, "interrupted"))
          ? language_sentence("Interrupted, %zu of %zu gradings done. ", gradings_ended(findings),
                              json_array_size(json_object_get(findings, "gradings")))
          : memory_text("");
  return language_sentence(
      "%s%lld%s styles and %lld%s mutants: %zu deviation%s, %zu error%s, in %.1f s", interrupted,
      styles, of_styles, mutants, of_mutants, deviations, deviations == 1 ? "" : "s", faults,
      faults == 1 ? "" : "s", duration_s);
}
