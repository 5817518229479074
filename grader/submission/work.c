#include "grader/submission/work.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

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
  if (sign_write(path, failure) || work_mount(path, bytes, files, failure)) {
    folder_remove(path);
    return NULL;
  }
  return steal_pointer(&path);
}

void work_remove(char *path) {
  if (path) {
    umount2(path, MNT_DETACH);
    folder_remove(path);
  }
  free(path);
}
