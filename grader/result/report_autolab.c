#include "grader/result/report_json.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/json_parts.h"
#include "grader/result/result.h"

#include <stdlib.h>

/* A name that the object does not have yet: a second one would take the first one's place. */
static char *name_free(const json_t *object, const char *wanted) {
  char *name = memory_text(*wanted ? wanted : _("(no name)"));
  for (unsigned number = 2; json_object_get(object, name); number++) {
    free(name);
    name = memory_format("%s (%u)", wanted, number);
  }
  return name;
}

static json_t *stage_of_build(const json_t *result, size_t room) {
  const json_t *build = json_object_get(result, "build");
  json_t *compile = json_object(), *stage = json_object();
  json_object_set_new(compile, "passed",
                      json_boolean(!json_is_false(json_object_get(build, "ok"))));
  json_put_text(compile, "hint", feedback_of_build(result, SAFE_TEXT_OR_MARKUP, room), false);
  json_object_set_new(stage, "compile", compile);
  return stage;
}

static json_t *stage_of_lab(const json_t *lab, size_t room) {
  json_t *stage = json_object(), *check;
  size_t index;
  foreach_check (lab, index, check) {
    scoped_text char *name = feedback_name(check, SAFE_TEXT_OR_MARKUP);
    scoped_text char *key = name_free(stage, name);
    json_t *test = json_object();
    json_object_set_new(test, "passed", json_boolean(feedback_outcome(check) == OUTCOME_PASSED));
    json_put_text(test, "hint", feedback_of_check(check, SAFE_TEXT_OR_MARKUP, room), false);
    json_object_set_new(stage, key, test);
  }
  return stage;
}

static bool lab_is_judged(const json_t *lab) {
  size_t index;
  json_t *check;
  foreach_check (lab, index, check) {
    if (feedback_outcome(check) == OUTCOME_ERROR)
      return false;
  }
  return true;
}

/* Whatever keeps a score from being given is a stage of its own, and so the first that is seen. */
static json_t *stage_of_result(const json_t *result, size_t room) {
  json_t *whole = json_object(), *stage = json_object();
  bool passed = feedback_is_whole(result) && feedback_error_count(result) == 0;
  json_object_set_new(whole, "passed", json_boolean(passed));
  json_put_text(whole, "hint", feedback_of_result(result, SAFE_TEXT_OR_MARKUP, room), true);
  json_object_set_new(stage, "the grader itself", whole);
  return stage;
}

static void stage_add(json_t *presentation, const char *wanted, json_t *stage) {
  scoped_text char *name = name_free(presentation, wanted);
  json_array_append_new(json_object_get(presentation, "stages"), json_string(name));
  json_object_set_new(presentation, name, stage);
}

json_t *report_autolab(const json_t *result, size_t room) {
  json_t *presentation = json_pack("{s:s, s:[]}", "_presentation", "semantic", "stages");
  json_t *scores = json_object(), *lab;
  size_t index;
  stage_add(presentation, _("Grading"), stage_of_result(result, room));
  stage_add(presentation, _("Build"), stage_of_build(result, room));
  foreach_lab (result, index, lab) {
    scoped_text char *problem =
        feedback_line(SAFE_TEXT_OR_MARKUP, result_text(lab, "lab"), room + 64);
    stage_add(presentation, problem, stage_of_lab(lab, room));
    if (feedback_is_whole(result) && lab_is_judged(lab))
      json_put_number(scores, problem, lab, "score");
  }
  json_t *autoresult = json_pack("{s:o}", "scores", scores);
  if (feedback_is_whole(result))
    json_object_set_new(autoresult, "scoreboard",
                        json_pack("[I]", (json_int_t)result_number(result, "score")));
  return json_pack("[o, o]", presentation, autoresult);
}
