/* Programs that use the CPU instead of waiting: the virtual clock moves with their CPU time, or it
 * would stand for as long as they go on. */
#pragma once

#include "grader/world/inner.h"

/* How long the loop has found the world busy, and how much CPU time went by in it. */
struct busyness {
  bool began;
  int64_t cpu_base_ns;
  int64_t clock_base_ns;
  uint64_t calls_base;                  /* that the supervisor had seen */
  int64_t own_base_ns;                  /* CPU time of this thread */
  size_t events;                        /* that the log had then */
  int renewals;                         /* of the grace */
  int64_t grace_ns;                     /* CPU time before the clock moves */
  bool beyond_grace;                    /* it was used up */
  int64_t look_real_ns;                 /* when to look again */
  int64_t looked_real_ns;               /* when that was last done */
  int64_t still_cpu_ns, still_since_ns; /* since when no CPU time is used, though not all sleep */
  int polls;
};

/* Moves the virtual clock by the CPU time that programs have used since the first call with this
 * `busyness`, and remarks who busy-waits. To be called again and again while the world is not
 * quiet; breaks the world if a program neither sleeps nor gets the CPU. */
void busyness_account(struct world *world, struct busyness *busyness);

/* Whether a program that runs is known to busy-wait. */
bool world_busy_waits(const struct world *world);

/* How long to wait at most for the world to be quiet: less for those that never or seldom are. */
int64_t world_settling_ns(const struct world *world, int64_t usual_ns);

/* Ends programs that have more memory than they may. */
void world_limit_memory(struct world *world);
