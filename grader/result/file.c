#include "grader/result/file.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A record of a check is at most 256 KB (grader/result/verdict.h), and there are hundreds. */
enum { RESULT_MOST = 64 * 1024 * 1024 };

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
  if (members_check(result, result_members, _("the document"), failure))
    return -1;
  size_t lab_index, check_index;
  json_t *lab, *check;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab) {
    if (members_check(lab, lab_members, _("a lab"), failure))
      return -1;
    json_array_foreach (json_object_get(lab, "checks"), check_index, check) {
      if (members_check(check, check_members, _("a check"), failure))
        return -1;
    }
  }
  return 0;
}

/* All of the file, which may be a pipe; NULL if it cannot be read, or is too large for a result. */
static char *document_read(const char *path, size_t *length, struct failure *failure) {
  scoped_fd int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
  scoped_text char *text = NULL;
  size_t room = 0;
  ssize_t got = 1;
  *length = 0;
  while (fd >= 0 && got > 0 && *length <= RESULT_MOST) {
    if (*length == room)
      text = memory_resize(text, room = room ? 2 * room : 64 * 1024);
    got = read(fd, text + *length, room - *length);
    if (got > 0)
      *length += (size_t)got;
    else if (got < 0 && errno == EINTR)
      got = 1;
  }
  if (fd < 0 || got < 0) {
    failure_errno(failure, "Cannot read %s", path);
    return NULL;
  }
  if (*length > RESULT_MOST) {
    failure_set(failure, "%s has more than %d MB: no result of wiregrade is so large", path,
                RESULT_MOST / (1024 * 1024));
    return NULL;
  }
  return steal_pointer(&text);
}

json_t *result_read(const char *path, struct failure *failure) {
  size_t length;
  scoped_text char *text = document_read(path, &length, failure);
  if (!text)
    return NULL;
  json_error_t error;
  json_t *result = json_loadb(text, length, 0, &error);
  if (!result) {
    if (length == 0)
      failure_set(failure, "%s is empty: it has no result in it", path);
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
