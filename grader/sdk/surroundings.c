/* What programs find around them: stdin, files below /etc, environment variables. */
#include "grader/sdk/inner.h"

#include <stdlib.h>
#include <string.h>

struct surroundings {
  const void *input; /* of the next program only */
  size_t input_length;
  struct sandbox_file *files;
  size_t file_count;
  const char **variables; /* "NAME=value" */
  size_t variable_count;
};

static struct surroundings *surroundings(void) {
  if (!the_check.surroundings)
    the_check.surroundings = scrap(sizeof *the_check.surroundings);
  return the_check.surroundings;
}

void next_input(const void *bytes, size_t length) {
  surroundings()->input = scrap_text(bytes, length);
  surroundings()->input_length = length;
}

void put_file(const char *path, const char *text) {
  struct surroundings *around = surroundings();
  struct sandbox_file file = {scrap_text(path, strlen(path)), scrap_text(text, strlen(text)),
                              strlen(text)};
  for (size_t i = 0; i < around->file_count; i++)
    if (strcmp(around->files[i].path, path) == 0) {
      around->files[i] = file;
      return;
    }
  struct sandbox_file *more = scrap((around->file_count + 1) * sizeof *more);
  if (around->file_count > 0)
    memcpy(more, around->files, around->file_count * sizeof *more);
  more[around->file_count++] = file;
  around->files = more;
}

void put_variable(const char *name, const char *value) {
  struct surroundings *around = surroundings();
  const char *variable = say("%s=%s", name, value);
  for (size_t i = 0; i < around->variable_count; i++)
    if (strncmp(around->variables[i], name, strlen(name)) == 0 &&
        around->variables[i][strlen(name)] == '=') {
      around->variables[i] = variable;
      return;
    }
  const char **more = scrap((around->variable_count + 2) * sizeof *more); /* NULL ends it */
  if (around->variable_count > 0)
    memcpy(more, around->variables, around->variable_count * sizeof *more);
  more[around->variable_count++] = variable;
  around->variables = more;
}

void surroundings_give(struct program_spec *spec) {
  struct surroundings *around = surroundings();
  spec->input = around->input;
  spec->input_length = around->input_length;
  spec->files = around->files;
  spec->file_count = around->file_count;
  spec->environment = (char *const *)around->variables;
  around->input = NULL;
}
