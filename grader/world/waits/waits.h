/* One program that waits in every way that the virtual clock must follow: `waits WAY` waits, and
 * prints how many seconds went by on its own clock. A way that does not end as it should prints
 * FAILED and exits with 9. Built dynamic and static for clock_test.c; each file here is one family
 * of calls, in terms of these few helpers. */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LONG_S = 60 };

struct way {
  const char *name;
  void (*wait)(void);
};

/* WAY(name) { … }: one way of waiting, usually for LONG_S seconds. */
#define WAY(name)                                                                                  \
  static void way_##name(void);                                                                    \
  static const struct way name_##name = {#name, way_##name};                                       \
  static const struct way *const entry_##name __attribute__((section("ways"), used)) =             \
      &name_##name;                                                                                \
  static void way_##name(void)

double clock_seconds(clockid_t id);
double monotonic(void);
/* Ends the program with 9 if the condition does not hold. */
void require(bool condition, const char *what);
struct timespec span(double seconds);
struct timespec moment(clockid_t id, double after);
/* A UDP socket, bound to a port of 127.0.0.1. */
int udp_socket(void);
void set_timeout(int fd, int option, double seconds);
/* An epoll descriptor that watches fd for input. */
int epoll_of(int fd);

/* Counts the signals that came to a handler installed by handle(). */
extern volatile sig_atomic_t handled;
void handle(int number, int flags);
