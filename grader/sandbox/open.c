/* A sandbox without walls, for who grades nothing but their own work where no better can be had:
 * process and mount namespaces are given up, the network namespace, in which a check's world is,
 * never. Programs then run in the folder itself, and see the machine as its user does; process 1's
 * part is played by a subreaper, among whose descendants all of a program's processes are. */
#include "grader/sandbox/inner.h"

#include "grader/base/language.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_trusted;

void sandbox_trust(void) {
  is_trusted = true;
}

bool sandbox_is_trusted(void) {
  return is_trusted;
}

bool sandbox_is_open(void) {
  return getenv(SANDBOX_OPEN_VARIABLE) != NULL;
}

const char *sandbox_missing(void) {
  return sandbox_is_open()
             ? _("This was graded with --trust-me, and what it ran was not contained: this machine "
                 "allows no process or mount namespaces. The build and the programs could read and "
                 "change whatever their user can, processes of theirs may have been left, and what "
                 "one check's programs wrote the next one's could read.")
             : NULL;
}

/* Does `attempt` in a child, and returns what it returns there. */
static int in_a_child(int (*attempt)(struct failure *failure), struct failure *failure) {
  struct failure *told =
      mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (told == MAP_FAILED)
    return failure_errno(failure, "cannot map a page");
  pid_t child = fork();
  if (child == 0)
    _exit(attempt(told) ? 1 : 0);
  int status = -1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  *failure = *told;
  munmap(told, sizeof *told);
  return status == 0 ? 0 : -1;
}

static int network_try(struct failure *failure) {
  if (unshare(CLONE_NEWNET) < 0)
    return failure_errno(failure, "cannot make a network namespace");
  scoped_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
    return failure_errno(failure, "cannot use a network namespace");
  return 0;
}

static int users_enter(struct failure *failure) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
    return failure_errno(failure, "cannot make a user namespace");
  return users_map(uid, gid) ? 0 : failure_errno(failure, "cannot set up a user namespace");
}

static int users_and_network_try(struct failure *failure) {
  return users_enter(failure) < 0 ? -1 : network_try(failure);
}

bool open_is_possible(struct failure *failure) {
  return in_a_child(network_try, failure) == 0 || in_a_child(users_and_network_try, failure) == 0;
}

int open_enter(int (*walls)(struct failure *failure), struct failure *failure) {
  if (in_a_child(walls, failure) == 0)
    return walls(failure);
  struct failure why;
  if (in_a_child(network_try, &why) < 0 &&
      (in_a_child(users_and_network_try, &why) < 0 || users_enter(&why) < 0))
    return failure_set(
        failure,
        "%.600s. --trust-me cannot help: each check needs a network namespace of its "
        "own, and this machine allows none (run `wiregrade doctor`, or use another "
        "machine, or root)",
        why.sentence);
  setenv(SANDBOX_OPEN_VARIABLE, "1", 1);
  return 0;
}
