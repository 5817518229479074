/* wiregrade's SDK: what a lab's checks are written with.
 *
 * A check is one experiment that verifies one requirement. It is a short script: make peers, start
 * programs, let time pass, expect. Included by suite/LAB/checks.c, which includes nothing else of
 * wiregrade.
 *
 *     CHECK(gaps_double, "udp-retry.6", "udp-retry-client") {
 *       udp_peer("server", "127.0.0.1", 60000);                        // bound, and silent
 *       struct program *client = start("udp-retry-client");
 *       await_exit(client, 30);
 *       struct frames sent = frames_sent();
 *       EXPECT(sent.count == 6, .message = say("six datagrams are sent, not %zu", sent.count));
 *     }
 *
 * Each check begins with a world of its own: one host, localhost(), with the addresses 127.0.0.0/8,
 * and nothing else; more hosts and LANs are made by the script. What a script makes belongs to the
 * check and vanishes with it: nothing here needs to be freed. Times are in seconds on the check's
 * clock since its world began. An expectation that does not hold ends the check with a verdict; so
 * does a failure of the grader itself (verdict `error`, which costs the student nothing). Scripts
 * run in one process each; no global state is shared between two checks. */
#pragma once

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct program;
struct peer;
struct host;
struct lan;

/* ---- declaring checks ---- */

struct check {
  const char *suite, *name;    /* Criterion's names */
  const char *requirement;     /* "udp-retry.6" */
  const char *const *programs; /* that the submission must have; ends with NULL */
  void (*script)(void);
};

void check_run(const struct check *check);

/* CHECK(name, "lab.number", "program", …) { script }. LAB must be defined: the lab's name as an
 * identifier. */
#define CHECK(name_, requirement_, ...)                                                            \
  static void name_##_script(void);                                                                \
  static const char *const name_##_programs[] = {__VA_ARGS__, NULL};                               \
  static const struct check name_##_check = {CHECK_TEXT(LAB), #name_, requirement_,                \
                                             name_##_programs, name_##_script};                    \
  __attribute__((section("wiregrade_checks"),                                                      \
                 used)) static const struct check *const name_##_entry = &name_##_check;           \
  CHECK_TEST(LAB, name_) {                                                                         \
    check_run(&name_##_check);                                                                     \
  }                                                                                                \
  static void name_##_script(void)
#define CHECK_TEXT(name_) CHECK_TEXT_(name_)
#define CHECK_TEXT_(name_) #name_
#define CHECK_TEST(lab_, name_) Test(lab_, name_)

/* ---- verdicts ---- */

/* What a failed expectation tells the student. All texts may be NULL. */
struct failure_report {
  const char *message;  /* one sentence: what is wrong */
  const char *expected; /* what was required, in the student's terms */
  const char *actual;   /* what was seen */
  const char *cause;    /* the likely cause, chosen by what was seen */
};

/* Ends the check as failed. */
_Noreturn void check_fail(struct failure_report report);
/* Ends the check as the grader's own error. */
_Noreturn void check_error(const char *sentence);

#define EXPECT(condition_, ...)                                                                    \
  do {                                                                                             \
    if (!(condition_))                                                                             \
      check_fail((struct failure_report){__VA_ARGS__});                                            \
  } while (0)

/* Formats a text that lives as long as the check. */
const char *say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A random whole number in [low, high]; the seed is the run's (--seed) and the check's name. */
int random_between(int low, int high);

/* ---- the world and its time ---- */

/* Replaces the check's world by a new one, in which the wall clock shows another second than in any
 * before. */
void fresh_world(void);
/* The same, and the real clock shows another second too: for programs that take the time where no
 * clock is asked, from a file's date or the machine's uptime. */
void fresh_world_later(void);
/* The same as fresh_world, and on the virtual clock it begins so many seconds after that in which
 * the last one began, some 0.3 s after that second's beginning: for what is the same for a few
 * seconds, or every few. On the real clock it is so much later, but not more than some two seconds.
 */
void fresh_world_after(int seconds);
/* The same, and the real clock is later too, as for fresh_world_later. */
void fresh_world_really_after(int seconds);
/* The same as fresh_world, and on the virtual clock programs are told that it is that time, within
 * a second, on that day of some month: for what is written otherwise on the 5th than on the 15th.
 */
void fresh_world_at(int day, int hour, int minute, int second);
/* The same, on a New Year's Day in a week of the old year, which %G of strftime() gives. */
void fresh_world_at_new_year(int hour, int minute, int second);
/* Seconds since the world began. */
double now(void);
/* Lets time pass. */
void pass(double seconds);
/* Lets the world go on until nothing in it moves any more, without letting time pass for those who
 * sleep; at most 0.1 s, for a program that never sleeps. */
void settle(void);
/* Whether `seconds` is `wanted` within the tolerance of the clock: virtual 2 % or 10 ms; real -2 %,
 * +15 % + 30 ms. */
bool about(double seconds, double wanted);
/* The longest and shortest that `about` accepts. */
double at_most(double wanted);
double at_least(double wanted);

/* What a program that asks for the time of day is told now: seconds since 1970. */
double wall_clock(void);

/* ---- addresses ---- */

struct address {
  uint32_t ip; /* in host byte order: 0x7f000001 is 127.0.0.1 */
  uint16_t port;
};
struct address address(const char *ip, int port);
bool address_equal(struct address a, struct address b);
/* "127.0.0.1:60000" */
const char *address_text(struct address address);

/* ---- hosts and LANs ---- */

/* A host is a machine of its own: its own addresses, ports and tables. The functions whose names
 * end with _at take the host; the same without it mean localhost(). */
struct host *localhost(void);
/* One more host, with 127.0.0.0/8 on its `lo`, and nothing else yet. */
struct host *new_host(const char *name);
/* An Ethernet: a switch and the links to it, all of the same MTU (bytes; 1500 is usual). */
struct lan *new_lan(const char *name, int mtu);
/* Links a host to a LAN by an interface (eth0, then eth1, …) with an address: "192.168.1.2/24". All
 * hosts of a LAN know each other's Ethernet addresses from the beginning. */
void attach(struct host *host, struct lan *lan, const char *address_and_prefix);
/* Where the host sends what is for no network of its own. */
void default_route(struct host *host, const char *gateway);
/* A router of the grader's own with an address on each of two LANs. What is too large for the LAN
 * that it must go to, and may not be cut, it answers with ICMP "fragmentation needed" (RFC 792,
 * RFC 1191); it cuts nothing. */
void new_router(const char *name, struct lan *lan, const char *address_and_prefix,
                struct lan *other_lan, const char *other_address_and_prefix);

/* What becomes of frames: each probability is drawn for each frame by itself, from the check's seed
 * (0: never, 1: always). */
struct treatment {
  double drop, duplicate, reorder; /* probabilities; a reordered frame goes behind the next one */
  double delay;                    /* seconds, for every frame */
};
/* How the switch treats what the host sends, from now on, until it is given another treatment. */
void treat_frames_from(struct host *host, struct treatment treatment);
/* The same for what is on its way to the host. */
void treat_frames_to(struct host *host, struct treatment treatment);
/* Pulls out the host's cables, and puts them in again: nothing goes to it nor comes from it, and
 * nobody is told. */
void cut_links(struct host *host);
void mend_links(struct host *host);
/* Puts a UDP datagram on the LAN that looks as if it came from `from`, whoever that is; to a host's
 * address, or to a broadcast address. */
void forge_datagram(struct lan *lan, struct address from, struct address to, const void *bytes,
                    size_t length);

/* ---- programs ---- */

enum stream { STDOUT = 0, STDERR = 1, EITHER = 2 };

/* start("name", "argument", …): starts a program of the submission on localhost(), with arguments.
 * start_at(host, "name", "argument", …): on another host. */
#define start(...) START_(localhost(), __VA_ARGS__, NULL)
#define start_at(host_, ...) START_(host_, __VA_ARGS__, NULL)
#define START_(host_, name_, ...)                                                                  \
  start_with(host_, name_, (const char *const[]){name_, __VA_ARGS__})
/* arguments[0] is the name itself, as argv[0] would be; it ends with NULL. */
struct program *start_with(struct host *host, const char *name, const char *const *arguments);
/* Has the calls of programs that are started from now on recorded that `calls_of` tells about (it
 * slows them a little). */
void record_calls(void);

/* ---- what programs find around them ---- */

/* Each holds for programs that are started from now on, in this world. */

/* What the next program (and only that one) finds on its stdin, before the end of file. */
void next_input(const void *bytes, size_t length);
/* A file of the system: /etc/services, /etc/hosts, … (in place of the one that programs would see).
 */
void put_file(const char *path, const char *text);
/* An environment variable. */
void put_variable(const char *name, const char *value);

/* So many descriptors that are open already, from 3 on: at most 6. The next ones that the program
 * is given have higher numbers. */
void more_descriptors(int count);

/* Waits until the program has a UDP socket bound to `port` (any address) and returns its local
 * address. Ends the check if it has none within 5 s, ends, or goes to sleep for ever: the report
 * says what it did instead. */
struct address await_udp_bound(struct program *program, int port);
/* The same for a TCP socket that listens on `port`. */
struct address await_tcp_listening(struct program *program, int port);
/* The addresses of all TCP sockets of the program's host that listen on the port of `wanted`, but
 * that one; NULL if there is no other. */
const char *tcp_listening_besides(struct program *program, struct address wanted);
/* The same of all that listen on another port than that. */
const char *tcp_listening_on_other_ports(struct program *program, int port);
/* The addresses of all unconnected UDP sockets on the port, but `wanted`, IPv6 included:
 * "0.0.0.0:60000, [::]:60000"; NULL if there is no other. */
const char *udp_bound_besides(struct program *program, struct address wanted);
/* Whether a UDP socket of the program's host is connected to that address. */
bool udp_is_connected(struct program *program, struct address to);
/* Waits until it has ended, at most so long. False if it has not. For a program that never sleeps
 * the time would be as long in reality: one that has used the CPU for 20 s meanwhile is not waited
 * for any longer. */
bool await_exit(struct program *program, double seconds);
/* When it ended; only after await_exit. */
double exit_time(const struct program *program);
/* Its exit status, or -signal. */
int exit_status(const struct program *program);
/* Whether it has printed anything but white space there. */
bool printed_anything(struct program *program, enum stream stream);
/* What it is doing, in words, for reports: "asleep in recvfrom(3)", "ended with exit status 1". */
const char *doing(struct program *program);
/* Why nothing in the world moves any more, proved from the kernel's state: what each task waits
 * for, and who for whom. For reports: the conclusion, then a line for each task. */
const char *why_standing_still(void);
/* Whether both ends of a connection are blocked in sending to each other, with all queues full. */
bool is_mutual_send(void);
/* As a key at its terminal would: to its process group. */
void send_signal(struct program *program, int signal);
/* Ends it, as a user would who restarts it: SIGTERM, and SIGKILL if it is still there 1 s later. */
void stop(struct program *program);
/* A server runs until SIGINT or SIGTERM, and is then gone within 1 s, with any status, its children
 * too. Ends the check unless this one is still there after a while in which nobody asks it for
 * anything, and gone, with all its processes, when it has been sent SIGTERM. */
void expect_runs_until_told(struct program *server);
/* The same of SIGINT, after an idle second; and of SIGTERM, sent at once to one that serves
 * clients, as `when` says: "while two clients are connected". */
void expect_ends_when_interrupted(struct program *server);
void expect_ends_when_told(struct program *server, const char *when);
/* Ends it as a power failure would; its sockets are closed by the kernel. */
void kill_at_once(struct program *program);
/* CPU time that it and its children have used, in seconds. */
double cpu_seconds(struct program *program);

/* Ends the check unless the program has ended with status 0 / not 0 with a message on stderr and no
 * crash (SIGSEGV and the like are no acceptable failure). `what` begins the message. */
void expect_success(struct program *program, const char *what);
void expect_failure(struct program *program, const char *what);
/* The same, with the likely causes of what may go wrong with it; NULL: the usual one. */
struct failure_causes {
  const char *still_runs, *crashes;
  const char *succeeds; /* status 0 */
  const char *silent;   /* nothing on stderr */
  bool said;            /* what it has to say was seen, wherever: stderr may be empty */
};
void expect_failure_because(struct program *program, const char *what,
                            struct failure_causes causes);

/* All that it wrote so far, as it is; a 0 byte follows. */
struct output {
  const uint8_t *bytes;
  size_t length;
};
struct output output_of(struct program *program, enum stream stream);

/* ---- lines ---- */

/* Lines are compared without trailing white space, leading tabs and spaces, and what a \r
 * overwrote. A pattern is plain text with %a  an address, equal to the `const struct address *`
 * given %A  any address, stored in the `struct address *` given %t  TEXT, equal to the `const char
 * *` given: plain, quoted, or escaped as C or Python do, with or without b %n  a number, stored in
 * the `double *` given
 *   %%  a percent sign
 * Addresses may be written 127.0.0.1:60000 or ('127.0.0.1', 60000). */
struct line {
  const char *text;  /* normalised */
  double time;       /* when it was read */
  double not_before; /* it was not written yet then: the same on the virtual clock, earlier on the
                        real one */
};
struct lines {
  const struct line *list;
  size_t count;
};
/* All finished lines so far. */
struct lines lines(struct program *program, enum stream stream);
bool line_matches(const char *line, const char *pattern, ...);
/* Ends the check unless such a line is printed on stdout before `within` more seconds have passed.
 * Returns its time. */
double expect_line(struct program *program, double within, const char *pattern, ...);
/* The same on another stream. */
double expect_line_on(struct program *program, enum stream stream, double within,
                      const char *pattern, ...);
/* Waits for such a line; a negative time if none is printed before `within` seconds have passed. */
double await_line(struct program *program, enum stream stream, double within, const char *pattern,
                  ...);
/* Whether some line of the stream has one of the words for a time-out: "time out", "timeout",
 * "timed out". */
bool says_timed_out(struct program *program, enum stream stream);

/* ---- peers: the grader's own sockets ---- */

struct datagram {
  const uint8_t *bytes; /* a 0 byte follows */
  size_t length;
  struct address from;
  double time;
};

/* A UDP socket bound to ip and port (0: any free one). Datagrams that come wait in it until
 * udp_receive. */
struct peer *udp_peer(const char *name, const char *ip, int port);
struct peer *udp_peer_at(struct host *host, const char *name, const char *ip, int port);
struct address peer_address(const struct peer *peer);
/* Sends one datagram; at once. */
void udp_send(struct peer *peer, struct address to, const void *bytes, size_t length);
void udp_send_text(struct peer *peer, struct address to, const char *text);
/* Takes the next datagram, waiting at most `within` seconds for it. */
bool udp_receive(struct peer *peer, double within, struct datagram *datagram);

/* ---- TCP peers ---- */

/* One end of a TCP connection, played by the check; its programs have the other one. What comes is
 * taken from the kernel as soon as it is there (but see tcp_stop_reading), and kept whole, with its
 * times. */
struct connection;
struct listener;

/* Connects from `ip` (NULL: any). NULL if it is refused or there is no answer within 5 s. `name` is
 * the peer's in reports. */
struct connection *tcp_connect(const char *name, const char *ip, struct address to);
struct connection *tcp_connect_at(struct host *host, const char *name, const char *ip,
                                  struct address to);
/* Connects as soon as the server lets it: when it is not known where it listens. NULL if it has
 * ended before, or does not within as long as it is waited for elsewhere. */
struct connection *tcp_connect_when_ready(struct program *server, struct host *from,
                                          struct address to);
/* The errno of the last tcp_connect that returned NULL: ECONNREFUSED, ETIMEDOUT, … */
int tcp_connect_error(void);
/* A socket that listens. Its connections are complete at once, as far as the other side can see,
 * and wait for tcp_accept. */
struct listener *tcp_listen(const char *name, const char *ip, int port);
struct listener *tcp_listen_at(struct host *host, const char *name, const char *ip, int port);
/* The next connection that came; NULL if none comes within so many seconds. */
struct connection *tcp_accept(struct listener *listener, double within);
struct address tcp_local(const struct connection *connection);
struct address tcp_remote(const struct connection *connection);
/* How many of the bytes that it has sent the other end has not read yet, of those that its kernel
 * has; 0 if that end is on another host than localhost(), or gone. */
size_t tcp_unread(const struct connection *connection);

/* Sends the bytes as one segment (if they fit in one), now, and lets the world settle: the program
 * has read them then, if it reads. Returns how many the kernel took: all of them, unless its send
 * buffer is full or the connection is gone. */
size_t tcp_send(struct connection *connection, const void *bytes, size_t length);
size_t tcp_send_text(struct connection *connection, const char *text);
/* The same in pieces of `piece` bytes, a segment each, `pause` seconds apart. */
size_t tcp_send_cut(struct connection *connection, const void *bytes, size_t length, size_t piece,
                    double pause);
/* Says that nothing more will be sent: FIN. What comes is still read (half-close). */
void tcp_finish(struct connection *connection);
/* Closes as a program does that ends: FIN, and whatever comes then is answered with RST. */
void tcp_close(struct connection *connection);
/* The same as tcp_send and tcp_finish, in one segment (if the bytes fit in one): whoever is told of
 * the bytes is told of the end, too. */
size_t tcp_send_last(struct connection *connection, const void *bytes, size_t length);
/* Breaks it off: RST. */
void tcp_reset(struct connection *connection);
/* As if the peer's host had been restarted: it has forgotten the connection, says nothing, and
 * answers whatever comes on it with RST. */
void tcp_forget(struct connection *connection);
/* Takes nothing from the kernel any more, so that its receive buffer fills, and begins again. */
void tcp_stop_reading(struct connection *connection);
void tcp_read_on(struct connection *connection);
/* Makes the peer's buffers small (bytes; the kernel doubles them): for full queues soon. */
void tcp_shrink_buffers(struct connection *connection, int bytes);

enum tcp_end { TCP_OPEN, TCP_FINISHED, TCP_RESET };
/* All that has come so far on a connection. */
struct stream_so_far {
  const uint8_t *bytes; /* a 0 byte follows */
  size_t length;
  enum tcp_end end;  /* how the other side has ended it, if it has */
  double end_time;   /* of the FIN or RST */
  double first_time; /* of the first byte; negative if there is none */
  double last_time;  /* of the last byte */
};
struct stream_so_far tcp_received(struct connection *connection);
/* Waits until at least `length` bytes in all have come, or the other side has ended it, or `within`
 * seconds have passed. True if so many bytes are there. */
bool tcp_await_bytes(struct connection *connection, size_t length, double within);
/* Waits until the other side has ended it: FIN or RST. */
enum tcp_end tcp_await_end(struct connection *connection, double within);
/* When the byte of that number (from 0) came. */
double tcp_byte_time(struct connection *connection, size_t number);
/* How many bytes that were sent the other side's kernel has not acknowledged yet. */
size_t tcp_unacknowledged(const struct connection *connection);
/* The socket at its other end, as a number that no other socket has; 0 if no program has accepted
 * it yet, or if that end is gone. */
uint64_t tcp_other_end(const struct connection *connection);
/* How many of these sockets the program, or a child of it, has a descriptor of still. */
size_t sockets_open(struct program *program, const uint64_t *sockets, size_t count);

/* ---- system calls ---- */

/* A socket option that a program set or read, with record_calls() before its start. */
struct option_call {
  double time;
  bool set;            /* setsockopt, else getsockopt */
  int fd;              /* as the program calls it */
  uint64_t socket;     /* which socket: the same number for the same one */
  int type;            /* SOCK_DGRAM, SOCK_STREAM */
  int family;          /* AF_INET, AF_INET6, AF_UNIX */
  bool connected;      /* it had a peer's address then */
  struct address peer; /* whose; 0.0.0.0:0 if it is none of IPv4 */
  int level, option;   /* IPPROTO_IP, IP_MTU_DISCOVER */
  long value;          /* what was set or read, if it is an int */
  int error;           /* 0, or the errno that the call gave */
};
struct option_calls {
  const struct option_call *list;
  size_t count;
};
/* All of them so far, of the program and its children, in order. */
struct option_calls option_calls_of(struct program *program);

/* A socket that a program created or closed, likewise. */
struct socket_call {
  double time;
  bool created; /* socket or socketpair, else close */
  int fd;       /* what socket() returned, or what close() was given */
  int family, type;
  uint64_t socket; /* which socket, as in option_call */
  int error;       /* of socket(): its errno */
  bool paired;     /* created by socketpair() */
};
struct socket_calls {
  const struct socket_call *list;
  size_t count;
};
struct socket_calls socket_calls_of(struct program *program);
/* The same but for the calls of socketpair(). */
struct socket_calls without_pairs(struct socket_calls calls);

/* ---- the wire ---- */

struct frame {
  double time;        /* when it was sent */
  double kernel_time; /* the same in real time: of two frames, what the kernel's own timers saw */
  const char *host;   /* the name of the host whose interface sent it */
  bool on_loopback;   /* else on a LAN */
  bool broadcast;     /* as an Ethernet broadcast, ff:ff:ff:ff:ff:ff */
  uint8_t protocol;   /* IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP */
  uint8_t tcp_flags;  /* TH_SYN, … of <netinet/tcp.h> */
  uint8_t icmp_type, icmp_code;
  struct address source, destination;
  const uint8_t *bytes; /* payload; a script may look at it in its next world, too */
  size_t length;
};
struct frames {
  const struct frame *list;
  size_t count;
};
/* All frames of this world so far, whoever sent them, in order. (What the switch dropped, too.) */
struct frames frames_all(void);
/* All UDP datagrams that programs (not peers) have sent so far in this world, in order. */
struct frames frames_sent(void);
/* Those of them that went to the port, or came from it. */
struct frames frames_to_port(int port);
struct frames frames_from_port(int port);

/* ---- words for reports ---- */

/* Bytes as text in quotes, escaped and shortened. */
const char *quoted(const void *bytes, size_t length);
/* Where two byte sequences differ: offset, hexadecimal and text around the first wrong byte, which
 * is marked. For `actual`; several lines. */
const char *difference(const void *expected, size_t expected_length, const void *actual,
                       size_t actual_length);
/* "1 datagram", "3 datagrams" */
const char *counted(size_t count, const char *thing);
/* The lines that it printed (stdout, and what stands on stderr), for `actual`. */
const char *printed(struct program *program);

#include "grader/sdk/causes.h"
#include "grader/sdk/internet.h"
#include "grader/sdk/scene.h"
#include "grader/sdk/traffic.h"
