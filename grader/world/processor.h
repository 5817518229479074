/* Which CPU a world has.
 *
 * All of a world shares one CPU (tasks.h says what for). Two worlds at the same time should not
 * share one while another CPU idles, and the kernel cannot see to it: to whatever moment it looks,
 * the world that was there first may just be asleep. So a world claims its CPU. A claim is an
 * exclusive flock(2) on the CPU's folder in sysfs, which every process of the machine sees,
 * whatever its namespaces and whoever started it, and which ends with the process. Nobody waits for
 * one: a world that finds none free shares a CPU, as it does where sysfs is not there.
 *
 * Called by world.c. */
#pragma once

#include "grader/base/failure.h"

#include <sched.h>
#include <stdbool.h>

struct processor {
  int number;
  int claim_fd;         /* -1: others may claim it too */
  cpu_set_t set_before; /* of this thread */
};

/* Moves this thread to a CPU of those that it may use: if `claims`, to one that it has claimed, if
 * one is free, else it stays where it is. -1 and errno if it cannot be moved. */
int processor_take(struct processor *processor, bool claims);
/* Lets others have the CPU too: of a world that mostly waits in real time. */
void processor_share(struct processor *processor);
/* Lets this thread run wherever it could before. */
void processor_leave(struct processor *processor);
