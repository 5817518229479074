/* Time and addresses. */
#include "grader/sdk/inner.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>
#include <time.h>

/* ---- time ---- */

double now(void) {
  return (double)world_now(the_check.world) / 1e9;
}

double wall_clock(void) {
  return (double)world_wall_clock(the_check.world) / 1e9;
}

static int64_t in_nanoseconds(double seconds) {
  return (int64_t)(seconds * 1e9 + 0.5);
}

/* A deadline that is later than now by less than a nanosecond is the next one: a loop "while now()
 * < deadline" around a wait would else never end. */
static int64_t deadline_in_nanoseconds(double deadline) {
  int64_t wanted = in_nanoseconds(deadline), present = world_now(the_check.world);
  return deadline > now() && wanted <= present ? present + 1 : wanted;
}

/* A standstill ends a wait at once. The next one, if nothing has happened in between, passes
 * the time: or a loop "until now() >= …" around it would never end. */
enum world_pause run_until(double deadline, bool (*until)(void *context), void *context) {
  enum world_pause pause =
      world_run(the_check.world, deadline_in_nanoseconds(deadline), until, context);
  if (pause == WORLD_STANDSTILL) {
    size_t events = world_log(the_check.world)->count;
    if (the_check.stood_still_at == now() && the_check.stood_still_after == events)
      world_run(the_check.world, deadline_in_nanoseconds(deadline), NULL, NULL);
    the_check.stood_still_at = now();
    the_check.stood_still_after = events;
  }
  if (pause == WORLD_BROKEN) {
    const char *why = world_broken(the_check.world, &the_check.retry_on_real_clock);
    check_error(say("%s", why));
  }
  return pause;
}

void pass(double seconds) {
  run_until(now() + seconds, NULL, NULL);
}

void settle(void) {
  enum { LIMIT_MS = 100 };
  if (world_settle(the_check.world, LIMIT_MS * MILLISECONDS) == WORLD_BROKEN)
    run_until(now(), NULL, NULL);
}

void note(const char *sentence) {
  log_append(world_log(the_check.world), &(struct event){.time_ns = world_now(the_check.world),
                                                         .kind = EVENT_NOTE,
                                                         .bytes = (const uint8_t *)sentence,
                                                         .length = strlen(sentence)});
}

double at_most(double wanted) {
  if (the_check.clock == CLOCK_REAL)
    return wanted * 1.15 + 0.030;
  return wanted + fmax(wanted * 0.02, 0.010);
}

double at_least(double wanted) {
  if (the_check.clock == CLOCK_REAL)
    return wanted * 0.98;
  return wanted - fmax(wanted * 0.02, 0.010);
}

bool about(double seconds, double wanted) {
  return seconds >= at_least(wanted) && seconds <= at_most(wanted);
}

/* ---- addresses ---- */

struct address address(const char *ip, int port) {
  struct in_addr binary;
  if (inet_pton(AF_INET, ip, &binary) != 1)
    check_error(say("the check names an address that is none: %s", ip));
  return (struct address){.ip = ntohl(binary.s_addr), .port = (uint16_t)port};
}

struct address address_from_socket(const struct sockaddr_in *from) {
  return (struct address){.ip = ntohl(from->sin_addr.s_addr), .port = ntohs(from->sin_port)};
}

bool address_equal(struct address a, struct address b) {
  return a.ip == b.ip && a.port == b.port;
}

const char *address_text(struct address a) {
  return say("%u.%u.%u.%u:%u", a.ip >> 24, a.ip >> 16 & 255, a.ip >> 8 & 255, a.ip & 255, a.port);
}
