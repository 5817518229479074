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
  int more_descriptors;
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
  put_file_of_bytes(path, text, strlen(text));
}

void put_file_of_bytes(const char *path, const void *bytes, size_t length) {
  struct surroundings *around = surroundings();
  struct sandbox_file file = {scrap_text(path, strlen(path)), scrap_text(bytes, length), length};
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

void more_descriptors(int count) {
  enum { MOST = 6 }; /* a shell knows descriptors of one digit */
  if (count < 0 || count > MOST)
    check_error(say("the check wants %d more descriptors", count));
  surroundings()->more_descriptors = count;
}

/* A shell opens them, and becomes the program. */
static char *const *with_descriptors(char *const *argv, int count) {
  enum { FIRST = 3, SHELL_WORDS = 4 };
  size_t words = 0;
  while (argv[words])
    words++;
  const char *script = "exec";
  for (int i = 0; i < count; i++)
    script = say("%s %d</dev/null", script, FIRST + i);
  char **all = scrap((words + SHELL_WORDS + 1) * sizeof *all);
  all[0] = (char *)"/bin/sh";
  all[1] = (char *)"-c";
  all[2] = (char *)say("%s; exec \"$@\"", script);
  all[3] = (char *)"sh";
  memcpy(all + SHELL_WORDS, argv, words * sizeof *argv);
  return all;
}

void surroundings_give(struct program_spec *spec) {
  struct surroundings *around = surroundings();
  if (around->more_descriptors > 0)
    spec->argv = with_descriptors(spec->argv, around->more_descriptors);
  spec->input = around->input;
  spec->input_length = around->input_length;
  spec->files = around->files;
  spec->file_count = around->file_count;
  spec->environment = (char *const *)around->variables;
  around->input = NULL;
}
