#include "grader/submission/manifest.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

/* The document, and for each program that is there its command as execve wants it. */
struct manifest {
  json_t *document;
  struct command {
    char *program;
    char **argv;
  } * commands;
  size_t count;
};

static json_t *programs_of(const struct manifest *manifest) {
  return json_object_get(manifest->document, "programs");
}

static struct manifest *manifest_of(json_t *document) {
  struct manifest *manifest = memory_zeroed(1, sizeof *manifest);
  manifest->document = document;
  return manifest;
}

struct manifest *manifest_new(const char *folder) {
  json_t *document = json_pack("{s:s, s:{}}", "folder", folder, "programs");
  if (!document) /* the path of a temporary folder is not UTF-8 */
    document = json_pack("{s:s, s:{}}", "folder", "", "programs");
  return manifest_of(document);
}

void manifest_free(struct manifest *manifest) {
  if (!manifest)
    return;
  for (size_t i = 0; i < manifest->count; i++) {
    for (char **word = manifest->commands[i].argv; *word; word++)
      free(*word);
    free(manifest->commands[i].argv);
    free(manifest->commands[i].program);
  }
  free(manifest->commands);
  json_decref(manifest->document);
  free(manifest);
}

const char *manifest_folder(const struct manifest *manifest) {
  return json_string_value(json_object_get(manifest->document, "folder"));
}

static void command_keep(struct manifest *manifest, const char *program, const json_t *words) {
  size_t count = json_array_size(words);
  char **argv = memory_zeroed(count + 1, sizeof *argv);
  for (size_t i = 0; i < count; i++)
    argv[i] = memory_text(json_string_value(json_array_get(words, i)));
  manifest->commands =
      memory_resize(manifest->commands, (manifest->count + 1) * sizeof *manifest->commands);
  manifest->commands[manifest->count++] =
      (struct command){.program = memory_text(program), .argv = argv};
}

void manifest_add(struct manifest *manifest, const char *program, const char *const *argv) {
  json_t *words = json_array();
  for (; *argv; argv++)
    json_array_append_new(words, json_string(*argv)); /* not UTF-8: refused by who found it */
  json_object_set_new(programs_of(manifest), program, words);
  command_keep(manifest, program, words);
}

void manifest_add_missing(struct manifest *manifest, const char *program, const char *sentence) {
  json_t *text = json_string(sentence);
  json_object_set_new(programs_of(manifest), program,
                      text ? text : json_string(_("it is not there")));
}

int manifest_save(const struct manifest *manifest, const char *path, struct failure *failure) {
  if (json_dump_file(manifest->document, path, JSON_INDENT(1)))
    return failure_errno(failure, "cannot write %s", path);
  return 0;
}

static bool words_are_texts(const json_t *words) {
  for (size_t i = 0; i < json_array_size(words); i++)
    if (!json_is_string(json_array_get(words, i)))
      return false;
  return json_array_size(words) > 0;
}

struct manifest *manifest_load(const char *path, struct failure *failure) {
  json_error_t error;
  json_t *document = json_load_file(path, 0, &error);
  if (!document) {
    failure_set(failure, "cannot read the submission's manifest %s: %s", path, error.text);
    return NULL;
  }
  struct manifest *manifest = manifest_of(document);
  const char *program;
  json_t *entry;
  bool good = manifest_folder(manifest) && json_is_object(programs_of(manifest));
  json_object_foreach (programs_of(manifest), program, entry) {
    if (words_are_texts(entry))
      command_keep(manifest, program, entry);
    else
      good = good && json_is_string(entry);
  }
  if (!good) {
    failure_set(failure, "%s is not a submission's manifest", path);
    manifest_free(manifest);
    return NULL;
  }
  return manifest;
}

char *const *manifest_find(const struct manifest *manifest, const char *program,
                           const char **missing) {
  for (size_t i = 0; i < manifest->count; i++)
    if (strcmp(manifest->commands[i].program, program) == 0)
      return manifest->commands[i].argv;
  *missing = json_string_value(json_object_get(programs_of(manifest), program));
  if (!*missing)
    *missing = _("nobody has looked for this program in the submission");
  return NULL;
}
