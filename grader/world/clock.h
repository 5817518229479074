/* The clock of a world: what its programs read as the time, and the times in its log.
 *
 * The virtual clock stands still while anything runs, but for a small cost for each trapped call
 * (so that a loop that reads the time comes to an end) and for CPU time beyond a grace (so that a
 * loop that only computes does). It jumps when the world says so. The real clock is
 * CLOCK_MONOTONIC.
 *
 * What programs read starts more than a year ahead of the real time, at a moment that is the same
 * in every run for some months (a verdict is to be reproducible, even of a program that seeds a
 * generator with the time): an absolute deadline that a program hands to the kernel
 * (pthread_cond_timedwait, sem_timedwait) is then never reached by the kernel's own clock, only by
 * ours. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct clock_advance {
  int64_t real_ns; /* CLOCK_REALTIME, as the kernel stamps frames */
  int64_t now_ns;
};

struct clock {
  bool virtual;
  int64_t now_ns;                 /* virtual: since the world began */
  int64_t began_monotonic_ns;     /* real */
  int64_t epoch_monotonic_ns;     /* what programs read as CLOCK_MONOTONIC at now_ns = 0 */
  int64_t epoch_realtime_ns;      /* the same for CLOCK_REALTIME */
  struct clock_advance *advances; /* when the virtual clock moved: for stamps of the kernel's */
  int64_t advance_count, advance_capacity;
};

void clock_begin(struct clock *clock, bool virtual, int64_t epoch_shift_ns);
void clock_end(struct clock *clock);
int64_t clock_now(const struct clock *clock);
int64_t clock_real_elapsed(const struct clock *clock);
/* Moves the virtual clock forward to `now_ns`; does nothing if it is there already. */
void clock_advance_to(struct clock *clock, int64_t now_ns);
/* The time on this clock at which the kernel's CLOCK_REALTIME was `realtime_ns`. */
int64_t clock_at_realtime(const struct clock *clock, int64_t realtime_ns);
/* What a program reads: false if this clock id is none that runs with the world's time (a CPU-time
 * clock). */
bool clock_read(const struct clock *clock, clockid_t id, int64_t *reading_ns);
/* The world's time at which a program's clock `id` will show reading_ns. */
int64_t clock_deadline(const struct clock *clock, clockid_t id, int64_t reading_ns);

/* The kernel's CLOCK_REALTIME, CLOCK_MONOTONIC, or another of clock_gettime(2), in nanoseconds. */
int64_t clock_kernel(clockid_t id);
