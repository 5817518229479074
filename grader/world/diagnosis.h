/* What the tasks of a world wait for, from the kernel's own state: the system call that each is in,
 * the descriptor, the socket behind it, its queues, and the other end.
 *
 * Nothing is guessed from output or from time: a world in which every task sleeps in a call that
 * waits for another task of it, or for nothing that can come, stands still. Called by the SDK, for
 * reports and for checks that ask for a proof. */
#pragma once

#include "grader/world/world.h"

enum standstill {
  STANDSTILL_NONE,        /* something runs, or waits for a time */
  STANDSTILL_MUTUAL_SEND, /* both ends of a connection are blocked in sending: all queues full */
  STANDSTILL_SEND_UNREAD, /* one is blocked in sending, and does not read what has come; the other
                             waits to receive, and cannot deliver either: the kernels try again
                             in longer and longer intervals */
  STANDSTILL_MUTUAL_RECEIVE, /* both wait to receive, and nothing is on its way */
  STANDSTILL_HALF_OPEN,      /* one waits on a connection whose other end is gone */
  STANDSTILL_ACCEPT,         /* connections wait in a queue, and nobody accepts */
  STANDSTILL_INPUT,          /* for stdin */
  STANDSTILL_CHILD,          /* for the end of a child */
  STANDSTILL_LOCK,           /* for a lock, a condition, or a thread's end */
  STANDSTILL_OTHER,          /* none of these: each task's wait is told */
};

/* One task that sleeps in a call. */
struct blocked {
  const struct program *program;
  pid_t process, thread; /* as the program sees them */
  long number;           /* of the system call; -1: the task runs */
  uint64_t arguments[6];
  int fd;                     /* of the call, or the first of those it polls; -1: none */
  short events;               /* POLLIN, POLLOUT: what it waits for on fd */
  uint64_t inode;             /* of the socket behind fd; 0: it is none */
  struct socket_state socket; /* if inode is not 0 and the kernel lists it */
  bool listed;
};

/* Every task of the program, as it is now. *list is the caller's to free. Returns their number. */
size_t program_blocked(struct program *program, struct blocked **list);

/* In words, as the end of a sentence that begins with the task: "sleeps in recvfrom on descriptor
 * 3, TCP 127.0.0.1:60000 to 127.0.0.1:41000 (nothing to read)". The caller frees it. */
char *blocked_text(const struct blocked *blocked);

/* Whether some task of the world runs, or is ready to. */
bool world_something_runs(struct world *world);

/* How long tasks of the world have used the CPU or been ready to and waited for it: nanoseconds,
 * the sum of all that are there now. */
int64_t world_toil_ns(struct world *world);

/* Why the world stands still. *text (the caller's to free, may be NULL) is a sentence with the
 * conclusion, then a line for each task; of a cycle, in its order. Tasks that wait for a time are
 * told, and make it STANDSTILL_NONE unless both ends of a connection are blocked all the same. */
enum standstill world_standstill(struct world *world, char **text);
