#include "grader/world/busyness.h"

#include <time.h>

/* CPU time that a world may use without sleeping before the virtual clock moves with it. Much more
 * than a machine of today needs for what a program does between two waits: on one that is busy, or
 * has slow page faults, the same takes several times as much. */
#define CPU_GRACE_NS (200 * MILLISECONDS)
/* In each of the world's pauses; but who has used it up so often has no slow beginning, and gets
 * less: a check makes hundreds of pauses. */
#define GRACES_MAX 8
#define CPU_GRACE_LATER_NS (50 * MILLISECONDS)
/* What a program shows for its CPU time, a line or a frame, gives it the grace anew: a runtime that
 * loads, compiles and starts threads (Java's takes half a second, and tens of milliseconds for the
 * first line that it puts together) is slow, and does not wait. Not without end, or who prints in a
 * loop until it is late enough would take ever so long. */
#define RENEWALS_MAX 32
#define RENEWALS_OF_WORLD_MAX 256
/* A task that can run gets the CPU within seconds, even beside sixteen busy processes. */
#define STILL_LIMIT_NS (30 * SECONDS)
/* How far the clock must have been moved by CPU time for a program to be told that it busy-waits.
 */
#define BUSY_WAIT_NS (200 * MILLISECONDS)
/* and how often, at least, it must have asked for the time or for something to come. */
#define BUSY_WAIT_CALLS 50
/* Or in how many of the world's pauses it did not come to sleep, and with how many calls in all:
 * pauses may all be short. */
#define BUSY_WAIT_PAUSES 16
#define BUSY_WAIT_CALLS_OF_WORLD 10000
/* Who has used so much is not just slow to begin. */
#define BUSY_WAIT_KNOWN_NS (1 * SECONDS)
/* Who asks for nothing and uses the CPU for so long does not compute any more. */
#define COMPUTING_NS (2 * SECONDS)

static int64_t cpu_used(struct world *world) {
  int64_t total = 0;
  for (struct program *program = world->programs; program; program = program->next)
    if (program->sandbox.proc_fd >= 0)
      total += tasks_cpu_ns(&program->tasks);
  return total;
}

void world_limit_memory(struct world *world) {
  for (struct program *program = world->programs; program; program = program->next)
    if (program->sandbox.proc_fd >= 0)
      program_limit_memory(program);
}

static int64_t cpu_of_this_thread(void) {
  return clock_kernel(CLOCK_THREAD_CPUTIME_ID);
}

bool world_busy_waits(const struct world *world) {
  for (const struct program *program = world->programs; program; program = program->next)
    if (program->busy_waits && !program->ended)
      return true;
  return false;
}

int64_t world_settling_ns(const struct world *world, int64_t usual_ns) {
  enum { NEVER_NS = 5 * MILLISECONDS, SELDOM_NS = 20 * MILLISECONDS };
  int64_t most = world_busy_waits(world)            ? NEVER_NS
                 : world->graces_used >= GRACES_MAX ? SELDOM_NS
                                                    : usual_ns;
  return usual_ns < most ? usual_ns : most;
}

static void busy_wait_note(struct world *world, struct program *program, bool now) {
  int64_t cpu = tasks_cpu_ns(&program->tasks);
  if (now && cpu > BUSY_WAIT_NS && !program->busy_told) {
    program->busy_told = true;
    world_finding_add(world,
                      "busy-waits: %s uses the CPU while it waits; a call that sleeps would not",
                      program->name);
  }
  if (program->busy_told && !program->record_transfers && cpu > BUSY_WAIT_KNOWN_NS)
    program->busy_waits = true;
}

/* To look at hundreds of processes takes longer than they run meanwhile on the CPU that they share
 * with the grader: it must not take most of the time. What counts is the CPU time that it takes: on
 * a busy machine the look at one process may last long, and to wait ten times as long would let the
 * clock move in leaps. */
static void look_later(struct world *world, struct busyness *busyness, int64_t began_ns,
                       int64_t cpu_began_ns) {
  enum { EVERY_MS = 5, SHARE = 10 };
  const int64_t every = EVERY_MS * MILLISECONDS;
  int64_t now = clock_real_elapsed(&world->clock), pause = SHARE * (now - began_ns);
  bool cheap = SHARE * (cpu_of_this_thread() - cpu_began_ns) <= every;
  busyness->look_real_ns = now + (pause > every && !cheap ? pause : every);
}

static void begin_anew(struct world *world, struct busyness *busyness, int64_t cpu) {
  busyness->cpu_base_ns = cpu;
  busyness->clock_base_ns = world->clock.now_ns;
  busyness->calls_base = world->supervisor.calls;
  busyness->own_base_ns = cpu_of_this_thread();
  busyness->events = world->log.count;
  busyness->grace_ns = world->graces_used < GRACES_MAX ? CPU_GRACE_NS : CPU_GRACE_LATER_NS;
}

void busyness_account(struct world *world, struct busyness *busyness) {
  int64_t real = clock_real_elapsed(&world->clock);
  if (busyness->began && real < busyness->look_real_ns)
    return;
  int64_t own = cpu_of_this_thread();
  world_limit_memory(world);
  int64_t cpu = cpu_used(world);
  look_later(world, busyness, real, own);
  if (busyness->began && real - busyness->looked_real_ns > SECONDS) /* stopped, as all may be */
    busyness->still_since_ns += real - busyness->looked_real_ns;
  busyness->looked_real_ns = real;
  if (cpu != busyness->still_cpu_ns || !busyness->began) {
    busyness->still_cpu_ns = cpu;
    busyness->still_since_ns = real;
  } else if (real - busyness->still_since_ns > STILL_LIMIT_NS) {
    world_break(world, true,
                "the virtual clock cannot follow: a program neither sleeps nor uses the CPU");
  }
  if (!busyness->began) {
    busyness->began = true;
    begin_anew(world, busyness, cpu);
    return;
  }
  if (world->log.count != busyness->events && busyness->renewals < RENEWALS_MAX &&
      world->renewals < RENEWALS_OF_WORLD_MAX && !world_busy_waits(world)) {
    busyness->renewals++;
    world->renewals++;
    begin_anew(world, busyness, cpu);
    return;
  }
  int64_t beyond = cpu - busyness->cpu_base_ns;
  if (world_busy_waits(world)) /* from the beginning, and what their calls cost here, too */
    beyond += cpu_of_this_thread() - busyness->own_base_ns;
  else
    beyond -= busyness->grace_ns;
  if (beyond <= 0)
    return;
  world->graces_used += !busyness->beyond_grace;
  busyness->beyond_grace = true;
  clock_advance_to(&world->clock, busyness->clock_base_ns + beyond);
  /* Who only computes asks for nothing, and comes to an end. */
  bool asks = world->supervisor.calls - busyness->calls_base >= BUSY_WAIT_CALLS;
  bool never_sleeps =
      world->graces_used >= BUSY_WAIT_PAUSES && world->supervisor.calls >= BUSY_WAIT_CALLS_OF_WORLD;
  bool busy_waits = never_sleeps || (beyond > BUSY_WAIT_NS && (asks || beyond > COMPUTING_NS));
  bool known = world_busy_waits(world);
  for (struct program *program = world->programs; program; program = program->next)
    if (!program->ended)
      busy_wait_note(world, program, busy_waits);
  /* What counts from now on did not until now: the clock must not leap. */
  if (!known && world_busy_waits(world))
    begin_anew(world, busyness, cpu);
}
