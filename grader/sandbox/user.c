/* The user whom a submission's programs run as, where root can choose one: of its own for each
 * submission, since some of the kernel's limits (descriptors in flight, pages of pipes, inotify)
 * are counted for a user of the whole machine, whatever namespaces its processes are in.
 *
 * A lock on a file keeps others from taking the same. The file is in a folder that only root can
 * write to, and both are gone afterwards, but for what a killed grader leaves: empty files, that
 * the next one takes. */
#include "grader/sandbox/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCKS "/run/wiregrade"

static int lock_fd = -1;

static char *lock_path(uid_t uid) {
  return memory_format(LOCKS "/user-%u", uid);
}

/* A file that was removed between the two is nobody's lock any more. */
static bool is_still_there(int fd, const char *path) {
  struct stat ours, theirs;
  return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino;
}

/* 1: it is ours; 0: it is another's; -1: there can be no locks here. */
static int user_try(uid_t uid) {
  scoped_text char *path = lock_path(uid);
  scoped_fd int fd = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return errno == ENOENT ? 0 : -1; /* the folder was just removed by another */
  if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_still_there(fd, path))
    return 0;
  lock_fd = steal_fd(&fd);
  return 1;
}

void sandbox_user_take(void) {
  if (lock_fd >= 0 || geteuid() != 0 || sandbox_mode_now() != SANDBOX_ROOT)
    return;
  uid_t uid = SANDBOX_FIRST_UID + (uid_t)getpid() % SANDBOX_UIDS; /* where nothing can be locked */
  for (uid_t i = 0; i < SANDBOX_UIDS; i++) {
    if (mkdir(LOCKS, 0700) < 0 && errno != EEXIST)
      break;
    int outcome = user_try(SANDBOX_FIRST_UID + i);
    if (outcome < 0)
      break;
    if (outcome > 0) {
      uid = SANDBOX_FIRST_UID + i;
      break;
    }
  }
  scoped_text char *text = memory_format("%u", uid);
  setenv(SANDBOX_USER_VARIABLE, text, 1);
}

void sandbox_user_give_back(void) {
  if (lock_fd < 0)
    return;
  scoped_text char *path = lock_path(sandbox_user());
  unlink(path);
  close(steal_fd(&lock_fd));
  rmdir(LOCKS); /* refused while others have theirs there */
  unsetenv(SANDBOX_USER_VARIABLE);
}

uid_t sandbox_user(void) {
  const char *text = getenv(SANDBOX_USER_VARIABLE);
  unsigned long uid = text ? strtoul(text, NULL, 10) : 0;
  return uid >= SANDBOX_FIRST_UID && uid - SANDBOX_FIRST_UID < SANDBOX_UIDS ? (uid_t)uid
                                                                            : SANDBOX_FIRST_UID;
}
