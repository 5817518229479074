/* The insides of the SDK, for the files of this folder only. */
#pragma once

#include "grader/sdk/wiregrade.h"
#include "grader/submission/manifest.h"
#include "grader/world/clock.h"
#include "grader/world/lan.h"
#include "grader/world/world.h"

#include <setjmp.h>
#include <stdarg.h>

/* One of the grader's own sockets in a world: bound, connected, or listening. */
struct peer {
  struct peer *next;
  char *name;
  struct host *host;
  int fd; /* -1: closed already */
  struct address address;
  void *of; /* a connection, …; ended by `end` */
  void (*end)(void *of);
};

/* What belongs to the check that runs. One process runs one check at a time. */
struct context {
  const struct check *check;
  struct world *world;
  struct host *host;
  int world_number;
  int64_t later_ns;      /* the next world's wall clock is set so much later */
  int64_t shift_ns;      /* how much later than usual this world's wall clock began */
  int64_t next_shift_ns; /* and the next one's is to begin; 0: as it comes */
  struct peer *peers;
  struct served_port {
    struct address address;
    struct program *program;
  } served[32]; /* who was seen bound to which port, for names in the time line */
  size_t served_count;
  struct scrap {
    struct scrap *next;
    max_align_t memory[];
  } * scraps; /* memory of the script */
  struct past_log {
    struct past_log *next;
    struct log log;
  } * past; /* of the worlds before the present one */
  size_t past_bytes;
  struct manifest *manifest;
  enum world_clock clock;
  uint64_t seed, random_state;
  jmp_buf end;
  enum verdict_status { VERDICT_PASS, VERDICT_FAIL, VERDICT_MISSING, VERDICT_ERROR } status;
  struct failure_report report;
  bool retry_on_real_clock;
  double stood_still_at; /* when the last standstill of the present world ended a wait; -1: none */
  size_t stood_still_after;     /* so many events */
  struct awaited_line *awaited; /* of the present world */
  bool record_calls, record_transfers, long_output;
  struct surroundings *surroundings; /* of programs that are started from now on */
  struct origin *origins;            /* of the present world */
  double virtual_s, real_s;          /* of the worlds before the present one */
  const char *capture;               /* the path of its capture file, if one was kept */
  char *findings[16];
  size_t finding_count;
  char line[400]; /* the verdict, for Criterion's report */
};

extern struct context the_check;

/* A moment of the time line that neither a program nor a frame shows. */
void note(const char *sentence);

/* Runs the script of a check that asks for no program, on the real clock, for a person to look at.
 * Returns -1, having complained, if it ended before its time. (check.c) */
int check_perform(const struct check *check);

/* Zeroed memory that lives as long as the check. */
void *scrap(size_t size);
const char *scrap_text(const char *text, size_t length);

/* put_file, of what is no text. */
void put_file_of_bytes(const char *path, const void *bytes, size_t length);

/* Runs the world, and ends the check if the world is broken. */
enum world_pause run_until(double deadline, bool (*until)(void *context), void *context);
/* CPU time of this thread, which keeps the world: whatever else the machine does. */
double own_cpu_seconds(void);
void world_begin(void);
void world_end(void);

/* Judges the check, and sends the verdict if there is a grader to send it to. True if it passed. */
bool check_judge(const struct check *check);

struct address address_from_socket(const struct sockaddr_in *from);
struct sockaddr_in address_to_socket(struct address address);

/* A socket of the grader's on the host, bound; ends the check if that can't be had. */
int peer_socket(struct host *host, int type, const char *ip, int port);
/* A peer's socket could not have the port, by this errno: ends the check, as the program's fault if
 * one runs on the host and the port is taken. */
_Noreturn void port_is_taken(struct host *host, const char *ip, int port, int error);
struct peer *peer_create(struct host *host, const char *name, int fd);
void peer_learn_address(struct peer *peer);
void peers_end(void);
/* Whose address that is, as seen on that host; NULL if it is no peer's. */
struct peer *peer_at(struct host *host, struct address address);
/* Whether it is exactly the address of a peer on the host. */
bool is_peer(struct host *host, struct address address);

bool is_line_of(const struct event *event, const struct program *program, enum stream stream);
/* A line as it is compared. */
const char *line_normalise(const uint8_t *bytes, size_t length);
bool text_equals(const char *printed, size_t printed_length, const char *expected);
/* Reads an address in either form, and says where it ends; NULL if there is none. */
const char *address_read(const char *text, struct address *address);

/* What first differs where a line has the words of a pattern, but not its values. */
struct line_values {
  bool address_is_wrong;
  struct address wanted, shown;
  const char *expected; /* TEXT; NULL if it does not differ */
  const char *text;     /* in its place; not ended by a 0 */
  size_t length;
};
/* With `values` other addresses and texts than those of the pattern match too, and are told. */
bool line_matches_list(const char *line, const char *pattern, va_list list,
                       struct line_values *values);
/* The pattern as a person reads it, with addresses as 127.0.0.1:60000, or as pairs, as Python has
 * them. */
const char *pattern_text(const char *pattern, va_list list, bool pairs);

/* The likely cause that no line of the program's matches the pattern, chosen by what it printed
 * instead; NULL if none is known. (line_cause.c) */
const char *line_cause(struct program *program, enum stream stream, const char *pattern,
                       va_list list);
/* This line was waited for, and came: it is in nobody's place. */
void line_was_awaited(const struct event *line);
/* How many bytes two texts have in common at their ends, or inside one of them. (causes.c) */
size_t words_in_common(const char *wanted, const char *text);
/* What the UDP socket of the program that is bound to a port which the check awaited is connected
 * to; port 0 if it is not. (readiness.c) */
struct address udp_connected_to(struct program *program);

/* Writes the capture file of the check, if one is wanted; removes that of an earlier run if not.
 * (capture_file.c) */
void capture_keep(void);
/* What programs of this world find around them (surroundings.c): put into the spec of one that is
 * about to start. The arrays are scraps. */
void surroundings_give(struct program_spec *spec);

/* What one event says, as reports have it; the caller frees it (evidence.c). */
char *event_words(const struct event *event);
/* The record of the check's verdict, as grader/result/verdict.h says; the caller frees it
 * (evidence.c). */
char *verdict_record(void);
/* The descriptor by which the verdict goes to the grader; -1 if there is none. It is taken before
 * the check begins: a program with very many tasks may leave no descriptor. (evidence.c) */
int verdict_open(void);
/* Sends the verdict there, if that is not -1 (evidence.c). */
void verdict_send(int fd);
