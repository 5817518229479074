#include "causes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- drops ---- */

static bool repeats(const bool *dropped, size_t count, size_t period) {
  for (size_t i = period; i < count; i++)
    if (dropped[i] != dropped[i - period])
      return false;
  return true;
}

/* Whether datagrams share their fate two by two. */
static bool comes_in_pairs(const bool *dropped, size_t count) {
  for (size_t offset = 0; offset < 2; offset++) {
    bool pairs = true;
    for (size_t i = offset; pairs && i + 1 < count; i += 2)
      pairs = dropped[i] == dropped[i + 1];
    if (pairs)
      return true;
  }
  return false;
}

static const char *rate_cause(double rate) {
  static const double wanted = 0.7, near = 0.05;
  if (fabs(rate - (1 - wanted)) < near)
    return "about 30 % are dropped: is the comparison the wrong way round? Drop if the number is "
           "below 0.7";
  if (fabs(rate - 0.5) < near)
    return "about half are dropped, as if a coin were tossed: drop if a number in [0, 1) is below "
           "0.7";
  return say(
      "about %.0f of ten are dropped: is it a comparison of whole numbers, one too few or too "
      "many? Drop if rand() %% 10 is 0 to 6, or if a number in [0, 1) is below 0.7",
      rate * 10);
}

const char *drops_cause(const struct drops_judgement *judgement, const bool *dropped,
                        size_t count) {
  if (strcmp(judgement->test, "rate") == 0)
    return rate_cause(judgement->rate);
  for (size_t period = 1; period <= count / 2; period++)
    if (repeats(dropped, count, period))
      return say("the same %zu come again and again: a counter or a fixed list decides; draw for "
                 "each datagram by itself",
                 period);
  if (comes_in_pairs(dropped, count))
    return "every two datagrams share their fate: is there one draw for two? Draw for each by "
           "itself";
  return strcmp(judgement->test, "evenness") == 0
             ? say("a fixed number of every %zu is dropped, in whatever order: draw for each "
                   "datagram by itself",
                   judgement->period)
             : "a counter or a fixed list decides: draw for each datagram by itself";
}

const char *same_drops_cause(const bool *dropped, size_t count) {
  enum { PERIOD_MOST = 20 };
  for (size_t period = 1; period <= PERIOD_MOST; period++)
    if (repeats(dropped, count, period))
      return "no generator decides, but a pattern: it is the same in every run";
  return "the generator is not seeded, or with something that is the same in both runs (a "
         "constant, a port, the day): srand(time(NULL)), random.seed()";
}

/* ---- the schedule ---- */

static double gap(struct frames sent, size_t number) {
  return sent.list[number + 1].time - sent.list[number].time;
}

const char *gaps_text(struct frames sent) {
  const char *text = "";
  for (size_t i = 0; i + 1 < sent.count && i < 11; i++)
    text = say("%s%s%.3f", text, i > 0 ? ", " : "", gap(sent, i));
  return *text ? text : "none";
}

static bool all_gaps_are(struct frames sent, double first, double factor, double step) {
  double wanted = first;
  for (size_t i = 0; i + 1 < sent.count; i++, wanted = wanted * factor + step)
    if (!about(gap(sent, i), wanted))
      return false;
  return true;
}

const char *gaps_cause(struct frames sent) {
  enum { ATTEMPTS = 6 };
  static const double first_wait = 0.1;
  if (sent.count < 3)
    return "after a time-out it is to send again, up to six times";
  for (size_t i = 0; i + 1 < sent.count; i++)
    if (gap(sent, i) < at_most(0) && i + 2 < sent.count)
      return say("datagrams %zu and %zu leave together: one attempt is one datagram", i + 1, i + 2);
  double first = gap(sent, 0);
  if (all_gaps_are(sent, first, 1, 0))
    return say("all gaps are %.1f s: the delay is not doubled", first);
  if (about(gap(sent, 1), 2 * first) && sent.count > 3 && about(gap(sent, 2), 3 * first))
    return "the delay grows by the same step each time; it is to be doubled";
  if (sent.count == ATTEMPTS && all_gaps_are(sent, 2 * first_wait, 2, 0))
    return "the first wait is 0.2 s already: double the delay after the wait, and not before it";
  double factor = first > 0 ? gap(sent, 1) / first : 0;
  if (sent.count > 3 && !about(factor, 2) && factor > 1 && all_gaps_are(sent, first, factor, 0))
    return say("the delay is multiplied by %.1f each time; it is to be doubled", factor);
  if (sent.count > ATTEMPTS)
    return say("it sends %zu datagrams: after the sixth, and its wait, it is to give up",
               sent.count);
  if (sent.count < ATTEMPTS)
    return say("it gives up after %zu attempts: the last wait is to be 3.2 s", sent.count);
  return NULL;
}

const char *too_long_cause(struct frames sent) {
  static const double moments[] = {0, 0.1, 0.3, 0.7, 1.5, 3.1};
  enum { ATTEMPTS = sizeof moments / sizeof *moments };
  if (sent.count > ATTEMPTS)
    return say("there are %zu datagrams, and it goes on: after the sixth it is to wait 3.2 s, and "
               "then to end",
               sent.count);
  double last = sent.list[sent.count - 1].time - sent.list[0].time,
         wanted = moments[sent.count - 1];
  return last > at_most(wanted) ? say("the waits are too long: datagram %zu is sent %.1f s after "
                                      "the first, not %.1f s",
                                      sent.count, last, wanted)
                                : NULL;
}

const char *announced_cause(size_t number, double seconds, double wait, double next,
                            struct frames sent) {
  static const double exact = 1e-6;
  if (fabs(seconds - 1000 * wait) < exact)
    return "that is in milliseconds; it is to be in seconds";
  if (fabs(seconds - floor(wait)) < exact)
    return "a whole number is printed: is the delay cut by an integer division, by %d or by %.0f?";
  if (fabs(seconds - next) < exact)
    return sent.count > number + 1 && about(gap(sent, number), wait)
               ? "that is the next wait: print the delay first, and double it after the wait"
               : "the delay is doubled before it is used for the first time: double it after the "
                 "wait";
  if (number > 0 && fabs(seconds - 0.1) < exact)
    return "the delay is not doubled: each is twice the one before";
  if (fabs(seconds - 0.1 * (double)(number + 1)) < exact)
    return "the delay grows by the same step each time; it is to be doubled";
  return "the delays are 0.1, 0.2, 0.4, 0.8, 1.6 and 3.2: each twice the one before";
}

/* ---- forgers ---- */

const char *schedule_cause(struct frames calm, struct frames disturbed) {
  static const double little = 0.5; /* of a wait */
  size_t shorter = calm.count < disturbed.count ? calm.count : disturbed.count;
  bool cut = false, less = false, more = false;
  for (size_t i = 0; i + 1 < shorter; i++) {
    double with = gap(disturbed, i), without = gap(calm, i);
    bool same = about(with, without) || about(without, with);
    cut |= with < without * little;
    less |= !same && with < without;
    more |= !same && with > without;
  }
  if (cut)
    return "a forged datagram is taken for a time-out: go on waiting for the rest of the wait";
  if (less)
    return "each forged datagram shortens the wait a little: is what is left of it rounded down, "
           "to whole milliseconds? Work out one deadline for each wait";
  if (more)
    return "forged datagrams make the wait longer: does each restart it, or cost time of its own? "
           "Wait only for what is left until one deadline";
  return disturbed.count < calm.count
             ? "forged datagrams end it before its time: are they counted, or taken for an error, "
               "or does the wait begin anew with each?"
             : "with forged datagrams it makes more attempts";
}

const char *forgery_cause(struct program *client, struct address server) {
  struct frames all = frames_all();
  double end = await_exit(client, 0) ? exit_time(client) : now();
  const struct frame *last = NULL;
  for (size_t i = all.count; i-- > 0;) {
    const struct frame *frame = &all.list[i];
    if (frame->time > end || frame->destination.port == server.port ||
        address_equal(frame->source, server) || frame->length == 0)
      continue;
    if (last && last->time - frame->time > at_most(0))
      break;
    if (last && frame->source.ip != last->source.ip)
      return "it came from another port or another host: compare both with the address that "
             "recvfrom() gives, or connect() the socket, and the kernel does";
    last = frame;
  }
  if (!last)
    return NULL;
  return last->source.ip == server.ip
             ? "it came from another port of the server's host: is the port compared? connect() "
               "the socket, and the kernel compares both"
             : "it came from another host, from the server's port: is the address compared? "
               "connect() the socket, and the kernel compares both";
}
