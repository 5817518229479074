/* When a program is ready: its socket's own state in the kernel (sock_diag), never a printed line.
 */
#include "grader/sdk/inner.h"

#include "grader/base/language.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* CPU time is not counted, up to a limit: a runtime that compiles the program first takes seconds
 * of it on a slow machine. */
enum { PATIENCE_S = 5, PATIENCE_CPU_S = 6 };

struct sockets {
  struct socket_state *states;
  int count;
};

static struct sockets sockets_of(struct host *host, uint8_t protocol) {
  struct sockets sockets = {0};
  struct failure failure;
  sockets.count = host_sockets(host, protocol, &sockets.states, &failure);
  if (sockets.count < 0)
    check_error(say("%s", failure.sentence));
  return sockets;
}

/* A socket that waits for whoever comes: a listening one, or an unconnected UDP one. */
static bool is_open_to_all(const struct socket_state *state) {
  if (state->protocol == IPPROTO_TCP)
    return state->state == TCP_LISTEN;
  return state->remote.sin_port == 0;
}

struct ready_wait {
  struct program *program;
  uint8_t protocol;
  int port;
  struct address found;
  bool is_ready;
};

static bool is_ready(void *context) {
  struct ready_wait *wait = context;
  struct sockets sockets = sockets_of(program_host(wait->program), wait->protocol);
  for (int i = 0; i < sockets.count && !wait->is_ready; i++) {
    struct address local = address_from_socket(&sockets.states[i].local);
    if (local.port == wait->port && is_open_to_all(&sockets.states[i]) &&
        !is_peer(program_host(wait->program), local)) {
      wait->found = local;
      wait->is_ready = true;
    }
  }
  free(sockets.states);
  return wait->is_ready || program_ended(wait->program, NULL);
}

static const char *socket_text(const struct socket_state *state) {
  struct address local = address_from_socket(&state->local);
  return state->ipv6_native ? say("an IPv6 address, port %d", local.port) : address_text(local);
}

/* Of the host's sockets that are open to all: those on other ports than `port`, or those on that
 * port that are not `wanted`. */
static const char *sockets_listed(struct host *host, uint8_t protocol, int port,
                                  const struct address *wanted) {
  struct sockets sockets = sockets_of(host, protocol);
  const char *text = NULL;
  for (int i = 0; i < sockets.count; i++) {
    const struct socket_state *state = &sockets.states[i];
    struct address local = address_from_socket(&state->local);
    bool left_out =
        wanted ? local.port != port || (address_equal(local, *wanted) && !state->ipv6_native)
               : local.port == port;
    if (left_out || !is_open_to_all(state) || is_peer(host, local))
      continue;
    text = text ? say("%s, %s", text, socket_text(state)) : socket_text(state);
  }
  free(sockets.states);
  return text;
}

static void remember_served(struct program *program, struct address address) {
  if (the_check.served_count < sizeof the_check.served / sizeof *the_check.served)
    the_check.served[the_check.served_count++] = (struct served_port){address, program};
}

static bool is_open_on(struct host *host, uint8_t protocol, uint16_t port) {
  struct sockets sockets = sockets_of(host, protocol);
  bool open = false;
  for (int i = 0; i < sockets.count; i++) {
    struct address local = address_from_socket(&sockets.states[i].local);
    open |= local.port == port && is_open_to_all(&sockets.states[i]) && !is_peer(host, local);
  }
  free(sockets.states);
  return open;
}

/* Why there is no such socket. `elsewhere`: there are others of the kind. */
static const char *unready_cause(struct program *program, uint8_t protocol, int port,
                                 bool elsewhere) {
  bool tcp = protocol == IPPROTO_TCP;
  struct host *host = program_host(program);
  uint16_t swapped = __builtin_bswap16((uint16_t)port);
  if (elsewhere && is_open_on(host, protocol, swapped))
    return say("%u is %d with its two bytes swapped: sin_port is in network byte order, htons(%d)",
               swapped, port, port);
  if (elsewhere)
    return N_("the port is another one than is asked for, by the lab or by an argument");
  if (sockets_listed(host, tcp ? IPPROTO_UDP : IPPROTO_TCP, -1, NULL))
    return N_("there is a socket, but of another kind: SOCK_STREAM is TCP, SOCK_DGRAM is UDP");
  if (!program_ended(program, NULL)) /* nothing may be waited for here: it may be a fork bomb */
    return tcp ? N_("it never came to listen()") : N_("it never came to bind()");
  struct output complaint = output_of(program, STDERR);
  if (tcp && memmem(complaint.bytes, complaint.length, "in use", strlen("in use")))
    return N_(
        "bind() says that the address is in use (EADDRINUSE): an old connection keeps the port "
        "for a while (TIME_WAIT), unless SO_REUSEADDR is set before bind()");
  return silence_cause(program);
}

/* How long a program is waited for that has just begun. */
struct patience {
  struct program *program;
  double began, own_began, until;
};

static struct patience patience_begin(struct program *program) {
  return (struct patience){program, now(), own_cpu_seconds(), now() + PATIENCE_S};
}

/* Whether it is given more time. Who keeps the grader as busy as itself does not compute. */
static bool patience_goes_on(struct patience *patience) {
  static const double STEP = 0.1;
  enum { OWN_SHARE = 2 };
  double computed =
      cpu_seconds(patience->program) - OWN_SHARE * (own_cpu_seconds() - patience->own_began);
  double more = computed < PATIENCE_CPU_S ? computed : PATIENCE_CPU_S;
  double before = patience->until;
  patience->until = patience->began + PATIENCE_S + more;
  return patience->until >= before + STEP;
}

struct connection *tcp_connect_when_ready(struct program *server, struct host *from,
                                          struct address to) {
  static const double STEP = 0.1;
  struct patience patience = patience_begin(server);
  do {
    struct connection *client = tcp_connect_at(from, "client", NULL, to);
    if (client || await_exit(server, 0))
      return client;
    pass(STEP);
  } while (now() < patience.until || patience_goes_on(&patience));
  return NULL;
}

/* `state`: what a right program does to its socket, in words. */
static struct address await_ready(struct program *program, uint8_t protocol, int port,
                                  const char *what, const char *state) {
  struct ready_wait wait = {.program = program, .protocol = protocol, .port = port};
  struct patience patience = patience_begin(program);
  while (run_until(patience.until, is_ready, &wait) == WORLD_DEADLINE &&
         patience_goes_on(&patience))
    ;
  struct host *host = program_host(program);
  const char *elsewhere = wait.is_ready ? NULL : sockets_listed(host, protocol, port, NULL);
  EXPECT(wait.is_ready, .message = say("%s does not %s port %d", program_name(program), what, port),
         .expected = say("%s port %d within %d s", state, port, PATIENCE_S),
         .actual = elsewhere ? say("it %s %s instead\n%s",
                                   protocol == IPPROTO_TCP ? N_("listens on") : N_("is bound to"),
                                   elsewhere, printed(program))
                             : say("there is no such socket; the program %s\n%s", doing(program),
                                   printed(program)),
         .cause = unready_cause(program, protocol, port, elsewhere));
  remember_served(program, wait.found);
  return wait.found;
}

struct address await_udp_bound(struct program *program, int port) {
  return await_ready(program, IPPROTO_UDP, port, N_("receive on UDP"), N_("a UDP socket bound to"));
}

struct address await_tcp_listening(struct program *program, int port) {
  return await_ready(program, IPPROTO_TCP, port, N_("listen on TCP"),
                     N_("a TCP socket that listens on"));
}

struct address udp_connected_to(struct program *program) {
  struct address peer = {0};
  struct sockets sockets = sockets_of(program_host(program), IPPROTO_UDP);
  for (int i = 0; i < sockets.count; i++) {
    struct address local = address_from_socket(&sockets.states[i].local);
    for (size_t k = 0; k < the_check.served_count; k++)
      if (the_check.served[k].program == program && the_check.served[k].address.port == local.port)
        peer = address_from_socket(&sockets.states[i].remote);
  }
  free(sockets.states);
  return peer;
}

bool udp_is_connected(struct program *program, struct address to) {
  struct sockets sockets = sockets_of(program_host(program), IPPROTO_UDP);
  bool connected = false;
  for (int i = 0; i < sockets.count; i++)
    connected |= address_equal(address_from_socket(&sockets.states[i].remote), to);
  free(sockets.states);
  return connected;
}

/* The program may be on its way to the next socket. */
const char *udp_bound_besides(struct program *program, struct address wanted) {
  settle();
  return sockets_listed(program_host(program), IPPROTO_UDP, wanted.port, &wanted);
}

const char *tcp_listening_on_other_ports(struct program *program, int port) {
  settle();
  return sockets_listed(program_host(program), IPPROTO_TCP, port, NULL);
}

const char *tcp_listening_besides(struct program *program, struct address wanted) {
  settle();
  return sockets_listed(program_host(program), IPPROTO_TCP, wanted.port, &wanted);
}
