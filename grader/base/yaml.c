#include "grader/base/yaml.h"

#include "grader/base/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* libcyaml tells what is wrong only through its log: first what, then a backtrace from the
 * innermost place outwards. */
struct complaint {
  char what[512];
  unsigned line;
};

static void __attribute__((format(printf, 3, 0)))
complaint_log(cyaml_log_t level, void *context, const char *format, va_list arguments) {
  (void)level;
  struct complaint *complaint = context;
  char text[512];
  vsnprintf(text, sizeof text, format, arguments);
  const char *after_stage = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
  const char *place = strstr(after_stage, "(line: ");
  if (!place)
    place = strstr(after_stage, "at line: ");
  if (place && complaint->line == 0)
    sscanf(strchr(place, ':') + 1, "%u", &complaint->line);
  if (complaint->what[0] == '\0' && !strstr(after_stage, "(line: ")) {
    snprintf(complaint->what, sizeof complaint->what, "%s", after_stage);
    complaint->what[strcspn(complaint->what, "\n")] = '\0';
  }
}

/* libcyaml places an unexpected key at the value before it: look for the key from there on. */
static void complaint_locate_key(struct complaint *complaint, const char *path) {
  static const char unexpected[] = "Unexpected key: ";
  if (strncmp(complaint->what, unexpected, strlen(unexpected)) != 0)
    return;
  const char *key = complaint->what + strlen(unexpected);
  scoped_file FILE *file = fopen(path, "re");
  scoped_text char *line = NULL;
  size_t size = 0;
  for (unsigned number = 1; file && getline(&line, &size, file) >= 0; number++) {
    const char *found = strstr(line, key);
    if (number >= complaint->line && found && found[strlen(key)] == ':') {
      complaint->line = number;
      return;
    }
  }
}

void *yaml_file_load(const char *path, const cyaml_schema_value_t *schema, const char *what,
                     struct failure *failure) {
  struct complaint complaint = {0};
  cyaml_config_t configuration = {
      .log_fn = complaint_log,
      .log_ctx = &complaint,
      .mem_fn = cyaml_mem,
      .log_level = CYAML_LOG_ERROR,
  };
  void *data = NULL;
  cyaml_err_t outcome = cyaml_load_file(path, &configuration, schema, &data, NULL);
  if (outcome == CYAML_ERR_FILE_OPEN) {
    failure_errno(failure, "Cannot read %s", path);
    return NULL;
  }
  if (outcome != CYAML_OK) {
    complaint_locate_key(&complaint, path);
    const char *why = complaint.what[0] ? complaint.what : cyaml_strerror(outcome);
    if (complaint.line)
      failure_set(failure, "%s:%u: %s", path, complaint.line, why);
    else
      failure_set(failure, "%s: %s", path, why);
    return NULL;
  }
  if (!data)
    failure_set(failure, "%s is empty: it must describe %s", path, what);
  return data;
}

void yaml_file_free(const cyaml_schema_value_t *schema, void *data) {
  static const cyaml_config_t configuration = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};
  if (data)
    cyaml_free(&configuration, schema, data, 0);
}
