/* What students see of hidden checks. */
#include "grader/result/hidden.h"

#include "grader/result/report_junit.h"
#include "grader/result/report_text.h"
#include "grader/result/result.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static json_t *check_make(const char *id, const char *status, int score, int most) {
  return json_pack("{s:s, s:s#, s:s, s:s, s:i, s:i, s:s, s:[], s:s}", "id", id, "requirement", id,
                   (int)strcspn(id, "/"), "level", "core", "status", status, "score", score,
                   "max_score", most, "message", "a secret word", "events", "actual",
                   "a secret word");
}

static bool hides(const void *context, const char *check, const char *requirement) {
  return strcmp(context, check) == 0 || strcmp(context, requirement) == 0;
}

static json_t *result_make(const char *hidden, bool released) {
  json_t *result = result_new("mine", "virtual", 1);
  json_array_append_new(json_object_get(result, "labs"),
                        json_pack("{s:s, s:s, s:i, s:i, s:b, s:[o, o, o]}", "lab", "udp", "title",
                                  "UDP", "score", 14, "max_score", 24, "begun", 1, "checks",
                                  check_make("udp.1/open", "pass", 7, 7),
                                  check_make("udp.6/first", "pass", 7, 7),
                                  check_make("udp.6/second", "fail", 0, 10)));
  result_hide(result, hides, hidden, released);
  result_finish(result, 1, false);
  return result;
}

Test(hidden, checks_are_one_number_for_students) {
  json_t *result = result_make("udp.6", false);
  json_t *shown = result_for_students(result);
  const json_t *lab = json_array_get(json_object_get(shown, "labs"), 0);
  const json_t *checks = json_object_get(lab, "checks");
  cr_assert_eq(json_array_size(checks), 2);
  const json_t *sum = json_array_get(checks, 1);
  cr_expect_str_eq(result_text(sum, "message"), "2 hidden checks, 1 passed");
  cr_expect_str_eq(result_text(sum, "status"), "fail");
  cr_expect_eq(result_number(sum, "score"), 7);
  cr_expect_eq(result_number(sum, "max_score"), 17);
  cr_expect_eq(result_number(shown, "score"), 14, "the score is the one that counts");
  cr_expect_eq(result_number(shown, "max_score"), 24);
  char *text = json_dumps(sum, 0);
  cr_expect_null(strstr(text, "secret"));
  cr_expect_null(strstr(text, "udp.6"));
  cr_expect_eq(result_count(result, NULL), 3, "the document itself is as it was");
  free(text);
  json_decref(shown);
  json_decref(result);
}

Test(hidden, a_single_check_can_be_hidden) {
  json_t *result = result_make("udp.6/first", false);
  json_t *shown = result_for_students(result);
  cr_expect_eq(result_count(shown, NULL), 3);
  cr_expect_eq(result_count(shown, "pass"), 2);
  json_decref(shown);
  json_decref(result);
}

Test(hidden, what_is_released_is_shown) {
  json_t *result = result_make("udp.6", true);
  json_t *shown = result_for_students(result);
  cr_expect_eq(result_count(shown, NULL), 3);
  json_decref(shown);
  json_decref(result);
}

Test(hidden, no_report_tells_more) {
  json_t *result = result_make("udp.6", false);
  json_t *shown = result_for_students(result);
  char *text = NULL;
  size_t length;
  FILE *file = open_memstream(&text, &length);
  struct page page = {.file = file, .width = 80};
  report_text(shown, &page);
  report_junit(shown, file);
  fclose(file);
  cr_expect_null(strstr(text, "udp.6"), "%s", text);
  cr_expect(strstr(text, "2 hidden checks, 1 passed"), "%s", text);
  cr_expect(strstr(text, "Score: 14 of 24 points"), "%s", text);
  free(text);
  json_decref(shown);
  json_decref(result);
}
