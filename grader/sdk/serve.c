/* Connections whose conversation is led by the world's loop, in callbacks. */
#include "grader/sdk/tcp_inner.h"

#include "grader/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- sending ---- */

static void watch_again(struct connection *connection) {
  if (connection->peer->fd < 0)
    return;
  uint32_t events = connection->end == TCP_OPEN ? EPOLLIN : 0;
  if (connection->queue_sent < connection->queue_length)
    events |= EPOLLOUT;
  connection_watch(connection, events);
}

static void let_go(struct connection *connection, bool reset) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  world_unwatch(connection->watch);
  connection->watch = NULL;
  if (reset)
    setsockopt(connection->peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(connection->peer->fd);
  connection->peer->fd = -1;
}

static void end_as_wanted(struct connection *connection) {
  if (connection->peer->fd < 0)
    return;
  if (connection->queue_end == QUEUE_FINISH && !connection->finished) {
    connection->finished = true;
    shutdown(connection->peer->fd, SHUT_WR);
  } else if (connection->queue_end == QUEUE_CLOSE || connection->queue_end == QUEUE_RESET) {
    let_go(connection, connection->queue_end == QUEUE_RESET);
  }
}

void connection_flush(struct connection *connection) {
  if (!connection->established)
    return; /* it is still being made */
  while (connection->peer->fd >= 0 && connection->queue_sent < connection->queue_length) {
    ssize_t sent = send(connection->peer->fd, connection->queue + connection->queue_sent,
                        connection->queue_length - connection->queue_sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0 && errno != EAGAIN) /* nobody is there any more */
      connection->queue_sent = connection->queue_length;
    if (sent < 0)
      break;
    connection->queue_sent += (size_t)sent;
  }
  if (connection->queue_sent == connection->queue_length)
    end_as_wanted(connection);
  watch_again(connection);
}

void connection_queue(struct connection *connection, const void *bytes, size_t length) {
  if (connection->queue_sent == connection->queue_length)
    connection->queue_sent = connection->queue_length = 0;
  connection->queue = memory_resize(connection->queue, connection->queue_length + length + 1);
  if (length > 0)
    memcpy(connection->queue + connection->queue_length, bytes, length);
  connection->queue_length += length;
  connection_flush(connection);
}

void connection_queue_end(struct connection *connection, enum queue_end how) {
  connection->queue_end = how;
  connection_flush(connection);
}

/* ---- serving ---- */

void connection_serve(struct connection *connection,
                      void (*on_event)(void *context, struct connection *connection),
                      void *context) {
  connection->on_event = on_event;
  connection->context = context;
}

struct service {
  struct listener *listener;
  struct watch *watch;
  void (*on_connection)(void *context, struct connection *connection);
  void *context;
};

static void on_listener(void *context, uint32_t events) {
  (void)events;
  struct service *service = context;
  struct peer *listening = service->listener->peer;
  int fd;
  while ((fd = accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    struct peer *peer = peer_create(listening->host, listening->name, fd);
    peer_learn_address(peer);
    struct connection *connection = connection_create(peer);
    connection_begin(connection);
    service->on_connection(service->context, connection);
  }
}

static void service_end(void *context) {
  struct service *service = context;
  world_unwatch(service->watch);
  free(service);
}

void listener_serve(struct listener *listener,
                    void (*on_connection)(void *context, struct connection *connection),
                    void *context) {
  struct service *service = memory_zeroed(1, sizeof *service);
  *service =
      (struct service){.listener = listener, .on_connection = on_connection, .context = context};
  service->watch = world_watch(the_check.world, listener->peer->fd, EPOLLIN, on_listener, service);
  listener->peer->of = service;
  listener->peer->end = service_end;
}

/* ---- connecting ---- */

static void on_connected(void *context, uint32_t events) {
  (void)events;
  struct connection *connection = context;
  socklen_t length = sizeof connection->error;
  if (!connection->error)
    getsockopt(connection->peer->fd, SOL_SOCKET, SO_ERROR, &connection->error, &length);
  world_unwatch(connection->watch);
  connection->watch = NULL;
  if (!connection->error) {
    connection_begin(connection);
    connection_flush(connection);
  }
  connection->on_event(connection->context, connection);
}

struct connection *connection_open(struct host *host, const char *name, struct address to,
                                   void (*on_event)(void *context, struct connection *connection),
                                   void *context) {
  struct connection *connection =
      connection_create(peer_create(host, name, peer_socket(host, SOCK_STREAM, "0.0.0.0", 0)));
  connection_serve(connection, on_event, context);
  struct sockaddr_in destination = address_to_socket(to);
  if (connect(connection->peer->fd, (struct sockaddr *)&destination, sizeof destination) < 0 &&
      errno != EINPROGRESS)
    connection->error = errno;
  peer_learn_address(connection->peer);
  connection->watch =
      world_watch(the_check.world, connection->peer->fd, EPOLLOUT, on_connected, connection);
  return connection;
}
