/* What the world itself does at a later time: a delayed frame, a scripted moment. */
#include "grader/world/inner.h"

#include "grader/base/memory.h"

#include <stdlib.h>

struct world_timer {
  struct world_timer *next;
  int64_t deadline_ns;
  void (*fire)(void *context);
  void *context;
};

void world_at(struct world *world, int64_t deadline_ns, void (*fire)(void *context),
              void *context) {
  struct world_timer *timer = memory_zeroed(1, sizeof *timer);
  *timer = (struct world_timer){.deadline_ns = deadline_ns, .fire = fire, .context = context};
  struct world_timer **place = &world->timers;
  while (*place && (*place)->deadline_ns <= deadline_ns) /* first come, first served */
    place = &(*place)->next;
  timer->next = *place;
  *place = timer;
}

int64_t world_timers_next(const struct world *world) {
  return world->timers ? world->timers->deadline_ns : INT64_MAX;
}

bool world_timers_fire(struct world *world) {
  bool any = false;
  while (world->timers && world->timers->deadline_ns <= clock_now(&world->clock)) {
    struct world_timer *timer = world->timers;
    world->timers = timer->next;
    timer->fire(timer->context);
    free(timer);
    any = true;
  }
  return any;
}

void world_timers_end(struct world *world) {
  while (world->timers) {
    struct world_timer *timer = world->timers;
    world->timers = timer->next;
    free(timer->context);
    free(timer);
  }
}
