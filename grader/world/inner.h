/* The insides of a world, for the files of this folder only. */
#pragma once

#include "grader/world/clock.h"
#include "grader/world/lan.h"
#include "grader/world/processor.h"
#include "grader/world/supervisor.h"
#include "grader/world/tasks.h"
#include "grader/world/world.h"

#include <stdio.h>

struct watch {
  struct world *world;
  int fd;
  void (*on_ready)(void *context, uint32_t events);
  void *context;
  bool removed; /* freed only between two rounds of the loop, since epoll may still name it */
  struct watch *next;
};

struct nl_sock;
struct port;
struct router;
struct passing;

/* What the switch does with the frames of a host in one direction. */
struct traffic {
  struct lan_treatment treatment;
  bool cut;
  struct passing *held; /* to go behind the next one */
};

/* closing.c: descriptors whose closing takes long, and that nobody waits for. */
struct closing {
  int *fds;
  size_t count;
};
/* Takes the descriptor. */
void closing_add(struct closing *closing, int fd);
void closing_do(struct closing *closing);

struct world {
  struct world_options options;
  struct clock clock;
  struct log log;
  struct host *hosts;
  struct lan *lans;
  struct router *routers;
  struct host *switch_host; /* the namespace of the switch's ends of all links; NULL without LANs */
  struct closing closing;
  struct world_timer *timers; /* by their deadlines */
  bool saw_tcp;               /* a segment; without one there are no kernel timers to respect */
  bool reads_tcp_info;        /* which tells times of the kernel's own clock: ours jumps no more */
  int64_t memory_look_real_ns;
  int graces_used, renewals; /* of what busyness.c grants */
  int64_t arp_until_real_ns; /* until then the kernel may ask for somebody's Ethernet address */
  struct program *programs;
  struct supervisor supervisor;
  int epoll_fd;
  struct processor processor;
  int64_t real_wait_ns; /* in which timers of the kernel's ran */
  struct watch *watches;
  unsigned random_state;
  bool broken, broken_try_real;
  char broken_sentence[1024];
  char **findings;
  size_t finding_count;
};

struct host {
  struct world *world;
  struct host *next;
  char *name;
  int netns_fd;
  int diag_fd; /* NETLINK_SOCK_DIAG in the namespace */
  struct nl_sock *links;
  struct capture *capture;
  struct port *ports; /* its interfaces on LANs, the latest first */
  struct traffic outgoing, incoming;
};

/* One of a program's two terminals. */
struct terminal {
  struct program *program;
  enum event_stream stream;
  int master_fd;
  struct watch *watch;
  uint8_t *output; /* as much memory as is ever kept, of which the kernel gives what is used */
  size_t output_length;
  size_t line_begin;  /* of the line that is not finished yet */
  int64_t line_time;  /* when its last bytes came */
  int64_t empty_time; /* nothing was left to read then */
  bool stopped;       /* more came than is kept: it is not read any more */
  size_t line_count;  /* of its lines that are in the log */
};

struct program {
  struct host *host;
  struct program *next;
  char *name;
  struct sandbox sandbox;
  pid_t main_process; /* as the sandbox sees it */
  struct tasks tasks;
  struct terminal terminals[2];
  struct watch *status_watch, *listener_watch;
  bool ended;
  struct sandbox_status status;
  bool busy_waits; /* as far as is known */
  bool busy_told;
  bool record_calls, record_transfers, long_output;
  bool makes_sockets_itself;       /* see calls_descriptor.c */
  bool child_ends_interrupt;       /* see calls_signal.c */
  struct transfer_seen *transfers; /* all that are in the log */
  size_t transfer_count;
};

void world_note(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes in what is waiting to be read although epoll may not have told yet. True if there was
 * something. */
/* Ends it if it uses more memory than it may. */
void program_limit_memory(struct program *program);
bool program_drain(struct program *program);
bool host_drain(struct host *host);
void program_destroy(struct program *program);
void host_destroy(struct host *host);

/* INT64_MAX: there is none. */
int64_t world_timers_next(const struct world *world);
/* Does what is due. True if there was something. */
bool world_timers_fire(struct world *world);
void world_timers_end(struct world *world);

/* lan.c */
void lans_end(struct world *world);
/* Reads what has come to the switch. True if there was something. */
bool lans_drain(struct world *world);

/* host.c: a thread is in one network namespace at a time; this one is brought back at the end of
 * the scope. home_fd is -1 if it could not go. */
struct visit {
  int home_fd;
};
struct visit namespace_visit(int netns_fd);
void visit_end(struct visit *visit);
#define scoped_visit __attribute__((cleanup(visit_end)))
/* A new network namespace with `lo` up; its descriptor, or -1. */
int namespace_create(struct failure *failure);

/* Ends the host's programs if so many frames were sent that no more are kept (log.h). */
void host_end_flood(struct host *host);

/* capture.c: every frame on the host's `lo`, into the log. */
struct capture *capture_open(struct host *host, struct failure *failure);
void capture_close(struct capture *capture);
/* Leaves out, from now on, the segments of TCP that neither begin nor end a connection. While one
 * of them is on its way its sender's retransmission timer is pending, so the clock does not jump.
 */
int capture_leave_out_data(struct capture *capture, struct failure *failure);
/* Reads what has come. True if there was something. */
bool capture_drain(struct capture *capture);
/* Frames that were sent and have not been received yet (still queued in the kernel). */
bool capture_in_flight(struct capture *capture);
/* CLOCK_REALTIME at which the kernel got the frame. */
struct msghdr;
int64_t message_stamp(struct msghdr *message);

/* sockdiag.c */
int sockdiag_open(struct failure *failure);
struct socket_listing {
  struct socket_state *states; /* the caller's to free */
  size_t count;
};
enum listing_more { LISTING_GOES_ON, LISTING_DONE, LISTING_FAILED };
/* Adds the sockets of one datagram of the kernel's answer; tells whether more will come. */
enum listing_more sockdiag_parse(struct socket_listing *listing, const void *bytes, size_t length,
                                 uint8_t protocol);
/* Milliseconds until the next kernel timer that a program could notice fires; -1 if there is none.
 */
int64_t host_kernel_timer_ms(struct host *host);
