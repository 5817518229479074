/* A part of wiregrade.h, which includes it: megabytes, how a program moves them, and what that
 * costs it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address;
struct host;
struct program;

/* ---- worlds for megabytes ---- */

/* Replaces the check's world by one on the real clock, whichever the check had, in which programs
 * make their calls at full speed. Nothing is to be judged by its times. */
void fresh_world_in_real_time(void);
/* How many bytes of memory the buffers of TCP sockets may take that are made on the host from now
 * on (somewhat less data fits in them). Ends the check as the grader's error where the system does
 * not let them be set. */
void set_tcp_buffers(struct host *host, int receive, int send);
/* Keeps no frames of TCP on the host's loopback interface from now on but those that begin or end a
 * connection. */
void leave_out_data(struct host *host);
/* Lets programs that are started from now on print as much as they like; of much only the beginning
 * and the end are kept. (Others are stopped after some megabytes.) */
void let_print(void);

/* ---- a program of the check's own ---- */

/* Runs a function as a program on the host: a process of its own, in which calls may wait, with a
 * terminal for stdout, on descriptor 1. It may do nothing but system calls; what it returns is its
 * exit status. */
struct program *start_function(struct host *host, const char *name,
                               int (*function)(const void *context), const void *context);

/* ---- waiting for them ---- */

/* How many bytes the TCP connections have received and acknowledged that are there now on the host,
 * in all. */
uint64_t tcp_bytes_moved(struct host *host);
/* Waits until the program has ended, however long it takes. False if it stands still (no byte has
 * moved on its host's connections for some seconds, less if no task of the world wants the CPU, and
 * least if both ends of a connection are blocked, each in waiting for the other), or has used more
 * than so many seconds of CPU time. */
bool await_exit_while_moving(struct program *program, double cpu);
/* Waits until a program has printed such a line on its stdout, as long; `cpu` is for the other one,
 * with which it talks. */
bool await_line_while_moving(struct program *printer, const char *pattern, struct program *other,
                             double cpu);
/* Waits until both ends of a connection are blocked in sending to each other, all four queues are
 * full, every task of the world sleeps, and no byte has moved for a while. Where buffers are very
 * small the kernel drops the news of room in them, and repeats it in longer and longer intervals:
 * then it is enough that one is blocked in sending, and the other's bytes cannot be delivered for
 * seconds. False if the program has ended, or after so many seconds. */
bool await_mutual_send(struct program *program, double within);

/* ---- what it costs ---- */

/* How much of the time in which the program could have used the CPU it does, from now on, while the
 * others of the world sleep. Whoever is ready to run and must wait for the CPU could not. */
double busy_share(struct program *program);
/* The most memory that its present processes have had resident so far, in bytes; and how much of it
 * stands for files, such as the program itself and its libraries. */
size_t peak_memory(struct program *program, size_t *of_files);
/* How many threads there are in its processes that hold a socket connected to `peer`. */
size_t threads_with_connection(struct program *program, struct address peer);

/* ---- how it sends, receives and waits ---- */

/* Has the calls of programs that are started from now on recorded by which they send and receive on
 * connections, and wait for that. It slows them. */
void record_transfers(void);

enum transfer_kind { TRANSFER_SENDS, TRANSFER_RECEIVES, TRANSFER_WAITS };
/* The first call of its kind: the same call again of the same thread on the same connection, in the
 * same manner, is not listed again. */
struct transfer_call {
  double time;
  enum transfer_kind kind;
  const char *call; /* "sendto", "poll", "epoll_wait", … */
  int process, thread;
  struct address peer; /* of the connection, or of one of those that it waits for */
  bool nonblocking;    /* O_NONBLOCK on the socket, or MSG_DONTWAIT in the call; not of waits */
};
struct transfer_calls {
  const struct transfer_call *list;
  size_t count;
};
struct transfer_calls transfer_calls_of(struct program *program);
