#include "grader/result/feedback.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/page.h"
#include "grader/result/result.h"
#include "grader/result/timeline.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 200, MOMENTS_MOST = 60, INDENT = 10 };

static const char *cut_words(void) {
  return _("... (cut here; the result document has all)");
}

enum outcome feedback_outcome(const json_t *check) {
  static const char *const words[] = {
      [OUTCOME_PASSED] = "pass",
      [OUTCOME_FAILED] = "fail",
      [OUTCOME_MISSING] = "missing",
      [OUTCOME_SKIPPED] = "skipped",
  };
  const char *status = result_text(check, "status");
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(status, words[i]) == 0)
      return (enum outcome)i;
  return OUTCOME_ERROR;
}

/* ---- lines ---- */

struct lines {
  char *text;
  size_t length, most;
  enum safe_destination destination;
  bool cut;
};

static struct lines lines_new(enum safe_destination destination, size_t most) {
  return (struct lines){.text = memory_text(""), .most = most, .destination = destination};
}

static void lines_append(struct lines *lines, const char *text) {
  size_t length = strlen(text);
  lines->text = memory_resize(lines->text, lines->length + length + 1);
  memcpy(lines->text + lines->length, text, length + 1);
  lines->length += length;
}

/* One line, as long as there is room; after the first that did not fit there is none. */
static void lines_put(struct lines *lines, const char *label, const char *line, size_t length) {
  if (lines->cut)
    return;
  scoped_text char *safe = safe_for(lines->destination, line, length);
  size_t needed = strlen(label) + strlen(safe) + 1 + (strlen(cut_words()) + 1);
  if (lines->length + needed > lines->most) {
    lines->cut = true;
    return;
  }
  lines_append(lines, label);
  lines_append(lines, safe);
  lines_append(lines, "\n");
}

/* A text of any number of lines, the label before the first, the others as far to the right. */
static void lines_add(struct lines *lines, const char *label, const char *text) {
  scoped_text char *blank = memory_format("%*s", (int)text_columns(label), "");
  for (const char *line = text; *line && !lines->cut; label = blank) {
    size_t length = strcspn(line, "\n");
    lines_put(lines, label, line, length);
    line += length + (line[length] == '\n');
  }
}

static void lines_add_field(struct lines *lines, const char *label, const char *text) {
  unsigned columns = text_columns(label);
  scoped_text char *padded =
      memory_format("%s%*s", label, columns < INDENT ? (int)(INDENT - columns) : 1, "");
  lines_add(lines, padded, text);
}

static char *lines_finish(struct lines *lines) {
  if (lines->cut && (strlen(cut_words()) + 1) <= lines->most) {
    lines_append(lines, cut_words());
    lines_append(lines, "\n");
  }
  if (lines->length > 0)
    lines->text[lines->length - 1] = '\0';
  return lines->text;
}

char *feedback_line(enum safe_destination destination, const char *text, size_t most) {
  size_t length = strlen(text),
         room = most > (strlen(cut_words()) + 1) ? most - (strlen(cut_words()) + 1) : 0;
  scoped_text char *safe = NULL;
  if (length <= most) {
    safe = safe_for(destination, text, length);
    if (strlen(safe) <= most)
      return steal_pointer(&safe);
  }
  /* As much of the text as fits when it is safe, and ends with a whole character. */
  for (length = length < most ? length : most; length > 0; length = length * 3 / 4) {
    free(safe);
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
      length--;
    safe = safe_for(destination, text, length);
    if (strlen(safe) <= room)
      return memory_format("%s%s", safe, cut_words());
  }
  return memory_text("");
}

/* ---- a check ---- */

char *feedback_name(const json_t *check, enum safe_destination destination) {
  static const char *const words[] = {
      [OUTCOME_PASSED] = "",
      [OUTCOME_FAILED] = "",
      [OUTCOME_MISSING] = N_(" (missing)"),
      [OUTCOME_SKIPPED] = N_(" (skipped)"),
      [OUTCOME_ERROR] = N_(" (error of the grader: costs nothing)"),
  };
  const char *id = result_text(check, "id");
  scoped_text char *name =
      memory_format("%s%s", *id ? id : _("(no name)"), _(words[feedback_outcome(check)]));
  return feedback_line(destination, name, NAME_MOST);
}

static void moments_add(struct lines *lines, const json_t *events) {
  size_t index, count = json_array_size(events);
  json_t *event;
  json_array_foreach (events, index, event) {
    if (lines->cut)
      return;
    if (index == MOMENTS_MOST / 2 && count > MOMENTS_MOST) {
      scoped_text char *more = language_sentence("%zu more moments", count - MOMENTS_MOST);
      lines_add(lines, "       : ", more);
    }
    if (count > MOMENTS_MOST && index >= MOMENTS_MOST / 2 && index < count - MOMENTS_MOST / 2)
      continue;
    scoped_text char *words = timeline_words(event);
    scoped_text char *time =
        memory_format("%8.3f  ", json_number_value(json_object_get(event, "t")));
    lines_add(lines, time, words);
  }
}

static void remarks_add(struct lines *lines, const json_t *check) {
  size_t index;
  json_t *finding;
  json_array_foreach (json_object_get(check, "findings"), index, finding)
    if (json_is_string(finding))
      lines_add_field(lines, _("remark"), json_string_value(finding));
}

char *feedback_of_check(const json_t *check, enum safe_destination destination, size_t most) {
  struct lines lines = lines_new(destination, most);
  if (feedback_outcome(check) != OUTCOME_PASSED) {
    const char *message = result_text(check, "message");
    lines_add(&lines, "", *message ? message : _("no reason is given"));
    lines_add_field(&lines, _("required"), result_text(check, "text"));
    lines_add_field(&lines, _("expected"), result_text(check, "expected"));
    lines_add_field(&lines, _("seen"), result_text(check, "actual"));
    lines_add_field(&lines, _("cause"), result_text(check, "hint"));
    lines_add_field(&lines, _("read"), result_text(check, "read"));
    remarks_add(&lines, check);
    moments_add(&lines, json_object_get(check, "events"));
  } else {
    remarks_add(&lines, check);
  }
  return lines_finish(&lines);
}

/* ---- the build ---- */

char *feedback_of_build(const json_t *result, enum safe_destination destination, size_t most) {
  const json_t *build = json_object_get(result, "build");
  struct lines lines = lines_new(destination, most);
  if (json_is_false(json_object_get(build, "ok"))) {
    lines_add(&lines, "", _("The build failed; what it left is graded all the same."));
    lines_add(&lines, "", result_text(build, "log"));
  }
  return lines_finish(&lines);
}

/* ---- the whole ---- */

size_t feedback_error_count(const json_t *result) {
  size_t count = json_array_size(json_object_get(result, "faults")), lab_index, check_index;
  json_t *lab, *check;
  foreach_lab (result, lab_index, lab) {
    foreach_check (lab, check_index, check)
      count += feedback_outcome(check) == OUTCOME_ERROR;
  }
  return count;
}

bool feedback_is_whole(const json_t *result) {
  return !json_is_true(json_object_get(result, "interrupted")) &&
         result_number(result, "max_score") > 0;
}

static void warnings_add(struct lines *lines, const json_t *result) {
  size_t index, errors = feedback_error_count(result);
  json_t *fault;
  if (errors) {
    scoped_text char *words = language_sentence(
        "ATTENTION: the grader itself went wrong (%zu time%s). That costs nothing: the points of "
        "checks that could not be judged are left out of the sum. Have it graded again.",
        errors, errors == 1 ? "" : "s");
    lines_add(lines, "", words);
  }
  json_array_foreach (json_object_get(result, "faults"), index, fault)
    if (json_is_string(fault))
      lines_add(lines, "  ", json_string_value(fault));
  if (json_is_true(json_object_get(result, "interrupted")))
    lines_add(lines, "",
              _("ATTENTION: the grading was interrupted. Only what had been judged before that is "
                "shown and counted. Have it graded again."));
  if (result_count(result, NULL) == 0)
    lines_add(lines, "", _("ATTENTION: nothing was judged."));
}

char *feedback_of_result(const json_t *result, enum safe_destination destination, size_t most) {
  struct lines lines = lines_new(destination, most);
  scoped_text char *score = language_sentence(
      "Score: %lld of %lld points; %zu of %zu checks passed.", result_number(result, "score"),
      result_number(result, "max_score"), result_count(result, "pass"), result_count(result, NULL));
  lines_add(&lines, "", score);
  warnings_add(&lines, result);
  scoped_text char *build = feedback_of_build(result, SAFE_TERMINAL, most / 2);
  for (const char *line = build;
       *line && !lines.cut;) { /* safe already, but for this destination */
    size_t length = strcspn(line, "\n");
    lines_put(&lines, "", line, length);
    line += length + (line[length] == '\n');
  }
  return lines_finish(&lines);
}
