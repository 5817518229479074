/* Calls that wait for a signalfd among others, up to a time-out.
 *
 * A signalfd is ready if a signal is pending for whoever asks (signalfd(2)): asked by the grader, a
 * copy of the descriptor tells of the grader's own signals, and an epoll that has one would even
 * forget the event. So nobody else asks: the task waits in the kernel itself, without an end, and
 * is interrupted when its time has come. As the time-out is in a register, or read from memory that
 * the program owns, the task is made to repeat the call with another argument. (Registers of
 * arguments are the C library's to lose: no caller looks at them again.) */
#include "grader/world/supervisor_inner.h"

#include "grader/base/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_anonymous(int fd, const char *kind) {
  struct stat status;
  if (fstat(fd, &status) < 0 || S_ISSOCK(status.st_mode))
    return false;
  char path[40], link[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(path, link, sizeof link - 1);
  if (length <= 0)
    return false;
  link[length] = '\0';
  return strcmp(link, kind) == 0;
}

static bool tells_signals(const struct call *call, int fd, int depth);

/* What an epoll descriptor watches stands in its fdinfo: "tfd:        5 events:       19 …  ino:d
 * sdev:f"; anonymous inodes, as signalfds and epolls have, are all the same one. */
static bool epoll_tells_signals(const struct call *call, int fd, int depth) {
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  scoped_file FILE *file = fopen(path, "re");
  struct stat own;
  if (!file || fstat(fd, &own) < 0)
    return false;
  char line[256];
  bool found = false;
  while (!found && fgets(line, sizeof line, file)) {
    const char *inode = strstr(line, "ino:");
    if (strncmp(line, "tfd:", strlen("tfd:")) != 0 || !inode ||
        strtoul(inode + strlen("ino:"), NULL, 16) != own.st_ino)
      continue;
    scoped_remote int copy = remote_descriptor(call, atoi(line + strlen("tfd:")));
    found = copy >= 0 && tells_signals(call, copy, depth + 1);
  }
  return found;
}

static bool tells_signals(const struct call *call, int fd, int depth) {
  enum { NESTED_MOST = 5 }; /* EP_MAX_NESTS of fs/eventpoll.c */
  return is_anonymous(fd, "anon_inode:[signalfd]") ||
         (depth < NESTED_MOST && is_anonymous(fd, "anon_inode:[eventpoll]") &&
          epoll_tells_signals(call, fd, depth));
}

bool hold_polls_signals(const struct hold *hold) {
  for (size_t i = 0; i < hold->watched_count; i++)
    if (tells_signals(&hold->call, hold->watched[i].fd, 0))
      return true;
  return false;
}

void poll_inside_begin(struct hold *hold, int timeout_argument, uint64_t endless) {
  struct call call = hold->call;
  if (!trace_repeat_call(&call, timeout_argument, endless)) {
    hold_settle(hold);
    return;
  }
  int64_t deadline = hold->deadline_ns;
  hold_remove(hold);
  uint64_t timeout = call.arguments[timeout_argument];
  call.arguments[timeout_argument] = endless;
  struct hold *inside = hold_create(&call, HOLD_LET_IN, deadline);
  inside->polls = true;
  inside->polls_timeout = timeout;
}
