/* Calls on descriptors that wait by SO_RCVTIMEO or SO_SNDTIMEO, and these options themselves. */
#include "grader/world/supervisor_inner.h"

#include "grader/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* So much later than a program asked for, the kernel's own timer fires: never. */
#define OUT_OF_THE_WAY_S 100000000

enum direction { RECEIVING, SENDING };

/* 0: it waits without a time-out, or never. */
static int64_t socket_timeout(int fd, enum direction direction) {
  struct timeval timeout = {0};
  socklen_t length = sizeof timeout;
  int option = direction == RECEIVING ? SO_RCVTIMEO : SO_SNDTIMEO;
  if (getsockopt(fd, SOL_SOCKET, option, &timeout, &length) < 0 ||
      (!timeout.tv_sec && !timeout.tv_usec))
    return 0;
  if (fcntl(fd, F_GETFL) & O_NONBLOCK)
    return 0;
  if (timeout.tv_sec >= OUT_OF_THE_WAY_S)
    timeout.tv_sec -= OUT_OF_THE_WAY_S;
  struct timespec wait = {.tv_sec = timeout.tv_sec, .tv_nsec = timeout.tv_usec * 1000};
  return timespec_ns(&wait);
}

static void answer_setsockopt(struct call *call) {
  struct timeval wanted;
  if (call->arguments[4] < sizeof wanted ||
      !remote_read(call, call->arguments[3], &wanted, sizeof wanted) ||
      (wanted.tv_sec == 0 && wanted.tv_usec == 0) || wanted.tv_sec < 0 || wanted.tv_usec < 0 ||
      wanted.tv_usec >= 1000000) {
    call_continue(call); /* for ever, or an error */
    return;
  }
  scoped_remote int fd = remote_descriptor(call, (int)call->arguments[0]);
  if (fd < 0) {
    call_answer(call, -EBADF);
    return;
  }
  if (wanted.tv_sec < OUT_OF_THE_WAY_S)
    wanted.tv_sec += OUT_OF_THE_WAY_S;
  int result = setsockopt(fd, SOL_SOCKET, (int)call->arguments[2], &wanted, sizeof wanted);
  call->supervisor->socket_timeouts = true;
  call_answer(call, result < 0 ? -errno : 0);
}

static void answer_getsockopt(struct call *call) {
  struct timeval timeout = {0};
  socklen_t length = sizeof timeout, room = 0;
  scoped_remote int fd = remote_descriptor(call, (int)call->arguments[0]);
  if (fd < 0 || getsockopt(fd, SOL_SOCKET, (int)call->arguments[2], &timeout, &length) < 0 ||
      timeout.tv_sec < OUT_OF_THE_WAY_S ||
      !remote_read(call, call->arguments[4], &room, sizeof room)) {
    call_continue(call);
    return;
  }
  timeout.tv_sec -= OUT_OF_THE_WAY_S;
  if (length > room)
    length = room;
  bool written = remote_write(call, call->arguments[3], &timeout, length) &&
                 remote_write(call, call->arguments[4], &length, sizeof length);
  call_answer(call, written ? 0 : -EFAULT);
}

/* Where the flags of the call are; -1: it has none. */
static int flags_argument(int number) {
  switch (number) {
  case SYS_recvfrom:
  case SYS_sendto:
  case SYS_recvmmsg:
  case SYS_sendmmsg:
    return 3;
  case SYS_recvmsg:
  case SYS_sendmsg:
    return 2;
  default:
    return -1;
  }
}

static enum direction direction_of(int number) {
  switch (number) {
  case SYS_write:
  case SYS_writev:
  case SYS_sendto:
  case SYS_sendmsg:
  case SYS_sendmmsg:
  case SYS_connect:
    return SENDING;
  default:
    return RECEIVING;
  }
}

static bool is_timeout(const struct call *call) {
  enum { RECEIVE_OLD = 20, SEND_OLD = 21, RECEIVE_NEW = 66, SEND_NEW = 67 };
  int option = (int)call->arguments[2];
  return call->supervisor->world->options.clock == CLOCK_VIRTUAL &&
         (int)call->arguments[1] == SOL_SOCKET &&
         (option == RECEIVE_OLD || option == SEND_OLD || option == RECEIVE_NEW ||
          option == SEND_NEW);
}

static bool is_tcp_info(const struct call *call) {
  return call->number == SYS_getsockopt && (int)call->arguments[1] == IPPROTO_TCP &&
         (int)call->arguments[2] == TCP_INFO;
}

static void calls_option_or_timeout(struct call *call) {
  call->supervisor->world->reads_tcp_info |= is_tcp_info(call);
  if (!is_timeout(call)) {
    if (!calls_option(call))
      call_continue(call);
  } else if (call->number == SYS_setsockopt) {
    answer_setsockopt(call);
  } else {
    answer_getsockopt(call);
  }
}

/* Whether a call without a time-out is held, so that a child's end can interrupt it. */
static bool is_held_without_timeout(const struct call *call, int fd, int flags) {
  return call->program->child_ends_interrupt && fd >= 0 &&
         !(flags & (MSG_DONTWAIT | MSG_WAITALL)) && call->number != SYS_recvmmsg &&
         direction_of(call->number) == RECEIVING && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

void calls_socket(struct call *call) {
  if (call->number == SYS_setsockopt || call->number == SYS_getsockopt) {
    calls_option_or_timeout(call);
    return;
  }
  int flags_index = flags_argument(call->number);
  int flags = flags_index < 0 ? 0 : (int)call->arguments[flags_index];
  if (call->number == SYS_recvmmsg && call->arguments[4] != 0) {
    /* Its time-out is looked at only after a datagram has come (recvmmsg(2), BUGS): in the kernel's
     * own time. */
    world_break(call->supervisor->world, true, "the program calls recvmmsg with a time-out");
    call_continue(call);
    return;
  }
  if (!(call->supervisor->socket_timeouts || call->program->child_ends_interrupt) ||
      (flags & MSG_DONTWAIT)) {
    call_continue(call);
    return;
  }
  int fd = remote_descriptor(call, (int)call->arguments[0]);
  enum direction direction = direction_of(call->number);
  int64_t timeout = fd < 0 ? 0 : socket_timeout(fd, direction);
  bool held = is_held_without_timeout(call, fd, flags);
  if (fd >= 0)
    remote_close(&fd);
  if (timeout == 0 && !held) {
    call_continue(call);
    return;
  }
  int64_t deadline = timeout == 0
                         ? INT64_MAX
                         : deadline_after(clock_now(&call->supervisor->world->clock), timeout);
  if (direction == SENDING || (flags & MSG_WAITALL) || call->number == SYS_recvmmsg) {
    call_let_in(call, deadline, call->number == SYS_connect ? EINPROGRESS : EAGAIN);
    return;
  }
  struct hold *hold = hold_create(call, HOLD_SOCKET, deadline);
  /* signal(7): never restarted with a time-out, even under SA_RESTART */
  hold->interrupt_error = timeout == 0 ? RESTART_SYSTEM_CALL : EINTR;
  hold->expiry_error = EAGAIN;
  hold_watch(hold, (int)call->arguments[0], POLLIN | POLLERR | POLLHUP);
  hold_settle(hold);
}
