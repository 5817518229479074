/* Clients that are lost, and how the server tells it. */
#include "service.h"

#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* How long a victim's silence may last before it is told as lost, in seconds, is measured in two
 * parts.
 *
 * The kernel's part, from the last segment that came of it until the kernel gives the connection up
 * (RST to a host that has vanished, or from one that was restarted), runs in real time, and is seen
 * on the wire, whatever else the machine does. A kernel's timers are late by up to an eighth; but
 * keep-alive counts in whole seconds, so that a wrong program is not before 5 s. The program's part
 * is what follows, on the check's clock. (A program with means of its own has this part only.) */
static const double REQUIRED = 4, KERNEL_ALLOWED = 4.9;
/* After the line the socket is closed at once, or as soon as the program comes to it. */
static const double CLOSING = 0.5;

/* On the real clock a busy machine takes some time to run the program. */
static double allowed(void) {
  return at_most(REQUIRED) + 0.9;
}

struct victim victim_of(struct connection *connection) {
  return (struct victim){.connection = connection,
                         .address = tcp_local(connection),
                         .socket = tcp_other_end(connection),
                         .lost_time = -1};
}

/* Takes in what the server has printed about the victims. Returns how many are told as lost. */
static size_t victims_told(struct program *server, struct victim *victims, size_t count) {
  struct lines all = lines(server, STDOUT);
  size_t told = 0;
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < all.count && victims[i].lost_time < 0; k++)
      if (line_matches(all.list[k].text, "Connection from %a lost.", &victims[i].address))
        victims[i].lost_time = all.list[k].time;
    told += victims[i].lost_time >= 0;
  }
  return told;
}

/* ---- how long it took ---- */

static bool is_between(const struct frame *frame, struct address one, struct address other) {
  return address_equal(frame->source, one) && address_equal(frame->destination, other);
}

struct silence {
  double kernel, all; /* negative: there was none, or it has no end */
};

/* Whether this is the end of a silence, though its client was there: what that said was on its way
 * for so long, on a machine that was too busy to carry it. */
static bool ends_a_silence(const struct frame *reset, const struct frame *last) {
  return last && reset->kernel_time - last->kernel_time > 1;
}

static struct silence silence_of(const struct victim *victim, const struct frames *frames,
                                 double since) {
  struct address own = victim->address, server = tcp_remote(victim->connection);
  const struct frame *last = NULL, *reset = NULL;
  for (size_t i = 0; i < frames->count && !reset; i++) {
    const struct frame *frame = &frames->list[i];
    bool from_victim = is_between(frame, own, server);
    if (!from_victim && !is_between(frame, server, own))
      continue;
    if ((frame->tcp_flags & TH_RST) && (frame->time >= since || ends_a_silence(frame, last)))
      reset = frame;
    else if (from_victim && frame->time <= since)
      last = frame;
  }
  struct silence silence = {-1, victim->lost_time < 0 ? -1 : victim->lost_time - since};
  if (last && reset) {
    silence.kernel = reset->kernel_time - last->kernel_time;
    if (victim->lost_time >= 0)
      silence.all = silence.kernel + fmax(0, victim->lost_time - reset->time);
  }
  return silence;
}

static bool is_in_time(struct silence silence) {
  return silence.all >= 0 && silence.all <= allowed() && silence.kernel <= KERNEL_ALLOWED;
}

/* ---- causes ---- */

struct keep_alive {
  bool on;
  bool elsewhere;             /* on, but for another connection only */
  long idle, interval, count; /* 0: not set */
  int error;                  /* of a call that set any of them */
};

/* What holds for the victim's connection: set on its socket, or on the one that listens. */
static struct keep_alive keep_alive_of(struct program *server, const struct victim *victim) {
  struct keep_alive seen = {0};
  struct option_calls calls = option_calls_of(server);
  for (size_t i = 0; i < calls.count; i++) {
    const struct option_call *call = &calls.list[i];
    bool is_keep_alive = call->level == SOL_SOCKET && call->option == SO_KEEPALIVE;
    bool is_time = call->level == IPPROTO_TCP &&
                   (call->option == TCP_KEEPIDLE || call->option == TCP_KEEPINTVL ||
                    call->option == TCP_KEEPCNT);
    if (!call->set || !(is_keep_alive || is_time))
      continue;
    if (call->connected && call->socket != victim->socket) {
      seen.elsewhere |= is_keep_alive && !call->error && call->value != 0;
      continue;
    }
    if (call->error)
      seen.error = call->error;
    else if (is_keep_alive)
      seen.on = call->value != 0;
    else
      *(call->option == TCP_KEEPIDLE    ? &seen.idle
        : call->option == TCP_KEEPINTVL ? &seen.interval
                                        : &seen.count) = call->value;
  }
  return seen;
}

/* Why nothing was noticed in time. */
static const char *cause_of_silence(struct program *server, const struct victim *victim) {
  enum { IDLE = 7200, INTERVAL = 75, COUNT = 9 }; /* the kernel's defaults */
  enum { MILLISECONDS = 500 };                    /* who sets so much has not thought of seconds */
  struct keep_alive seen = keep_alive_of(server, victim);
  if (seen.error)
    return say("setsockopt() of a keep-alive option fails: %s", strerror(seen.error));
  if (!seen.on && (seen.idle || seen.interval || seen.count))
    return "TCP_KEEPIDLE and its kin are set, but keep-alive is not switched on: SO_KEEPALIVE";
  if (!seen.on && seen.elsewhere)
    return "keep-alive is switched on for other connections, and not for this one: each socket that "
           "accept() returns needs it";
  if (!seen.on)
    return "keep-alive is not switched on (SO_KEEPALIVE), so the kernel does not ask whether the "
           "client is still there";
  long idle = seen.idle ? seen.idle : IDLE, interval = seen.interval ? seen.interval : INTERVAL,
       count = seen.count ? seen.count : COUNT, all = idle + interval * count;
  if ((double)all > REQUIRED)
    return say("with TCP_KEEPIDLE %ld s%s, TCP_KEEPINTVL %ld s%s and TCP_KEEPCNT %ld%s the kernel "
               "gives the client up after %ld + %ld × %ld = %ld s of silence%s",
               idle, seen.idle ? "" : " (not set)", interval, seen.interval ? "" : " (not set)",
               count, seen.count ? "" : " (not set)", idle, interval, count, all,
               seen.idle >= MILLISECONDS || seen.interval >= MILLISECONDS
                   ? "; these times are in seconds, not in milliseconds"
                   : "");
  if (victim->socket && sockets_open(server, &victim->socket, 1) == 0)
    return "its socket is closed, so it was noticed: it must be told as well";
  return "keep-alive is set; does the program look at the error that recv() gives, on each "
         "connection, while nothing else happens?";
}

/* Whether it has said that the victim's connection is what `word` says. */
static bool told_as(struct program *server, const struct victim *victim, const char *word) {
  struct lines all = lines(server, EITHER);
  for (size_t i = 0; i < all.count; i++)
    if (line_matches(all.list[i].text, say("Connection from %%a %s.", word), &victim->address))
      return true;
  return false;
}

/* Whether a line tells of the victim with another port, and why. */
static const char *wrong_port_cause(struct program *server, const struct victim *victim) {
  struct lines all = lines(server, STDOUT);
  struct address shown, swapped = {victim->address.ip, __builtin_bswap16(victim->address.port)};
  for (size_t i = 0; i < all.count; i++)
    if (line_matches(all.list[i].text, "Connection from %A lost.", &shown) &&
        address_equal(shown, swapped) && shown.port != victim->address.port)
      return address_cause(victim->address, shown);
  return NULL;
}

static const char *cause_of_no_line(struct program *server, const struct victim *victim) {
  if (told_as(server, victim, "closed"))
    return "it is told as closed; but the client has not said that it ends (recv() would return 0): "
           "recv() has failed";
  const char *cause = wrong_port_cause(server, victim);
  return cause ? cause : cause_of_silence(server, victim);
}

/* ---- waiting ---- */

static void expect_alive(struct program *server, const char *what) {
  EXPECT(!await_exit(server, 0), .message = say("the server ends when it loses %s", what),
         .expected = "a line about this client, and that the server runs on",
         .actual = say("it %s\n%s", doing(server), printed(server)),
         .cause = "recv() fails when a client is lost (ETIMEDOUT, ECONNRESET; an OSError in "
                  "Python): that is this one client's end, and no other's");
}

static void expect_told(struct program *server, const struct victim *victims, size_t count,
                        const char *what, double since) {
  struct frames frames = frames_all();
  const struct victim *late = NULL;
  size_t in_time = 0;
  for (size_t i = 0; i < count; i++)
    if (is_in_time(silence_of(&victims[i], &frames, since)))
      in_time++;
    else if (!late)
      late = &victims[i];
  if (!late)
    return;
  struct silence silence = silence_of(late, &frames, since);
  bool early = late->lost_time >= 0 && silence.all < 0;
  check_fail((struct failure_report){
      .message = count == 1
                     ? say("%s is not told as lost in time", what)
                     : say("%s: of %zu only %zu are told as lost in time", what, count, in_time),
      .expected = say("Connection from %s lost., within %g s of silence",
                      address_text(late->address), REQUIRED),
      .actual = say("%s\n%s",
                    silence.all >= 0 ? say("that line after %.1f s of silence", silence.all)
                    : early          ? "that line while the client was still there"
                                     : say("no such line within %.1f s", now() - since),
                    printed(server)),
      .cause = early ? NULL : cause_of_no_line(server, late)});
}

static void expect_closed(struct program *server, const struct victim *victims, size_t count,
                          const char *what, double deadline) {
  uint64_t sockets[VICTIMS_MAX];
  size_t open = 0;
  for (size_t i = 0; i < count; i++)
    sockets[i] = victims[i].socket;
  while ((open = sockets_open(server, sockets, count)) > 0 && now() < deadline)
    pass(CLOSING / 5);
  EXPECT(open == 0, .message = say("the socket of %s is not closed", what),
         .expected = "no process of the server has a descriptor of it any more",
         .actual = say("%s still open, though told as lost", counted(open, "socket")),
         .cause =
             "it takes one of the program's descriptors for ever: close() it, in every process "
             "that has it (a parent that has forked has it, too)");
}

void expect_lost(struct program *server, struct victim *victims, size_t count, const char *what,
                 double since, void (*meanwhile)(void *context), void *context) {
  while (victims_told(server, victims, count) < count && now() < since + allowed()) {
    expect_alive(server, what);
    if (meanwhile)
      meanwhile(context);
    pass(0.1);
  }
  expect_told(server, victims, count, what, since);
  expect_closed(server, victims, count, what, fmax(since + allowed(), now() + CLOSING));
  expect_alive(server, what);
}
