#include "grader/result/file.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static int write_all(int fd, const char *contents, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, contents, length);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return -1;
    contents += written;
    length -= (size_t)written;
  }
  return 0;
}

bool file_is_stdout(const char *path) {
  struct stat named, standard;
  return strcmp(path, "-") == 0 ||
         (stat(path, &named) == 0 && fstat(STDOUT_FILENO, &standard) == 0 &&
          named.st_dev == standard.st_dev && named.st_ino == standard.st_ino);
}

static bool is_written_as_it_is(const char *path) {
  struct stat status;
  return file_is_stdout(path) || (stat(path, &status) == 0 && !S_ISREG(status.st_mode));
}

/* Up to the last slash; the caller frees it. */
static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? memory_format("%.*s", (int)(slash - path + 1), path) : memory_text("./");
}

int file_check_place(const char *path, struct failure *failure) {
  struct stat status;
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
    return failure_set(failure, "Cannot write %s: it is a folder", path);
  if (is_written_as_it_is(path))
    return 0;
  scoped_text char *whole = realpath(path, NULL);
  scoped_text char *folder = folder_of(whole ? whole : path);
  if (access(folder, W_OK | X_OK))
    return failure_errno(failure, "Cannot write %s, since its folder cannot be written to", path);
  return 0;
}

static int file_write_plain(const char *path, const char *contents, size_t length,
                            struct failure *failure) {
  scoped_fd int fd = file_is_stdout(path) ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write_all(fd, contents, length))
    return failure_errno(failure, "Cannot write to %s", path);
  return 0;
}

static int file_finish(int fd, const char *temporary, const char *path, const char *contents,
                       size_t length) {
  mode_t mask = umask(0);
  umask(mask);
  if (write_all(fd, contents, length) || fchmod(fd, 0666 & ~mask) || fsync(fd))
    return -1;
  return rename(temporary, path);
}

int file_replace(const char *path, const char *contents, size_t length, struct failure *failure) {
  if (is_written_as_it_is(path))
    return file_write_plain(path, contents, length, failure);

  /* A symbolic link stays one: what it points to is replaced. */
  scoped_text char *whole = realpath(path, NULL);
  const char *place = whole ? whole : path;
  scoped_text char *folder = folder_of(place);
  scoped_fd int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0)
    return failure_errno(failure, "Cannot write %s, since its folder cannot be opened", path);

  scoped_text char *temporary = memory_format("%s.wiregrade-XXXXXX", folder);
  scoped_fd int fd = mkostemp(temporary, O_CLOEXEC);
  if (fd < 0)
    return failure_errno(failure, "Cannot write a file beside %s", path);
  if (file_finish(fd, temporary, place, contents, length)) {
    failure_errno(failure, "Cannot write %s", path);
    unlink(temporary);
    return -1;
  }
  if (fsync(folder_fd))
    return failure_errno(failure, "Cannot make sure that %s is on the disk", path);
  return 0;
}

int result_write(const json_t *result, const char *path, struct failure *failure) {
  scoped_text char *text = json_dumps(result, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
  if (!text)
    return failure_set(failure, "Cannot write %s: the result is no valid JSON", path);
  scoped_text char *with_end = memory_format("%s\n", text);
  return file_replace(path, with_end, strlen(with_end), failure);
}

int report_write(const json_t *result, void (*report)(const json_t *result, FILE *file),
                 const char *path, struct failure *failure) {
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *memory = open_memstream(&text, &length);
  if (!memory)
    return failure_errno(failure, "Cannot write %s", path);
  report(result, memory);
  if (fclose(memory))
    return failure_errno(failure, "Cannot write %s", path);
  return file_replace(path, text, length, failure);
}

struct member {
  const char *key;
  json_type type;
};

static const struct member result_members[] = {
    {"submission", JSON_STRING}, {"started", JSON_STRING},    {"clock", JSON_STRING},
    {"score", JSON_INTEGER},     {"max_score", JSON_INTEGER}, {"build", JSON_OBJECT},
    {"labs", JSON_ARRAY},        {NULL, JSON_NULL},
};
static const struct member lab_members[] = {
    {"lab", JSON_STRING},        {"title", JSON_STRING}, {"score", JSON_INTEGER},
    {"max_score", JSON_INTEGER}, {"checks", JSON_ARRAY}, {NULL, JSON_NULL},
};
static const struct member check_members[] = {
    {"id", JSON_STRING},      {"requirement", JSON_STRING}, {"level", JSON_STRING},
    {"status", JSON_STRING},  {"score", JSON_INTEGER},      {"max_score", JSON_INTEGER},
    {"message", JSON_STRING}, {"events", JSON_ARRAY},       {NULL, JSON_NULL},
};

static int members_check(const json_t *object, const struct member *members, const char *where,
                         struct failure *failure) {
  if (!json_is_object(object))
    return failure_set(failure, "%s is not an object", where);
  for (; members->key; members++) {
    const json_t *value = json_object_get(object, members->key);
    if (!value)
      return failure_set(failure, "%s has no \"%s\"", where, members->key);
    if (json_typeof(value) != members->type)
      return failure_set(failure, "\"%s\" of %s has the wrong type", members->key, where);
  }
  return 0;
}

static int result_check_document(const json_t *result, struct failure *failure) {
  const char *schema = result_text(result, "schema");
  static const char family[] = "wiregrade/result/v";
  if (strcmp(schema, RESULT_SCHEMA) != 0 && strncmp(schema, family, strlen(family)) == 0)
    return failure_set(failure, "it is a %.40s, and this wiregrade reads %s; use a later wiregrade",
                       schema, RESULT_SCHEMA);
  if (strcmp(schema, RESULT_SCHEMA) != 0)
    return failure_set(failure, "it is not a result of wiregrade (its \"schema\" is not %s)",
                       RESULT_SCHEMA);
  if (members_check(result, result_members, "the document", failure))
    return -1;
  size_t lab_index, check_index;
  json_t *lab, *check;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab) {
    if (members_check(lab, lab_members, "a lab", failure))
      return -1;
    json_array_foreach (json_object_get(lab, "checks"), check_index, check) {
      if (members_check(check, check_members, "a check", failure))
        return -1;
    }
  }
  return 0;
}

json_t *result_read(const char *path, struct failure *failure) {
  scoped_file FILE *file =
      strcmp(path, "-") == 0 ? fdopen(dup(STDIN_FILENO), "r") : fopen(path, "re");
  if (!file) {
    failure_errno(failure, "Cannot read %s", path);
    return NULL;
  }
  json_error_t error;
  json_t *result = json_loadf(file, 0, &error);
  if (!result) {
    if (ferror(file))
      failure_errno(failure, "Cannot read %s", path);
    else if (json_error_code(&error) == json_error_premature_end_of_input)
      failure_set(failure, "%s is cut off: it ends in line %d, before the document does", path,
                  error.line);
    else
      failure_set(failure, "%s:%d is not JSON: %s", path, error.line, error.text);
    return NULL;
  }
  if (result_check_document(result, failure)) {
    failure_prefix(failure, "Cannot use %s", path);
    json_decref(result);
    return NULL;
  }
  return result;
}
