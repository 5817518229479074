/* Gradescope shows `output` as plain text, so nothing in it is markup. */
#include "grader/result/report_json.h"

#include "grader/result/feedback.h"
#include "grader/result/json_parts.h"
#include "grader/result/result.h"

static json_t *test_new(const json_t *check, size_t number, size_t room) {
  json_t *test = json_object();
  json_put_text(test, "name", feedback_name(check, SAFE_TERMINAL), true);
  json_object_set_new(test, "name_format", json_string("text"));
  json_object_set_new(test, "number", json_sprintf("%zu", number));
  json_put_number(test, "score", check, "score");
  json_put_number(test, "max_score", check, "max_score");
  /* Without it a test of 0 of 0 points would be shown as passed. */
  bool passed = feedback_outcome(check) == OUTCOME_PASSED;
  json_object_set_new(test, "status", json_string(passed ? "passed" : "failed"));
  json_put_text(test, "output", feedback_of_check(check, SAFE_TERMINAL, room), true);
  json_object_set_new(test, "output_format", json_string("text"));
  json_object_set_new(test, "visibility", json_string("visible"));
  return test;
}

json_t *report_gradescope(const json_t *result, size_t room) {
  json_t *document = json_object(), *tests = json_array(), *lab, *check;
  size_t lab_index, check_index;
  json_put_number(document, "score", result, "score");
  json_object_set_new(
      document, "execution_time",
      json_integer((json_int_t)json_number_value(json_object_get(result, "duration_s"))));
  json_put_text(document, "output", feedback_of_result(result, SAFE_TERMINAL, room), true);
  json_object_set_new(document, "output_format", json_string("text"));
  json_object_set_new(document, "test_output_format", json_string("text"));
  json_object_set_new(document, "test_name_format", json_string("text"));
  json_object_set_new(document, "visibility", json_string("visible"));
  json_object_set_new(document, "stdout_visibility", json_string("hidden"));
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check)
      json_array_append_new(tests, test_new(check, json_array_size(tests) + 1, room));
  }
  json_object_set_new(document, "tests", tests);
  json_t *extra = json_object();
  json_put_number(extra, "max_score", result, "max_score");
  json_object_set_new(extra, "grader_errors",
                      json_integer((json_int_t)feedback_error_count(result)));
  json_object_set_new(extra, "whole", json_boolean(feedback_is_whole(result)));
  json_object_set_new(document, "extra_data", extra);
  return document;
}
