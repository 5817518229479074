/* Web servers of the check's own, from inside: for origin.c and proxy.c. */
#pragma once

#include "grader/sdk/certificate.h"
#include "grader/sdk/tcp_inner.h"

struct origin {
  struct origin *next; /* of the check's world */
  struct host *host;
  const char *name;
  struct address address;
  SSL_CTX *tls; /* NULL: plain */
  bool is_proxy;
  struct origin_reply reply;
  struct request *requests;
  size_t request_count, stray_bytes;
  int connections, failed_handshakes;
};

/* One connection with a client. */
struct exchange {
  struct origin *origin;
  struct connection *connection;
  int number;
  size_t taken; /* of the connection's bytes */
  SSL *ssl;     /* NULL: plain */
  BIO *in, *out;
  bool handshake_failed, replying;
  uint8_t *request; /* what has come of the present one */
  size_t request_length;
  size_t reply_sent;
  struct connection *other_side; /* of a tunnel */
  size_t other_taken;
};

struct origin *origin_create(struct host *host, const char *name, const char *ip, int port);
/* The length of a header that is complete, its empty line included; 0 if it is not. */
size_t header_length(const uint8_t *bytes, size_t length);
void request_note(struct exchange *exchange);
/* proxy.c: a whole header has come to a proxy. */
void proxy_take(struct exchange *exchange, size_t header);
/* proxy.c: something happened on a connection of a tunnel. */
void proxy_relay(struct exchange *exchange);
