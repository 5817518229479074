#include "grader/result/hidden.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <string.h>
#include <unistd.h>

void result_hide(json_t *result,
                 bool (*hides)(const void *context, const char *check, const char *requirement),
                 const void *context, bool released) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab)
    json_array_foreach (json_object_get(lab, "checks"), check_index, check)
      if (hides(context, result_text(check, "id"), result_text(check, "requirement")))
        json_object_set_new(check, "hidden", json_true());
  json_object_set_new(result, "hidden_released", json_boolean(released));
}

static bool is_hidden(const json_t *check) {
  return json_is_true(json_object_get(check, "hidden"));
}

static bool hides_any(const json_t *result) {
  size_t lab_index, check_index;
  const json_t *lab, *check;
  if (json_is_true(json_object_get(result, "hidden_released")))
    return false;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab)
    json_array_foreach (json_object_get(lab, "checks"), check_index, check)
      if (is_hidden(check))
        return true;
  return false;
}

/* ---- the one entry for all hidden checks of a lab ---- */

struct hidden_sum {
  size_t count, passed, missing, errors;
  long long score, max_score;
};

static void sum_add(struct hidden_sum *sum, const json_t *check) {
  const char *status = result_text(check, "status");
  sum->count++;
  sum->passed += strcmp(status, "pass") == 0;
  sum->missing += strcmp(status, "missing") == 0;
  sum->errors += strcmp(status, "error") == 0;
  sum->score += result_number(check, "score");
  sum->max_score += result_number(check, "max_score");
}

static const char *sum_status(const struct hidden_sum *sum) {
  return sum->passed == sum->count    ? "pass"
         : sum->missing == sum->count ? "missing"
         : sum->errors == sum->count  ? "error"
                                      : "fail";
}

static char *sum_message(const struct hidden_sum *sum) {
  scoped_text char *errors =
      sum->errors ? language_sentence("; of %zu the grader could not tell, which costs nothing",
                                      sum->errors)
                  : memory_text("");
  return language_sentence("%zu hidden check%s, %zu passed%s", sum->count,
                           sum->count == 1 ? "" : "s", sum->passed, errors);
}

static json_t *sum_entry(const struct hidden_sum *sum, const char *lab) {
  scoped_text char *id = memory_format("%s/hidden", lab);
  scoped_text char *message = sum_message(sum);
  return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:n,"
                   " s:[], s:s, s:s, s:[], s:I, s:I}",
                   "id", id, "requirement", lab, "level", "core", "status", sum_status(sum),
                   "score", (json_int_t)sum->score, "max_score", (json_int_t)sum->max_score,
                   "message", message, "expected", "", "actual", "", "hint", "", "clock", "virtual",
                   "virtual_s", 0.0, "end_t", 0.0, "real_s", 0.0, "capture", "events", "text", "",
                   "read", "", "findings", "hidden_count", (json_int_t)sum->count, "hidden_passed",
                   (json_int_t)sum->passed);
}

static json_t *lab_for_students(json_t *lab) {
  struct hidden_sum sum = {0};
  json_t *checks = json_array(), *shown = json_copy(lab), *check;
  size_t index;
  json_array_foreach (json_object_get(lab, "checks"), index, check) {
    if (is_hidden(check))
      sum_add(&sum, check);
    else
      json_array_append(checks, check);
  }
  if (sum.count)
    json_array_append_new(checks, sum_entry(&sum, result_text(lab, "lab")));
  json_object_set_new(shown, "checks", checks);
  return shown;
}

json_t *result_for_students(json_t *result) {
  if (!hides_any(result))
    return json_incref(result);
  json_t *labs = json_array(), *shown = json_copy(result), *lab;
  size_t index;
  json_array_foreach (json_object_get(result, "labs"), index, lab)
    json_array_append_new(labs, lab_for_students(lab));
  json_object_set_new(shown, "labs", labs);
  return shown;
}

void result_remove_hidden_captures(const json_t *result) {
  size_t lab_index, check_index;
  const json_t *lab, *check;
  if (!hides_any(result))
    return;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab)
    json_array_foreach (json_object_get(lab, "checks"), check_index, check)
      if (is_hidden(check) && *result_text(check, "capture"))
        unlink(result_text(check, "capture"));
}
