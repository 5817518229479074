#include "grader/result/result.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/lab/points.h"

#include <string.h>
#include <time.h>

const char *result_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

long long result_number(const json_t *object, const char *key) {
  return json_integer_value(json_object_get(object, key));
}

/* Texts may hold a student's bytes: jansson takes only valid UTF-8, and a document with a hole in
 * it is worse than one with a replaced text. */
static json_t *result_string(const char *text) {
  json_t *string = json_string(text);
  return string ? string : json_string(_("(not UTF-8)"));
}

static json_t *result_seconds(double seconds) {
  /* To the microsecond: what the clocks are good for. */
  return json_real((double)(long long)(seconds * 1e6 + 0.5) / 1e6);
}

json_t *result_new(const char *submission, const char *clock, unsigned seed) {
  char started[32];
  time_t now = time(NULL);
  struct tm utc;
  strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  json_t *result = json_object();
  json_object_set_new(result, "schema", json_string(RESULT_SCHEMA));
  json_object_set_new(result, "lang", json_string(language_name()));
  json_object_set_new(result, "submission", result_string(submission));
  json_object_set_new(result, "started", json_string(started));
  json_object_set_new(result, "duration_s", json_real(0));
  json_object_set_new(result, "clock", json_string(clock));
  json_object_set_new(result, "seed", json_integer(seed));
  json_object_set_new(result, "score", json_integer(0));
  json_object_set_new(result, "max_score", json_integer(0));
  result_set_build(result, true, "", 0);
  json_object_set_new(result, "labs", json_array());
  json_object_set_new(result, "faults", json_array());
  json_object_set_new(result, "interrupted", json_false());
  return result;
}

void result_set_build(json_t *result, bool ok, const char *log, double duration_s) {
  json_t *build = json_object();
  json_object_set_new(build, "ok", json_boolean(ok));
  json_object_set_new(build, "log", result_string(log));
  json_object_set_new(build, "duration_s", result_seconds(duration_s));
  json_object_set_new(result, "build", build);
}

/* A record that is not as verdict.h says must not make a document that nobody can read: a value of
 * another type than `otherwise` is left out. Where that is null, a text is expected. */
static void member_copy(json_t *to, const char *key, const json_t *from, json_t *otherwise) {
  json_t *value = json_object_get(from, key);
  bool is_wanted = json_is_null(otherwise) ? json_is_string(value)
                   : json_is_number(otherwise)
                       ? json_is_number(value)
                       : value && json_typeof(value) == json_typeof(otherwise);
  json_object_set(to, key, is_wanted ? value : otherwise);
  json_decref(otherwise);
}

static json_t *result_check(const struct lab *lab, const struct judged_check *check,
                            unsigned points) {
  const json_t *verdict = check->verdict;
  const char *status = result_text(verdict, "status");
  bool passed = strcmp(status, "pass") == 0, failed = strcmp(status, "fail") == 0;
  bool counts = strcmp(status, "error") != 0;
  const struct requirement *requirement = lab_requirement(lab, check->requirement);
  const char *cause = result_text(verdict, "cause");
  const char *hint = !failed ? "" : *cause ? cause : requirement->hint;

  json_t *entry = json_object();
  scoped_text char *name = memory_format("%s.%u", lab->name, check->requirement);
  json_object_set_new(entry, "id", result_string(check->id));
  json_object_set_new(entry, "requirement", json_string(name));
  json_object_set_new(entry, "level", json_string(level_name(requirement->level)));
  json_object_set_new(entry, "status", json_string(status));
  json_object_set_new(entry, "score", json_integer(passed ? points : 0));
  json_object_set_new(entry, "max_score", json_integer(counts ? points : 0));
  member_copy(entry, "message", verdict, json_string(""));
  member_copy(entry, "expected", verdict, json_string(""));
  member_copy(entry, "actual", verdict, json_string(""));
  json_object_set_new(entry, "hint", result_string(hint));
  member_copy(entry, "clock", verdict, json_string("virtual"));
  member_copy(entry, "virtual_s", verdict, json_real(0));
  member_copy(entry, "end_t", verdict, json_real(0));
  member_copy(entry, "real_s", verdict, json_real(0));
  member_copy(entry, "capture", verdict, json_null());
  member_copy(entry, "events", verdict, json_array());
  json_object_set_new(entry, "text", result_string(requirement->text));
  json_object_set_new(entry, "read", result_string(requirement->read));
  member_copy(entry, "findings", verdict, json_array());
  return entry;
}

/* The points of each check: those of its requirement, divided among all checks of it. */
static void checks_points(const struct lab *lab, const struct judged_check *checks, size_t count,
                          unsigned *points) {
  scoped_text unsigned *totals = memory_zeroed(lab->requirement_count, sizeof *totals);
  scoped_text unsigned *weights = memory_zeroed(count, sizeof *weights);
  scoped_text unsigned *shares = memory_zeroed(count, sizeof *shares);
  lab_points(lab, totals);
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    for (size_t j = 0; j < count; j++)
      weights[j] = checks[j].requirement == lab->requirements[i].number;
    points_divide(totals[i], weights, count, shares);
    for (size_t j = 0; j < count; j++)
      if (weights[j])
        points[j] = shares[j];
  }
}

void result_add_lab(json_t *result, const struct lab *lab, const struct judged_check *checks,
                    size_t count, bool begun) {
  scoped_text unsigned *points = memory_zeroed(count, sizeof *points);
  checks_points(lab, checks, count, points);
  json_t *entries = json_array();
  long long score = 0, max_score = 0;
  for (size_t i = 0; i < count; i++) {
    if (!checks[i].verdict)
      continue;
    json_t *entry = result_check(lab, &checks[i], points[i]);
    score += result_number(entry, "score");
    max_score += result_number(entry, "max_score");
    json_array_append_new(entries, entry);
  }
  json_t *report = json_object();
  json_object_set_new(report, "lab", result_string(lab->name));
  json_object_set_new(report, "title", result_string(lab->title));
  json_object_set_new(report, "section", result_string(lab->section));
  json_object_set_new(report, "score", json_integer(score));
  json_object_set_new(report, "max_score", json_integer(max_score));
  json_object_set_new(report, "begun", json_boolean(begun));
  if (lab->extra)
    json_object_set_new(report, "extra", json_true());
  json_object_set_new(report, "checks", entries);
  json_array_append_new(json_object_get(result, "labs"), report);
}

void result_add_fault(json_t *result, const char *sentence) {
  json_array_append_new(json_object_get(result, "faults"), result_string(sentence));
}

void result_set_uncontained(json_t *result, const char *sentence) {
  json_object_set_new(result, "uncontained", result_string(sentence));
}

void result_set_drop(json_t *result, unsigned labs) {
  json_object_set_new(result, "drop", json_integer(labs));
}

static bool lab_counts(const json_t *lab) {
  return !json_is_true(json_object_get(lab, "extra")) &&
         !json_is_true(json_object_get(lab, "dropped"));
}

/* Drops the lab that has the smallest share of its points; of several the first. */
static void worst_drop(json_t *result) {
  json_t *worst = NULL, *lab;
  size_t index;
  json_array_foreach (json_object_get(result, "labs"), index, lab)
    if (lab_counts(lab) && result_number(lab, "max_score") > 0 &&
        (!worst || result_number(lab, "score") * result_number(worst, "max_score") <
                       result_number(worst, "score") * result_number(lab, "max_score")))
      worst = lab;
  if (worst)
    json_object_set_new(worst, "dropped", json_true());
}

void result_finish(json_t *result, double duration_s, bool interrupted) {
  long long score = 0, max_score = 0;
  size_t index;
  json_t *lab;
  for (long long drop = result_number(result, "drop"); drop > 0; drop--)
    worst_drop(result);
  json_array_foreach (json_object_get(result, "labs"), index, lab) {
    bool extra = json_is_true(json_object_get(lab, "extra"));
    if (!lab_counts(lab) && !extra)
      continue;
    score += result_number(lab, "score");
    max_score += extra ? 0 : result_number(lab, "max_score");
  }
  /* Extra points make up for others; more than all nobody gets. */
  json_object_set_new(result, "score", json_integer(score < max_score ? score : max_score));
  json_object_set_new(result, "max_score", json_integer(max_score));
  json_object_set_new(result, "duration_s", result_seconds(duration_s));
  json_object_set_new(result, "interrupted", json_boolean(interrupted));
}

size_t result_count(const json_t *result, const char *status) {
  size_t count = 0, lab_index, check_index;
  json_t *lab, *check;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab)
    json_array_foreach (json_object_get(lab, "checks"), check_index, check)
      count += !status || strcmp(result_text(check, "status"), status) == 0;
  return count;
}
