/* TCP peers: ends of connections that the check plays.
 *
 * What comes is read by the world's event loop as soon as it is there, so that its times are those
 * at which the kernel had it; each piece that one read gave is remembered with its time. */
#include "grader/sdk/tcp_inner.h"

#include "grader/base/memory.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int last_connect_error;

int tcp_connect_error(void) {
  return last_connect_error;
}

/* ---- receiving ---- */

static void connection_ended(struct connection *connection, enum tcp_end how) {
  if (connection->end == TCP_OPEN)
    connection->end_time = now();
  if (connection->end != TCP_RESET)
    connection->end = how;
}

static void take_bytes(struct connection *connection, const uint8_t *bytes, size_t length) {
  if (connection->length + length + 1 > connection->capacity) {
    connection->capacity = (connection->length + length + 1) * 2;
    connection->bytes = memory_resize(connection->bytes, connection->capacity);
  }
  memcpy(connection->bytes + connection->length, bytes, length);
  if ((connection->piece_count & (connection->piece_count - 1)) == 0)
    connection->pieces = memory_resize(connection->pieces, (connection->piece_count * 2 + 1) *
                                                               sizeof *connection->pieces);
  connection->pieces[connection->piece_count++] =
      (struct piece){.begin = connection->length, .time = now()};
  connection->length += length;
  connection->bytes[connection->length] = '\0';
}

static void on_ready(void *context, uint32_t events);

void connection_watch(struct connection *connection, uint32_t events) {
  world_unwatch(connection->watch);
  connection->watch =
      world_watch(the_check.world, connection->peer->fd, events, on_ready, connection);
}

/* The other side has said FIN; an RST may still follow. */
static void on_finished(struct connection *connection) {
  connection_ended(connection, TCP_FINISHED);
  if (connection->finished) {
    world_unwatch(connection->watch); /* both directions are shut: EPOLLHUP for ever */
    connection->watch = NULL;
  } else {
    connection_watch(connection, 0); /* errors are always told */
  }
}

static void on_error(struct connection *connection) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(connection->peer->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error == ECONNRESET || error == EPIPE)
    connection_ended(connection, TCP_RESET);
  world_unwatch(connection->watch);
  connection->watch = NULL;
}

static void take_all(struct connection *connection, uint32_t events);

static void on_ready(void *context, uint32_t events) {
  struct connection *connection = context;
  if (events & EPOLLOUT)
    connection_flush(connection);
  if (events & ~(uint32_t)EPOLLOUT)
    take_all(connection, events);
  if (connection->on_event)
    connection->on_event(connection->context, connection);
}

static void take_all(struct connection *connection, uint32_t events) {
  static uint8_t buffer[65536];
  while ((events & EPOLLIN) && connection->peer->fd >= 0) {
    ssize_t length = recv(connection->peer->fd, buffer, sizeof buffer, 0);
    if (length > 0) {
      take_bytes(connection, buffer, (size_t)length);
    } else if (length == 0) {
      on_finished(connection);
      return;
    } else if (errno == EAGAIN || errno == EINTR) {
      break;
    } else {
      connection_ended(connection, TCP_RESET);
      world_unwatch(connection->watch);
      connection->watch = NULL;
      return;
    }
  }
  if ((events & (EPOLLERR | EPOLLHUP)) && connection->peer->fd >= 0)
    on_error(connection);
}

static void connection_end(void *context) {
  struct connection *connection = context;
  world_unwatch(connection->watch);
  free(connection->bytes);
  free(connection->pieces);
  free(connection->queue);
  free(connection);
}

/* ---- making connections ---- */

struct connection *connection_create(struct peer *peer) {
  struct connection *connection = memory_zeroed(1, sizeof *connection);
  connection->peer = peer;
  peer->of = connection;
  peer->end = connection_end;
  return connection;
}

void connection_begin(struct connection *connection) {
  struct sockaddr_in remote = {0};
  socklen_t length = sizeof remote;
  int yes = 1;
  getpeername(connection->peer->fd, (struct sockaddr *)&remote, &length);
  connection->remote = address_from_socket(&remote);
  setsockopt(connection->peer->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  connection->established = true;
  connection_watch(connection, EPOLLIN);
}

static void on_connected(void *context, uint32_t events) {
  (void)events;
  struct connection *connection = context;
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(connection->peer->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  connection->error = error;
  connection->established = error == 0;
  world_unwatch(connection->watch);
  connection->watch = NULL;
}

static bool has_connected(void *context) {
  const struct connection *connection = context;
  return connection->established || connection->error;
}

struct connection *tcp_connect_at(struct host *host, const char *name, const char *ip,
                                  struct address to) {
  enum { PATIENCE_S = 5 };
  struct connection *connection = connection_create(
      peer_create(host, name, peer_socket(host, SOCK_STREAM, ip ? ip : "0.0.0.0", 0)));
  struct sockaddr_in destination = address_to_socket(to);
  if (connect(connection->peer->fd, (struct sockaddr *)&destination, sizeof destination) == 0)
    connection->established = true;
  else if (errno != EINPROGRESS)
    connection->error = errno;
  peer_learn_address(connection->peer);
  if (!has_connected(connection)) {
    connection->watch =
        world_watch(the_check.world, connection->peer->fd, EPOLLOUT, on_connected, connection);
    run_until(now() + PATIENCE_S, has_connected, connection);
  }
  if (connection->established) {
    connection_begin(connection);
    return connection;
  }
  last_connect_error = connection->error ? connection->error : ETIMEDOUT;
  world_unwatch(connection->watch);
  connection->watch = NULL;
  close(connection->peer->fd);
  connection->peer->fd = -1;
  return NULL;
}

struct connection *tcp_connect(const char *name, const char *ip, struct address to) {
  return tcp_connect_at(localhost(), name, ip, to);
}

struct listener *tcp_listen_at(struct host *host, const char *name, const char *ip, int port) {
  struct listener *listener = scrap(sizeof *listener);
  listener->peer = peer_create(host, name, peer_socket(host, SOCK_STREAM, ip, port));
  if (listen(listener->peer->fd, SOMAXCONN) < 0)
    port_is_taken(host, ip, port, errno); /* two sockets with SO_REUSEADDR may both be bound */
  peer_learn_address(listener->peer);
  return listener;
}

struct listener *tcp_listen(const char *name, const char *ip, int port) {
  return tcp_listen_at(localhost(), name, ip, port);
}

struct accepting {
  struct listener *listener;
  int fd;
};

static bool has_accepted(void *context) {
  struct accepting *accepting = context;
  if (accepting->fd < 0)
    accepting->fd =
        accept4(accepting->listener->peer->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return accepting->fd >= 0;
}

struct connection *tcp_accept(struct listener *listener, double within) {
  struct accepting accepting = {.listener = listener, .fd = -1};
  if (!has_accepted(&accepting))
    run_until(now() + within, has_accepted, &accepting);
  if (accepting.fd < 0)
    return NULL;
  struct peer *peer = peer_create(listener->peer->host, listener->peer->name, accepting.fd);
  peer_learn_address(peer);
  struct connection *connection = connection_create(peer);
  connection_begin(connection);
  return connection;
}

struct address tcp_local(const struct connection *connection) {
  return connection->peer->address;
}

struct address tcp_remote(const struct connection *connection) {
  return connection->remote;
}

/* ---- sending ---- */

size_t tcp_send(struct connection *connection, const void *bytes, size_t length) {
  size_t sent = 0;
  while (sent < length) {
    ssize_t taken =
        send(connection->peer->fd, (const uint8_t *)bytes + sent, length - sent, MSG_NOSIGNAL);
    if (taken < 0)
      break;
    sent += (size_t)taken;
  }
  settle();
  return sent;
}

size_t tcp_send_text(struct connection *connection, const char *text) {
  return tcp_send(connection, text, strlen(text));
}

size_t tcp_send_cut(struct connection *connection, const void *bytes, size_t length, size_t piece,
                    double pause) {
  size_t sent = 0;
  while (sent < length) {
    size_t now_sent = length - sent < piece ? length - sent : piece;
    size_t taken = tcp_send(connection, (const uint8_t *)bytes + sent, now_sent);
    sent += taken;
    if (taken < now_sent)
      break;
    if (sent < length && pause > 0)
      pass(pause);
  }
  return sent;
}

void tcp_finish(struct connection *connection) {
  connection->finished = true;
  if (connection->peer->fd >= 0)
    shutdown(connection->peer->fd, SHUT_WR);
  if (connection->end != TCP_OPEN) {
    world_unwatch(connection->watch);
    connection->watch = NULL;
  }
  settle();
}

size_t tcp_send_last(struct connection *connection, const void *bytes, size_t length) {
  size_t sent = 0;
  while (sent < length) { /* MSG_MORE: the kernel keeps what does not fill a segment until FIN */
    ssize_t taken = send(connection->peer->fd, (const uint8_t *)bytes + sent, length - sent,
                         MSG_NOSIGNAL | MSG_MORE);
    if (taken < 0)
      break;
    sent += (size_t)taken;
  }
  tcp_finish(connection);
  return sent;
}

static void connection_close(struct connection *connection) {
  world_unwatch(connection->watch);
  connection->watch = NULL;
  if (connection->peer->fd >= 0)
    close(connection->peer->fd);
  connection->peer->fd = -1;
  settle();
}

void tcp_close(struct connection *connection) {
  connection_close(connection);
}

void tcp_reset(struct connection *connection) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  if (connection->peer->fd >= 0)
    setsockopt(connection->peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  connection_close(connection);
}

/* A socket under repair (tcp(7) has no word on it; CRIU uses it) is closed without a segment. */
void tcp_forget(struct connection *connection) {
  int yes = 1;
  if (connection->peer->fd >= 0 &&
      setsockopt(connection->peer->fd, IPPROTO_TCP, TCP_REPAIR, &yes, sizeof yes) < 0)
    check_error(say("a connection cannot be forgotten: TCP_REPAIR: %s", strerror(errno)));
  note(say("%s has forgotten its connection", connection->peer->name));
  connection_close(connection);
}

/* ---- what came ---- */

void tcp_stop_reading(struct connection *connection) {
  world_unwatch(connection->watch);
  connection->watch = NULL;
}

void tcp_read_on(struct connection *connection) {
  if (!connection->watch && connection->peer->fd >= 0 && connection->end == TCP_OPEN)
    connection_watch(connection, EPOLLIN);
}

void tcp_shrink_buffers(struct connection *connection, int bytes) {
  setsockopt(connection->peer->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  setsockopt(connection->peer->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

double tcp_byte_time(struct connection *connection, size_t number) {
  double time = -1;
  for (size_t i = 0; i < connection->piece_count && connection->pieces[i].begin <= number; i++)
    time = connection->pieces[i].time;
  return number < connection->length ? time : -1;
}

struct stream_so_far tcp_received(struct connection *connection) {
  settle();
  return (struct stream_so_far){
      .bytes = (const uint8_t *)scrap_text(connection->bytes ? (const char *)connection->bytes : "",
                                           connection->length),
      .length = connection->length,
      .end = connection->end,
      .end_time = connection->end_time,
      .first_time = tcp_byte_time(connection, 0),
      .last_time = connection->length ? tcp_byte_time(connection, connection->length - 1) : -1,
  };
}

struct bytes_wait {
  const struct connection *connection;
  size_t length;
};

static bool bytes_or_end(void *context) {
  const struct bytes_wait *wait = context;
  return wait->connection->length >= wait->length || wait->connection->end != TCP_OPEN;
}

bool tcp_await_bytes(struct connection *connection, size_t length, double within) {
  struct bytes_wait wait = {connection, length};
  if (!bytes_or_end(&wait))
    run_until(now() + within, bytes_or_end, &wait);
  return connection->length >= length;
}

enum tcp_end tcp_await_end(struct connection *connection, double within) {
  tcp_await_bytes(connection, SIZE_MAX, within);
  return connection->end;
}

uint64_t tcp_other_end(const struct connection *connection) {
  return world_socket_between(the_check.world, address_to_socket(connection->remote),
                              address_to_socket(connection->peer->address));
}

size_t sockets_open(struct program *program, const uint64_t *sockets, size_t count) {
  settle();
  uint64_t *held = NULL;
  size_t held_count = program_sockets(program, &held), open = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < held_count; k++)
      if (held[k] == sockets[i]) {
        open++;
        break;
      }
  free(held);
  return open;
}

size_t tcp_unacknowledged(const struct connection *connection) {
  int bytes = 0;
  if (connection->peer->fd < 0 || ioctl(connection->peer->fd, SIOCOUTQ, &bytes) < 0)
    return 0;
  return (size_t)bytes;
}
