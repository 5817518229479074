/* check50 prints these texts on a terminal, and puts them into a page without escaping them: no tag
 * can begin in any. */
#include "grader/result/report_json.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/base/version.h"
#include "grader/result/feedback.h"
#include "grader/result/json_parts.h"
#include "grader/result/result.h"

#include <stdlib.h>
#include <string.h>

static json_t *passed_new(enum outcome outcome) {
  if (outcome == OUTCOME_ERROR || outcome == OUTCOME_SKIPPED)
    return json_null();
  return json_boolean(outcome == OUTCOME_PASSED);
}

/* As an array of its lines. */
static json_t *log_new(char *text) {
  json_t *log = json_array();
  for (const char *line = text; *line;) {
    size_t length = strcspn(line, "\n");
    json_array_append_new(log, json_stringn(line, length));
    line += length + (line[length] == '\n');
  }
  free(text);
  return log;
}

static json_t *cause_new(const json_t *check, size_t room) {
  json_t *cause = json_object();
  const char *message = result_text(check, "message");
  json_put_text(
      cause, "rationale",
      feedback_line(SAFE_TEXT_OR_MARKUP, *message ? message : _("no reason is given"), room), true);
  json_put_line(cause, "help", check, "hint", SAFE_TEXT_OR_MARKUP, room);
  if (*result_text(check, "expected") && *result_text(check, "actual")) {
    json_put_line(cause, "expected", check, "expected", SAFE_TEXT_OR_MARKUP, room);
    json_put_line(cause, "actual", check, "actual", SAFE_TEXT_OR_MARKUP, room);
  }
  return cause;
}

static json_t *entry_new(const json_t *check, size_t room) {
  enum outcome outcome = feedback_outcome(check);
  json_t *entry = json_object(), *data = json_object();
  scoped_text char *name = feedback_name(check, SAFE_TEXT_OR_MARKUP);
  scoped_text char *text = feedback_line(SAFE_TEXT_OR_MARKUP, result_text(check, "text"), room);
  json_put_line(entry, "name", check, "id", SAFE_TEXT_OR_MARKUP, 200);
  if (!json_object_get(entry, "name"))
    json_object_set_new(entry, "name", json_string(_("(no name)")));
  json_put_text(entry, "description", memory_format("%s%s%s", name, *text ? ": " : "", text), true);
  json_object_set_new(entry, "passed", passed_new(outcome));
  json_object_set_new(entry, "log", log_new(feedback_of_check(check, SAFE_TEXT_OR_MARKUP, room)));
  json_object_set_new(entry, "cause",
                      outcome == OUTCOME_PASSED ? json_null() : cause_new(check, room));
  json_put_number(data, "score", check, "score");
  json_put_number(data, "max_score", check, "max_score");
  json_object_set_new(entry, "data", data);
  json_object_set_new(entry, "dependency", json_null());
  return entry;
}

/* What concerns no check by itself: null, since it is no check of the student's. */
static json_t *notice_new(const char *name, const char *description, const char *rationale,
                          char *log) {
  return json_pack("{s:s, s:s, s:n, s:o, s:{s:s}, s:{}, s:n}", "name", name, "description",
                   description, "passed", "log", log_new(log), "cause", "rationale", rationale,
                   "data", "dependency");
}

json_t *report_check50(const json_t *result, size_t room) {
  json_t *results = json_array(), *lab, *check;
  size_t lab_index, check_index;
  if (feedback_error_count(result) || !feedback_is_whole(result))
    json_array_append_new(results,
                          notice_new("grading", _("the grading itself"),
                                     _("the grader went wrong or was stopped: the log says how"),
                                     feedback_of_result(result, SAFE_TEXT_OR_MARKUP, room)));
  if (json_is_false(json_object_get(json_object_get(result, "build"), "ok")))
    json_array_append_new(results,
                          notice_new("build", _("the submission can be built"),
                                     _("the build failed; what it left is graded all the same"),
                                     feedback_of_build(result, SAFE_TEXT_OR_MARKUP, room)));
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check)
      json_array_append_new(results, entry_new(check, room));
  }
  return json_pack("{s:s, s:o, s:s}", "slug", "wiregrade", "results", results, "version",
                   WIREGRADE_VERSION);
}
