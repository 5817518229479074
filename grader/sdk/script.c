/* What scripts do and see: programs, time, peers, the wire. */
#include "grader/sdk/inner.h"

#include "grader/base/memory.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- time ---- */

double now(void) {
  return (double)world_now(the_check.world) / 1e9;
}

static int64_t in_nanoseconds(double seconds) {
  return (int64_t)(seconds * 1e9 + 0.5);
}

enum world_pause run_until(double deadline, bool (*until)(void *context), void *context) {
  enum world_pause pause = world_run(the_check.world, in_nanoseconds(deadline), until, context);
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

/* ---- programs ---- */

struct host *localhost(void) {
  return the_check.host;
}

struct program *start_with(struct host *host, const char *name, const char *const *arguments) {
  const char *missing = NULL;
  char *const *command = manifest_find(the_check.manifest, name, &missing);
  if (!command)
    check_error(say("the check starts %s, which it does not declare", name));
  size_t own = 0, more = 0;
  while (command[own])
    own++;
  while (arguments[1 + more]) /* the first is the name itself */
    more++;
  char **argv = scrap((own + more + 1) * sizeof *argv);
  memcpy(argv, command, own * sizeof *argv);
  memcpy(argv + own, arguments + 1, more * sizeof *argv);
  struct failure failure;
  struct program_spec spec = {
      .name = name, .folder = manifest_folder(the_check.manifest), .argv = argv};
  struct program *program = program_start(host, &spec, &failure);
  if (!program)
    check_error(say("%s", failure.sentence));
  the_check.last_started = program;
  return program;
}

const char *doing(struct program *program) {
  int status = 0;
  if (program_exec_error(program))
    return say("could not be executed: %s", strerror(program_exec_error(program)));
  if (!program_ended(program, &status)) {
    char *text = program_doing(program);
    const char *kept = scrap_text(text, strlen(text));
    free(text);
    return kept;
  }
  if (WIFSIGNALED(status))
    return say("was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return say("ended with exit status %d", WEXITSTATUS(status));
}

struct bound_wait {
  struct program *program;
  int port;
  struct address found;
  bool is_bound;
};

static bool is_bound(void *context) {
  struct bound_wait *wait = context;
  struct socket_state *states = NULL;
  struct failure failure;
  int count = host_sockets(program_host(wait->program), IPPROTO_UDP, &states, &failure);
  if (count < 0)
    check_error(say("%s", failure.sentence));
  for (int i = 0; i < count && !wait->is_bound; i++) {
    struct address local = address_from_socket(&states[i].local);
    if (local.port == wait->port && states[i].remote.sin_port == 0) {
      wait->found = local;
      wait->is_bound = true;
    }
  }
  free(states);
  return wait->is_bound || program_ended(wait->program, NULL);
}

/* The UDP ports that something on the host is bound to, for a program that chose another one. */
static const char *bound_elsewhere(struct program *program) {
  struct socket_state *states = NULL;
  struct failure failure;
  int count = host_sockets(program_host(program), IPPROTO_UDP, &states, &failure);
  const char *text = NULL;
  for (int i = 0; i < count; i++) {
    struct address local = address_from_socket(&states[i].local);
    bool is_peer = false;
    for (struct peer *peer = the_check.peers; peer; peer = peer->next)
      is_peer |= address_equal(peer->address, local);
    if (!is_peer)
      text = say("%s%s%s", text ? text : "", text ? ", " : "", address_text(local));
  }
  free(states);
  return text;
}

struct address await_udp_bound(struct program *program, int port) {
  struct bound_wait wait = {.program = program, .port = port};
  enum { PATIENCE_S = 5 };
  run_until(now() + PATIENCE_S, is_bound, &wait);
  const char *elsewhere = wait.is_bound ? NULL : bound_elsewhere(program);
  EXPECT(wait.is_bound,
         .message = say("%s does not receive on UDP port %d", program_name(program), port),
         .expected = say("a UDP socket bound to port %d within %d s", port, PATIENCE_S),
         .actual = elsewhere ? say("it is bound to %s instead", elsewhere)
                             : say("no UDP socket is bound; the program %s\n%s", doing(program),
                                   printed(program)),
         .cause = elsewhere ? "the port is another one than the lab asks for"
                            : "the program ended, or never came to bind()");
  if (the_check.served_count < sizeof the_check.served / sizeof *the_check.served)
    the_check.served[the_check.served_count++] = (struct served_port){port, program};
  return wait.found;
}

const char *udp_bound_besides(struct program *program, struct address wanted) {
  struct socket_state *states = NULL;
  struct failure failure;
  int count = host_sockets(program_host(program), IPPROTO_UDP, &states, &failure);
  const char *text = NULL;
  for (int i = 0; i < count; i++) {
    struct address local = address_from_socket(&states[i].local);
    if (local.port != wanted.port || states[i].remote.sin_port != 0 ||
        (address_equal(local, wanted) && !states[i].ipv6_native))
      continue;
    const char *one =
        states[i].ipv6_native ? say("an IPv6 address, port %d", local.port) : address_text(local);
    text = text ? say("%s, %s", text, one) : one;
  }
  free(states);
  return text;
}

static bool has_ended(void *context) {
  return program_ended(context, NULL);
}

bool await_exit(struct program *program, double seconds) {
  run_until(now() + seconds, has_ended, program);
  return program_ended(program, NULL);
}

double exit_time(const struct program *program) {
  struct log *log = world_log(the_check.world);
  for (size_t i = 0; i < log->count; i++)
    if (log->events[i].kind == EVENT_EXIT && log->events[i].program == program)
      return (double)log->events[i].time_ns / 1e9;
  return -1;
}

int exit_status(const struct program *program) {
  int status = 0;
  if (!program_ended(program, &status))
    check_error("the check asks for the exit status of a program that runs");
  if (program_exec_error(program))
    return 127;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool printed_anything(struct program *program, enum stream stream) {
  size_t length = 0;
  const uint8_t *output = program_output(program, (enum event_stream)stream, &length);
  for (size_t i = 0; i < length; i++)
    if (!isspace(output[i]))
      return true;
  return false;
}

void send_signal(struct program *program, int signal) {
  program_signal(program, signal);
}

static bool crashed(int status) {
  return status == -SIGSEGV || status == -SIGBUS || status == -SIGILL || status == -SIGFPE;
}

void expect_success(struct program *program, const char *what) {
  bool ended = program_ended(program, NULL);
  EXPECT(ended && exit_status(program) == 0, .message = say("%s does not end with status 0", what),
         .expected = "exit status 0",
         .actual = say("%s %s\n%s", program_name(program), doing(program), printed(program)),
         .cause = !ended ? "it still waits for something; see what it is doing"
                  : crashed(exit_status(program))
                      ? "the program crashed: run it under gdb, or build with -fsanitize=address"
                      : "main returns another value, or exit() is called with one");
}

void expect_failure(struct program *program, const char *what) {
  bool ended = program_ended(program, NULL);
  EXPECT(ended, .message = say("%s does not end", what),
         .expected = "an exit status that is not 0, and a message on stderr",
         .actual = say("%s %s\n%s", program_name(program), doing(program), printed(program)),
         .cause = "it waits for something that never comes");
  int status = exit_status(program);
  EXPECT(!crashed(status), .message = say("%s crashes", what),
         .expected = "an exit status that is not 0, and a message on stderr",
         .actual = say("%s %s", program_name(program), doing(program)),
         .cause = "run it under gdb, or build with -fsanitize=address");
  EXPECT(status != 0, .message = say("%s ends with status 0, as if all were well", what),
         .expected = "an exit status that is not 0, and a message on stderr",
         .actual = say("%s ended with exit status 0\n%s", program_name(program), printed(program)),
         .cause = "the error is noticed nowhere, or exit(0) follows it");
  EXPECT(
      printed_anything(program, STDERR), .message = say("%s says nothing on stderr", what),
      .expected = "an exit status that is not 0, and a message on stderr",
      .actual = say("exit status %d, and stderr is empty\n%s", status, printed(program)),
      .cause =
          "messages on errors go to stderr: fprintf(stderr, …), perror(…), print(…, file=sys.stderr)");
}

/* ---- lines ---- */

struct lines lines(struct program *program, enum stream stream) {
  struct log *log = world_log(the_check.world);
  size_t count = 0;
  for (size_t i = 0; i < log->count; i++)
    count += log->events[i].kind == EVENT_LINE && log->events[i].program == program &&
             log->events[i].stream == (enum event_stream)stream;
  struct line *list = scrap((count + 1) * sizeof *list);
  size_t at = 0;
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = &log->events[i];
    if (event->kind == EVENT_LINE && event->program == program &&
        event->stream == (enum event_stream)stream)
      list[at++] = (struct line){.text = line_normalise(event->bytes, event->length),
                                 .time = (double)event->time_ns / 1e9};
  }
  return (struct lines){list, count};
}

/* ---- peers ---- */

struct peer *udp_peer(const char *name, const char *ip, int port) {
  struct failure failure;
  int fd = host_socket(the_check.host, AF_INET, SOCK_DGRAM, 0, &failure);
  if (fd < 0)
    check_error(say("%s", failure.sentence));
  struct peer *peer = memory_zeroed(1, sizeof *peer);
  peer->name = memory_text(name);
  peer->fd = fd;
  peer->next = the_check.peers;
  peer->world_number = the_check.world_number;
  the_check.peers = peer;
  struct sockaddr_in bound = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  socklen_t length = sizeof bound;
  int bytes = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  inet_pton(AF_INET, ip, &bound.sin_addr);
  if (bind(fd, (struct sockaddr *)&bound, sizeof bound) < 0 ||
      getsockname(fd, (struct sockaddr *)&bound, &length) < 0)
    check_error(say("cannot bind a peer to %s:%d: %s", ip, port, strerror(errno)));
  peer->address = address_from_socket(&bound);
  return peer;
}

struct address peer_address(const struct peer *peer) {
  return peer->address;
}

void udp_send(struct peer *peer, struct address to, const void *bytes, size_t length) {
  struct sockaddr_in destination = {
      .sin_family = AF_INET, .sin_port = htons(to.port), .sin_addr.s_addr = htonl(to.ip)};
  ssize_t sent = -1;
  enum { TRIES = 3 }; /* an earlier datagram's ICMP error may be reported first */
  for (int i = 0; i < TRIES && sent < 0; i++)
    sent = sendto(peer->fd, bytes, length, 0, (struct sockaddr *)&destination, sizeof destination);
  if (sent < 0)
    check_error(
        say("peer %s cannot send to %s: %s", peer->name, address_text(to), strerror(errno)));
}

void udp_send_text(struct peer *peer, struct address to, const char *text) {
  udp_send(peer, to, text, strlen(text));
}

static bool has_datagram(void *context) {
  struct peer *peer = context;
  uint8_t byte;
  return recv(peer->fd, &byte, 1, MSG_PEEK | MSG_TRUNC) >= 0;
}

bool udp_receive(struct peer *peer, double within, struct datagram *datagram) {
  static uint8_t buffer[65536];
  if (!has_datagram(peer))
    run_until(now() + within, has_datagram, peer);
  struct sockaddr_in from = {0};
  socklen_t length = sizeof from;
  ssize_t received =
      recvfrom(peer->fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
  if (received < 0)
    return false;
  *datagram = (struct datagram){
      .bytes = (const uint8_t *)scrap_text((const char *)buffer, (size_t)received),
      .length = (size_t)received,
      .from = address_from_socket(&from),
      .time = now(),
  };
  return true;
}

/* ---- the wire ---- */

static bool from_peer(const struct event *event) {
  struct address source = address_from_socket(&event->source);
  for (struct peer *peer = the_check.peers; peer; peer = peer->next)
    if (peer->world_number == the_check.world_number && peer->address.port == source.port &&
        (peer->address.ip == source.ip || peer->address.ip == 0))
      return true;
  return false;
}

static struct frames frames_where(int to_port, int from_port) {
  world_settle(the_check.world, SECONDS / 10);
  struct log *log = world_log(the_check.world);
  struct frame *list = scrap((log->count + 1) * sizeof *list);
  size_t count = 0;
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = &log->events[i];
    if (event->kind != EVENT_FRAME || event->protocol != IPPROTO_UDP || from_peer(event))
      continue;
    struct address source = address_from_socket(&event->source);
    struct address destination = address_from_socket(&event->destination);
    if ((to_port && destination.port != to_port) || (from_port && source.port != from_port))
      continue;
    list[count++] = (struct frame){.time = (double)event->time_ns / 1e9,
                                   .source = source,
                                   .destination = destination,
                                   .bytes = event->bytes,
                                   .length = event->length};
  }
  return (struct frames){list, count};
}

struct frames frames_sent(void) {
  return frames_where(0, 0);
}

struct frames frames_to_port(int port) {
  return frames_where(port, 0);
}

struct frames frames_from_port(int port) {
  return frames_where(0, port);
}
