#include "grader/result/report_junit.h"

#include "grader/base/language.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/result.h"
#include "grader/result/safe_text.h"
#include "grader/result/timeline.h"

#include <string.h>

enum { LOG_MOST = 32 * 1024 };

/* Line by line: a newline is written in a way that attributes keep too. */
static void xml_write(FILE *file, const char *text) {
  for (const char *line = text; line;) {
    const char *newline = strchr(line, '\n');
    scoped_text char *safe =
        safe_for(SAFE_MARKUP, line, newline ? (size_t)(newline - line) : strlen(line));
    fputs(safe, file);
    line = newline ? newline + 1 : NULL;
    if (line)
      fputs("&#10;", file);
  }
}

static void attribute(FILE *file, const char *name, const char *text) {
  fprintf(file, " %s=\"", name);
  xml_write(file, text);
  fputc('"', file);
}

static void detail(FILE *file, const char *label, const char *text) {
  if (!*text)
    return;
  fprintf(file, "%s: ", label);
  xml_write(file, text);
  fputc('\n', file);
}

static void failure_write(FILE *file, const json_t *check, const char *status) {
  const char *element = feedback_outcome(check) == OUTCOME_ERROR ? "error" : "failure";
  fprintf(file, "      <%s", element);
  attribute(file, "message", result_text(check, "message"));
  attribute(file, "type", status);
  fputs(">", file);
  detail(file, _("required"), result_text(check, "text"));
  detail(file, _("expected"), result_text(check, "expected"));
  detail(file, _("seen"), result_text(check, "actual"));
  detail(file, _("cause"), result_text(check, "hint"));
  detail(file, _("read"), result_text(check, "read"));
  fprintf(file, "</%s>\n", element);
}

static void events_write(FILE *file, const json_t *check) {
  const json_t *events = json_object_get(check, "events");
  size_t index;
  json_t *event;
  if (json_array_size(events) == 0)
    return;
  fputs("      <system-out>", file);
  json_array_foreach (events, index, event) {
    scoped_text char *words = timeline_words(event);
    fprintf(file, "%.3f ", json_number_value(json_object_get(event, "t")));
    xml_write(file, words);
    fputc('\n', file);
  }
  fputs("</system-out>\n", file);
}

static void check_write(FILE *file, const json_t *check, const char *lab) {
  const char *status = result_text(check, "status");
  fputs("    <testcase", file);
  attribute(file, "name", result_text(check, "id"));
  attribute(file, "classname", lab);
  fprintf(file, " time=\"%.3f\"", json_number_value(json_object_get(check, "real_s")));
  if (strcmp(status, "pass") == 0) {
    fputs("/>\n", file);
    return;
  }
  fputs(">\n", file);
  if (strcmp(status, "skipped") == 0) {
    fputs("      <skipped", file);
    attribute(file, "message", result_text(check, "message"));
    fputs("/>\n", file);
  } else {
    failure_write(file, check, status);
    events_write(file, check);
  }
  fputs("    </testcase>\n", file);
}

struct tally {
  size_t tests, failures, errors, skipped;
  double time_s;
};

static void tally_add(struct tally *tally, const json_t *lab) {
  size_t index;
  json_t *check;
  foreach_check (lab, index, check) {
    enum outcome outcome = feedback_outcome(check);
    tally->tests++;
    tally->failures += outcome == OUTCOME_FAILED || outcome == OUTCOME_MISSING;
    tally->errors += outcome == OUTCOME_ERROR;
    tally->skipped += outcome == OUTCOME_SKIPPED;
    tally->time_s += json_number_value(json_object_get(check, "real_s"));
  }
}

static void tally_write(FILE *file, const struct tally *tally) {
  fprintf(file, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\"",
          tally->tests, tally->failures, tally->errors, tally->skipped, tally->time_s);
}

/* What concerns no check by itself, as checks of a suite of its own. */
static json_t *grading_new(const json_t *result) {
  scoped_text char *build = feedback_of_build(result, SAFE_TERMINAL, LOG_MOST);
  json_t *checks = json_array(), *fault;
  size_t index;
  if (*build)
    json_array_append_new(checks, json_pack("{s:s, s:s, s:s, s:s}", "id", "build", "status", "fail",
                                            "message", _("the build failed"), "actual", build));
  json_array_foreach (json_object_get(result, "faults"), index, fault)
    if (json_is_string(fault))
      json_array_append_new(checks, json_pack("{s:s, s:s, s:O}", "id", "grader", "status", "error",
                                              "message", fault));
  if (!feedback_is_whole(result))
    json_array_append_new(
        checks, json_pack("{s:s, s:s, s:s}", "id", "grading", "status", "error", "message",
                          json_is_true(json_object_get(result, "interrupted"))
                              ? _("interrupted: only what had been judged before that is counted")
                              : _("nothing was judged")));
  return json_pack("{s:s, s:o}", "lab", "wiregrade", "checks", checks);
}

static void suite_write(FILE *file, const json_t *lab, const char *started) {
  struct tally tally = {0};
  size_t index;
  json_t *check;
  tally_add(&tally, lab);
  fputs("  <testsuite", file);
  attribute(file, "name", result_text(lab, "lab"));
  tally_write(file, &tally);
  attribute(file, "timestamp", started);
  fprintf(file,
          ">\n    <properties>\n      <property name=\"score\" value=\"%lld\"/>\n"
          "      <property name=\"max_score\" value=\"%lld\"/>\n    </properties>\n",
          result_number(lab, "score"), result_number(lab, "max_score"));
  foreach_check (lab, index, check)
    check_write(file, check, result_text(lab, "lab"));
  fputs("  </testsuite>\n", file);
}

void report_junit(const json_t *result, FILE *file) {
  const char *started = result_text(result, "started");
  json_t *lab, *grading = grading_new(result);
  struct tally total = {0};
  size_t index;
  tally_add(&total, grading);
  foreach_lab (result, index, lab)
    tally_add(&total, lab);
  fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", file);
  attribute(file, "name", "wiregrade");
  tally_write(file, &total);
  fputs(">\n", file);
  if (json_array_size(json_object_get(grading, "checks")))
    suite_write(file, grading, started);
  foreach_lab (result, index, lab)
    suite_write(file, lab, started);
  fputs("</testsuites>\n", file);
  json_decref(grading);
}
