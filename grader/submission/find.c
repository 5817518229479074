#include "grader/submission/find.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Links are followed as if the copy were the whole file system. */
static int open_inside(int folder_fd, const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC,
                         .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, folder_fd, path, &how, sizeof how);
}

enum presence { ABSENT, PRESENT, EXECUTABLE };

/* Of a file. A link to an absolute path leads out of what can be seen from here, but perhaps to the
 * right place when it is followed in the sandbox. */
static enum presence presence_of(int folder_fd, const char *path) {
  char target[PATH_MAX];
  if (readlinkat(folder_fd, path, target, sizeof target) > 0 && target[0] == '/')
    return EXECUTABLE;
  scoped_fd int fd = open_inside(folder_fd, path, O_PATH);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode))
    return ABSENT;
  return status.st_mode & 0111 ? EXECUTABLE : PRESENT;
}

static bool is_name_of(const char *file, const char *program, const char *suffix) {
  for (; *program; program++, file++)
    if (*file != *program && !(*program == '-' && *file == '_'))
      return false;
  return strcmp(file, suffix) == 0;
}

/* The file for a program in `folder` ("" or "bin/") with this suffix: its path; NULL if there is
 * none. */
static char *file_find(int folder_fd, const char *folder, const char *program, const char *suffix) {
  scoped_text char *exact = memory_format("%s%s%s", folder, program, suffix);
  if (presence_of(folder_fd, exact) != ABSENT)
    return steal_pointer(&exact);
  int fd = open_inside(folder_fd, *folder ? folder : ".", O_RDONLY | O_DIRECTORY);
  DIR *entries = fd < 0 ? NULL : fdopendir(fd);
  if (!entries)
    return NULL;
  char *found = NULL;
  for (const struct dirent *entry; !found && (entry = readdir(entries));) {
    if (!is_name_of(entry->d_name, program, suffix))
      continue;
    scoped_text char *path = memory_format("%s%s", folder, entry->d_name);
    if (presence_of(folder_fd, path) != ABSENT)
      found = steal_pointer(&path);
  }
  closedir(entries);
  return found;
}

static struct found found_missing(char *sentence, bool attempted) {
  return (struct found){.kind = FOUND_MISSING, .attempted = attempted, .text = sentence};
}

static struct found found_command(const char *first, const char *second) {
  char **argv = memory_zeroed(3, sizeof *argv);
  argv[0] = memory_text(first);
  argv[1] = second ? memory_text(second) : NULL;
  return (struct found){.kind = FOUND_COMMAND, .argv = argv};
}

void found_free(struct found *found) {
  free(found->text);
  for (char **word = found->argv; word && *word; word++)
    free(*word);
  free(found->argv);
  *found = (struct found){0};
}

/* ---- wiregrade.yaml ---- */

static bool is_in_path(const char *name) {
  static const char *const folders[] = {"/usr/local/bin", "/usr/bin",
                                        "/bin"}; /* as in the sandbox */
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    scoped_text char *path = memory_format("%s/%s", folders[i], name);
    if (access(path, X_OK) == 0)
      return true;
  }
  return false;
}

static struct found own_found(int folder_fd, const struct own_command *own) {
  const char *name = own->argv[0];
  size_t count = 1;
  while (own->argv[count])
    count++;
  struct found found = {.kind = FOUND_COMMAND,
                        .argv = memory_zeroed(count + 1, sizeof *found.argv)};
  for (size_t i = 0; i < count; i++)
    found.argv[i] = memory_text(own->argv[i]);
  if (name[0] == '/' || (!strchr(name, '/') && is_in_path(name)))
    return found;
  enum presence presence = presence_of(folder_fd, name);
  if (presence == EXECUTABLE && strchr(name, '/'))
    return found;
  if (presence == EXECUTABLE) { /* nobody's shell would find it, but it is clear what is meant */
    free(found.argv[0]);
    found.argv[0] = memory_format("./%s", name);
    return found;
  }
  found_free(&found);
  scoped_text char *safe = safe_text(name, strlen(name));
  return found_missing(language_sentence("wiregrade.yaml says %s, which is not %s", safe,
                                         presence == PRESENT ? "executable (chmod +x)" : "there"),
                       true);
}

static const struct own_command *own_find(const struct own_commands *own, const char *program) {
  for (size_t i = 0; own && i < own->count; i++)
    if (strcmp(own->commands[i].program, program) == 0)
      return &own->commands[i];
  for (size_t i = 0; own && i < own->count; i++)
    if (is_name_of(own->commands[i].program, program, ""))
      return &own->commands[i];
  return NULL;
}

/* ---- by its name ---- */

bool find_makefile(int folder_fd) {
  static const char *const names[] = {"GNUmakefile", "makefile", "Makefile"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (presence_of(folder_fd, names[i]) != ABSENT)
      return true;
  return false;
}

/* Whether the file is called like the program, but for what stands behind a dot; or is without one.
 */
static bool has_name_of(const char *file, const char *program) {
  const char *dot = strrchr(file, '.');
  return is_name_of(file, program, dot && dot > file ? dot : "");
}

/* A file in `folder` ("" or "src/") that is called like the program and is none of those that are
 * looked for: its path; NULL if there is none. With `deep` the folders in it are looked into. */
static char *namesake_find(int folder_fd, const char *folder, const char *program, bool deep) {
  int fd = open_inside(folder_fd, *folder ? folder : ".", O_RDONLY | O_DIRECTORY);
  DIR *entries = fd < 0 ? NULL : fdopendir(fd);
  if (!entries)
    return NULL;
  char *found = NULL;
  for (const struct dirent *entry; !found && (entry = readdir(entries));) {
    const char *name = entry->d_name;
    if (name[0] == '.')
      continue;
    scoped_text char *path = memory_format("%s%s", folder, name);
    scoped_text char *inner = memory_format("%s/", path);
    if (has_name_of(name, program) && presence_of(folder_fd, path) != ABSENT)
      found = steal_pointer(&path);
    else if (deep && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
      found = namesake_find(folder_fd, inner, program, false);
  }
  closedir(entries);
  return found;
}

/* Whether one of the two becomes the other by dropping one character, or changing one. */
static bool is_mistyped(const char *one, const char *other) {
  while (*one && *one == *other) {
    one++;
    other++;
  }
  return (*one && strcmp(one + 1, other) == 0) || (*other && strcmp(one, other + 1) == 0) ||
         (*one && *other && strcmp(one + 1, other + 1) == 0);
}

/* What there is in its place, as an end of the sentence. */
static char *instead_words(const struct find_place *place, const char *program) {
  for (size_t i = 0; place->own && i < place->own->count; i++) {
    const char *name = place->own->commands[i].program;
    scoped_text char *safe = safe_text(name, strlen(name));
    if (is_mistyped(name, program))
      return language_sentence("; wiregrade.yaml has a program called %s", safe);
  }
  scoped_text char *namesake = namesake_find(place->folder_fd, "", program, true);
  if (!namesake)
    return memory_text("");
  scoped_text char *safe = safe_text(namesake, strlen(namesake));
  return language_sentence("; there is %s, and neither a Makefile makes the program of it nor says "
                           "wiregrade.yaml how it is run",
                           safe);
}

static struct found program_missing(const struct find_place *place, const char *program,
                                    const char *not_executable) {
  if (not_executable)
    return found_missing(
        language_sentence("%s is not executable (chmod +x %s; on a system without chmod say in "
                          "wiregrade.yaml how it is run, as in `%s: sh %s`)",
                          not_executable, not_executable, program, not_executable),
        true);
  scoped_text char *source = file_find(place->folder_fd, "", program, ".c");
  if (source)
    return found_missing(
        language_sentence("%s is not there: the Makefile makes neither bin/%s nor %s (%s "
                          "is compiled by the grader only where there is no Makefile)",
                          program, program, program, source),
        true);
  scoped_text char *instead = instead_words(place, program);
  return found_missing(
      language_sentence("%s is not there: looked for it in wiregrade.yaml, and for "
                        "bin/%s, %s, %s.c and %s.py%s",
                        program, program, program, program, program, instead),
      false);
}

struct found find_program(const struct find_place *place, const char *program) {
  const struct own_command *own = own_find(place->own, program);
  if (own)
    return own_found(place->folder_fd, own);
  scoped_text char *not_executable = NULL;
  static const char *const folders[] = {"bin/", ""};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    scoped_text char *path = file_find(place->folder_fd, folders[i], program, "");
    if (path && presence_of(place->folder_fd, path) == EXECUTABLE) {
      scoped_text char *command = memory_format("./%s", path);
      return found_command(command, NULL);
    }
    if (path && !not_executable)
      not_executable = steal_pointer(&path);
  }
  if (!place->has_makefile) {
    char *source = file_find(place->folder_fd, "", program, ".c");
    if (source)
      return (struct found){.kind = FOUND_SOURCE, .text = source};
  }
  scoped_text char *script = file_find(place->folder_fd, "", program, ".py");
  if (script)
    return found_command("python3", script);
  return program_missing(place, program, not_executable);
}

char *find_contents(int folder_fd, const char *path, size_t most, size_t *length) {
  scoped_fd int fd = open_inside(folder_fd, path, O_RDONLY | O_NONBLOCK);
  struct stat status;
  if (fd < 0 || fstat(fd, &status))
    return NULL;
  if (!S_ISREG(status.st_mode) || (size_t)status.st_size > most) {
    errno = S_ISREG(status.st_mode) ? EFBIG : EINVAL;
    return NULL;
  }
  scoped_text char *text = memory_zeroed((size_t)status.st_size + 1, 1);
  *length = 0;
  while (*length < (size_t)status.st_size) {
    ssize_t got = read(fd, text + *length, (size_t)status.st_size - *length);
    if (got < 0)
      return NULL;
    if (got == 0)
      break;
    *length += (size_t)got;
  }
  return steal_pointer(&text);
}
