/* poll, select, epoll_wait and their kin. */
#include "grader/world/supervisor_inner.h"

#include "grader/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum {
  DESCRIPTORS_MAX = 4096,
  MICROSECONDS = 1000000,
  /* What select means by readable and writable (fs/select.c). */
  SELECT_READ = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
  SELECT_WRITE = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR,
};

enum form { FORM_POLL, FORM_SELECT, FORM_EPOLL };

/* The calls differ only in where their arguments are. */
static const struct shape {
  int number;
  enum form form;
  enum { MILLIS, TIMESPEC, TIMEVAL } unit;
  int timeout;       /* index of the argument */
  int mask;          /* index of the argument that points to a signal mask, -1: none */
  bool mask_in_pair; /* pselect6: it points to {pointer, size} */
  bool writes_back;  /* the kernel leaves the remaining time in the time-out */
} shapes[] = {
#ifdef __x86_64__
    {SYS_poll, FORM_POLL, MILLIS, 2, -1, false, false},
    {SYS_select, FORM_SELECT, TIMEVAL, 4, -1, false, true},
    {SYS_epoll_wait, FORM_EPOLL, MILLIS, 3, -1, false, false},
#endif
    {SYS_ppoll, FORM_POLL, TIMESPEC, 2, 3, false, true},
    {SYS_pselect6, FORM_SELECT, TIMESPEC, 4, 5, true, true},
    {SYS_epoll_pwait, FORM_EPOLL, MILLIS, 3, 4, false, false},
    {441, FORM_EPOLL, TIMESPEC, 3, 4, false, false}, /* epoll_pwait2 */
};

static const struct shape *shape_of(int number) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    if (shapes[i].number == number)
      return &shapes[i];
  return NULL;
}

/* Nanoseconds; -1 if it cannot be read or is not valid. */
static int64_t timeout_read(const struct call *call, const struct shape *shape) {
  uint64_t argument = call->arguments[shape->timeout];
  if (shape->unit == MILLIS)
    return (int64_t)(int32_t)argument * MILLISECONDS;
  int64_t pair[2];
  if (!remote_read(call, argument, pair, sizeof pair) || pair[0] < 0 || pair[1] < 0)
    return -1;
  if (shape->unit == TIMESPEC && pair[1] >= SECONDS)
    return -1;
  struct timespec timeout = {.tv_sec = pair[0], .tv_nsec = pair[1]};
  if (shape->unit == TIMEVAL) { /* whose microseconds may be of several seconds: fs/select.c */
    timeout.tv_nsec = pair[1] % MICROSECONDS * 1000;
    if (__builtin_add_overflow(pair[0], pair[1] / MICROSECONDS, &timeout.tv_sec))
      return -1;
  }
  return timespec_ns(&timeout);
}

static void remainder_write(const struct hold *hold, int64_t left_ns) {
  const struct shape *shape = shape_of(hold->call.number);
  if (!shape || !shape->writes_back)
    return;
  if (left_ns < 0)
    left_ns = 0;
  int64_t pair[2] = {left_ns / SECONDS,
                     shape->unit == TIMEVAL ? left_ns % SECONDS / 1000 : left_ns % SECONDS};
  remote_write(&hold->call, hold->call.arguments[shape->timeout], pair, sizeof pair);
}

static bool mask_read(const struct call *call, const struct shape *shape, uint64_t *mask) {
  if (shape->mask < 0)
    return false;
  uint64_t address = call->arguments[shape->mask];
  if (address && shape->mask_in_pair && !remote_read(call, address, &address, sizeof address))
    return false;
  return address && remote_read(call, address, mask, sizeof *mask);
}

static bool watch_poll(struct hold *hold) {
  const struct call *call = &hold->call;
  uint64_t count = call->arguments[1];
  if (count > DESCRIPTORS_MAX)
    return false;
  struct pollfd *list = memory_zeroed(count, sizeof *list);
  bool read = count == 0 || remote_read(call, call->arguments[0], list, count * sizeof *list);
  for (uint64_t i = 0; read && i < count; i++)
    if (list[i].fd >= 0)
      hold_watch(hold, list[i].fd, (short)(list[i].events | POLLERR | POLLHUP));
  free(list);
  return read;
}

static bool watch_select(struct hold *hold) {
  const struct call *call = &hold->call;
  int64_t count = (int32_t)call->arguments[0];
  if (count < 0 || count > DESCRIPTORS_MAX)
    return false;
  size_t bytes = (size_t)(count + 63) / 64 * 8;
  uint64_t sets[3][DESCRIPTORS_MAX / 64] = {0};
  for (int i = 0; i < 3; i++)
    if (call->arguments[1 + i] && bytes &&
        !remote_read(call, call->arguments[1 + i], sets[i], bytes))
      return false;
  for (int fd = 0; fd < count; fd++) {
    uint64_t bit = UINT64_C(1) << (fd % 64);
    int events = (sets[0][fd / 64] & bit ? SELECT_READ : 0) |
                 (sets[1][fd / 64] & bit ? SELECT_WRITE : 0) |
                 (sets[2][fd / 64] & bit ? POLLPRI : 0);
    if (events)
      hold_watch(hold, fd, (short)events);
  }
  return true;
}

void calls_poll(struct call *call) {
  const struct shape *shape = shape_of(call->number);
  int64_t timeout = timeout_read(call, shape);
  if (timeout <= 0) { /* does not wait, or is not valid */
    call_continue(call);
    return;
  }
  int64_t now = clock_now(&call->supervisor->world->clock);
  struct hold *hold =
      hold_create(call,
                  shape->form == FORM_SELECT ? HOLD_SELECT
                                             : (shape->form == FORM_POLL ? HOLD_POLL : HOLD_EPOLL),
                  deadline_after(now, timeout));
  hold->has_mask = mask_read(call, shape, &hold->mask);
  if (shape->form == FORM_EPOLL)
    hold->interrupt_error = EINTR;
  bool understood = true;
  if (shape->form == FORM_POLL)
    understood = watch_poll(hold);
  else if (shape->form == FORM_SELECT)
    understood = watch_select(hold);
  else
    hold_watch(hold, (int)call->arguments[0], POLLIN);
  if (!understood)
    hold->always_ready = true;
  if (!hold->always_ready && hold_polls_signals(hold))
    poll_inside_begin(hold, shape->timeout, shape->unit == MILLIS ? (uint64_t)-1 : 0);
  else
    hold_settle(hold);
}

void poll_ready(struct hold *hold) {
  if (hold->kind == HOLD_POLL || hold->kind == HOLD_SELECT)
    remainder_write(hold, hold->deadline_ns - clock_now(&hold->call.supervisor->world->clock));
}

void poll_expire_inside(const struct hold *hold) {
  const struct shape *shape = shape_of(hold->call.number);
  if (shape->form == FORM_EPOLL)
    return;
  struct hold as_if_held = *hold;
  as_if_held.kind = shape->form == FORM_SELECT ? HOLD_SELECT : HOLD_POLL;
  as_if_held.call.arguments[shape->timeout] = hold->polls_timeout;
  poll_expire(&as_if_held);
}

void poll_expire(struct hold *hold) {
  const struct call *call = &hold->call;
  remainder_write(hold, 0);
  if (hold->kind == HOLD_SELECT) {
    static const uint64_t empty[DESCRIPTORS_MAX / 64];
    size_t bytes = ((size_t)(int32_t)call->arguments[0] + 63) / 64 * 8;
    for (int i = 1; i <= 3; i++)
      if (call->arguments[i] && bytes)
        remote_write(call, call->arguments[i], empty, bytes);
    return;
  }
  for (uint64_t i = 0; i < call->arguments[1]; i++) {
    short none = 0;
    remote_write(call,
                 call->arguments[0] + i * sizeof(struct pollfd) + offsetof(struct pollfd, revents),
                 &none, sizeof none);
  }
}
