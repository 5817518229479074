#include "grader/world/supervisor_inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* What a trapped call costs on the virtual clock. */
#define CALL_COST_NS 1000

void supervisor_begin(struct supervisor *supervisor, struct world *world) {
  *supervisor = (struct supervisor){.world = world, .next_timer_id = 1};
}

static void hold_free(struct hold *hold) {
  for (size_t i = 0; i < hold->watched_count; i++) {
    if (hold->watched[i].watch)
      world_unwatch(hold->watched[i].watch);
    remote_close(&hold->watched[i].fd);
    hold->call.supervisor->copies--;
  }
  free(hold->watched);
  free(hold);
}

void hold_remove(struct hold *hold) {
  struct hold **place = &hold->call.supervisor->holds;
  while (*place != hold)
    place = &(*place)->next;
  *place = hold->next;
  if (hold->kind != HOLD_LET_IN)
    tasks_hold(&hold->call.program->tasks, hold->call.task->inner_thread, false);
  hold_free(hold);
}

void supervisor_end(struct supervisor *supervisor) {
  while (supervisor->holds)
    hold_remove(supervisor->holds);
  timers_end(supervisor);
  known_tasks_end(supervisor);
}

/* ---- answers ---- */

static void call_respond(struct call *call, struct seccomp_notif_resp *response) {
  response->id = call->id;
  /* ENOENT: the task has died meanwhile. */
  while (ioctl(call->program->sandbox.notify_fd, SECCOMP_IOCTL_NOTIF_SEND, response) < 0 &&
         errno == EINTR)
    ;
}

void call_answer(struct call *call, int64_t result) {
  struct seccomp_notif_resp response = {0};
  if (result < 0)
    response.error = (int)result;
  else
    response.val = result;
  call_respond(call, &response);
}

void call_continue(struct call *call) {
  struct seccomp_notif_resp response = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  call_respond(call, &response);
}

/* ---- holds ---- */

static bool hold_alive(const struct hold *hold) {
  if (hold->kind == HOLD_LET_IN)
    return known_task_in_call(hold->call.task, hold->call.number, hold->call.arguments);
  uint64_t id = hold->call.id;
  return ioctl(hold->call.program->sandbox.notify_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static bool hold_is_ready(struct hold *hold) {
  if (hold->always_ready)
    return true;
  for (size_t i = 0; i < hold->watched_count; i++) {
    struct pollfd poll_one = {.fd = hold->watched[i].fd, .events = hold->watched[i].events};
    if (poll(&poll_one, 1, 0) > 0 &&
        (hold->kind != HOLD_SELECT || (poll_one.revents & hold->watched[i].events)))
      return true;
  }
  return false;
}

static void hold_note(struct hold *hold, const char *outcome);

/* What was waited for is there: the kernel may have the call. */
static void hold_release(struct hold *hold) {
  struct call call = hold->call;
  int64_t deadline = hold->deadline_ns;
  bool stealable = hold->kind == HOLD_SOCKET && call.program->tasks.count > 1;
  int expiry_error = hold->expiry_error;
  poll_ready(hold);
  hold_note(hold, N_("ended"));
  hold_remove(hold);
  if (stealable) /* another thread may be quicker, and the kernel then waits again */
    call_let_in(&call, deadline, expiry_error);
  else
    call_continue(&call);
}

static void hold_on_ready(void *context, uint32_t events) {
  (void)events;
  struct hold *hold = context;
  if (hold_is_ready(hold))
    hold_release(hold);
}

struct hold *hold_create(struct call *call, enum hold_kind kind, int64_t deadline_ns) {
  struct known_task *task = call->task;
  if (task->resumes && task->resume_number == call->number &&
      memcmp(task->resume_arguments, call->arguments, sizeof call->arguments) == 0)
    deadline_ns = task->resume_deadline_ns;
  task->resumes = false;
  struct hold *hold = memory_zeroed(1, sizeof *hold);
  hold->call = *call;
  hold->kind = kind;
  hold->began_ns = clock_now(&call->supervisor->world->clock);
  hold->deadline_ns = deadline_ns;
  hold->interrupt_error = RESTART_NO_HANDLER;
  hold->next = call->supervisor->holds;
  call->supervisor->holds = hold;
  if (kind != HOLD_LET_IN)
    tasks_hold(&call->program->tasks, task->inner_thread, true);
  return hold;
}

/* What programs wait for must leave the world descriptors for peers: they could else make the
 * grader err. */
static bool copies_exceeded(const struct supervisor *supervisor) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 && supervisor->copies >= limit.rlim_cur / 2;
}

void hold_watch(struct hold *hold, int fd_of_task, short events) {
  if (copies_exceeded(hold->call.supervisor)) {
    struct program *program = hold->call.program;
    world_finding_add(hold->call.supervisor->world,
                      "%s waited for more than %u descriptors at once, and was ended",
                      program->name, hold->call.supervisor->copies);
    program_kill(program);
    hold->always_ready = true;
    return;
  }
  int fd = remote_descriptor(&hold->call, fd_of_task);
  if (fd < 0) { /* not open: the kernel is to say so */
    hold->always_ready = true;
    return;
  }
  hold->watched = memory_resize(hold->watched, (hold->watched_count + 1) * sizeof *hold->watched);
  struct watched *watched = &hold->watched[hold->watched_count++];
  *watched = (struct watched){.fd = fd, .events = events};
  hold->call.supervisor->copies++;
}

void hold_settle(struct hold *hold) {
  if (hold_is_ready(hold)) {
    hold_release(hold);
    return;
  }
  for (size_t i = 0; i < hold->watched_count; i++) {
    struct watched *watched = &hold->watched[i];
    watched->watch = world_watch(hold->call.supervisor->world, watched->fd,
                                 (uint32_t)watched->events, hold_on_ready, hold);
    if (!watched->watch) {
      hold->always_ready = true;
      hold_release(hold);
      return;
    }
  }
}

void call_let_in(struct call *call, int64_t deadline_ns, int expiry_error) {
  struct hold *hold = hold_create(call, HOLD_LET_IN, deadline_ns);
  hold->expiry_error = expiry_error;
  call_continue(call);
}

/* ---- notifications ---- */

/* A task that makes any notified call is not in the one that it was let in to any more. */
static void supervisor_forget_let_in(struct supervisor *supervisor, const struct known_task *task) {
  for (struct hold *hold = supervisor->holds, *next; hold; hold = next) {
    next = hold->next;
    if (hold->call.task == task)
      hold_remove(hold);
  }
}

static void supervisor_receive(struct supervisor *supervisor, struct program *program) {
  if (program->record_calls) /* what it wrote before this call is to bear an earlier time */
    program_drain(program);
  struct seccomp_notif notification = {0};
  if (ioctl(program->sandbox.notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &notification) < 0)
    return; /* ENOENT: it was gone before it could be taken */
  supervisor->calls++;
  struct call call = {
      .supervisor = supervisor,
      .program = program,
      .id = notification.id,
      .number = notification.data.nr,
  };
  for (int i = 0; i < 6; i++)
    call.arguments[i] = notification.data.args[i];
  call.task = known_task_find(supervisor, program, (pid_t)notification.pid);
  if (!call.task) { /* died meanwhile */
    call_continue(&call);
    return;
  }
  supervisor_forget_let_in(supervisor, call.task);
  if (call.task->exec_pending) { /* its execve failed, or it would have stopped first */
    call.task->exec_pending = false;
    supervisor->execs_pending--;
    if (call.number != SYS_execve && call.number != SYS_execveat)
      trace_release(call.task);
  }
  struct clock *clock = &supervisor->world->clock;
  clock_advance_to(clock, clock->now_ns + CALL_COST_NS);
  call_dispatch(&call);
}

static void supervisor_drain(struct supervisor *supervisor, struct program *program) {
  enum { AT_A_TIME = 64 }; /* so that the loop comes to look at CPU time while a program spins */
  for (int i = 0; i < AT_A_TIME; i++) {
    struct pollfd listener = {.fd = program->sandbox.notify_fd, .events = POLLIN};
    if (poll(&listener, 1, 0) <= 0 || !(listener.revents & POLLIN))
      break;
    supervisor_receive(supervisor, program);
    supervisor_execs(supervisor);
  }
}

static void listener_on_ready(void *context, uint32_t events) {
  struct program *program = context;
  if (events & EPOLLIN)
    supervisor_drain(&program->host->world->supervisor, program);
  else { /* EPOLLHUP: nobody is left under the filter */
    world_unwatch(program->listener_watch);
    program->listener_watch = NULL;
  }
}

void supervisor_adopt(struct supervisor *supervisor, struct program *program) {
  program->listener_watch = world_watch(supervisor->world, program->sandbox.notify_fd, EPOLLIN,
                                        listener_on_ready, program);
  ioctl(program->sandbox.notify_fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
        SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

void supervisor_execs(struct supervisor *supervisor) {
  for (struct known_task *task = supervisor->known; task; task = task->next) {
    if (!task->traced || !trace_exec_step(task))
      continue;
    if (task->exec_pending) {
      task->exec_pending = false;
      supervisor->execs_pending--;
      task->program->tasks.changed = true;
      timers_forget(supervisor, task->process, true);
    }
  }
}

/* ---- signals ---- */

/* Lets the signal that is pending for a held task take its course. */
static bool hold_interrupt(struct hold *hold) {
  struct signal_sets sets;
  if (!known_task_signals(hold->call.task, &sets) || sets.pending == 0)
    return false;
  struct call call = hold->call;
  if (hold->kind == HOLD_SIGNALS && (sets.pending & hold->mask)) {
    hold_remove(hold);
    call_continue(&call);
    return true;
  }
  if (hold->has_mask && hold->kind != HOLD_SIGNALS) {
    if (!(sets.pending & ~hold->mask))
      return false;
    poll_ready(hold);
    hold_remove(
        hold); /* the kernel puts the wait's own mask in place, and is interrupted at once */
    call_continue(&call);
    return true;
  }
  uint64_t deliverable = sets.pending & ~sets.blocked;
  if (deliverable == 0)
    return false;
  struct known_task *task = call.task;
  int error = hold->interrupt_error;
  bool without_end = hold->kind == HOLD_SOCKET && hold->deadline_ns == INT64_MAX;
  if (deliverable & sets.caught) {
    if (without_end && (deliverable & sets.caught & UINT64_C(1) << (SIGCHLD - 1)))
      error = EINTR; /* calls_signal.c */
    if (hold->kind == HOLD_SLEEP)
      sleep_interrupted(hold);
    if (hold->kind == HOLD_SELECT || hold->kind == HOLD_POLL)
      poll_ready(hold); /* leaves the remaining time behind */
  } else if (hold->kind == HOLD_EPOLL || (hold->kind == HOLD_SOCKET && !without_end) ||
             hold->kind == HOLD_SIGNALS) {
    error = EINTR; /* these end when a stopped task goes on, without any handler: signal(7) */
  } else {         /* stopped and continued, or ended */
    task->resumes = true;
    task->resume_number = call.number;
    memcpy(task->resume_arguments, call.arguments, sizeof call.arguments);
    task->resume_deadline_ns = hold->deadline_ns;
    error = RESTART_NO_HANDLER;
  }
  hold_remove(hold);
  call_answer(&call, -error);
  return true;
}

bool supervisor_signals(struct supervisor *supervisor) {
  for (struct hold *hold = supervisor->holds, *next; hold; hold = next) {
    next = hold->next;
    if (hold->kind == HOLD_LET_IN) {
      hold_restore(hold);
      continue;
    }
    if (!hold_alive(hold)) {
      hold_remove(hold);
      return true;
    }
    if (hold_interrupt(hold))
      return true;
  }
  return false;
}

void supervisor_bury(struct supervisor *supervisor, const struct program *program) {
  for (struct hold *hold = supervisor->holds, *next; hold; hold = next) {
    next = hold->next;
    if (hold->call.program == program && !hold_alive(hold))
      hold_remove(hold);
  }
}

/* ---- deadlines ---- */

/* Short waits (a loop that sleeps a millisecond) would drown the others. */
static void hold_note(struct hold *hold, const char *outcome) {
  struct world *world = hold->call.supervisor->world;
  int64_t now = clock_now(&world->clock);
  if (now - hold->began_ns < 20 * MILLISECONDS)
    return;
  char *text = language_sentence("%s %s after %.3f s", call_name(hold->call.number), outcome,
                                 (double)(now - hold->began_ns) / 1e9);
  log_append(&world->log, &(struct event){.time_ns = now,
                                          .kind = EVENT_WAIT,
                                          .program = hold->call.program,
                                          .host = hold->call.program->host,
                                          .bytes = (const uint8_t *)text,
                                          .length = strlen(text)});
  free(text);
}

int64_t supervisor_next_deadline(struct supervisor *supervisor) {
  int64_t earliest = INT64_MAX;
  for (struct hold *hold = supervisor->holds, *next; hold; hold = next) {
    next = hold->next;
    if (hold->deadline_ns >= earliest)
      continue;
    if (hold->kind == HOLD_LET_IN && !hold_alive(hold)) {
      hold_remove(hold);
      continue;
    }
    earliest = hold->deadline_ns;
  }
  for (struct timer *timer = supervisor->timers; timer; timer = timer->next)
    if (timer->deadline_ns < earliest)
      earliest = timer->deadline_ns;
  return earliest;
}

static void hold_expire(struct hold *hold) {
  if (hold->kind == HOLD_LET_IN) {
    struct call call = hold->call;
    int error = hold->expiry_error;
    bool alive = hold_alive(hold);
    if (alive)
      hold_restore(hold);
    if (alive && hold->polls)
      poll_expire_inside(hold);
    hold_note(hold, N_("timed out"));
    hold_remove(hold);
    if (alive)
      trace_interrupt_call(call.task, call.number, error);
    return;
  }
  if (hold_is_ready(hold)) {
    hold_release(hold);
    return;
  }
  struct call call = hold->call;
  hold_note(hold, hold->kind == HOLD_SLEEP ? N_("ended") : N_("timed out"));
  int64_t result = 0;
  if (hold->kind == HOLD_POLL || hold->kind == HOLD_SELECT)
    poll_expire(hold);
  if (hold->kind == HOLD_SOCKET || hold->kind == HOLD_SIGNALS)
    result = -hold->expiry_error;
  hold_remove(hold);
  call_answer(&call, result);
}

/* A program that naps for a nanosecond, again and again, or has a thousand timers of a microsecond,
 * would keep the grader busy for minutes before a second has passed on the clock. No kernel lets
 * anybody sleep for less than 50 µs (the timer slack, prctl(2)), and from some number on neither
 * does this clock; then for less than 100 µs, and so on. */
static void quick_ends_slow_down(struct supervisor *supervisor) {
  enum { STEP = 10000, SLACK_NS = 50000, STEPS_MOST = 8 };
  struct clock *clock = &supervisor->world->clock;
  unsigned steps = supervisor->quick_ends / STEP;
  int64_t slack =
      steps == 0 ? SLACK_NS : (int64_t)SLACK_NS << (steps < STEPS_MOST ? steps - 1 : STEPS_MOST);
  int64_t earliest = supervisor->last_end_ns + slack;
  if (clock->now_ns < earliest) {
    supervisor->quick_ends++;
    if (steps > 0)
      clock_advance_to(clock, earliest);
  }
  supervisor->last_end_ns = clock->now_ns;
}

bool supervisor_expire_one(struct supervisor *supervisor, int64_t now_ns) {
  struct hold *first_hold = NULL;
  for (struct hold *hold = supervisor->holds; hold; hold = hold->next)
    if (hold->deadline_ns <= now_ns &&
        (!first_hold || hold->deadline_ns <= first_hold->deadline_ns))
      first_hold = hold; /* of equal ones the one that began first: new holds are put in front */
  struct timer *first_timer = NULL;
  for (struct timer *timer = supervisor->timers; timer; timer = timer->next)
    if (timer->deadline_ns <= now_ns &&
        (!first_timer || timer->deadline_ns < first_timer->deadline_ns))
      first_timer = timer;
  if (first_timer && (!first_hold || first_timer->deadline_ns <= first_hold->deadline_ns))
    timers_fire(supervisor, first_timer);
  else if (first_hold)
    hold_expire(first_hold);
  if (first_hold || first_timer)
    quick_ends_slow_down(supervisor);
  return first_hold || first_timer;
}
