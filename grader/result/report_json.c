#include "grader/result/report_json.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

enum { ROOM_MOST = 64 * 1024 };

/* CI runners obey "##[" wherever it stands in a line: its first # is written as an escape that
 * readers undo. What follows "::" is obeyed at a line's beginning only, where JSON has none. */
static char *json_without_commands(const char *json) {
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  for (const char *c = json; *c; c++) {
    if (strncmp(c, "##[", 3) == 0)
      fputs("\\u0023", file);
    else
      fputc(*c, file);
  }
  fclose(file);
  return text;
}

static char *json_text(const json_t *document) {
  if (!json_is_array(document)) {
    scoped_text char *plain = json_dumps(document, JSON_INDENT(2));
    scoped_text char *safe = json_without_commands(plain);
    return memory_format("%s\n", safe);
  }
  char *text = memory_text("");
  size_t index;
  json_t *line;
  json_array_foreach (document, index, line) {
    scoped_text char *plain = json_dumps(line, JSON_COMPACT);
    scoped_text char *safe = json_without_commands(plain);
    char *longer = memory_format("%s%s\n", text, safe);
    free(text);
    text = longer;
  }
  return text;
}

static char *base64_text(const json_t *document) {
  scoped_text char *plain = json_dumps(document, JSON_COMPACT);
  size_t length = strlen(plain);
  char *text = memory_resize(NULL, (length + 2) / 3 * 4 + 2);
  EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)plain, (int)length);
  return strcat(text, "\n");
}

typedef json_t *maker(const void *context, size_t room);

static char *report_within(maker *make, const void *context, size_t most,
                           char *(*write)(const json_t *document), struct failure *failure) {
  for (size_t room = ROOM_MOST;; room /= 2) {
    json_t *document = make(context, room);
    if (!document) {
      failure_set(failure, "The report cannot be made: what it was told is not UTF-8");
      return NULL;
    }
    char *text = write(document);
    json_decref(document);
    if (most == 0 || strlen(text) <= most)
      return text;
    free(text);
    if (room == 0)
      break;
  }
  failure_set(failure, "The report cannot be made smaller than the %zu bytes that its reader takes",
              most);
  return NULL;
}

struct report {
  const json_t *result;
  json_reporter *make;
};

static json_t *report_make(const void *context, size_t room) {
  const struct report *report = context;
  return report->make(report->result, room);
}

char *report_json(const json_t *result, json_reporter *make, size_t most, struct failure *failure) {
  const struct report report = {result, make};
  return report_within(report_make, &report, most, json_text, failure);
}

char *report_json_made(maker *make, const void *context, size_t most, struct failure *failure) {
  return report_within(make, context, most, json_text, failure);
}

char *report_json_base64(const json_t *result, json_reporter *make, size_t most,
                         struct failure *failure) {
  const struct report report = {result, make};
  return report_within(report_make, &report, most, base64_text, failure);
}
