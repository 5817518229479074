/* What client and server of this lab say to each other and print, and a server of the grader's own
 * that answers as it reads. */
#pragma once

#include "grader/sdk/wiregrade.h"

#include <string.h>

enum { PORT = 60000, CHUNK = 16, PIECE = 1024 };

#define CHUNK_TEXT "capitalize this!"
#define ANSWER_TEXT "CAPITALIZE THIS!"
#define TOTAL_PROCESSED "%n bytes have been processed so far."
#define TOTAL_RECEIVED "%n bytes received"

/* Buffers that hold less than 50 kB, all four of a connection together. Those to send from are the
 * larger ones, or the kernel drops what comes while the receive buffer is full, and for seconds the
 * news of room with it. */
enum { SMALL_RECEIVE = 8192, SMALL_SEND = 16384 };

/* For one step of a program; more than any right one needs. */
static const double PATIENCE = 20;
/* CPU time for one run of one program. */
static const double CPU_LIMIT = 120;

/* A check of the same for each of the four programs, or for the three that know the cure. */
#define EACH_CURE(name_, requirement_, function_)                                                  \
  CHECK(upper_poll_##name_, requirement_, "upper-poll") {                                          \
    function_("upper-poll");                                                                       \
  }                                                                                                \
  CHECK(upper_threads_##name_, requirement_, "upper-threads") {                                    \
    function_("upper-threads");                                                                    \
  }                                                                                                \
  CHECK(upper_nonblocking_##name_, requirement_, "upper-nonblocking") {                            \
    function_("upper-nonblocking");                                                                \
  }
#define EACH_PROGRAM(name_, requirement_, function_)                                               \
  CHECK(upper_##name_, requirement_, "upper") {                                                    \
    function_("upper");                                                                            \
  }                                                                                                \
  EACH_CURE(name_, requirement_, function_)

/* 127.0.0.1:60000 */
struct address at_home(void);
/* NAME server 127.0.0.1, once it listens. */
struct program *start_server_of(const char *name);
/* NAME client 127.0.0.1 BYTES */
struct program *start_client_of(const char *name, const char *bytes);

/* A total may be drawn over itself: the last number that ever stood on the terminal in this
 * pattern; -1 if there was none. */
double last_total(struct program *program, const char *pattern);
/* The same, but waits so long for it to become `wanted`: it may be flushed late. */
double await_total(struct program *program, const char *pattern, double wanted, double within);
/* How long, where the time is the real one. */
static const double PATIENCE_IN_REALITY = 2;

/* The first line that begins with the same word as the one that is wanted: what is wrong with it.
 * NULL if there is none. */
const char *nearly_cause(struct lines seen, const char *wanted);
/* If the client's machine has refused bytes of the answer (RST to PORT): why. NULL if not. */
const char *refused_cause(void);
/* Why a total is another one than `wanted`; `before`: what was counted for the client before, 0:
 * there was none. */
const char *total_cause(double total, double wanted, double before);

/* ---- a server of the grader's own, in whose calls a process really waits ---- */

struct answering {
  size_t pause_at;    /* it stops itself (SIGSTOP) when it has read so many bytes; 0: never */
  size_t hold_last;   /* when it has read so many bytes, the whole stream, it stops itself before it
                         sends the last CHUNK of the answer; 0: never */
  size_t limit;       /* it breaks off when it has read more; 0: never */
  bool begins_paused; /* it stops itself before it reads anything, so that small pieces gather. What
                         it then reads and answers are large ones, and all buffers fill up with
                         bytes; with small ones they fill up with what the kernel needs for each
                         segment, segments are dropped, and it is seconds of repeating until nothing
                         moves any more */
};
/* Serves one client at 127.0.0.1:60000: reads up to PIECE bytes, answers them, and reads on. */
struct program *start_answering(const struct answering *answering);
/* What it prints when it stops itself, and at the end. */
#define PAUSED "pauses"
#define HOLDING "holds back the end of its answer"
/* How many bytes it has answered; -1 if it has not come to the end. */
double bytes_answered(struct program *server);
/* The first byte that was not what a client has to send, counted from 0; -1 if there was none. */
double other_text_at(struct program *server);
