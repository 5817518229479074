#include "grader/submission/copy.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { DEPTH_MOST = 64 };

struct copying {
  struct copy_limits limits;
  uint64_t bytes, files;
  uid_t owner;
  enum copy_fault fault;
  struct failure *failure;
};

static bool fault(struct copying *copying, enum copy_fault kind) {
  copying->fault = kind;
  return false;
}

static bool unreadable(struct copying *copying, const char *path) {
  failure_errno(copying->failure, "cannot read %s", path);
  return fault(copying, COPY_UNREADABLE);
}

static bool unwritable(struct copying *copying, const char *path) {
  failure_errno(copying->failure, "cannot copy %s", path);
  return fault(copying, COPY_UNWRITABLE);
}

/* An ordinary user's namespace holds no other id; what it makes belongs to the only one. */
static void hand_over(const struct copying *copying, int folder_fd, const char *name) {
  (void)!fchownat(folder_fd, name, copying->owner, copying->owner, AT_SYMLINK_NOFOLLOW);
}

static bool within_limits(struct copying *copying, uint64_t bytes, const char *path) {
  copying->files++;
  copying->bytes += bytes;
  if (copying->files > copying->limits.files)
    failure_set(copying->failure, "too many files: more than %ju; the last was %s",
                (uintmax_t)copying->limits.files, path);
  else if (copying->bytes > copying->limits.bytes)
    failure_set(copying->failure, "too large: more than %ju MiB with %s",
                (uintmax_t)copying->limits.bytes >> 20, path);
  else
    return true;
  return fault(copying, COPY_UNREADABLE);
}

static bool copy_file(struct copying *copying, int from_folder, int to_folder, const char *name,
                      const struct stat *status, const char *path) {
  scoped_fd int from = openat(from_folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (from < 0)
    return unreadable(copying, path);
  scoped_fd int to = openat(to_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (to < 0)
    return unwritable(copying, path);
  /* A file that grows meanwhile is copied as long as it was: the limit holds. */
  for (off_t left = status->st_size; left > 0;) {
    ssize_t done = sendfile(to, from, NULL, (size_t)left);
    if (done < 0)
      return unwritable(copying, path);
    if (done == 0)
      break;
    left -= done;
  }
  hand_over(copying, to_folder, name);
  const struct timespec times[] = {status->st_atim, status->st_mtim};
  if (fchmod(to, (status->st_mode & 0777) | 0600) || futimens(to, times))
    return unwritable(copying, path);
  return true;
}

static bool copy_link(struct copying *copying, int from_folder, int to_folder, const char *name,
                      const char *path) {
  char target[PATH_MAX];
  ssize_t length = readlinkat(from_folder, name, target, sizeof target - 1);
  if (length < 0)
    return unreadable(copying, path);
  target[length] = '\0';
  if (symlinkat(target, to_folder, name))
    return unwritable(copying, path);
  hand_over(copying, to_folder, name);
  return true;
}

static bool copy_entries(struct copying *copying, int from, int to, const char *path, int depth);

static bool copy_subfolder(struct copying *copying, int from_folder, int to_folder,
                           const char *name, const struct stat *status, const char *path,
                           int depth) {
  if (depth == DEPTH_MOST) {
    failure_set(copying->failure, "folders are nested too deeply: more than %d at %s", DEPTH_MOST,
                path);
    return fault(copying, COPY_UNREADABLE);
  }
  scoped_fd int from = openat(from_folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (from < 0)
    return unreadable(copying, path);
  if (mkdirat(to_folder, name, 0700))
    return unwritable(copying, path);
  scoped_fd int to = openat(to_folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (to < 0)
    return unwritable(copying, path);
  if (!copy_entries(copying, from, to, path, depth + 1))
    return false;
  hand_over(copying, to_folder, name);
  const struct timespec times[] = {status->st_atim, status->st_mtim};
  if (fchmod(to, (status->st_mode & 0777) | 0700) || futimens(to, times))
    return unwritable(copying, path);
  return true;
}

static bool copy_entry(struct copying *copying, int from, int to, const char *name,
                       const char *path, int depth) {
  struct stat status;
  if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW))
    return errno == ENOENT || unreadable(copying, path);
  if (!within_limits(copying, S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0, path))
    return false;
  switch (status.st_mode & S_IFMT) {
  case S_IFREG:
    return copy_file(copying, from, to, name, &status, path);
  case S_IFLNK:
    return copy_link(copying, from, to, name, path);
  case S_IFDIR:
    return copy_subfolder(copying, from, to, name, &status, path, depth);
  default:
    return true;
  }
}

static bool copy_entries(struct copying *copying, int from, int to, const char *path, int depth) {
  DIR *entries = fdopendir(dup(from));
  if (!entries)
    return unreadable(copying, path);
  bool good = true;
  for (const struct dirent *entry; good && (entry = readdir(entries));) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".git") == 0)
      continue;
    scoped_text char *entry_path = *path ? memory_format("%s/%s", path, name) : memory_text(name);
    good = copy_entry(copying, from, to, name, entry_path, depth);
  }
  closedir(entries);
  return good;
}

enum copy_fault copy_folder(const char *folder, const char *to, uid_t owner,
                            struct copy_limits limits, struct failure *failure) {
  struct copying copying = {.limits = limits, .owner = owner, .failure = failure};
  scoped_fd int from_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (from_fd < 0) {
    failure_errno(failure, "cannot read the submission %s", folder);
    return COPY_UNREADABLE;
  }
  scoped_fd int to_fd = -1;
  if (mkdir(to, 0755) || (to_fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
    failure_errno(failure, "cannot make the folder %s", to);
    return COPY_UNWRITABLE;
  }
  hand_over(&copying, AT_FDCWD, to);
  if (!copy_entries(&copying, from_fd, to_fd, "", 0)) {
    failure_prefix(failure, "the submission %s", folder);
    return copying.fault;
  }
  if (copying.files == 0) {
    failure_set(failure, "the submission %s is an empty folder", folder);
    return COPY_UNREADABLE;
  }
  return COPY_DONE;
}
