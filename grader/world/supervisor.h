/* The supervisor: answers, on behalf of the virtual clock, the system calls of a world's programs
 * that wait or read the time.
 *
 * Called by the world's loop. Theory of operation: a program's tasks run under a seccomp filter
 * (supervisor_filter) that sends these calls here and lets all others through. Of a notified call
 * one of these becomes:
 *
 *   answered   the supervisor computes the result (clock_gettime, alarm) and the kernel never sees
 * the call; continued  it can wait for nothing: the kernel does it as if nobody had looked; held it
 * has a time-out: the supervisor keeps the call and watches, through copies of its descriptors, for
 *              what it waits for. When that is there, the call is continued and the kernel finds it
 * at once; when the virtual deadline comes first, the call is answered with what a time-out gives;
 *   let in     it waits for what only the kernel can see (futex, a send that is half done): it is
 * continued, and when the virtual deadline comes and the task is still in that very call, ptrace
 * interrupts it and puts the time-out's result in its register.
 *
 * SO_RCVTIMEO and SO_SNDTIMEO are really set, but a long offset later, so that the kernel keeps
 * (and inherits) them and its own timer never fires; getsockopt takes the offset off again.
 *
 * At each execve the new program is stopped once (ptrace) to hide the vDSO from it: it then asks
 * the kernel, and so this supervisor, for the time. After that it is not traced. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct world;
struct program;
struct hold;
struct known_task;
struct timer;

struct supervisor {
  struct world *world;
  struct hold *holds;       /* held and let in */
  struct known_task *known; /* by host thread id */
  struct timer *timers;
  int next_timer_id;
  unsigned execs_pending; /* traced until their execve has succeeded */
  bool socket_timeouts;   /* some socket of the world may have SO_RCVTIMEO or SO_SNDTIMEO */
  unsigned copies;        /* of descriptors that programs wait for */
  uint64_t calls;         /* notified so far */
  unsigned tasks_met;     /* since the world began */
  unsigned quick_ends;    /* of waits, one right after the other: see supervisor_expire_one */
  int64_t last_end_ns;
};

/* The filter to start programs with; NULL if none is needed. record_calls, record_transfers: those
 * that program_spec speaks of under these names are notified too. */
const struct sock_fprog *supervisor_filter(bool virtual_clock, bool record_calls,
                                           bool record_transfers);

void supervisor_begin(struct supervisor *supervisor, struct world *world);
void supervisor_end(struct supervisor *supervisor);

/* Takes the program's notifications from its listener from now on. */
void supervisor_adopt(struct supervisor *supervisor, struct program *program);

/* Moves execs on that are waited for (ptrace stops). */
void supervisor_execs(struct supervisor *supervisor);
/* Lets held calls see the signals that came for their tasks, and forgets calls whose task has died.
 * True if it let something go on, so that the world is not quiet any more. */
bool supervisor_signals(struct supervisor *supervisor);
/* Forgets the calls of a program's dead tasks at once: with a call the grader holds descriptors of
 * what the task waited for, and a socket lives until the last of those is closed. */
void supervisor_bury(struct supervisor *supervisor, const struct program *program);
/* The earliest deadline of any held call or timer, in world time; INT64_MAX if there is none. */
int64_t supervisor_next_deadline(struct supervisor *supervisor);
/* Ends the one wait, or fires the one timer, that is due first at or before `now_ns`. False if none
 * is. */
bool supervisor_expire_one(struct supervisor *supervisor, int64_t now_ns);
