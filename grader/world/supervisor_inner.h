/* The insides of the supervisor, for supervisor*.c and calls_*.c only. */
#pragma once

#include "grader/world/inner.h"

#include <linux/seccomp.h>
#include <poll.h>

/* The kernel's own restart codes (include/linux/errno.h): only a supervisor ever returns them from
 * outside. */
enum {
  RESTART_SYSTEM_CALL = 512,  /* ERESTARTSYS: again if the handler has SA_RESTART, else EINTR */
  RESTART_NO_INTERRUPT = 513, /* ERESTARTNOINTR */
  RESTART_NO_HANDLER = 514,   /* ERESTARTNOHAND: again only if no handler ran */
  RESTART_BLOCK = 516,        /* ERESTART_RESTARTBLOCK */
};

/* What is known of a task that has made a notified call. */
struct known_task {
  struct known_task *next;
  struct program *program;
  pid_t thread;       /* as this process sees it */
  pid_t process;      /* thread group, likewise */
  pid_t inner_thread; /* as the sandbox sees it */
  int pidfd;          /* of the process; -1 until needed */
  bool traced;        /* seized for an execve */
  bool exec_pending;
  /* A call that was interrupted by something that is no handler (stop and continue), and comes
   * again: it goes on with its old deadline. */
  bool resumes;
  int resume_number;
  uint64_t resume_arguments[6];
  int64_t resume_deadline_ns;
};

/* One notified call, until it is answered, continued or held. */
struct call {
  struct supervisor *supervisor;
  struct program *program;
  struct known_task *task;
  uint64_t id;
  int number;
  uint64_t arguments[6];
};

enum hold_kind {
  HOLD_SLEEP,
  HOLD_POLL,
  HOLD_SELECT,
  HOLD_EPOLL,
  HOLD_SOCKET,
  HOLD_SIGNALS, /* rt_sigtimedwait */
  HOLD_LET_IN,  /* in the kernel; ended by ptrace */
};

struct watched {
  int fd; /* our copy */
  short events;
  struct watch *watch;
};

struct hold {
  struct hold *next;
  struct call call;
  enum hold_kind kind;
  int64_t began_ns, deadline_ns;
  struct watched *watched;
  size_t watched_count;
  bool always_ready;   /* a descriptor that epoll cannot watch, such as a file, is always ready */
  bool has_mask;       /* ppoll, pselect6, epoll_pwait: the signal mask of the wait */
  uint64_t mask;       /* for HOLD_SIGNALS: the signals that are waited for */
  int interrupt_error; /* what a signal's handler makes of it */
  uint64_t
      restore_address; /* HOLD_LET_IN: where a rewritten time-out is to be put back; 0: nowhere */
  struct timespec restore;
  int expiry_error; /* HOLD_SOCKET, HOLD_SIGNALS, HOLD_LET_IN: what a time-out gives */
  bool polls;       /* HOLD_LET_IN: a poll or its kin, whose time-out was this argument */
  uint64_t polls_timeout;
};

struct timer {
  struct timer *next;
  enum { TIMER_INTERVAL, TIMER_POSIX, TIMER_DESCRIPTOR } kind;
  struct program *program;
  pid_t process;       /* as this process sees it; TIMER_DESCRIPTOR: of who set it */
  int64_t deadline_ns; /* INT64_MAX: not armed */
  int64_t interval_ns; /* 0: once */
  int64_t missed;      /* expirations that were past already when it was set */
  /* TIMER_POSIX */
  int id;
  clockid_t clock;
  int notify, signal;
  uint64_t value;
  pid_t inner_target; /* SIGEV_THREAD_ID */
  int overrun;
  /* TIMER_DESCRIPTOR */
  int fd; /* our copy */
  uint64_t expirations;
};

/* ---- supervisor.c ---- */
void call_answer(struct call *call, int64_t result); /* < 0: -errno */
void call_continue(struct call *call);
/* Keeps the call until deadline_ns. Returns the hold, to be filled in; hold_watch adds what it
 * waits for; then hold_settle must be called: it continues the call at once if it is ready already.
 */
struct hold *hold_create(struct call *call, enum hold_kind kind, int64_t deadline_ns);
void hold_watch(struct hold *hold, int fd_of_task, short events);
void hold_settle(struct hold *hold);
/* Gives up a hold that was not settled: the call is neither answered nor continued. */
void hold_remove(struct hold *hold);
/* Continues the call but remembers the deadline: the kernel's own time-out, if any, must lie far
 * beyond it. */
void call_let_in(struct call *call, int64_t deadline_ns, int expiry_error);

/* ---- calls_*.c: each handles one call, and answers, continues, holds or lets it in ---- */
/* Hands a call to whom it belongs, below (calls.c); and what people call it. */
void call_dispatch(struct call *call);
const char *call_name(int number);
void calls_time(struct call *call);
void calls_sleep(struct call *call);
void calls_poll(struct call *call);
void calls_socket(struct call *call);
/* setsockopt and getsockopt, if the program's calls are recorded. True if it has answered. */
bool calls_option(struct call *call);
/* socket and close */
void calls_descriptor(struct call *call);
/* Notes how a program sends, receives, and waits for it. Answers nothing. */
void calls_transfer(struct call *call);
bool call_is_transfer(int number);
void calls_kernel_wait(struct call *call);
/* rt_sigaction of SIGCHLD and SIGIO */
void calls_signal_action(struct call *call);
void calls_timer(struct call *call);
void calls_timer_descriptor(struct call *call);
/* What becomes of a hold of theirs when it is ready (before it is continued) or expires (answers
 * it). */
void poll_ready(struct hold *hold);
void poll_expire(struct hold *hold);
/* The same for one that waits in the kernel, before it is interrupted. */
void poll_expire_inside(const struct hold *hold);
void sleep_interrupted(struct hold *hold);
void hold_restore(struct hold *hold);

void timers_fire(struct supervisor *supervisor, struct timer *timer);
void timers_forget(struct supervisor *supervisor, pid_t process, bool posix_only);
void timers_end(struct supervisor *supervisor);

/* calls_poll_inside.c: of calls that wait for a signalfd too, whose readiness only the kernel can
 * tell, for the task itself. */
bool hold_polls_signals(const struct hold *hold);
/* Has the task make the call again, with `endless` as its time-out, for which the filter does not
 * notify us. Takes the hold. */
void poll_inside_begin(struct hold *hold, int timeout_argument, uint64_t endless);

/* ---- remote.c: a task's memory and descriptors ---- */
bool remote_read(const struct call *call, uint64_t address, void *into, size_t length);
bool remote_write(const struct call *call, uint64_t address, const void *from, size_t length);
/* A copy of the task's descriptor, the caller's to remote_close; -1 if it has none of that number.
 */
int remote_descriptor(const struct call *call, int fd);
/* Closes such a copy, and makes it -1. Does not wait, as close(2) does for a socket with SO_LINGER
 * when nobody else has it open any more. */
void remote_close(int *fd);
#define scoped_remote __attribute__((cleanup(remote_close)))
/* Whether this is still a process of the program, and not one of somebody else's that was given its
 * number since. To be asked before anything is done to a process that may have died meanwhile. */
bool process_is_inside(const struct program *program, pid_t process);
/* The thread of `process` that its sandbox calls inner_thread; 0 if there is none. */
pid_t remote_thread(pid_t process, pid_t inner_thread);
struct known_task *known_task_find(struct supervisor *supervisor, struct program *program,
                                   pid_t thread);
void known_tasks_end(struct supervisor *supervisor);
/* The signal sets of /proc/…/status, as bit masks (bit 0 is signal 1). What is sent to a process is
 * pending only for a thread that may take it. */
struct signal_sets {
  uint64_t pending, blocked, ignored, caught;
};
bool known_task_signals(const struct known_task *task, struct signal_sets *sets);
/* Whether the task is at this moment inside the kernel in exactly this call. */
bool known_task_in_call(const struct known_task *task, int number, const uint64_t arguments[6]);

/* ---- trace.c: the uses of ptrace ---- */
void trace_exec_begin(struct known_task *task);
/* Looks for stops of the task; true when its execve has come to an end. */
bool trace_exec_step(struct known_task *task);
void trace_release(struct known_task *task);
/* Answers the task's notified call by having the task make it again, with another value for one of
 * its arguments but the first. If a signal is to be handled, that comes first and ends the call.
 * False, and nothing is answered, if the task cannot be traced. */
bool trace_repeat_call(struct call *call, int argument, uint64_t value);
/* Makes the call that the task is in return `error`, unless it has come back by itself. */
void trace_interrupt_call(const struct known_task *task, int number, int error);

static inline int64_t timespec_ns(const struct timespec *time) {
  return time->tv_sec > INT64_MAX / SECONDS / 2 ? INT64_MAX / 2
                                                : time->tv_sec * SECONDS + time->tv_nsec;
}
static inline struct timespec ns_timespec(int64_t ns) {
  if (ns < 0)
    ns = 0;
  return (struct timespec){.tv_sec = ns / SECONDS, .tv_nsec = ns % SECONDS};
}
/* now + wait, without overflow. `wait_ns` is not negative; `now_ns` may be: before the world. */
static inline int64_t deadline_after(int64_t now_ns, int64_t wait_ns) {
  int64_t deadline;
  return __builtin_add_overflow(now_ns, wait_ns, &deadline) ? INT64_MAX : deadline;
}
