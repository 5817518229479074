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
 * Each check begins with a world of its own: one host with the addresses 127.0.0.0/8, and nothing
 * else. What a script makes belongs to the check and vanishes with it: nothing here needs to be
 * freed. Times are in seconds on the check's clock since its world began. An expectation that does
 * not hold ends the check with a verdict; so does a failure of the grader itself (verdict `error`,
 * which costs the student nothing). Scripts run in one process each; no global state is shared
 * between two checks. */
#pragma once

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct program;
struct peer;

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

/* ---- addresses ---- */

struct address {
  uint32_t ip; /* in host byte order: 0x7f000001 is 127.0.0.1 */
  uint16_t port;
};
struct address address(const char *ip, int port);
bool address_equal(struct address a, struct address b);
/* "127.0.0.1:60000" */
const char *address_text(struct address address);

/* ---- programs ---- */

enum stream { STDOUT = 0, STDERR = 1 };

/* Starts a program of the submission with arguments that end with NULL. */
struct program *start_with(const char *name, const char *const *arguments);
#define start(...) START_(__VA_ARGS__, NULL)
#define START_(name_, ...) start_with(name_, (const char *const[]){__VA_ARGS__, NULL})

/* Waits until the program has a UDP socket bound to `port` (any address) and returns its local
 * address. Ends the check if it has none within 5 s, ends, or goes to sleep for ever: the report
 * says what it did instead. */
struct address await_udp_bound(struct program *program, int port);
/* The addresses of all unconnected UDP sockets on the port, but `wanted`, IPv6 included:
 * "0.0.0.0:60000, [::]:60000"; NULL if there is no other. */
const char *udp_bound_besides(struct address wanted);
/* Waits until it has ended, at most so long. False if it has not. */
bool await_exit(struct program *program, double seconds);
/* When it ended; only after await_exit. */
double exit_time(const struct program *program);
/* Its exit status, or -signal. */
int exit_status(const struct program *program);
/* Whether it has printed anything but white space there. */
bool printed_anything(struct program *program, enum stream stream);
/* What it is doing, in words, for reports: "asleep in recvfrom(3)", "ended with exit status 1". */
const char *doing(struct program *program);
/* As a key at its terminal would: to its process group. */
void send_signal(struct program *program, int signal);

/* Ends the check unless the program has ended with status 0 / not 0 with a message on stderr and no
 * crash (SIGSEGV and the like are no acceptable failure). `what` begins the message. */
void expect_success(struct program *program, const char *what);
void expect_failure(struct program *program, const char *what);

/* ---- lines ---- */

/* Lines are compared without trailing white space, leading tabs and spaces, and what a \r
 * overwrote. A pattern is plain text with %a  an address, equal to the `const struct address *`
 * given %A  any address, stored in the `struct address *` given %t  TEXT, equal to the `const char
 * *` given: plain, quoted, or escaped as C or Python do, with or without b %n  a number, stored in
 * the `double *` given
 *   %%  a percent sign
 * Addresses may be written 127.0.0.1:60000 or ('127.0.0.1', 60000). */
struct line {
  const char *text; /* normalised */
  double time;
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
struct address peer_address(const struct peer *peer);
/* Sends one datagram; at once. */
void udp_send(struct peer *peer, struct address to, const void *bytes, size_t length);
void udp_send_text(struct peer *peer, struct address to, const char *text);
/* Takes the next datagram, waiting at most `within` seconds for it. */
bool udp_receive(struct peer *peer, double within, struct datagram *datagram);

/* ---- the wire ---- */

struct frame {
  double time;
  struct address source, destination;
  const uint8_t *bytes; /* payload */
  size_t length;
};
struct frames {
  const struct frame *list;
  size_t count;
};
/* All UDP datagrams that programs (not peers) have sent so far in this world, in order. */
struct frames frames_sent(void);
/* Those of them that went to the port, or came from it. */
struct frames frames_to_port(int port);
struct frames frames_from_port(int port);

/* ---- words for reports ---- */

/* Bytes as text in quotes, escaped and shortened. */
const char *quoted(const void *bytes, size_t length);
/* "1 datagram", "3 datagrams" */
const char *counted(size_t count, const char *thing);
/* The lines that it printed (stdout, and what stands on stderr), for `actual`. */
const char *printed(struct program *program);
