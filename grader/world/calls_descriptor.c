/* Sockets that are created and closed, for checks that want to see it (program_spec.record_calls).
 *
 * What socket() returns is known only to who makes it: so the supervisor makes the socket itself,
 * in the program's namespace, and puts it into the program's table of descriptors as the call's
 * result (SECCOMP_IOCTL_NOTIF_ADDFD, which answers the call in one step with it). A close() is let
 * through, and noted if it is one of a socket. Sockets that only the program itself can make
 * (netlink, pairs) are found in its table when it makes the next of these calls. */
#include "grader/world/supervisor_inner.h"

#include "grader/base/language.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static void socket_log(const struct call *call, const struct socket_seen *seen) {
  struct world *world = call->supervisor->world;
  char text[100];
  int size = seen->created ? snprintf(text, sizeof text, "socket(%d, %d): %s%d", seen->family,
                                      seen->type, seen->error ? "errno " : _("descriptor "),
                                      seen->error ? seen->error : seen->fd)
                           : snprintf(text, sizeof text, _("close(%d), a socket"), seen->fd);
  log_append(&world->log, &(struct event){.time_ns = clock_now(&world->clock),
                                          .kind = EVENT_SOCKET,
                                          .host = call->program->host,
                                          .program = call->program,
                                          .bytes = (const uint8_t *)text,
                                          .length = (size_t)size,
                                          .socket = *seen});
}

static uint64_t inode_of(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/* Of families that do not care which process makes the socket. */
static bool socket_make(struct call *call) {
  int family = (int)call->arguments[0], type = (int)call->arguments[1];
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
    return false;
  struct socket_seen seen = {
      .created = true, .family = family, .type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)};
  scoped_visit struct visit visit = namespace_visit(call->program->host->netns_fd);
  if (visit.home_fd < 0 || seen.type == SOCK_RAW)
    return false;
  scoped_fd int fd = socket(family, type | SOCK_CLOEXEC, (int)call->arguments[2]);
  if (fd < 0) {
    seen.error = errno;
    socket_log(call, &seen);
    call_answer(call, -seen.error);
    return true;
  }
  struct seccomp_notif_addfd add = {.id = call->id,
                                    .flags = SECCOMP_ADDFD_FLAG_SEND,
                                    .srcfd = (uint32_t)fd,
                                    .newfd_flags = type & SOCK_CLOEXEC ? O_CLOEXEC : 0};
  seen.fd = ioctl(call->program->sandbox.notify_fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  if (seen.fd < 0)
    return false; /* the task has died, or has no room: the kernel says so itself */
  seen.socket = inode_of(fd);
  socket_log(call, &seen);
  return true;
}

static bool is_known(const struct program *program, uint64_t socket) {
  const struct log *log = &program->host->world->log;
  for (size_t i = 0; i < log->count; i++)
    if (log->events[i]->kind == EVENT_SOCKET && log->events[i]->program == program &&
        log->events[i]->socket.socket == socket)
      return true;
  return false;
}

static void socket_look_at(const struct call *call, int number) {
  scoped_remote int fd = remote_descriptor(call, number);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0 || !S_ISSOCK(status.st_mode) ||
      is_known(call->program, status.st_ino))
    return;
  struct socket_seen seen = {.created = true, .fd = number, .socket = status.st_ino};
  socklen_t length = sizeof seen.type;
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &seen.type, &length);
  getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &seen.family, &length);
  seen.paired = seen.family == AF_UNIX; /* what socket() makes of this family is known */
  socket_log(call, &seen);
}

static void own_sockets_look(const struct call *call) {
  enum { DESCRIPTORS_MAX = 64 };
  if (call->program->makes_sockets_itself)
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
      socket_look_at(call, fd);
}

static void close_note(struct call *call, int closed) {
  scoped_remote int fd = remote_descriptor(call, closed);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0 || !S_ISSOCK(status.st_mode))
    return;
  struct socket_seen seen = {.fd = closed, .socket = status.st_ino};
  socklen_t length = sizeof seen.type;
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &seen.type, &length);
  getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &seen.family, &length);
  socket_log(call, &seen);
}

static void close_range_note(struct call *call) {
  enum { DESCRIPTORS_MAX = 64 }; /* a program that means its sockets closes a few */
  uint32_t first = (uint32_t)call->arguments[0], last = (uint32_t)call->arguments[1];
  if (call->arguments[2] & CLOSE_RANGE_CLOEXEC)
    return;
  for (uint32_t fd = first; fd <= last && fd - first < DESCRIPTORS_MAX; fd++)
    close_note(call, (int)fd);
}

/* Closing, in each way that there is: dup2() closes what it replaces. */
void calls_descriptor(struct call *call) {
  int fds[] = {(int)call->arguments[0], (int)call->arguments[1]};
  own_sockets_look(call);
  switch (call->number) {
  case SYS_socket:
    if (call->program->record_calls && socket_make(call))
      return;
    call->program->makes_sockets_itself = call->program->record_calls;
    break;
  case SYS_socketpair:
    call->program->makes_sockets_itself = call->program->record_calls;
    break;
  case SYS_close:
    close_note(call, fds[0]);
    break;
  case SYS_close_range:
    close_range_note(call);
    break;
#ifdef __x86_64__
  case SYS_dup2:
#endif
  case SYS_dup3:
    if (fds[0] != fds[1])
      close_note(call, fds[1]);
  }
  call_continue(call);
}
