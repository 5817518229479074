/* The event log: everything that was observed in a world, in one order, stamped by the world's
 * clock.
 *
 * Written by world, read by the SDK (which judges it) and by nobody else: nothing is judged that is
 * not here. Knows nothing of how things were observed. Events are kept in the order of their times;
 * those of one instant in the order in which they were seen. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct host;
struct lan;
struct program;

enum event_kind {
  EVENT_START, /* a program was started; text: its command line */
  EVENT_LINE, /* a program finished a line (or ended in the middle of one); text: the line as it was
                 written */
  EVENT_FRAME,    /* a packet was on the wire */
  EVENT_WAIT,     /* a call of a program waited; text says which and what came of it */
  EVENT_EXIT,     /* a program ended; text: how */
  EVENT_NOTE,     /* a remark of the grader; text */
  EVENT_CALL,     /* a program set or read a socket option; text says it as the call would */
  EVENT_SOCKET,   /* a program created or closed a socket; text likewise */
  EVENT_TRANSFER, /* a program sent or received on a connection, or waited for one, as it had not
                     yet; text says how */
};

/* EVENT_SOCKET */
struct socket_seen {
  bool created; /* else closed */
  int fd;       /* in the program */
  int family, type;
  uint64_t socket; /* its inode */
  int error;       /* of creating it: errno, or 0 */
  bool paired;     /* created by socketpair() */
};

/* EVENT_CALL */
struct option_seen {
  bool set;                /* setsockopt, else getsockopt */
  int fd;                  /* as the program calls it */
  uint64_t socket;         /* its inode */
  int type;                /* SOCK_DGRAM, … */
  int family;              /* AF_INET, … */
  bool connected;          /* it had a peer then */
  struct sockaddr_in peer; /* whom; all 0 if it is none of IPv4 */
  int level, option;
  long value;
  int error; /* errno of the call, or 0 */
};

/* EVENT_TRANSFER */
enum transfer_seen_kind { SEEN_SENDS, SEEN_RECEIVES, SEEN_WAITS };
struct transfer_seen {
  enum transfer_seen_kind kind;
  const char *name;      /* of the call; a literal */
  pid_t process, thread; /* process as the grader sees it, thread as the sandbox does */
  struct sockaddr_in peer;
  bool nonblocking; /* O_NONBLOCK on the socket, or MSG_DONTWAIT */
};

enum event_stream { STREAM_STDOUT = 0, STREAM_STDERR = 1 };

struct event {
  int64_t time_ns; /* on the world's clock, since the world began */
  enum event_kind kind;
  struct host *host;       /* where; NULL if nowhere in particular */
  struct program *program; /* whose; NULL if nobody's */
  const uint8_t *bytes;    /* text or payload; owned by the log; a 0 byte follows it */
  size_t length;
  enum event_stream stream; /* EVENT_LINE */
  int64_t not_before_ns; /* EVENT_LINE: its end was not written yet then. The kernel does not stamp
                            what is written to a terminal: time_ns is when it was read, which is
                            later on the real clock of a busy machine. On the virtual one, which
                            stands until it is read, the two are the same */
  int wait_status;       /* EVENT_EXIT */
  struct option_seen option;     /* EVENT_CALL */
  struct socket_seen socket;     /* EVENT_SOCKET */
  struct transfer_seen transfer; /* EVENT_TRANSFER */
  /* EVENT_FRAME: */
  int64_t stamp_ns; /* the kernel's CLOCK_REALTIME when it was sent */
  uint8_t protocol; /* IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP, … */
  uint8_t tcp_flags;
  uint32_t tcp_sequence, tcp_acknowledgement;
  struct sockaddr_in source, destination; /* ports 0 where the protocol has none */
  struct lan *lan;                        /* where it was; NULL: on the host's loopback interface */
  bool broadcast;                         /* to the Ethernet address ff:ff:ff:ff:ff:ff */
  const uint8_t *raw; /* the whole of it, which `bytes` points into: from the Ethernet header on, or
                         from the IP header on if lan is NULL; owned by the log */
  size_t raw_length;
};

struct log {
  struct event **events; /* by their times */
  size_t count, capacity;
  size_t frame_count, frame_bytes; /* that are kept */
  size_t frames_left_out;
};

/* A program that floods the wire fills no memory: more frames than this are only counted. Of
 * segments that only acknowledge, which the kernel sends by itself, no more are kept once half as
 * many frames are there; they are not counted either. */
enum { LOG_FRAMES_MAX = 100000, LOG_FRAME_BYTES_MAX = 256 << 20 };

/* Appends a copy of *event (and of its bytes) in the place that its time demands. Returns its
 * index; SIZE_MAX if it is a frame that is one too many. */
size_t log_append(struct log *log, const struct event *event);
/* Drops the lines of the program's stream but the first and the last `keep` of them. Returns how
 * many are left. */
size_t log_forget_lines(struct log *log, const struct program *program, enum event_stream stream,
                        size_t keep);
void log_clear(struct log *log);
