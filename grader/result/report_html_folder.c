/* The page in a folder, with the captures beside it. */
#include "grader/result/report_html.h"

#include "grader/base/file.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/file.h"
#include "grader/result/report_html_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char *page_path(const char *folder) {
  return memory_format("%s/index.html", folder);
}

static bool is_same_file(const char *path, const struct stat *status) {
  struct stat other;
  return stat(path, &other) == 0 && other.st_dev == status->st_dev &&
         other.st_ino == status->st_ino;
}

/* 0 if it is there now, 1 if there is nothing to copy. */
static int file_copy(const char *from, const char *to, struct failure *failure) {
  scoped_fd int fd = open(from, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size == 0)
    return 1;
  if (is_same_file(to, &status))
    return 0;
  size_t length = (size_t)status.st_size;
  void *bytes = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED)
    return failure_errno(failure, "Cannot read %s", from);
  int outcome = file_replace(to, bytes, length, failure);
  munmap(bytes, length);
  return outcome;
}

/* Copies each check's capture, and forgets those that are gone. */
static int captures_copy(json_t *result, const char *folder, struct failure *failure) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab)
    json_array_foreach (json_object_get(lab, "checks"), check_index, check) {
      const char *name = html_capture_name(check);
      if (!name)
        continue;
      scoped_text char *to = memory_format("%s/%s", folder, name);
      int outcome = file_copy(json_string_value(json_object_get(check, "capture")), to, failure);
      if (outcome < 0)
        return -1;
      if (outcome > 0)
        json_object_set_new(check, "capture", json_null());
    }
  return 0;
}

int report_html_write(const json_t *result, const char *folder, struct failure *failure) {
  if (file_make_folder(folder, failure))
    return -1;
  json_t *copy = json_deep_copy(result);
  scoped_text char *path = page_path(folder);
  int outcome = captures_copy(copy, folder, failure);
  if (!outcome)
    outcome = report_write(copy, report_html_beside_captures, path, failure);
  json_decref(copy);
  return outcome;
}

int report_html_check_place(const char *folder, struct failure *failure) {
  struct stat status;
  if (stat(folder, &status) == 0 && !S_ISDIR(status.st_mode))
    return failure_set(failure, "Cannot write a page into %s: it is not a folder", folder);
  scoped_text char *path = page_path(folder);
  return file_make_folder(folder, failure) ? -1 : file_check_place(path, failure);
}
