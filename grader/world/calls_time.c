/* Calls that read the time. */
#include "grader/world/supervisor_inner.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

static void answer_written(struct call *call, uint64_t address, const void *from, size_t length) {
  call_answer(call, remote_write(call, address, from, length) ? 0 : -EFAULT);
}

static void answer_clock_gettime(struct call *call) {
  int64_t reading = 0;
  if (!clock_read(&call->supervisor->world->clock, (clockid_t)call->arguments[0], &reading)) {
    call_continue(call); /* CPU time, or no clock at all */
    return;
  }
  struct timespec time = ns_timespec(reading);
  answer_written(call, call->arguments[1], &time, sizeof time);
}

static void answer_gettimeofday(struct call *call) {
  if (call->arguments[0] == 0 ||
      call->arguments[1] != 0) { /* a time zone: nobody's business of ours */
    call_continue(call);
    return;
  }
  int64_t reading = 0;
  clock_read(&call->supervisor->world->clock, CLOCK_REALTIME, &reading);
  struct timeval time = {.tv_sec = reading / SECONDS, .tv_usec = reading % SECONDS / 1000};
  answer_written(call, call->arguments[0], &time, sizeof time);
}

/* The result of times(2) is wall-clock time in ticks; what it writes is CPU time. */
static void answer_times(struct call *call) {
  int64_t reading = 0;
  clock_read(&call->supervisor->world->clock, CLOCK_MONOTONIC, &reading);
  int64_t ticks_per_second = sysconf(_SC_CLK_TCK);
  if (call->arguments[0] != 0) {
    int64_t cpu_ticks = tasks_cpu_ns(&call->program->tasks) / (SECONDS / ticks_per_second);
    struct tms used = {.tms_utime = cpu_ticks};
    if (!remote_write(call, call->arguments[0], &used, sizeof used)) {
      call_answer(call, -EFAULT);
      return;
    }
  }
  call_answer(call, reading / (SECONDS / ticks_per_second));
}

#ifdef __x86_64__
static void answer_time(struct call *call) {
  int64_t reading = 0;
  clock_read(&call->supervisor->world->clock, CLOCK_REALTIME, &reading);
  int64_t seconds = reading / SECONDS;
  if (call->arguments[0] != 0 && !remote_write(call, call->arguments[0], &seconds, sizeof seconds))
    seconds = -EFAULT;
  call_answer(call, seconds);
}
#endif

void calls_time(struct call *call) {
  switch (call->number) {
  case SYS_clock_gettime:
    answer_clock_gettime(call);
    break;
  case SYS_gettimeofday:
    answer_gettimeofday(call);
    break;
  case SYS_times:
    answer_times(call);
    break;
#ifdef __x86_64__
  case SYS_time:
    answer_time(call);
    break;
#endif
  default:
    call_continue(call);
  }
}

/* ---- sleeping ---- */

/* Where the remaining time of an interrupted sleep is to be written; 0 if nowhere. */
static uint64_t sleep_remainder_address(const struct call *call) {
  if (call->number == SYS_nanosleep)
    return call->arguments[1];
  return call->arguments[1] & TIMER_ABSTIME ? 0 : call->arguments[3];
}

void calls_sleep(struct call *call) {
  bool plain = call->number == SYS_nanosleep;
  struct timespec wanted;
  if (!remote_read(call, call->arguments[plain ? 0 : 2], &wanted, sizeof wanted) ||
      wanted.tv_sec < 0 || wanted.tv_nsec < 0 || wanted.tv_nsec >= SECONDS) {
    call_continue(call); /* EFAULT or EINVAL: the kernel knows best */
    return;
  }
  struct clock *clock = &call->supervisor->world->clock;
  int64_t now = clock_now(clock), reading = 0;
  clockid_t id = plain ? CLOCK_MONOTONIC : (clockid_t)call->arguments[0];
  if (!clock_read(clock, id, &reading)) {
    call_continue(call);
    return;
  }
  bool absolute = !plain && (call->arguments[1] & TIMER_ABSTIME);
  int64_t deadline = absolute ? clock_deadline(clock, id, timespec_ns(&wanted))
                              : deadline_after(now, timespec_ns(&wanted));
  if (deadline <= now) {
    call_answer(call, 0);
    return;
  }
  hold_settle(hold_create(call, HOLD_SLEEP, deadline));
}

void sleep_interrupted(struct hold *hold) {
  uint64_t address = sleep_remainder_address(&hold->call);
  if (address == 0)
    return;
  struct timespec left =
      ns_timespec(hold->deadline_ns - clock_now(&hold->call.supervisor->world->clock));
  remote_write(&hold->call, address, &left, sizeof left);
}
