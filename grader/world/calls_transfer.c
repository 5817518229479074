/* Calls by which a program sends and receives on TCP connections, and waits for them, for checks
 * that want to see how it does (program_spec.record_transfers).
 *
 * There may be millions. So only the first one is logged of each kind: of a call, by a thread, on a
 * connection, that may wait or not. All are let through to whom they belong. */
#include "grader/world/supervisor_inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum form { BY_FLAGS, BY_DESCRIPTOR, BY_POLL, BY_SELECT, BY_EPOLL };

static const struct transfer_call {
  int number;
  const char *name;
  enum transfer_seen_kind kind;
  enum form form;
  unsigned flags; /* BY_FLAGS: which argument they are */
} calls[] = {
    {SYS_read, "read", SEEN_RECEIVES, BY_DESCRIPTOR, 0},
    {SYS_readv, "readv", SEEN_RECEIVES, BY_DESCRIPTOR, 0},
    {SYS_recvfrom, "recvfrom", SEEN_RECEIVES, BY_FLAGS, 3},
    {SYS_recvmsg, "recvmsg", SEEN_RECEIVES, BY_FLAGS, 2},
    {SYS_recvmmsg, "recvmmsg", SEEN_RECEIVES, BY_FLAGS, 3},
    {SYS_write, "write", SEEN_SENDS, BY_DESCRIPTOR, 0},
    {SYS_writev, "writev", SEEN_SENDS, BY_DESCRIPTOR, 0},
    {SYS_sendto, "sendto", SEEN_SENDS, BY_FLAGS, 3},
    {SYS_sendmsg, "sendmsg", SEEN_SENDS, BY_FLAGS, 2},
    {SYS_sendmmsg, "sendmmsg", SEEN_SENDS, BY_FLAGS, 3},
    {SYS_ppoll, "ppoll", SEEN_WAITS, BY_POLL, 0},
    {SYS_pselect6, "pselect", SEEN_WAITS, BY_SELECT, 0},
    {SYS_epoll_pwait, "epoll_pwait", SEEN_WAITS, BY_EPOLL, 0},
    {441, "epoll_pwait2", SEEN_WAITS, BY_EPOLL, 0},
#ifdef __x86_64__
    {SYS_poll, "poll", SEEN_WAITS, BY_POLL, 0},
    {SYS_select, "select", SEEN_WAITS, BY_SELECT, 0},
    {SYS_epoll_wait, "epoll_wait", SEEN_WAITS, BY_EPOLL, 0},
#endif
};

static const struct transfer_call *call_find(int number) {
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (calls[i].number == number)
      return &calls[i];
  return NULL;
}

bool call_is_transfer(int number) {
  return call_find(number) != NULL;
}

static bool is_same(const struct transfer_seen *one, const struct transfer_seen *other) {
  return one->thread == other->thread && one->name == other->name && one->kind == other->kind &&
         one->nonblocking == other->nonblocking && one->peer.sin_port == other->peer.sin_port &&
         one->peer.sin_addr.s_addr == other->peer.sin_addr.s_addr;
}

static void transfer_log(const struct call *call, const struct transfer_seen *seen) {
  struct world *world = call->supervisor->world;
  struct program *program = call->program;
  for (size_t i = 0; i < program->transfer_count; i++)
    if (is_same(&program->transfers[i], seen))
      return;
  program->transfers =
      memory_resize(program->transfers, (program->transfer_count + 1) * sizeof *program->transfers);
  program->transfers[program->transfer_count++] = *seen;
  char text[120];
  int size = snprintf(text, sizeof text,
                      _("%s on its connection%s, the first of its kind in thread %d"), seen->name,
                      seen->kind == SEEN_WAITS ? ""
                      : seen->nonblocking      ? _(", without waiting")
                                               : _(", which may wait"),
                      seen->thread);
  log_append(&world->log, &(struct event){.time_ns = clock_now(&world->clock),
                                          .kind = EVENT_TRANSFER,
                                          .host = program->host,
                                          .program = program,
                                          .bytes = (const uint8_t *)text,
                                          .length = (size_t)size,
                                          .transfer = *seen});
}

/* If the task's descriptor is a TCP connection. */
static void descriptor_note(struct call *call, const struct transfer_call *form, int fd_of_task,
                            int flags) {
  scoped_remote int fd = remote_descriptor(call, fd_of_task);
  struct transfer_seen seen = {.kind = form->kind, .name = form->name};
  struct sockaddr_storage peer = {0};
  socklen_t length = sizeof peer, type_length = sizeof(int);
  int type = 0;
  if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) < 0 ||
      type != SOCK_STREAM || getpeername(fd, (struct sockaddr *)&peer, &length) < 0)
    return;
  if (peer.ss_family == AF_INET) {
    memcpy(&seen.peer, &peer, sizeof seen.peer);
  } else if (peer.ss_family == AF_INET6) {
    const struct sockaddr_in6 *mapped = (const struct sockaddr_in6 *)&peer;
    seen.peer.sin_port = mapped->sin6_port;
    memcpy(&seen.peer.sin_addr, &mapped->sin6_addr.s6_addr[12], sizeof seen.peer.sin_addr);
  } else {
    return;
  }
  seen.process = call->task->process;
  seen.thread = call->task->inner_thread;
  seen.nonblocking = (flags & MSG_DONTWAIT) || (fcntl(fd, F_GETFL) & O_NONBLOCK);
  if (form->kind == SEEN_WAITS)
    seen.nonblocking = false;
  transfer_log(call, &seen);
}

enum { DESCRIPTORS_MAX = 1024 };

static void poll_note(struct call *call, const struct transfer_call *form) {
  uint64_t count = call->arguments[1] < DESCRIPTORS_MAX ? call->arguments[1] : DESCRIPTORS_MAX;
  for (uint64_t i = 0; i < count; i++) {
    struct pollfd one;
    if (remote_read(call, call->arguments[0] + i * sizeof one, &one, sizeof one) && one.fd >= 0)
      descriptor_note(call, form, one.fd, 0);
  }
}

static void select_note(struct call *call, const struct transfer_call *form) {
  int count = (int)call->arguments[0] < DESCRIPTORS_MAX ? (int)call->arguments[0] : DESCRIPTORS_MAX;
  for (int set = 1; set <= 2; set++) {
    uint64_t bits[DESCRIPTORS_MAX / 64] = {0};
    if (count <= 0 || !call->arguments[set] ||
        !remote_read(call, call->arguments[set], bits, (size_t)(count + 63) / 64 * 8))
      continue;
    for (int fd = 0; fd < count; fd++)
      if (bits[fd / 64] >> (fd % 64) & 1)
        descriptor_note(call, form, fd, 0);
  }
}

/* What an epoll descriptor watches stands in its fdinfo: "tfd:        5 events:       19 …". */
static void epoll_note(struct call *call, const struct transfer_call *form) {
  char path[80];
  snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", call->task->process, (int)call->arguments[0]);
  scoped_file FILE *file = fopen(path, "re");
  char line[200];
  int fd = -1;
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "tfd: %d", &fd) == 1)
      descriptor_note(call, form, fd, 0);
}

void calls_transfer(struct call *call) {
  const struct transfer_call *form = call_find(call->number);
  if (!form)
    return;
  switch (form->form) {
  case BY_FLAGS:
    descriptor_note(call, form, (int)call->arguments[0], (int)call->arguments[form->flags]);
    break;
  case BY_DESCRIPTOR:
    descriptor_note(call, form, (int)call->arguments[0], 0);
    break;
  case BY_POLL:
    poll_note(call, form);
    break;
  case BY_SELECT:
    select_note(call, form);
    break;
  case BY_EPOLL:
    epoll_note(call, form);
    break;
  }
}
