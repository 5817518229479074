/* What a student has handed in: where in it the submission is. */
#include "grader/batch/source_inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

bool source_is_folder(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool source_is_file(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* ---- names ---- */

/* Where the archive's ending begins, or NULL. rar is there although it is not read: whoever hands
 * it in is told so. */
static const char *archive_ending(const char *name) {
  static const char *const endings[] = {".zip",     ".7z",     ".rar",    ".tar",  ".tgz",
                                        ".tbz",     ".tbz2",   ".txz",    ".tzst", ".tar.gz",
                                        ".tar.bz2", ".tar.xz", ".tar.zst"};
  size_t length = strlen(name);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t size = strlen(endings[i]);
    if (length > size && strcasecmp(name + length - size, endings[i]) == 0)
      return name + length - size;
  }
  return NULL;
}

bool source_is_archive(const char *name) {
  return archive_ending(name) != NULL;
}

char *source_stem(const char *name) {
  const char *ending = archive_ending(name);
  return ending ? memory_format("%.*s", (int)(ending - name), name) : memory_text(name);
}

static bool name_is_of_program(const char *name) {
  static const char *const names[] = {"Makefile", "makefile", "GNUmakefile", "wiregrade.yaml",
                                      "bin"};
  static const char *const endings[] = {".c",   ".h",  ".py",   ".go", ".cc",
                                        ".cpp", ".rs", ".java", ".sh"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0)
      return true;
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
    if (strcmp(dot, endings[i]) == 0)
      return true;
  return false;
}

static bool names_are_of_submission(const struct source_names *names) {
  for (size_t i = 0; i < names->count; i++)
    if (name_is_of_program(names->names[i]))
      return true;
  return false;
}

bool source_is_submission(const char *folder) {
  const struct source_spec none = {0};
  const struct source_reading reading = {.spec = &none};
  struct source_names names;
  struct failure ignored;
  if (source_names_read(&reading, folder, &names, &ignored))
    return false;
  bool is = names_are_of_submission(&names);
  source_names_free(&names);
  return is;
}

/* ---- settling ---- */

/* Says what was handed in beside the archive: `except` is its name. */
static void others_note(struct source_submission *submission, const struct source_names *names,
                        const char *except) {
  for (size_t i = 0; i < names->count; i++)
    if (strcmp(names->names[i], except) != 0) {
      scoped_text char *line =
          language_sentence("handed in beside %s and not looked at: %s", except, names->names[i]);
      source_note(submission, line);
    }
}

/* The archive among the names, and how many there are. */
static const char *archive_find(const char *folder, const struct source_names *names,
                                unsigned *count) {
  const char *archive = NULL;
  *count = 0;
  for (size_t i = 0; i < names->count; i++) {
    scoped_text char *path = memory_format("%s/%s", folder, names->names[i]);
    if (source_is_archive(names->names[i]) && source_is_file(path)) {
      archive = names->names[i];
      ++*count;
    }
  }
  return archive;
}

/* One step inwards: true if there may be another. */
static bool settle_once(const struct source_reading *reading,
                        struct source_submission *submission) {
  struct source_names names;
  struct failure failure;
  char *folder = submission->path;
  if (source_names_read(reading, folder, &names, &failure)) {
    source_give_up(submission, memory_text(failure.sentence));
    return false;
  }
  bool further = false;
  unsigned archives;
  const char *archive = archive_find(folder, &names, &archives);
  scoped_text char *only = names.count == 1 ? memory_format("%s/%s", folder, names.names[0]) : NULL;
  if (names_are_of_submission(&names)) {
    /* it is here */
  } else if (archives > 1) {
    source_give_up(submission, language_sentence(
                                   "%u archives were handed in (%s is one), and nothing says which "
                                   "of them is the submission",
                                   archives, archive));
  } else if (archives == 1) {
    others_note(submission, &names, archive);
    submission->path = memory_format("%s/%s", folder, archive);
    free(folder);
  } else if (only && source_is_folder(only)) {
    submission->path = steal_pointer(&only);
    free(folder);
    further = true;
  }
  source_names_free(&names);
  return further;
}

void source_settle(const struct source_reading *reading, struct source_submission *submission,
                   char *path) {
  submission->path = path;
  if (source_is_folder(path)) {
    while (settle_once(reading, submission))
      ;
  } else if (!source_is_file(path)) {
    source_give_up(submission, memory_text(_("it is a link or a special file, not a folder and not "
                                             "an archive")));
  }
}
