#include "grader/world/clock.h"

#include "grader/base/memory.h"

#include <stdlib.h>

#define NANOSECONDS INT64_C(1000000000)
#define AHEAD_S INT64_C(31557600)  /* a year: 2038 is still far off for 32-bit time_t */
#define ROUND_S (INT64_C(1) << 24) /* half a year */

int64_t clock_kernel(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return now.tv_sec * NANOSECONDS + now.tv_nsec;
}

/* Ahead of the kernel's clock by a year at least, and the same in every run of the next months. */
static int64_t epoch(int64_t kernel_ns, int64_t shift_ns) {
  int64_t granularity = ROUND_S * NANOSECONDS;
  return ((kernel_ns + AHEAD_S * NANOSECONDS) / granularity + 1) * granularity + shift_ns;
}

void clock_begin(struct clock *clock, bool virtual, int64_t epoch_shift_ns) {
  *clock = (struct clock){.virtual = virtual};
  clock->began_monotonic_ns = clock_kernel(CLOCK_MONOTONIC);
  clock->epoch_monotonic_ns = epoch(clock->began_monotonic_ns, epoch_shift_ns);
  clock->epoch_realtime_ns = epoch(clock_kernel(CLOCK_REALTIME), epoch_shift_ns);
}

void clock_end(struct clock *clock) {
  free(clock->advances);
  clock->advances = NULL;
}

int64_t clock_real_elapsed(const struct clock *clock) {
  return clock_kernel(CLOCK_MONOTONIC) - clock->began_monotonic_ns;
}

int64_t clock_now(const struct clock *clock) {
  return clock->virtual ? clock->now_ns : clock_real_elapsed(clock);
}

/* Small steps (the cost of a call) are not worth an entry of their own. */
static void clock_record(struct clock *clock, int64_t before_ns) {
  enum { WORTH_RECORDING_NS = 100000 };
  int64_t recorded = clock->advance_count ? clock->advances[clock->advance_count - 1].now_ns : 0;
  if (clock->now_ns - before_ns < WORTH_RECORDING_NS && before_ns - recorded < WORTH_RECORDING_NS)
    return;
  if (clock->advance_count == clock->advance_capacity) {
    clock->advance_capacity = clock->advance_capacity ? clock->advance_capacity * 2 : 64;
    clock->advances =
        memory_resize(clock->advances, (size_t)clock->advance_capacity * sizeof *clock->advances);
  }
  clock->advances[clock->advance_count++] =
      (struct clock_advance){.real_ns = clock_kernel(CLOCK_REALTIME), .now_ns = clock->now_ns};
}

void clock_advance_to(struct clock *clock, int64_t now_ns) {
  if (!clock->virtual || now_ns <= clock->now_ns)
    return;
  int64_t before = clock->now_ns;
  clock->now_ns = now_ns;
  clock_record(clock, before);
}

int64_t clock_at_realtime(const struct clock *clock, int64_t realtime_ns) {
  if (!clock->virtual) {
    int64_t offset = clock_kernel(CLOCK_REALTIME) - clock_kernel(CLOCK_MONOTONIC);
    return realtime_ns - offset - clock->began_monotonic_ns;
  }
  int64_t low = 0, high = clock->advance_count; /* the first advance after the stamp */
  while (low < high) {
    int64_t middle = (low + high) / 2;
    if (clock->advances[middle].real_ns <= realtime_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? 0 : clock->advances[low - 1].now_ns;
}

bool clock_read(const struct clock *clock, clockid_t id, int64_t *reading_ns) {
  switch (id) {
  case CLOCK_REALTIME:
  case CLOCK_REALTIME_COARSE:
  case CLOCK_REALTIME_ALARM:
    *reading_ns = clock->epoch_realtime_ns + clock_now(clock);
    return true;
  case CLOCK_TAI:
    *reading_ns = clock->epoch_realtime_ns + clock_now(clock);
    return true;
  case CLOCK_MONOTONIC:
  case CLOCK_MONOTONIC_RAW:
  case CLOCK_MONOTONIC_COARSE:
  case CLOCK_BOOTTIME:
  case CLOCK_BOOTTIME_ALARM:
    *reading_ns = clock->epoch_monotonic_ns + clock_now(clock);
    return true;
  default:
    return false;
  }
}

int64_t clock_deadline(const struct clock *clock, clockid_t id, int64_t reading_ns) {
  int64_t reading_now = 0;
  if (!clock_read(clock, id, &reading_now))
    return clock_now(clock);
  return clock_now(clock) + (reading_ns - reading_now);
}
