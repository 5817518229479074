#include "grader/batch/source_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/submission/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of a whole class's archive; what each submission may have is judged when it is graded. */
enum { UNPACK_CPU_S = 1800, UNPACK_LIMIT_S = 3600 };
static const uint64_t unpack_bytes = 64ull << 30, unpack_files = 4000000;

/* ---- archives ---- */

struct unpacking {
  const char *archive, *folder;
  const volatile sig_atomic_t *stop;
};

static int unpacking_do(const void *context, char **text, struct failure *failure) {
  const struct unpacking *unpacking = context;
  scoped_fd int fd = open(unpacking->archive, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return failure_errno(failure, "it cannot be read");
  const struct unpack_spec spec = {
      .archive_fd = fd,
      .folder = unpacking->folder,
      .limits = {unpack_bytes, unpack_files, UNPACK_CPU_S, UNPACK_LIMIT_S},
      .stop = unpacking->stop,
  };
  return unpack_archive(&spec, text, failure) || unpack_unwrap(unpacking->folder, failure) ? -1 : 0;
}

/* ---- folders ---- */

/* The last part of a path, whatever slashes end it; the caller frees it. */
static char *path_name(const char *path) {
  scoped_text char *whole = realpath(path, NULL);
  const char *slash = strrchr(whole ? whole : path, '/');
  return memory_text(slash && slash[1] ? slash + 1 : whole ? whole : path);
}

static void plain_read(struct source_reading *reading, const char *folder,
                       const struct source_names *names) {
  for (size_t i = 0; i < names->count; i++) {
    scoped_text char *stem = source_stem(names->names[i]);
    struct source_submission *submission = source_add(reading, names->names[i], stem);
    source_settle(reading, submission, memory_format("%s/%s", folder, names->names[i]));
  }
}

static bool has_lms_names(const char *folder, const struct source_names *names) {
  for (size_t i = 0; i < names->count; i++) {
    struct source_lms_name name;
    if (strcmp(names->names[i], SOURCE_GRADESCOPE) == 0)
      return true;
    scoped_text char *path = memory_format("%s/%s", folder, names->names[i]);
    if (source_moodle_name(names->names[i], &name) ||
        (source_is_file(path) && source_canvas_name(names->names[i], &name))) {
      source_lms_name_free(&name);
      return true;
    }
  }
  return false;
}

static int names_are(const struct source_names *names, const char *name) {
  for (size_t i = 0; i < names->count; i++)
    if (strcmp(names->names[i], name) == 0)
      return 1;
  return 0;
}

/* Several kinds may lie in one folder: each takes its names out of the list, and what is left are
 * submissions by their own names. false: it is one submission. */
static int folder_read(struct source_reading *reading, const char *folder, bool *is_one,
                       struct failure *failure) {
  struct source_names names;
  if (source_names_read(reading, folder, &names, failure))
    return -1;
  scoped_text char *only = names.count == 1 ? memory_format("%s/%s", folder, names.names[0]) : NULL;
  int outcome = 0;
  *is_one = false;
  if (has_lms_names(folder, &names)) {
    if (names_are(&names, SOURCE_GRADESCOPE))
      outcome = source_gradescope(reading, folder, &names, failure);
    source_moodle(reading, folder, &names);
    source_canvas(reading, folder, &names);
    plain_read(reading, folder, &names);
  } else if (source_is_submission(folder)) {
    *is_one = true;
  } else if (only && source_is_folder(only) && !source_is_submission(only)) {
    /* "assignment_9100_export" around the whole, say. */
    outcome = folder_read(reading, only, is_one, failure);
  } else {
    plain_read(reading, folder, &names);
  }
  source_names_free(&names);
  return outcome;
}

static int folder_source(struct source_reading *reading, struct failure *failure) {
  const char *source = reading->spec->source;
  bool is_one;
  if (folder_read(reading, source, &is_one, failure))
    return -1;
  if (is_one) {
    scoped_text char *name = path_name(source);
    source_settle(reading, source_add(reading, name, name), memory_text(source));
  }
  return 0;
}

/* An archive of one submission is graded as it is. */
static int archive_source(struct source_reading *reading, struct failure *failure) {
  const char *source = reading->spec->source;
  scoped_text char *folder = source_place(reading, "unpacked");
  const struct unpacking unpacking = {source, folder, reading->spec->stop};
  scoped_text char *notes = NULL;
  scoped_text char *name = path_name(source);
  scoped_text char *stem = source_stem(name);
  struct failure why;
  bool is_one = true;
  if (source_process(unpacking_do, &unpacking, &notes, &why)) {
    if (!reading->spec->among_others)
      return failure_set(failure, "The source %s: %s", source, why.sentence);
    source_give_up(source_add(reading, name, stem), memory_text(why.sentence));
    return 0;
  }
  if (folder_read(reading, folder, &is_one, failure))
    return -1;
  if (is_one)
    source_settle(reading, source_add(reading, name, stem), memory_text(source));
  return 0;
}

int source_read(const struct source_spec *spec, struct source_list *list, struct failure *failure) {
  struct source_reading reading = {.spec = spec, .list = list};
  struct stat status;
  if (stat(spec->source, &status))
    return failure_errno(failure, "Cannot read the source %s", spec->source);
  if (S_ISDIR(status.st_mode))
    return folder_source(&reading, failure);
  if (!S_ISREG(status.st_mode))
    return failure_set(failure, "The source %s is neither a folder nor a file", spec->source);
  return source_is_list(spec->source) ? source_git(&reading, spec->source, failure)
                                      : archive_source(&reading, failure);
}
