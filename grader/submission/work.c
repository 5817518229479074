#include "grader/submission/work.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where mounts cannot be had (sandbox_is_open): a folder as any other, without limits. */
static int work_plain(const char *path, struct failure *failure) {
  scoped_text char *inner = memory_format("%s/" WORK_FOLDER, path);
  return chmod(path, 0755) || mkdir(inner, 0755) ? failure_errno(failure, "cannot make %s", inner)
                                                 : 0;
}

static int entry_open(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status, (void)place;
  if (kind == FTW_D || kind == FTW_DNR)
    (void)!chmod(path, 0700); /* a build may have closed it */
  return 0;
}

static int entry_remove(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status, (void)kind, (void)place;
  remove(path);
  return 0;
}

static void plain_remove(const char *path) {
  enum { OPEN_AT_ONCE = 16 };
  nftw(path, entry_open, OPEN_AT_ONCE, FTW_PHYS);
  nftw(path, entry_remove, OPEN_AT_ONCE, FTW_PHYS | FTW_DEPTH);
}

/* The namespace is a slave of the one before: what the host mounts and unmounts still shows here,
 * and nothing of here shows there. */
static int work_mount(const char *path, uint64_t bytes, uint64_t files, struct failure *failure) {
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
    return failure_errno(failure, "cannot make a mount namespace (try `wiregrade doctor`)");
  scoped_text char *options =
      memory_format("mode=0755,size=%ju,nr_inodes=%ju", (uintmax_t)bytes, (uintmax_t)files);
  scoped_text char *inner = memory_format("%s/" WORK_FOLDER, path);
  if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m") ||
      mkdir(inner, 0755) || mount("tmpfs", inner, "tmpfs", MS_NOSUID | MS_NODEV, options))
    return failure_errno(failure, "cannot mount a tmpfs on %s (try `wiregrade doctor`)", path);
  return 0;
}

/* Seen from outside of the namespace the folder would be empty, and one who cleans up could remove
 * it; the kernel then detaches what is mounted there in other namespaces. This file below the mount
 * prevents that. */
#define SIGN "wiregrade-is-working-here"

static int sign_write(const char *path, struct failure *failure) {
  scoped_text char *sign = memory_format("%s/" SIGN, path);
  scoped_fd int fd = open(sign, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return fd < 0 ? failure_errno(failure, "cannot write %s", sign) : 0;
}

static void folder_remove(const char *path) {
  scoped_text char *sign = memory_format("%s/" SIGN, path);
  unlink(sign);
  rmdir(path);
}

char *work_create(uint64_t bytes, uint64_t files, struct failure *failure) {
  const char *parent = getenv("TMPDIR");
  scoped_text char *path =
      memory_format("%s/wiregrade-XXXXXX", parent && *parent ? parent : "/tmp");
  if (!mkdtemp(path)) {
    failure_errno(failure, "cannot make a temporary folder like %s", path);
    return NULL;
  }
  bool open = sandbox_is_open();
  if (sign_write(path, failure) ||
      (open ? work_plain(path, failure) : work_mount(path, bytes, files, failure))) {
    folder_remove(path);
    return NULL;
  }
  return steal_pointer(&path);
}

void work_remove(char *path) {
  if (path) {
    if (sandbox_is_open())
      plain_remove(path);
    else
      umount2(path, MNT_DETACH);
    folder_remove(path);
  }
  free(path);
}
