/* Waits for what only the kernel can see: futexes, semaphores, message queues; and for signals. */
#include "grader/world/supervisor_inner.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

enum { WAITV_CLOCK = 4, OUT_OF_THE_WAY_S = 10000000 };

/* A relative time-out would run on the kernel's clock, which is ahead of ours on a busy machine. So
 * it is made very long in the task's memory, and put back as soon as the task is seen asleep: the
 * kernel has read it then. */
static void let_in_relative(struct call *call, uint64_t address, const struct timespec *given,
                            int error) {
  struct world *world = call->supervisor->world;
  struct timespec once = *given; /* not put back in time, and used again */
  if (once.tv_sec >= OUT_OF_THE_WAY_S)
    once.tv_sec -= OUT_OF_THE_WAY_S;
  const struct timespec *wanted = &once;
  struct timespec longer = {.tv_sec = wanted->tv_sec + OUT_OF_THE_WAY_S,
                            .tv_nsec = wanted->tv_nsec};
  bool rewritten = remote_write(call, address, &longer, sizeof longer);
  call_let_in(call, deadline_after(clock_now(&world->clock), timespec_ns(wanted)), error);
  if (rewritten) {
    struct hold *hold = call->supervisor->holds; /* the one just made */
    hold->restore_address = address;
    hold->restore = *wanted;
  }
}

/* Only while the task is in that very call: its time-out often stands on its stack, where something
 * else may stand as soon as it has come back. */
void hold_restore(struct hold *hold) {
  if (hold->restore_address &&
      known_task_in_call(hold->call.task, hold->call.number, hold->call.arguments))
    remote_write(&hold->call, hold->restore_address, &hold->restore, sizeof hold->restore);
  hold->restore_address = 0;
}

static void futex(struct call *call, const struct timespec *wanted) {
  struct clock *clock = &call->supervisor->world->clock;
  int operation = (int)call->arguments[1];
  if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
    let_in_relative(call, call->arguments[3], wanted, ETIMEDOUT);
    return;
  }
  bool wall = (operation & FUTEX_CLOCK_REALTIME) || (operation & FUTEX_CMD_MASK) == FUTEX_LOCK_PI;
  call_let_in(call,
              clock_deadline(clock, wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, timespec_ns(wanted)),
              ETIMEDOUT);
}

static void signals_wait(struct call *call, const struct timespec *wanted) {
  uint64_t set = 0;
  int64_t deadline =
      deadline_after(clock_now(&call->supervisor->world->clock), timespec_ns(wanted));
  if (!remote_read(call, call->arguments[0], &set, sizeof set) || timespec_ns(wanted) == 0) {
    call_continue(call);
    return;
  }
  struct hold *hold = hold_create(call, HOLD_SIGNALS, deadline);
  hold->mask = set;
  hold->interrupt_error = EINTR;
  hold->expiry_error = EAGAIN;
  hold_settle(hold);
}

void calls_kernel_wait(struct call *call) {
  struct clock *clock = &call->supervisor->world->clock;
  int at = call->number == SYS_rt_sigtimedwait                                       ? 2
           : call->number == SYS_mq_timedsend || call->number == SYS_mq_timedreceive ? 4
                                                                                     : 3;
  struct timespec wanted;
  if (!remote_read(call, call->arguments[at], &wanted, sizeof wanted) || wanted.tv_sec < 0 ||
      wanted.tv_nsec < 0 || wanted.tv_nsec >= SECONDS) {
    call_continue(call);
    return;
  }
  switch (call->number) {
  case SYS_futex:
    futex(call, &wanted);
    break;
  case SYS_rt_sigtimedwait:
    signals_wait(call, &wanted);
    break;
  case SYS_semtimedop:
    let_in_relative(call, call->arguments[3], &wanted, EAGAIN);
    break;
  case SYS_mq_timedsend:
  case SYS_mq_timedreceive:
    call_let_in(call, clock_deadline(clock, CLOCK_REALTIME, timespec_ns(&wanted)), ETIMEDOUT);
    break;
  default: /* futex_waitv */
    call_let_in(
        call, clock_deadline(clock, (clockid_t)call->arguments[WAITV_CLOCK], timespec_ns(&wanted)),
        ETIMEDOUT);
  }
}
