#include "waits.h"

#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <sys/epoll.h>
#include <sys/socket.h>
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

static void stop_and_continue(pid_t child) {
  sleep(LONG_S / 2);
  kill(child, SIGSTOP);
  sleep(LONG_S / 2);
  kill(child, SIGCONT);
  int status = 0;
  require(waitpid(child, &status, 0) == child && status == 0, "waitpid");
}

WAY(stopped_recv) { /* with a time-out it ends when the process goes on: signal(7) */
  pid_t child = fork();
  if (child == 0) {
    int fd = udp_socket();
    char byte;
    set_timeout(fd, SO_RCVTIMEO, 3 * LONG_S);
    require(recv(fd, &byte, 1, 0) < 0 && errno == EINTR, "recv is interrupted");
    _exit(0);
  }
  stop_and_continue(child);
}

WAY(stopped_epoll) {
  pid_t child = fork();
  if (child == 0) {
    struct epoll_event event;
    int fd = epoll_create1(0);
    require(epoll_wait(fd, &event, 1, 3 * LONG_S * 1000) < 0 && errno == EINTR,
            "epoll_wait is interrupted");
    _exit(0);
  }
  stop_and_continue(child);
}

static void *poll_to_the_end(void *unused) {
  require(poll(NULL, 0, LONG_S * 1000) == 0, "poll goes on");
  return unused;
}

WAY(stopped_threads) { /* only one of them takes the signal */
  pid_t child = fork();
  if (child == 0) {
    pthread_t second;
    pthread_create(&second, NULL, poll_to_the_end, NULL);
    poll_to_the_end(NULL);
    pthread_join(second, NULL);
    _exit(0);
  }
  sleep(LONG_S / 3);
  kill(child, SIGSTOP);
  sleep(LONG_S / 3);
  kill(child, SIGCONT);
  int status = 0;
  require(waitpid(child, &status, 0) == child && status == 0, "waitpid");
}

WAY(interrupted_threads) { /* the first one takes the signal */
  pthread_t second;
  handle(SIGALRM, 0);
  pthread_create(&second, NULL, poll_to_the_end, NULL);
  alarm(LONG_S / 2);
  require(poll(NULL, 0, 3 * LONG_S * 1000) < 0 && errno == EINTR && handled == 1, "poll ends");
  pthread_join(second, NULL);
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

/* A child's end, while no call waits, disturbs none. */
WAY(sigchld_running) {
  enum { CHILDREN = 10, CALLS = 20 };
  int ends[2];
  char byte = 'x';
  struct timespec now;
  handle(SIGCHLD, 0);
  require(pipe(ends) == 0, "pipe");
  for (int i = 0; i < CHILDREN; i++) {
    for (int k = 0; k < 2; k++) {
      pid_t child = fork();
      if (child == 0)
        _exit(0);
      require(child > 0, "fork");
    }
    for (int k = 0; k < CALLS; k++)
      require(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && write(ends[1], &byte, 1) == 1 &&
                  read(ends[0], &byte, 1) == 1,
              "calls that need not wait");
    while (wait(NULL) > 0 || errno == EINTR)
      ;
  }
  sleep(LONG_S);
}

/* But it ends one that waits, whether for a time or for ever. */
WAY(sigchld_read) {
  int ends[2];
  char byte;
  handle(SIGCHLD, 0);
  require(pipe(ends) == 0, "pipe");
  if (fork() == 0) {
    sleep(LONG_S);
    _exit(0);
  }
  require(read(ends[0], &byte, 1) < 0 && errno == EINTR && handled == 1, "read is interrupted");
}
