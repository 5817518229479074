#include "grader/result/report_classroom50.h"

#include "grader/result/feedback.h"
#include "grader/result/json_parts.h"
#include "grader/result/result.h"

static json_t *test_new(const json_t *check, size_t room) {
  json_t *test = json_object();
  bool passed = feedback_outcome(check) == OUTCOME_PASSED;
  json_put_text(test, "test-name", feedback_name(check, SAFE_TEXT_OR_MARKUP), true);
  json_object_set_new(test, "passed", json_boolean(passed));
  json_put_number(test, "score", check, "score");
  json_put_number(test, "max-score", check, "max_score");
  json_put_line(test, "status", check, "status", SAFE_TEXT_OR_MARKUP, 64);
  json_put_text(test, "output", feedback_of_check(check, SAFE_TEXT_OR_MARKUP, room), false);
  return test;
}

static void submitter_add(json_t *document, const struct classroom50 *about) {
  if (!*about->username)
    return;
  json_t *submitter = json_pack("{s:s}", "username", about->username);
  if (about->user_id > 0)
    json_object_set_new(submitter, "id", json_integer(about->user_id));
  json_object_set_new(document, "submitted_by", submitter);
}

json_t *report_classroom50(const json_t *result, const struct classroom50 *about, size_t room) {
  json_t *tests = json_array(), *lab, *check;
  size_t lab_index, check_index;
  json_t *document =
      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "schema",
                "classroom50/result/v1", "classroom", about->classroom, "assignment",
                about->assignment, "assignment_type", about->assignment_type, "owner", about->owner,
                "submission", about->submission, "commit", about->commit, "release", about->release,
                "review", about->review, "datetime", about->datetime);
  if (!document) /* something is not UTF-8 */
    return NULL;
  if (*about->graded_at)
    json_object_set_new(document, "graded_at", json_string(about->graded_at));
  json_put_number(document, "score", result, "score");
  json_put_number(document, "max-score", result, "max_score");
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check)
      json_array_append_new(tests, test_new(check, room));
  }
  json_object_set_new(document, "tests", tests);
  submitter_add(document, about);
  return document;
}

const char *report_classroom50_status(const json_t *result) {
  if (feedback_error_count(result) || !feedback_is_whole(result))
    return "error";
  return result_count(result, "pass") == result_count(result, NULL) ? "success" : "failure";
}
