/* Web servers of the check's own, from inside: for origin.c and proxy.c. */
#pragma once

#include "grader/sdk/certificate.h"
#include "grader/sdk/tcp_inner.h"

struct request_list {
  struct request *items;
  size_t count;
};

struct origin {
  struct origin *next; /* of the check's world */
  struct host *host;
  const char *name;
  struct address address;
  enum certificate certificate;
  SSL_CTX
  *tls; /* made for the first client that comes with TLS: most servers of a world see none */
  bool is_proxy;
  struct origin_reply reply;
  struct request_list requests, fragments;
  int connections, failed_handshakes;
};

/* One connection with a client. */
struct exchange {
  struct origin *origin;
  struct connection *connection;
  int number;
  size_t taken; /* of the connection's bytes */
  SSL *ssl;     /* NULL: plain, or nothing has come yet */
  BIO *in, *out;
  bool handshake_failed, replying;
  bool ended;       /* the reply was the last one */
  bool header_only; /* of the reply: it was asked by HEAD */
  uint8_t *request; /* what has come; a 0 byte follows */
  size_t request_length;
  size_t request_taken; /* of these, bytes that are in a list already */
  size_t reply_sent;
  struct connection *other_side; /* of a tunnel */
  size_t other_taken;
};

struct origin *origin_create(struct host *host, const char *name, const char *ip, int port);
/* The length of a header that is complete, its empty line included; 0 if it is not. */
size_t header_length(const uint8_t *bytes, size_t length);
/* Takes the header, and keeps it. */
void request_note(struct exchange *exchange, size_t header);
/* Bytes of a request have come, without TLS or out of it. */
void exchange_take(struct exchange *exchange, const uint8_t *bytes, size_t length);
/* proxy.c: what a request asks a proxy for: a tunnel, or to pass it on. */
struct proxy_target {
  bool tunnel;
  char name[256], path[1024];
  int port;
};
/* False if it is neither. `request` is its header, as a text. */
bool proxy_target_read(const char *request, struct proxy_target *target);
/* proxy.c: a whole header has come to a proxy. */
void proxy_take(struct exchange *exchange, size_t header);
/* proxy.c: something happened on a connection of a tunnel. */
void proxy_relay(struct exchange *exchange);
