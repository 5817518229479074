#include "grader/world/busyness.h"
#include "grader/world/inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- watches ---- */

struct watch *world_watch(struct world *world, int fd, uint32_t events,
                          void (*on_ready)(void *context, uint32_t events), void *context) {
  struct watch *watch = memory_zeroed(1, sizeof *watch);
  *watch = (struct watch){.world = world, .fd = fd, .on_ready = on_ready, .context = context};
  struct epoll_event event = {.events = events, .data.ptr = watch};
  if (epoll_ctl(world->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
    free(watch); /* a file, which epoll cannot watch */
    return NULL;
  }
  watch->next = world->watches;
  world->watches = watch;
  return watch;
}

void world_unwatch(struct watch *watch) {
  if (!watch || watch->removed)
    return;
  epoll_ctl(watch->world->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
  watch->removed = true;
}

static void watches_sweep(struct world *world, bool all) {
  for (struct watch **place = &world->watches; *place;) {
    struct watch *watch = *place;
    if (watch->removed || all) {
      *place = watch->next;
      free(watch);
    } else {
      place = &watch->next;
    }
  }
}

/* ---- beginning and end ---- */

struct world *world_create(const struct world_options *options, struct failure *failure) {
  struct world *world = memory_zeroed(1, sizeof *world);
  world->options = *options;
  world->random_state = (unsigned)(options->seed * 2654435761u) + 12345u;
  world->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (world->epoll_fd < 0 ||
      processor_take(&world->processor, options->clock == CLOCK_VIRTUAL) < 0) {
    failure_errno(failure, "cannot make the event loop of a world");
    if (world->epoll_fd >= 0)
      close(world->epoll_fd);
    free(world);
    return NULL;
  }
  supervisor_begin(&world->supervisor, world);
  clock_begin(&world->clock, options->clock == CLOCK_VIRTUAL, options->epoch_shift_ns);
  return world;
}

void world_destroy(struct world *world) {
  for (struct program *program = world->programs; program; program = program->next) {
    world_unwatch(program->listener_watch);
    world_unwatch(program->status_watch);
    program->listener_watch = program->status_watch = NULL;
    sandbox_kill(&program->sandbox);
  }
  supervisor_end(&world->supervisor);
  while (world->programs) {
    struct program *program = world->programs;
    world->programs = program->next;
    program_destroy(program);
  }
  world_timers_end(world);
  lans_end(world);
  while (world->hosts) {
    struct host *host = world->hosts;
    world->hosts = host->next;
    host_destroy(host);
  }
  watches_sweep(world, true);
  close(world->epoll_fd);
  closing_do(&world->closing);
  clock_end(&world->clock);
  log_clear(&world->log);
  for (size_t i = 0; i < world->finding_count; i++)
    free(world->findings[i]);
  free(world->findings);
  processor_leave(&world->processor);
  free(world);
}

/* ---- small things ---- */

struct log *world_log(struct world *world) {
  return &world->log;
}

int64_t world_now(struct world *world) {
  return clock_now(&world->clock);
}

int64_t world_real_now(struct world *world) {
  return clock_real_elapsed(&world->clock);
}

int64_t world_wall_clock(struct world *world) {
  int64_t reading = clock_kernel(CLOCK_REALTIME); /* which programs ask on the real clock */
  if (world->options.clock == CLOCK_VIRTUAL)
    clock_read(&world->clock, CLOCK_REALTIME, &reading);
  return reading;
}

enum world_clock world_clock(struct world *world) {
  return world->options.clock;
}

const char *world_broken(struct world *world, bool *try_real_clock) {
  if (try_real_clock)
    *try_real_clock = world->broken_try_real;
  return world->broken ? world->broken_sentence : NULL;
}

void world_break(struct world *world, bool try_real_clock, const char *sentence) {
  if (world->broken)
    return;
  world->broken = true;
  world->broken_try_real = try_real_clock;
  snprintf(world->broken_sentence, sizeof world->broken_sentence, "%s", _(sentence));
  world_note(world, "%s", world->broken_sentence);
}

const char *world_finding(struct world *world, size_t index) {
  return index < world->finding_count ? world->findings[index] : NULL;
}

void world_finding_add(struct world *world, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  scoped_text char *text = language_format(format, arguments);
  va_end(arguments);
  for (size_t i = 0; i < world->finding_count; i++)
    if (strcmp(world->findings[i], text) == 0)
      return;
  world->findings =
      memory_resize(world->findings, (world->finding_count + 1) * sizeof *world->findings);
  world->findings[world->finding_count++] = steal_pointer(&text);
}

void world_note(struct world *world, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  scoped_text char *text = language_format(format, arguments);
  va_end(arguments);
  log_append(&world->log, &(struct event){.time_ns = world_now(world),
                                          .kind = EVENT_NOTE,
                                          .bytes = (const uint8_t *)text,
                                          .length = strlen(text)});
}

/* ---- the loop ---- */

/* Handles everything that is there now, waiting for it at most `wait_ns` of real time. */
static bool loop_dispatch(struct world *world, int64_t wait_ns) {
  struct epoll_event events[64];
  struct timespec wait = {wait_ns / SECONDS, wait_ns % SECONDS};
  int count = epoll_pwait2(world->epoll_fd, events, 64, &wait, NULL);
  if (count < 0 && errno == ENOSYS)
    count =
        epoll_wait(world->epoll_fd, events, 64, (int)((wait_ns + MILLISECONDS - 1) / MILLISECONDS));
  for (int i = 0; i < count; i++) {
    struct watch *watch = events[i].data.ptr;
    if (!watch->removed)
      watch->on_ready(watch->context, events[i].events);
  }
  watches_sweep(world, false);
  return count > 0;
}

/* Everything that has happened but was not told of yet. */
static bool world_drain(struct world *world) {
  bool any = false;
  any |= world_timers_fire(world);
  any |= lans_drain(world);
  for (struct host *host = world->hosts; host; host = host->next)
    any |= host_drain(host);
  for (struct program *program = world->programs; program; program = program->next)
    any |= program_drain(program);
  return any;
}

static bool frames_in_flight(struct world *world) {
  for (struct host *host = world->hosts; host; host = host->next)
    if (capture_in_flight(host->capture))
      return true;
  return false;
}

static int64_t switches_of_this_thread(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

/* Nothing of the world can have run while we looked, if this thread was not switched away in that
 * time, or if all have slept since. */
static bool nothing_ran_since(struct world *world, int64_t switches) {
  if (switches_of_this_thread() == switches)
    return true;
  for (struct program *program = world->programs; program; program = program->next)
    if (program->sandbox.proc_fd >= 0 && !tasks_still_asleep(&program->tasks))
      return false;
  return true;
}

/* Whether nothing moves in the world, now. */
static bool world_quiet(struct world *world) {
  if (world->supervisor.execs_pending > 0)
    return false;
  int64_t switches = switches_of_this_thread();
  for (struct program *program = world->programs; program; program = program->next)
    if (program->sandbox.proc_fd >= 0 && !tasks_asleep(&program->tasks))
      return false;
  if (world_drain(world) || frames_in_flight(world))
    return false;
  struct pollfd something = {.fd = world->epoll_fd, .events = POLLIN};
  if (poll(&something, 1, 0) != 0)
    return false;
  if (!nothing_ran_since(world, switches))
    return false;
  for (struct program *program = world->programs; program; program = program->next)
    tasks_settled(&program->tasks);
  return true;
}

/* The world is not quiet: waits a little for something to happen. */
static void loop_idle(struct world *world, struct busyness *busyness) {
  /* Short at first, since what a program does between two waits takes microseconds; longer when it
   * does not end. */
  int64_t wait = 10000LL << (busyness->polls < 7 ? busyness->polls : 7);
  busyness->polls++;
  if (busyness->polls > 7)
    busyness_account(world, busyness);
  loop_dispatch(world, wait);
}

/* Who has waited in real time for so long does so again and again, and leaves its CPU to others. */
#define REAL_WAIT_NS (100 * MILLISECONDS)

/* The kernel's own timers run in real time: as long as one is pending, so does the virtual clock.
 * True if it did. */
static bool kernel_timers_respect(struct world *world, int64_t deadline_ns) {
  bool arp = clock_real_elapsed(&world->clock) < world->arp_until_real_ns;
  int64_t earliest = arp || world->reads_tcp_info ? 20 : -1;
  for (struct host *host = world->hosts; host; host = host->next) {
    int64_t timer = host_kernel_timer_ms(host);
    if (timer >= 0 && (earliest < 0 || timer < earliest))
      earliest = timer;
  }
  if (earliest < 0)
    return false;
  int64_t wait = (earliest + 1) * MILLISECONDS;
  if (wait > deadline_ns - world->clock.now_ns)
    wait = deadline_ns - world->clock.now_ns;
  if (wait > 20 * MILLISECONDS)
    wait = 20 * MILLISECONDS;
  int64_t before = clock_real_elapsed(&world->clock), clock_before = world->clock.now_ns;
  loop_dispatch(world, wait > 0 ? wait : 0);
  int64_t waited = clock_real_elapsed(&world->clock) - before;
  world->real_wait_ns += waited;
  if (world->real_wait_ns > REAL_WAIT_NS)
    processor_share(&world->processor);
  int64_t reached = clock_before + waited;
  clock_advance_to(&world->clock, reached < deadline_ns ? reached : deadline_ns);
  return true;
}

static bool until_holds(bool (*until)(void *context), void *context) {
  return until && until(context);
}

/* The world is quiet: jumps to what comes next. */
static enum world_pause loop_jump(struct world *world, int64_t deadline_ns,
                                  bool waits_for_something, bool *paused) {
  struct supervisor *supervisor = &world->supervisor;
  *paused = false;
  if (supervisor_signals(supervisor))
    return WORLD_UNTIL;
  int64_t next = supervisor_next_deadline(supervisor), own = world_timers_next(world);
  bool own_first = own <= next;
  if (own_first)
    next = own;
  if (next > world->clock.now_ns &&
      kernel_timers_respect(world, next < deadline_ns ? next : deadline_ns)) {
    *paused = world->clock.now_ns >= deadline_ns;
    return WORLD_DEADLINE;
  }
  /* A timer of the kernel may have fired since the world was found quiet. None is pending now: what
   * they did is done, and can be seen. */
  if (world->saw_tcp && !world_quiet(world))
    return WORLD_UNTIL;
  if (next == INT64_MAX && waits_for_something) {
    *paused = true;
    return WORLD_STANDSTILL;
  }
  if (next > deadline_ns) {
    clock_advance_to(&world->clock, deadline_ns);
    *paused = true;
    return WORLD_DEADLINE;
  }
  clock_advance_to(&world->clock, next);
  if (own_first)
    world_timers_fire(world);
  else
    supervisor_expire_one(supervisor, world->clock.now_ns);
  return WORLD_UNTIL;
}

/* Ends all waits and fires all timers whose time has come: the clock has moved with a program that
 * does not sleep. */
static void fire_due(struct world *world) {
  int64_t now = world->clock.now_ns; /* of now: to end one may move the clock, and so on for ever */
  world_timers_fire(world);
  while (supervisor_expire_one(&world->supervisor, now))
    ;
}

/* Now and then in real time: who sleeps between two bites is never busy, and grows all the same. */
static void memory_look(struct world *world) {
  enum { EVERY_MS = 50 };
  int64_t real = clock_real_elapsed(&world->clock);
  if (real < world->memory_look_real_ns)
    return;
  world_limit_memory(world);
  world->memory_look_real_ns = real + EVERY_MS * MILLISECONDS;
}

static enum world_pause run_virtual(struct world *world, int64_t deadline_ns,
                                    bool (*until)(void *context), void *context) {
  struct busyness busyness = {0};
  for (;;) {
    memory_look(world);
    while (loop_dispatch(world, 0)) {
      supervisor_execs(&world->supervisor);
      if (busyness.polls++ > 512)
        busyness_account(world, &busyness);
      if (until_holds(until, context))
        return WORLD_UNTIL;
      if (world->clock.now_ns >= deadline_ns || world->broken)
        break;
    }
    supervisor_execs(&world->supervisor);
    if (until_holds(until, context))
      return WORLD_UNTIL;
    if (world->broken)
      return WORLD_BROKEN;
    if (!world_quiet(world)) {
      if (busyness.began)
        fire_due(world); /* others sleep meanwhile */
      if (world->clock.now_ns >= deadline_ns && busyness.began)
        return WORLD_DEADLINE; /* it never sleeps */
      loop_idle(world, &busyness);
      continue;
    }
    busyness = (struct busyness){0};
    if (until_holds(until, context))
      return WORLD_UNTIL;
    bool paused = false;
    enum world_pause pause = loop_jump(world, deadline_ns, until != NULL, &paused);
    if (paused)
      return pause;
  }
}

static enum world_pause run_real(struct world *world, int64_t deadline_ns,
                                 bool (*until)(void *context), void *context) {
  enum { LOOK_AT_LEAST = 10 * MILLISECONDS }; /* how exactly event.not_before_ns is known */
  for (;;) {
    world_drain(world);
    world_limit_memory(world);
    if (until_holds(until, context))
      return WORLD_UNTIL;
    if (world->broken)
      return WORLD_BROKEN;
    int64_t left = deadline_ns - clock_now(&world->clock);
    if (left <= 0)
      return WORLD_DEADLINE;
    if (left > world_timers_next(world) - clock_now(&world->clock))
      left = world_timers_next(world) - clock_now(&world->clock);
    loop_dispatch(world, left < LOOK_AT_LEAST ? left : LOOK_AT_LEAST);
  }
}

enum world_pause world_run(struct world *world, int64_t deadline_ns, bool (*until)(void *context),
                           void *context) {
  if (world->options.clock == CLOCK_REAL)
    return run_real(world, deadline_ns, until, context);
  return run_virtual(world, deadline_ns, until, context);
}

enum world_pause world_settle(struct world *world, int64_t limit_ns) {
  int64_t limit = clock_now(&world->clock) + world_settling_ns(world, limit_ns);
  struct busyness busyness = {0};
  for (;;) {
    while (loop_dispatch(world, 0))
      supervisor_execs(&world->supervisor);
    supervisor_execs(&world->supervisor);
    if (world->broken)
      return WORLD_BROKEN;
    if (world_quiet(world) &&
        (world->options.clock == CLOCK_REAL || !supervisor_signals(&world->supervisor)))
      return WORLD_UNTIL;
    if (clock_now(&world->clock) >= limit)
      return WORLD_DEADLINE;
    loop_idle(world, &busyness);
  }
}
