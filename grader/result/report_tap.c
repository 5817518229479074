#include "grader/result/report_tap.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/result.h"
#include "grader/result/safe_text.h"

#include <string.h>

enum { COMMENTS_MOST = 4096 };

/* In a description, # begins a directive and \ escapes. */
static void description_write(FILE *file, const char *text) {
  scoped_text char *safe = safe_text(text, strlen(text));
  for (const char *c = safe; *c; c++) {
    if (*c == '#' || *c == '\\')
      fputc('\\', file);
    fputc(*c, file);
  }
}

/* A JSON string is a YAML one. CI runners obey "##[" wherever it stands in a line (its first # can
 * be written as an escape that readers undo). */
static void string_write(FILE *file, const char *quoted) {
  for (const char *c = quoted; *c; c++) {
    if (strncmp(c, "##[", 3) == 0)
      fputs("\\u0023", file);
    else
      fputc(*c, file);
  }
}

static void yaml_write(FILE *file, const json_t *check, const char *key) {
  const char *text = result_text(check, key);
  if (!*text)
    return;
  scoped_text char *safe = memory_text("");
  for (const char *line = text; line;) {
    size_t length = strcspn(line, "\n");
    scoped_text char *safe_line = safe_text(line, length);
    char *longer = memory_format("%s%s%s", safe, line > text ? "\n" : "", safe_line);
    free(safe);
    safe = longer;
    line = line[length] ? line + length + 1 : NULL;
  }
  json_t *string = json_string(safe);
  scoped_text char *quoted = json_dumps(string, JSON_ENCODE_ANY);
  json_decref(string);
  fprintf(file, "  %s: ", key);
  string_write(file, quoted);
  fputc('\n', file);
}

static void check_write(FILE *file, const json_t *check, size_t number) {
  const char *status = result_text(check, "status");
  bool passed = strcmp(status, "pass") == 0, skipped = strcmp(status, "skipped") == 0;
  fprintf(file, "%s %zu - ", passed || skipped ? "ok" : "not ok", number);
  description_write(file, result_text(check, "id"));
  if (skipped) {
    fputs(" # SKIP ", file);
    description_write(file, result_text(check, "message"));
  }
  fputc('\n', file);
  if (passed || skipped)
    return;
  fputs("  ---\n", file);
  static const char *const keys[] = {"status", "message", "text", "expected",
                                     "actual", "hint",    "read"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    yaml_write(file, check, keys[i]);
  fputs("  ...\n", file);
}

/* Readers take a comment for neither a point nor a directive. */
static void comments_write(FILE *file, const json_t *result) {
  scoped_text char *text = feedback_of_result(result, SAFE_LOG, COMMENTS_MOST);
  for (const char *line = text; *line;) {
    size_t length = strcspn(line, "\n");
    fprintf(file, "# %.*s\n", (int)length, line);
    line += length + (line[length] == '\n');
  }
}

void report_tap(const json_t *result, FILE *file) {
  size_t total = 0, number = 0, lab_index, check_index;
  json_t *lab, *check;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab)
    total += json_array_size(json_object_get(lab, "checks"));
  fprintf(file, "TAP version 13\n1..%zu\n", total);
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab) {
    json_array_foreach (json_object_get(lab, "checks"), check_index, check)
      check_write(file, check, ++number);
  }
  comments_write(file, result);
  if (json_is_true(json_object_get(result, "interrupted")))
    fputs("Bail out! Interrupted\n", file);
  else if (total == 0)
    fputs("Bail out! Nothing was judged\n", file);
}
