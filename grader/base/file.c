#include "grader/base/file.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

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

int file_append(const char *path, const char *contents, size_t length, struct failure *failure) {
  scoped_fd int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  struct stat before;
  if (fd < 0 || fstat(fd, &before))
    return failure_errno(failure, "Cannot write to %s", path);
  if (write_all(fd, contents, length) == 0)
    return 0;
  failure_errno(failure, "Cannot write to %s", path);
  if (S_ISREG(before.st_mode) && ftruncate(fd, before.st_size))
    return failure_prefix(failure, "A part of a text was left behind");
  return -1;
}

int file_make_folder(const char *path, struct failure *failure) {
  scoped_text char *part = memory_text(path);
  for (char *slash = part + 1; slash[-1]; slash++)
    if (*slash == '/' || *slash == '\0') {
      char kept = *slash;
      *slash = '\0';
      if (mkdir(part, 0777) < 0 && errno != EEXIST)
        return failure_errno(failure, "Cannot make the folder %s", part);
      *slash = kept;
    }
  return 0;
}
