#include "grader/result/report_github.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/report_text.h"
#include "grader/result/result.h"
#include "grader/result/source_places.h"

#include <stdlib.h>
#include <string.h>

enum { EACH_MOST = 10, TITLE_MOST = 200, MESSAGE_MOST = 2000, LOG_WIDTH = 100 };

void report_github_log(const json_t *result, const char *token, FILE *file) {
  const struct page page = {.file = file, .width = LOG_WIDTH, .drawing = true, .log = true};
  fprintf(file, "::stop-commands::%s\n", token);
  report_text(result, &page);
  fprintf(file, "::%s::\n", token);
}

/* ---- annotations ---- */

enum kind { KIND_ERROR, KIND_WARNING, KIND_NOTICE, KIND_COUNT };

struct annotations {
  FILE *file;
  const char *folder;
  json_t *commands[KIND_COUNT]; /* arrays of finished lines */
};

static void value_write(FILE *file, const char *name, const char *value) {
  scoped_text char *safe = feedback_line(SAFE_COMMAND_VALUE, value, TITLE_MOST);
  fprintf(file, "%s=%s,", name, safe);
}

/* `place` may be NULL. Lines of the message are joined by what the runner reads as newlines. */
static void annotation_add(struct annotations *annotations, enum kind kind,
                           const struct source_place *place, const char *title,
                           const char *message) {
  static const char *const names[] = {"error", "warning", "notice"};
  char *command = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&command, &length);
  fprintf(file, "::%s ", names[kind]);
  if (place && place->file && annotations->folder) {
    scoped_text char *path =
        memory_format("%s%s%s", annotations->folder, *annotations->folder ? "/" : "", place->file);
    value_write(file, "file", path);
    fprintf(file, "line=%u,", place->line);
  }
  scoped_text char *safe_title = feedback_line(SAFE_COMMAND_VALUE, title, TITLE_MOST);
  fprintf(file, "title=%s::", safe_title);
  for (const char *line = message; line;) {
    size_t line_length = strcspn(line, "\n");
    scoped_text char *one = memory_format("%.*s", (int)line_length, line);
    scoped_text char *safe = feedback_line(SAFE_COMMAND_TEXT, one, MESSAGE_MOST);
    fputs(safe, file);
    line = line[line_length] ? line + line_length + 1 : NULL;
    if (line)
      fputs("%0A", file);
  }
  fclose(file);
  json_array_append_new(annotations->commands[kind], json_string(command));
  free(command);
}

static void build_annotate(struct annotations *annotations, const json_t *result) {
  const json_t *build = json_object_get(result, "build");
  struct build_messages log = build_messages_read(result_text(build, "log"));
  struct build_message message;
  bool told = !json_is_false(json_object_get(build, "ok"));
  while (build_messages_next(&log, &message)) {
    annotation_add(annotations, message.is_error ? KIND_ERROR : KIND_WARNING, &message.place,
                   _("build"), message.text);
    told = told || message.is_error;
    build_message_free(&message);
  }
  build_messages_free(&log);
  if (!told)
    annotation_add(annotations, KIND_ERROR, NULL, _("build"),
                   _("The build failed; what it left is graded all the same. The log tells more."));
}

/* The place in the source that a check's texts or the program's complaints name. */
static bool check_place(const json_t *check, struct source_place *place) {
  if (feedback_outcome(check) == OUTCOME_MISSING) /* it says what the build said, without folders */
    return false;
  static const char *const keys[] = {"message", "actual", "hint"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (source_place_find(result_text(check, keys[i]), place))
      return true;
  const json_t *events = json_object_get(check, "events");
  for (size_t i = json_array_size(events); i > 0; i--) {
    const json_t *event = json_array_get(events, i - 1);
    if (strcmp(result_text(event, "stream"), "stderr") == 0 &&
        source_place_find(result_text(event, "text"), place))
      return true;
  }
  return false;
}

static void check_annotate(struct annotations *annotations, const json_t *check) {
  static const struct {
    const char *label, *key;
  } fields[] = {{N_("expected: "), "expected"}, {N_("seen: "), "actual"}, {N_("cause: "), "hint"}};
  enum outcome outcome = feedback_outcome(check);
  scoped_text char *name = feedback_name(check, SAFE_TERMINAL);
  const char *said = result_text(check, "message");
  char *message = memory_text(*said ? said : _("no reason is given"));
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    const char *text = result_text(check, fields[i].key);
    if (!*text)
      continue;
    char *longer = memory_format("%s\n%s%s", message, fields[i].label, text);
    free(message);
    message = longer;
  }
  struct source_place place = {0};
  bool found = check_place(check, &place);
  bool costs = outcome == OUTCOME_FAILED || outcome == OUTCOME_MISSING;
  annotation_add(annotations, costs ? KIND_ERROR : KIND_WARNING, found ? &place : NULL, name,
                 message);
  if (found)
    free(place.file);
  free(message);
}

static void remarks_annotate(struct annotations *annotations, const json_t *check, json_t *told) {
  size_t index;
  json_t *finding;
  json_array_foreach (json_object_get(check, "findings"), index, finding) {
    const char *text = json_string_value(finding);
    if (!text || json_object_get(told, text))
      continue;
    json_object_set_new(told, text, json_true());
    struct source_place place = {0};
    bool found = source_place_find(text, &place);
    scoped_text char *name = feedback_name(check, SAFE_TERMINAL);
    annotation_add(annotations, KIND_NOTICE, found ? &place : NULL, name, text);
    if (found)
      free(place.file);
  }
}

/* A program that is not there is told of once, however many checks need it. */
static bool is_told(const json_t *check, json_t *told) {
  if (feedback_outcome(check) != OUTCOME_MISSING)
    return false;
  const char *message = result_text(check, "message");
  if (json_object_get(told, message))
    return true;
  json_object_set_new(told, message, json_true());
  return false;
}

static void checks_annotate(struct annotations *annotations, const json_t *result) {
  size_t lab_index, check_index;
  json_t *lab, *check, *missing = json_object(), *remarks = json_object();
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check) {
      if (feedback_outcome(check) != OUTCOME_PASSED && !is_told(check, missing))
        check_annotate(annotations, check);
      remarks_annotate(annotations, check, remarks);
    }
  }
  json_decref(missing);
  json_decref(remarks);
}

static void whole_annotate(struct annotations *annotations, const json_t *result) {
  size_t index;
  json_t *fault;
  json_array_foreach (json_object_get(result, "faults"), index, fault)
    if (json_is_string(fault))
      annotation_add(annotations, KIND_WARNING, NULL, _("error of the grader: costs nothing"),
                     json_string_value(fault));
  if (!feedback_is_whole(result))
    annotation_add(
        annotations, KIND_WARNING, NULL, _("the score is not whole"),
        json_is_true(json_object_get(result, "interrupted"))
            ? _("The grading was interrupted: only what had been judged before that counts.")
            : _("Nothing was judged."));
}

static void annotations_print(const struct annotations *annotations, enum kind kind) {
  static const char *const more[] = {
      "::error title=wiregrade::", "::warning title=wiregrade::", "::notice title=wiregrade::"};
  size_t index, count = json_array_size(annotations->commands[kind]);
  size_t shown = count > EACH_MOST ? EACH_MOST - 1 : count;
  json_t *command;
  json_array_foreach (annotations->commands[kind], index, command)
    if (index < shown)
      fprintf(annotations->file, "%s\n", json_string_value(command));
  if (count > shown)
    language_print(annotations->file, "%sand %zu more; the summary and the log show them all\n",
                   more[kind], count - shown);
  json_decref(annotations->commands[kind]);
}

void report_github_annotations(const json_t *result, const char *folder, FILE *file) {
  struct annotations annotations = {file, folder, {json_array(), json_array(), json_array()}};
  whole_annotate(&annotations, result);
  build_annotate(&annotations, result);
  checks_annotate(&annotations, result);
  for (enum kind kind = KIND_ERROR; kind < KIND_COUNT; kind++)
    annotations_print(&annotations, kind);
}

void report_github_outputs(const json_t *result, FILE *file) {
  size_t all = result_count(result, NULL);
  bool whole = feedback_is_whole(result) && feedback_error_count(result) == 0;
  bool passed = whole && result_count(result, "pass") == all;
  fprintf(file, "score=%lld\nmax-score=%lld\npassed=%s\nwhole=%s\n", result_number(result, "score"),
          result_number(result, "max_score"), passed ? "true" : "false", whole ? "true" : "false");
}
