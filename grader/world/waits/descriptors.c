#include "waits.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

WAY(poll) {
  struct pollfd one = {udp_socket(), POLLIN, 77};
  require(poll(&one, 1, LONG_S * 1000) == 0 && one.revents == 0, "poll");
}

WAY(ppoll) {
  struct pollfd one = {udp_socket(), POLLIN, 77};
  struct timespec wait = span(LONG_S);
  sigset_t none;
  sigemptyset(&none);
  require(ppoll(&one, 1, &wait, &none) == 0 && one.revents == 0, "ppoll");
}

WAY(ppoll_signal) { /* the signal is blocked, except while it waits */
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGALRM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  handle(SIGALRM, 0);
  alarm(LONG_S);
  require(ppoll(NULL, 0, NULL, &before) < 0 && errno == EINTR && handled == 1, "ppoll for ever");
  alarm(LONG_S);
  struct timespec wait = span(3 * LONG_S);
  require(ppoll(NULL, 0, &wait, &before) < 0 && errno == EINTR && handled == 2,
          "ppoll with a time-out");
}

WAY(select) {
  fd_set set;
  int fd = udp_socket();
  FD_ZERO(&set);
  FD_SET(fd, &set);
  struct timeval wait = {LONG_S, 0};
  require(select(fd + 1, &set, NULL, NULL, &wait) == 0 && !FD_ISSET(fd, &set), "select");
  require(wait.tv_sec == 0 && wait.tv_usec == 0, "select leaves no time");
}

#ifdef SYS_select
/* The C library would bring them in order: as many microseconds as there may be. */
WAY(select_microseconds) {
  struct timeval wait = {1, (LONG_S - 1) * 1000000L};
  require(syscall(SYS_select, 0, NULL, NULL, NULL, &wait) == 0, "select");
}
#endif

/* Linux leaves the time that was not slept; programs use it to keep a deadline. */
WAY(select_remaining) {
  int fd = udp_socket();
  struct sockaddr_in self;
  socklen_t length = sizeof self;
  getsockname(fd, (struct sockaddr *)&self, &length);
  if (fork() == 0) {
    sleep(20);
    sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self);
    _exit(0);
  }
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  struct timeval wait = {LONG_S, 0};
  require(select(fd + 1, &set, NULL, NULL, &wait) == 1, "select");
  double left = (double)wait.tv_sec + (double)wait.tv_usec / 1e6;
  require(left > 39.99 && left < 40.01, "select leaves the rest of the time");
  char byte;
  recv(fd, &byte, 1, 0);
  FD_SET(fd, &set);
  require(select(fd + 1, &set, NULL, NULL, &wait) == 0, "select for the rest");
}

WAY(pselect) {
  fd_set set;
  int fd = udp_socket();
  FD_ZERO(&set);
  FD_SET(fd, &set);
  struct timespec wait = span(LONG_S);
  require(pselect(fd + 1, &set, NULL, NULL, &wait, NULL) == 0, "pselect");
}

int epoll_of(int fd) {
  int epoll_fd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  require(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
  return epoll_fd;
}

WAY(epoll) {
  struct epoll_event event;
  require(epoll_wait(epoll_of(udp_socket()), &event, 1, LONG_S * 1000) == 0, "epoll_wait");
}

WAY(epoll_pwait2) {
  struct epoll_event event;
  struct timespec wait = span(LONG_S);
  require(syscall(441, epoll_of(udp_socket()), &event, 1, &wait, NULL, 0) == 0, "epoll_pwait2");
}

WAY(poll_interrupted) {
  handle(SIGALRM, SA_RESTART);
  alarm(LONG_S);
  require(poll(NULL, 0, 200000) < 0 && errno == EINTR && handled == 1, "poll is never restarted");
}
