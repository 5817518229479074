#include "waits.h"

#include <sys/syscall.h>

#include <sys/wait.h>

WAY(child) {
  pid_t child = fork();
  if (child == 0) {
    sleep(LONG_S);
    _exit(0);
  }
  require(waitpid(child, NULL, 0) == child, "waitpid");
}

WAY(stopped) { /* a sleep goes on to its old end when the process is stopped and continued */
  pid_t child = fork();
  if (child == 0) {
    sleep(LONG_S);
    _exit(0);
  }
  sleep(10);
  kill(child, SIGSTOP);
  sleep(10);
  kill(child, SIGCONT);
  require(waitpid(child, NULL, 0) == child, "waitpid");
}

WAY(sigchld) { /* select, interrupted by a child's end */
  handle(SIGCHLD, 0);
  if (fork() == 0) {
    sleep(LONG_S);
    _exit(0);
  }
  struct timeval wait = {3 * LONG_S, 0};
  require(select(0, NULL, NULL, NULL, &wait) < 0 && errno == EINTR && handled == 1, "select");
}

WAY(vfork) { /* the parent sleeps, uninterruptibly, until the child has ended */
  // NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
  if (vfork() == 0) {
    struct timespec wait = {LONG_S, 0};
    syscall(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &wait, NULL);
    _exit(0);
  }
  // NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
}
