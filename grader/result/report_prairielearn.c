/* PrairieLearn shows `output` in a <pre>, escaped. */
#include "grader/result/report_json.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/json_parts.h"
#include "grader/result/result.h"

static json_t *test_new(const json_t *check, size_t room) {
  json_t *test = json_object();
  json_put_text(test, "name", feedback_name(check, SAFE_TEXT_OR_MARKUP), true);
  json_put_line(test, "description", check, "text", SAFE_TEXT_OR_MARKUP, room);
  json_put_number(test, "points", check, "score");
  json_put_number(test, "max_points", check, "max_score");
  if (feedback_outcome(check) != OUTCOME_PASSED)
    json_put_line(test, "message", check, "message", SAFE_TEXT_OR_MARKUP, room);
  json_put_text(test, "output", feedback_of_check(check, SAFE_TEXT_OR_MARKUP, room), false);
  return test;
}

/* From 0 to 1: a share of what could be judged, so that errors of the grader cost nothing. */
static double score_of(const json_t *result) {
  long long score = result_number(result, "score"), most = result_number(result, "max_score");
  return most <= 0 || score <= 0 ? 0 : score >= most ? 1 : (double)score / (double)most;
}

json_t *report_prairielearn(const json_t *result, size_t room) {
  bool gradable = feedback_is_whole(result);
  json_t *document = json_object(), *tests = json_array(), *lab, *check;
  size_t lab_index, check_index;
  char *words = feedback_of_result(result, SAFE_TEXT_OR_MARKUP, room);
  json_object_set_new(document, "gradable", json_boolean(gradable));
  json_object_set_new(document, "score", json_real(gradable ? score_of(result) : 0));
  json_put_text(document, "message",
                language_sentence("Score: %lld of %lld points", result_number(result, "score"),
                                  result_number(result, "max_score")),
                true);
  if (!gradable)
    json_object_set_new(document, "format_errors", json_pack("[s]", words));
  json_put_text(document, "output", words, true);
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check)
      json_array_append_new(tests, test_new(check, room));
  }
  json_object_set_new(document, "tests", tests);
  return document;
}
