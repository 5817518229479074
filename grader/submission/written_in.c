#include "grader/submission/written_in.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/submission/find.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_MOST = 64 << 20 }; /* of a compiled program */

struct language {
  const char *name, *interpreter, *ending;
};

/* The name of an interpreter may go on with a version: python3.11. */
static const struct language languages[] = {
    {"c", NULL, NULL},        {"c++", NULL, NULL},         {"go", "go", ".go"},
    {"rust", NULL, NULL},     {"java", "java", ".jar"},    {"javascript", "node", ".js"},
    {"perl", "perl", ".pl"},  {"python", "python", ".py"}, {"ruby", "ruby", ".rb"},
    {"shell", "bash", ".sh"}, {"shell", "dash", ".sh"},    {"shell", "sh", ".sh"},
    {"shell", "zsh", ".sh"},
};
enum { LANGUAGE_COUNT = sizeof languages / sizeof *languages };

bool written_in_is_known(const char *name) {
  for (size_t i = 0; i < LANGUAGE_COUNT; i++)
    if (strcmp(languages[i].name, name) == 0)
      return true;
  return false;
}

char *written_in_names(void) {
  char *names = memory_text("");
  for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
    if (i > 0 && strcmp(languages[i].name, languages[i - 1].name) == 0)
      continue;
    char *longer = memory_format("%s%s%s", names, i ? ", " : "", languages[i].name);
    free(names);
    names = longer;
  }
  return names;
}

/* ---- interpreters ---- */

/* By the last part of a path: "/usr/bin/python3.11". */
static const char *language_of_interpreter(const char *path, size_t length) {
  const char *name = path;
  for (size_t i = 0; i < length; i++)
    if (path[i] == '/')
      name = path + i + 1;
  size_t size = length - (size_t)(name - path);
  while (size > 0 && strchr("0123456789.", name[size - 1]))
    size--;
  for (size_t i = 0; i < LANGUAGE_COUNT; i++)
    if (languages[i].interpreter && strlen(languages[i].interpreter) == size &&
        strncmp(languages[i].interpreter, name, size) == 0)
      return languages[i].name;
  return "";
}

/* "#!/usr/bin/env -S python3 -u": the first word that is an interpreter's name. */
static const char *language_of_script(const char *text) {
  size_t end = strcspn(text, "\n");
  for (size_t at = 2; at < end;) {
    at += strspn(text + at, " \t");
    size_t length = strcspn(text + at, " \t\r\n");
    const char *language = language_of_interpreter(text + at, length);
    if (*language)
      return language;
    at += length ? length : 1;
  }
  return "";
}

static const char *language_of_name(const char *path) {
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < LANGUAGE_COUNT; i++)
    if (languages[i].ending && strcmp(dot, languages[i].ending) == 0)
      return languages[i].name;
  return "";
}

/* ---- compiled programs ---- */

static bool has(const char *bytes, size_t length, const char *sign) {
  return memmem(bytes, length, sign, strlen(sign)) != NULL;
}

static const char *language_of_compiled(const char *bytes, size_t length) {
  if (has(bytes, length, "Go build ID: ") || has(bytes, length, ".go.buildinfo"))
    return "go";
  if (has(bytes, length, "/rustc/") || has(bytes, length, "rustc version "))
    return "rust";
  return has(bytes, length, "libstdc++.so") || has(bytes, length, "St9exception") ? "c++" : "c";
}

const char *written_in_command(int folder_fd, char *const *argv) {
  const char *language = language_of_interpreter(argv[0], strlen(argv[0]));
  if (*language)
    return language;
  size_t length = 0;
  const char *path = strncmp(argv[0], "./", 2) == 0 ? argv[0] + 2 : argv[0];
  scoped_text char *contents = find_contents(folder_fd, path, LOOK_MOST, &length);
  if (contents && length > 4 && memcmp(contents, "\177ELF", 4) == 0)
    return language_of_compiled(contents, length);
  if (contents && length > 2 && strncmp(contents, "#!", 2) == 0)
    language = language_of_script(contents);
  return *language ? language : language_of_name(argv[0]);
}
