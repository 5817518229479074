#include "grader/result/report_json.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/json_parts.h"
#include "grader/result/result.h"

static const char *test_status(const json_t *check) {
  switch (feedback_outcome(check)) {
  case OUTCOME_PASSED:
    return "pass";
  case OUTCOME_ERROR:
    return "error";
  default:
    return "fail";
  }
}

static json_t *test_new(const json_t *check, size_t room) {
  json_t *test = json_object();
  scoped_text char *requirement =
      feedback_line(SAFE_TERMINAL, result_text(check, "requirement"), room);
  json_put_text(test, "name", feedback_name(check, SAFE_TERMINAL), true);
  json_object_set_new(test, "status", json_string(test_status(check)));
  json_put_number(test, "score", check, "score");
  json_put_text(test, "message", feedback_of_check(check, SAFE_LOG, room), true);
  json_put_text(test, "test_code",
                json_object_get(check, "hidden_count")
                    ? memory_text("wiregrade grade .")
                    : memory_format("wiregrade grade --check %s .", requirement),
                true);
  json_object_set_new(test, "filename", json_string(""));
  json_object_set_new(test, "line_no", json_integer(0));
  json_object_set_new(test, "duration",
                      json_real(json_number_value(json_object_get(check, "real_s"))));
  return test;
}

/* The old reporter shows tests only: what concerns none of them is one, without points. */
static json_t *notice_new(const char *name, const char *status, char *message) {
  json_t *test = json_pack("{s:s, s:s, s:i}", "name", name, "status", status, "score", 0);
  json_put_text(test, "message", message, true);
  json_object_set_new(test, "test_code", json_string("wiregrade grade ."));
  json_object_set_new(test, "filename", json_string(""));
  json_object_set_new(test, "line_no", json_integer(0));
  json_object_set_new(test, "duration", json_real(0));
  return test;
}

json_t *report_classroom(const json_t *result, size_t room) {
  json_t *document = json_object(), *tests = json_array(), *lab, *check;
  size_t lab_index, check_index;
  bool error = feedback_error_count(result) > 0 || !feedback_is_whole(result);
  bool failed_build = json_is_false(json_object_get(json_object_get(result, "build"), "ok"));
  bool all = result_count(result, "pass") == result_count(result, NULL);
  if (error)
    json_array_append_new(tests, notice_new(_("the grading itself"), "error",
                                            feedback_of_result(result, SAFE_LOG, room)));
  if (failed_build)
    json_array_append_new(
        tests, notice_new(_("the build"), "fail", feedback_of_build(result, SAFE_LOG, room)));
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check)
      json_array_append_new(tests, test_new(check, room));
  }
  json_object_set_new(document, "version", json_integer(1));
  json_object_set_new(document, "status", json_string(error ? "error" : all ? "pass" : "fail"));
  json_put_number(document, "max_score", result, "max_score");
  json_object_set_new(document, "tests", tests);
  return document;
}
