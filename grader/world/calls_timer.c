/* alarm, setitimer, timer_create and timerfd. A timer that is due is made real: its signal is sent,
 * its descriptor becomes readable. */
#include "grader/world/supervisor_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

/* The kernel refuses more too, in its own time (RLIMIT_SIGPENDING). */
enum { TIMERS_MAX = 1024 };

/* How a program gives times for itimers: {interval, value} in seconds and micro- or nanoseconds. */
struct setting {
  int64_t interval_s, interval_fraction, value_s, value_fraction;
};

static struct timer *timer_new(struct call *call, int kind) {
  struct timer *timer = memory_zeroed(1, sizeof *timer);
  timer->kind = (__typeof__(timer->kind))kind;
  timer->program = call->program;
  timer->process = call->task->process;
  timer->deadline_ns = INT64_MAX;
  timer->fd = -1;
  timer->next = call->supervisor->timers;
  call->supervisor->timers = timer;
  return timer;
}

static void timer_remove(struct supervisor *supervisor, struct timer *timer) {
  struct timer **place = &supervisor->timers;
  while (*place != timer)
    place = &(*place)->next;
  *place = timer->next;
  if (timer->fd >= 0)
    close(timer->fd);
  free(timer);
}

static unsigned timers_count(const struct supervisor *supervisor) {
  unsigned count = 0;
  for (const struct timer *timer = supervisor->timers; timer; timer = timer->next)
    count++;
  return count;
}

void timers_end(struct supervisor *supervisor) {
  while (supervisor->timers)
    timer_remove(supervisor, supervisor->timers);
}

void timers_forget(struct supervisor *supervisor, pid_t process, bool posix_only) {
  for (struct timer *timer = supervisor->timers, *next; timer; timer = next) {
    next = timer->next;
    if (timer->process == process && (timer->kind == TIMER_POSIX || !posix_only))
      timer_remove(supervisor, timer);
  }
}

static int64_t now_of(const struct call *call) {
  return clock_now(&call->supervisor->world->clock);
}

static int64_t timer_left(const struct timer *timer, int64_t now) {
  if (timer->deadline_ns == INT64_MAX)
    return 0;
  return timer->deadline_ns > now ? timer->deadline_ns - now : 1;
}

static bool setting_read(const struct call *call, uint64_t address, int64_t fractions,
                         int64_t *interval_ns, int64_t *value_ns) {
  struct setting setting;
  if (!remote_read(call, address, &setting, sizeof setting) || setting.value_s < 0 ||
      setting.interval_s < 0 || setting.value_fraction < 0 || setting.value_fraction >= fractions ||
      setting.interval_fraction < 0 || setting.interval_fraction >= fractions)
    return false;
  struct timespec interval = {setting.interval_s,
                              setting.interval_fraction * (SECONDS / fractions)};
  struct timespec value = {setting.value_s, setting.value_fraction * (SECONDS / fractions)};
  *interval_ns = timespec_ns(&interval);
  *value_ns = timespec_ns(&value);
  return true;
}

static bool setting_write(const struct call *call, uint64_t address, int64_t fractions,
                          const struct timer *timer) {
  if (address == 0)
    return true;
  int64_t interval = timer ? timer->interval_ns : 0;
  int64_t value = timer ? timer_left(timer, now_of(call)) : 0;
  int64_t unit = SECONDS / fractions;
  struct setting setting = {interval / SECONDS, interval % SECONDS / unit, value / SECONDS,
                            value % SECONDS / unit};
  return remote_write(call, address, &setting, sizeof setting);
}

/* ---- alarm, setitimer(ITIMER_REAL) ---- */

static struct timer *interval_timer(struct call *call) {
  for (struct timer *timer = call->supervisor->timers; timer; timer = timer->next)
    if (timer->kind == TIMER_INTERVAL && timer->process == call->task->process)
      return timer;
  return NULL;
}

static void timer_arm(struct timer *timer, int64_t now, int64_t value_ns, int64_t interval_ns) {
  timer->deadline_ns = value_ns == 0 ? INT64_MAX : deadline_after(now, value_ns);
  timer->interval_ns = interval_ns;
}

#ifdef __x86_64__
static void answer_alarm(struct call *call) {
  struct timer *timer = interval_timer(call);
  int64_t now = now_of(call);
  int64_t left = timer ? timer_left(timer, now) : 0;
  int64_t left_s =
      (left + SECONDS / 2) / SECONDS; /* the kernel rounds to the nearest, but never down to 0 */
  if (left > 0 && left_s == 0)
    left_s = 1;
  if (!timer)
    timer = timer_new(call, TIMER_INTERVAL);
  timer_arm(timer, now, (int64_t)(uint32_t)call->arguments[0] * SECONDS, 0);
  call_answer(call, left_s);
}
#endif

static void answer_itimer(struct call *call) {
  enum { MICROSECONDS = 1000000 };
  if (call->arguments[0] != ITIMER_REAL) {
    call_continue(call); /* CPU time */
    return;
  }
  struct timer *timer = interval_timer(call);
  if (call->number == SYS_getitimer) {
    call_answer(call, setting_write(call, call->arguments[1], MICROSECONDS, timer) ? 0 : -EFAULT);
    return;
  }
  int64_t interval = 0, value = 0;
  if (call->arguments[1] &&
      !setting_read(call, call->arguments[1], MICROSECONDS, &interval, &value)) {
    call_answer(call, -EINVAL);
    return;
  }
  if (!setting_write(call, call->arguments[2], MICROSECONDS, timer)) {
    call_answer(call, -EFAULT);
    return;
  }
  if (!timer)
    timer = timer_new(call, TIMER_INTERVAL);
  timer_arm(timer, now_of(call), value, interval);
  call_answer(call, 0);
}

/* ---- timer_create and its kin: the kernel never hears of them ---- */

/* struct sigevent as the kernel reads it. */
struct kernel_sigevent {
  uint64_t value;
  int32_t signal, notify;
  int32_t thread;
  int32_t padding[11];
};

static void answer_timer_create(struct call *call) {
  int64_t reading = 0;
  if (!clock_read(&call->supervisor->world->clock, (clockid_t)call->arguments[0], &reading)) {
    call_continue(call); /* CPU time */
    return;
  }
  if (timers_count(call->supervisor) >= TIMERS_MAX) {
    call_answer(call, -EAGAIN);
    return;
  }
  struct kernel_sigevent event = {.signal = SIGALRM, .notify = SIGEV_SIGNAL};
  int id = call->supervisor->next_timer_id;
  if ((call->arguments[1] && !remote_read(call, call->arguments[1], &event, sizeof event)) ||
      !remote_write(call, call->arguments[2], &id, sizeof id)) {
    call_answer(call, -EFAULT);
    return;
  }
  call->supervisor->next_timer_id++;
  struct timer *timer = timer_new(call, TIMER_POSIX);
  timer->id = id;
  timer->clock = (clockid_t)call->arguments[0];
  timer->notify = event.notify;
  timer->signal = event.signal;
  timer->value = call->arguments[1] ? event.value : (uint64_t)id;
  timer->inner_target = event.thread;
  call_answer(call, 0);
}

static struct timer *posix_timer(struct call *call) {
  for (struct timer *timer = call->supervisor->timers; timer; timer = timer->next)
    if (timer->kind == TIMER_POSIX && timer->process == call->task->process &&
        timer->id == (int)call->arguments[0])
      return timer;
  return NULL;
}

/* What repeats since long ago (the clocks' zero, say, is many years back) expires at once, and only
 * once: all expirations but the latest are counted as missed. */
static void timer_skip_past(struct timer *timer, int64_t now) {
  if (timer->interval_ns == 0 || timer->deadline_ns >= now)
    return;
  timer->missed = (now - timer->deadline_ns) / timer->interval_ns;
  timer->deadline_ns += timer->missed * timer->interval_ns;
}

/* An absolute or relative value, armed. */
static void timer_arm_at(struct call *call, struct timer *timer, bool absolute, int64_t value,
                         int64_t interval) {
  struct clock *clock = &call->supervisor->world->clock;
  timer->missed = 0;
  if (value != 0 && absolute) {
    timer->deadline_ns = clock_deadline(clock, timer->clock, value);
    timer->interval_ns = interval;
    timer_skip_past(timer, now_of(call));
  } else {
    timer_arm(timer, now_of(call), value, interval);
  }
}

void calls_timer(struct call *call) {
  switch (call->number) {
#ifdef __x86_64__
  case SYS_alarm:
    answer_alarm(call);
    return;
#endif
  case SYS_setitimer:
  case SYS_getitimer:
    answer_itimer(call);
    return;
  case SYS_timer_create:
    answer_timer_create(call);
    return;
  default:
    break;
  }
  struct timer *timer = posix_timer(call);
  if (!timer) {
    call_continue(call); /* one on CPU time, or none */
    return;
  }
  int64_t interval = 0, value = 0;
  switch (call->number) {
  case SYS_timer_settime:
    if (!setting_read(call, call->arguments[2], SECONDS, &interval, &value)) {
      call_answer(call, -EINVAL);
      return;
    }
    if (!setting_write(call, call->arguments[3], SECONDS, timer)) {
      call_answer(call, -EFAULT);
      return;
    }
    timer_arm_at(call, timer, call->arguments[1] & TIMER_ABSTIME, value, interval);
    timer->overrun = 0;
    call_answer(call, 0);
    break;
  case SYS_timer_gettime:
    call_answer(call, setting_write(call, call->arguments[1], SECONDS, timer) ? 0 : -EFAULT);
    break;
  case SYS_timer_getoverrun:
    call_answer(call, timer->overrun);
    break;
  default: /* timer_delete */
    timer_remove(call->supervisor, timer);
    call_answer(call, 0);
  }
}

/* ---- timerfd ---- */

static struct timer *descriptor_timer(struct call *call, int fd) {
  for (struct timer *timer = call->supervisor->timers; timer; timer = timer->next)
    if (timer->kind == TIMER_DESCRIPTOR &&
        syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, fd, timer->fd) == 0)
      return timer;
  return NULL;
}

/* The clock of a timerfd, which only /proc tells. */
static clockid_t descriptor_clock(int fd) {
  char path[40], text[512];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  scoped_file FILE *file = fopen(path, "re");
  int id = CLOCK_MONOTONIC;
  while (file && fgets(text, sizeof text, file))
    if (sscanf(text, "clockid: %d", &id) == 1)
      break;
  return id;
}

void calls_timer_descriptor(struct call *call) {
  scoped_remote int fd = remote_descriptor(call, (int)call->arguments[0]);
  struct itimerspec idle = {0};
  if (fd < 0 || timerfd_gettime(fd, &idle) < 0) {
    call_continue(call); /* EBADF, EINVAL */
    return;
  }
  struct timer *timer = descriptor_timer(call, fd);
  if (call->number == SYS_timerfd_gettime) {
    call_answer(call, setting_write(call, call->arguments[1], SECONDS, timer) ? 0 : -EFAULT);
    return;
  }
  int64_t interval = 0, value = 0;
  if (!setting_read(call, call->arguments[2], SECONDS, &interval, &value)) {
    call_answer(call, -EINVAL);
    return;
  }
  if (!setting_write(call, call->arguments[3], SECONDS, timer)) {
    call_answer(call, -EFAULT);
    return;
  }
  if (!timer && timers_count(call->supervisor) >= TIMERS_MAX) {
    call_answer(call, -ENOMEM);
    return;
  }
  if (!timer) {
    timer = timer_new(call, TIMER_DESCRIPTOR);
    timer->clock = descriptor_clock(fd);
    timer->fd = steal_fd(&fd);
  }
  timerfd_settime(timer->fd, 0, &idle,
                  NULL); /* as settime does: expirations that were not read are gone */
  timer_arm_at(call, timer, call->arguments[1] & TFD_TIMER_ABSTIME, value, interval);
  call_answer(call, 0);
}

/* Whether the program still has the descriptor: nobody tells when it is closed. */
static bool descriptor_still_open(const struct timer *timer) {
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/fd", timer->process);
  scoped_fd int pidfd = (int)syscall(SYS_pidfd_open, timer->process, 0);
  if (pidfd < 0)
    return false;
  enum { DESCRIPTORS = 1024 };
  for (int number = 0; number < DESCRIPTORS; number++)
    if (syscall(SYS_kcmp, timer->process, getpid(), KCMP_FILE, number, timer->fd) == 0)
      return true;
  return false;
}

static void descriptor_fire(struct supervisor *supervisor, struct timer *timer) {
  /* A child may have inherited it: then the parent's end does not end it. Only repeating timers
   * must be watched, since a single one is over now anyway. */
  if (timer->interval_ns && !descriptor_still_open(timer)) {
    timer_remove(supervisor, timer);
    return;
  }
  struct pollfd readable = {.fd = timer->fd, .events = POLLIN};
  bool unread = poll(&readable, 1, 0) > 0 && (readable.revents & POLLIN);
  timer->expirations = (unread ? timer->expirations : 0) + 1 + (uint64_t)timer->missed;
  timer->missed = 0;
  if (ioctl(timer->fd, TFD_IOC_SET_TICKS, &timer->expirations) < 0) {
    struct itimerspec at_once = {.it_value = {.tv_nsec = 1}};
    timerfd_settime(timer->fd, TFD_TIMER_ABSTIME, &at_once, NULL);
  }
}

static void signal_send(struct timer *timer) {
  siginfo_t info = {.si_signo = timer->signal, .si_code = SI_TIMER};
  timer->overrun = timer->missed < INT_MAX ? (int)timer->missed : INT_MAX; /* DELAYTIMER_MAX */
  timer->missed = 0;
  info.si_timerid = timer->id;
  info.si_overrun = timer->overrun;
  memcpy(&info.si_value, &timer->value, sizeof info.si_value);
  if (timer->notify == SIGEV_SIGNAL)
    syscall(SYS_rt_sigqueueinfo, timer->process, timer->signal, &info);
  else if (timer->notify == SIGEV_THREAD_ID) {
    pid_t target = remote_thread(timer->process, timer->inner_target);
    syscall(SYS_rt_tgsigqueueinfo, timer->process, target, timer->signal, &info);
  }
}

/* When a repeating timer fires next. What it missed since the clock was moved by more than its
 * interval is counted, as the kernel does (timer_getoverrun(2)), not made up for. */
static int64_t deadline_next(struct timer *timer, int64_t now) {
  int64_t next = deadline_after(timer->deadline_ns, timer->interval_ns);
  if (next > now)
    return next;
  int64_t missed = (now - next) / timer->interval_ns + 1;
  timer->missed += missed;
  return deadline_after(next, missed * timer->interval_ns);
}

void timers_fire(struct supervisor *supervisor, struct timer *timer) {
  bool gone = !process_is_inside(timer->program, timer->process);
  timer->deadline_ns =
      timer->interval_ns ? deadline_next(timer, clock_now(&supervisor->world->clock)) : INT64_MAX;
  if (timer->kind == TIMER_DESCRIPTOR)
    descriptor_fire(supervisor, timer);
  else if (gone)
    timer_remove(supervisor, timer);
  else if (timer->kind == TIMER_INTERVAL)
    kill(timer->process, SIGALRM);
  else
    signal_send(timer);
}
