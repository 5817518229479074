/* Connections from inside, for tcp.c and for the peers that serve by themselves: serve.c, dns.c,
 * origin.c, proxy.c. */
#pragma once

#include "grader/sdk/inner.h"

struct piece {
  size_t begin; /* of its first byte in the stream */
  double time;
};

struct connection {
  struct peer *peer;
  struct address remote;
  struct watch *watch;
  uint8_t *bytes;
  size_t length, capacity;
  struct piece *pieces;
  size_t piece_count;
  enum tcp_end end;
  double end_time;
  bool established, finished;
  int error; /* of connect() */
  /* Of a connection that is served by the loop (serve.c): */
  void (*on_event)(void *context, struct connection *connection);
  void *context;
  uint8_t *queue; /* to be sent */
  size_t queue_length, queue_sent;
  enum queue_end { QUEUE_OPEN, QUEUE_FINISH, QUEUE_CLOSE, QUEUE_RESET } queue_end;
};

struct listener {
  struct peer *peer;
};

/* ---- tcp.c ---- */
struct connection *connection_create(struct peer *peer);
/* Its socket is connected: begins to take what comes. */
void connection_begin(struct connection *connection);
/* Watches for `events` (epoll(7)) in place of those before. */
void connection_watch(struct connection *connection, uint32_t events);

/* ---- serve.c: connections whose conversation is led by the loop, not by the script ---- */

/* Has `on_event` called for whatever happens on the connection: bytes that came, its end. It must
 * not run the world. */
void connection_serve(struct connection *connection,
                      void (*on_event)(void *context, struct connection *connection),
                      void *context);
/* Has `on_connection` called for each connection that comes. */
void listener_serve(struct listener *listener,
                    void (*on_connection)(void *context, struct connection *connection),
                    void *context);
/* Connects from the host; on_event is called when the connection is there, or has failed
 * (connection->error). */
struct connection *connection_open(struct host *host, const char *name, struct address to,
                                   void (*on_event)(void *context, struct connection *connection),
                                   void *context);
/* Sends when the kernel has room; keeps a copy. */
void connection_queue(struct connection *connection, const void *bytes, size_t length);
/* After all that is queued. */
void connection_queue_end(struct connection *connection, enum queue_end how);
/* The loop's part: sends what it can. */
void connection_flush(struct connection *connection);
