/* A world: what one check runs in. Hosts (a network namespace each), programs in them, peers (the
 * grader's own sockets in them), a clock, and one event log.
 *
 * Called by the SDK. Knows nothing of labs, requirements or verdicts.
 *
 * Theory of operation. One thread, one event loop (world_run), which everything goes through:
 * notifications of system calls that wait or read time (supervisor.h), the programs' terminals and
 * ends, captured frames, peers. The caller's script is a party of the world like any other: while
 * it is not in world_run nothing of the grader moves, and the moment at which it wants to go on is
 * one more deadline of the clock.
 *
 * On the virtual clock the loop, when nothing more happens by itself (quiescence, see tasks.h),
 * jumps to the earliest deadline of any program, timer or script. If there is none but the
 * script's, nothing will ever happen again: a standstill, proved, not timed out. On the real clock
 * the same loop waits in epoll. */
#pragma once

#include "grader/base/failure.h"
#include "grader/sandbox/sandbox.h"
#include "grader/world/log.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define MILLISECONDS INT64_C(1000000)
#define SECONDS INT64_C(1000000000)

enum world_clock { CLOCK_VIRTUAL, CLOCK_REAL };

struct world;
struct host;
struct program;

struct world_options {
  enum world_clock clock;
  int64_t epoch_shift_ns; /* the wall clock that programs see begins this much later (virtual clock
                             only) */
  uint64_t seed;          /* for process ids and the like */
  bool delayed_acks;      /* leave TCP's on, up to 40 ms of real time each (see links.h) */
};

/* Creates an empty world on the CPU that this thread runs on: the thread and all programs are
 * pinned to it, so that while the grader looks at the world, nothing in it moves (see tasks.h). The
 * caller must have called sandbox_enter and owns the world: world_destroy, which leaves no process
 * and no namespace behind. NULL on failure. */
struct world *world_create(const struct world_options *options, struct failure *failure);
void world_destroy(struct world *world);

struct log *world_log(struct world *world);
int64_t world_now(struct world *world);      /* nanoseconds on the world's clock since it began */
int64_t world_real_now(struct world *world); /* the same in real time */
enum world_clock world_clock(struct world *world);
/* What programs are told the time of day is now: nanoseconds since 1970. */
int64_t world_wall_clock(struct world *world);

/* Why world_run came back. */
enum world_pause {
  WORLD_UNTIL,      /* the condition holds */
  WORLD_DEADLINE,   /* the deadline was reached first */
  WORLD_STANDSTILL, /* proved: nothing in the world can ever happen again by itself (virtual clock
                       only) */
  WORLD_BROKEN,     /* the grader's own failure, or the clock met a call that it cannot follow: see
                       world_broken */
};

/* Lets the world run until until(context) holds (looked at after every event) or `deadline_ns` on
 * its clock is reached. until may be NULL: time passes (and a standstill does not stop it). */
enum world_pause world_run(struct world *world, int64_t deadline_ns, bool (*until)(void *context),
                           void *context);

/* Lets the world run until nothing moves in it: every task is asleep and nothing is in flight. The
 * clock does not jump (virtual), and at most `limit_ns` pass on it, some milliseconds if a program
 * is known to busy-wait. WORLD_UNTIL when it is quiet, WORLD_DEADLINE when not in time. */
enum world_pause world_settle(struct world *world, int64_t limit_ns);

/* Why the world broke: a sentence, and whether the check should be tried again on the real clock
 * because a program made a call that the virtual clock cannot follow. NULL if it is not broken. */
const char *world_broken(struct world *world, bool *try_real_clock);
/* Marks it as broken. */
void world_break(struct world *world, bool try_real_clock, const char *sentence);

/* Remarks on programs that are no failure, such as `busy-waits`. NULL when index is out of range.
 */
const char *world_finding(struct world *world, size_t index);
/* Adds a remark. */
void world_finding_add(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- hosts (host.c) ---- */

/* Adds a host, with `lo` up and captured. The world owns it. `name` is copied. */
struct host *host_create(struct world *world, const char *name, struct failure *failure);
const char *host_name(const struct host *host);
struct world *host_world(const struct host *host);
/* The program that was started last on it; NULL if none was. */
struct program *host_latest_program(const struct host *host);

/* Opens a socket inside the host's network namespace, as socket(2), with SOCK_CLOEXEC |
 * SOCK_NONBLOCK. The descriptor is the caller's. */
int host_socket(struct host *host, int domain, int type, int protocol, struct failure *failure);

/* How many bytes of memory the buffers of TCP sockets that are made on the host from now on may
 * take (net.ipv4.tcp_rmem and tcp_wmem, which hold somewhat less data than that). False where the
 * system does not let them be changed, as in some containers. */
bool host_set_buffers(struct host *host, int receive, int send);
/* Keeps no frames of TCP on the host's `lo` from now on, but those that begin or end a connection:
 * for megabytes in small pieces. */
int host_leave_out_data(struct host *host, struct failure *failure);

/* ---- sockets of a host (sockdiag.c) ---- */

struct socket_state {
  uint8_t protocol; /* IPPROTO_UDP or IPPROTO_TCP */
  uint8_t
      state; /* as in <netinet/tcp.h>: TCP_ESTABLISHED, TCP_LISTEN, TCP_CLOSE (unconnected UDP) */
  struct sockaddr_in local,
      remote;       /* IPv4; IPv4-mapped and the IPv6 wildcard are shown as their IPv4 meaning */
  bool ipv6;        /* the socket's family is AF_INET6 */
  bool ipv6_native; /* its local address has no IPv4 meaning (local is then 0.0.0.0) */
  uint32_t receive_queue, send_queue;
  uint8_t timer;     /* idiag_timer: 0 none, 1 retransmission, 2 keep-alive, 3 TIME_WAIT, 4 probe */
  uint32_t timer_ms; /* until it fires */
  uint32_t inode;
  uint64_t bytes_received;     /* TCP: in all, whether the program has read them or not */
  uint64_t bytes_acknowledged; /* TCP: of those that were sent, by the other side */
};

/* Lists all sockets of `protocol` in the host. *states is the caller's to free. Returns their
 * number or -1. */
int host_sockets(struct host *host, uint8_t protocol, struct socket_state **states,
                 struct failure *failure);

/* The inode of the socket with these addresses that a program holds; 0 if there is none (in a queue
 * of connections that wait to be accepted, sockets have no inode). */
uint64_t world_socket_between(struct world *world, struct sockaddr_in local,
                              struct sockaddr_in remote);

/* ---- programs (program.c) ---- */

struct program_spec {
  const char *name;   /* for messages; copied */
  const char *folder; /* the submission's folder */
  char *const *argv;
  int (*function)(const void *context); /* called in place of argv, see sandbox.h; argv names it */
  const void *context;
  char *const *environment; /* more NAME=VALUE entries; may be NULL */
  bool record_calls;        /* EVENT_CALL for socket options that it sets or reads, and the like */
  bool record_transfers;    /* EVENT_TRANSFER */
  bool long_output;         /* of more than is kept the middle is forgotten */
  int terminal_fd;   /* > 0: its stdin, stdout and stderr, in place of terminals of its own; stays
                        the caller's; what it prints is then not logged */
  const void *input; /* what stdin holds, then end of file; NULL: nothing */
  size_t input_length;
  const struct sandbox_file *files; /* in place of those below /etc that it would see */
  size_t file_count;
};

/* Starts a program on the host, its stdout and stderr on terminals of their own. The world owns it.
 */
struct program *program_start(struct host *host, const struct program_spec *spec,
                              struct failure *failure);
/* The program that was started before this one, or last (NULL); NULL if there is none. */
struct program *program_before(const struct world *world, const struct program *program);
const char *program_name(const struct program *program);
/* Which of the world's programs of its name it is, in the order of their starts, from 1 on. */
int program_run(const struct program *program);
struct host *program_host(const struct program *program);
/* Whether it has ended, and if so its wait status (waitpid(2)). */
bool program_ended(const struct program *program, int *wait_status);
/* Whether any process of it is still there, a child that has outlived the first one, say. */
bool program_lives_on(const struct program *program);
/* errno of the failed execve, 0 if it was executed. */
int program_exec_error(const struct program *program);
/* Sends a signal to the program's process group, as a key at the terminal would. */
void program_signal(struct program *program, int signal);
/* All that it wrote so far, raw, and at most OUTPUT_KEPT bytes, or LINES_KEPT lines, of it; the
 * bytes stay the world's. Who writes more is stopped, as by Ctrl-S; or, with long_output, goes on
 * writing, and the middle is forgotten, of its lines as well, and so are long rows of drawings that
 * a \r overwrote. */
const uint8_t *program_output(const struct program *program, enum event_stream stream,
                              size_t *length);
/* What each of its tasks is doing now, in words: see diagnosis.h. The caller frees it. */
char *program_doing(struct program *program);
/* CPU time that it and its children have used, in nanoseconds, ended ones not counted. */
int64_t program_cpu_ns(struct program *program);
/* The inodes of all sockets that it and its children have descriptors of, some more than once.
 * *inodes is the caller's to free. Returns their number. (descriptors.c) */
size_t program_sockets(struct program *program, uint64_t **inodes);
/* How long its tasks were ready to run and waited for the CPU, likewise. */
int64_t program_waited_ns(struct program *program);
/* The most memory that its processes have had resident so far (the sum of what each had), and how
 * much of it stands for files now; in bytes. (usage.c) */
size_t program_peak_memory(struct program *program, size_t *of_files);
/* How many threads there are in its processes that hold a TCP socket connected to `peer`. (usage.c)
 */
size_t program_threads_connected(struct program *program, const struct sockaddr_in *peer);
/* Kills it and all its processes at once. */
void program_kill(struct program *program);

enum { OUTPUT_KEPT = 4 << 20, LINES_KEPT = 200000 };

/* ---- peers ---- */

/* Has `on_ready` called by the loop when the descriptor has any of `events` (epoll(7)),
 * level-triggered. The descriptor must be removed before it is closed. */
struct watch;
struct watch *world_watch(struct world *world, int fd, uint32_t events,
                          void (*on_ready)(void *context, uint32_t events), void *context);
void world_unwatch(struct watch *watch);

/* ---- later (timers.c) ---- */

/* Does something at a time on the world's clock. `context` is `fire`'s to free; the world frees it
 * if it ends before. */
void world_at(struct world *world, int64_t deadline_ns, void (*fire)(void *context), void *context);
