/* Web servers: requests are kept as they came, replies are sent as the check wrote them. TLS is
 * OpenSSL's, on memory: the connection is the loop's. */
#include "grader/sdk/origin.h"

#include "grader/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- requests ---- */

size_t header_length(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] != '\n')
      continue;
    if (i + 1 < length && bytes[i + 1] == '\n')
      return i + 2;
    if (i + 2 < length && bytes[i + 1] == '\r' && bytes[i + 2] == '\n')
      return i + 3;
  }
  return 0;
}

void request_note(struct exchange *exchange) {
  struct origin *origin = exchange->origin;
  const char *server_name =
      exchange->ssl ? SSL_get_servername(exchange->ssl, TLSEXT_NAMETYPE_host_name) : NULL;
  origin->requests =
      memory_resize(origin->requests, (origin->request_count + 1) * sizeof *origin->requests);
  origin->requests[origin->request_count++] = (struct request){
      .time = now(),
      .bytes =
          (const uint8_t *)scrap_text((const char *)exchange->request, exchange->request_length),
      .length = exchange->request_length,
      .tls = exchange->ssl != NULL,
      .server_name = server_name ? say("%s", server_name) : "",
      .connection = exchange->number,
  };
  exchange->request_length = 0;
}

/* ---- sending ---- */

static void flush_tls(struct exchange *exchange) {
  char *bytes = NULL;
  long length = BIO_get_mem_data(exchange->out, &bytes);
  if (length > 0)
    connection_queue(exchange->connection, bytes, (size_t)length);
  (void)BIO_reset(exchange->out);
}

static void send_bytes(struct exchange *exchange, const uint8_t *bytes, size_t length) {
  if (!exchange->ssl) {
    connection_queue(exchange->connection, bytes, length);
    return;
  }
  if (length > 0)
    SSL_write(exchange->ssl, bytes, (int)length);
  flush_tls(exchange);
}

static void reply_end(struct exchange *exchange) {
  exchange->replying = false;
  enum origin_end end = exchange->origin->reply.end;
  if (end == ORIGIN_STAYS_OPEN)
    return;
  if (end == ORIGIN_CLOSES && exchange->ssl) {
    SSL_shutdown(exchange->ssl);
    flush_tls(exchange);
  }
  connection_queue_end(exchange->connection, end == ORIGIN_RESETS ? QUEUE_RESET : QUEUE_CLOSE);
}

static void reply_go_on(void *context);

/* One piece, and the next one later. */
static void reply_piece(struct exchange *exchange) {
  const struct origin_reply *reply = &exchange->origin->reply;
  size_t left = reply->length - exchange->reply_sent;
  size_t piece = reply->piece > 0 && reply->piece < left ? reply->piece : left;
  if (exchange->connection->end == TCP_RESET) {
    exchange->replying = false;
    return;
  }
  send_bytes(exchange, (const uint8_t *)reply->bytes + exchange->reply_sent, piece);
  exchange->reply_sent += piece;
  if (exchange->reply_sent == reply->length) {
    reply_end(exchange);
    return;
  }
  struct exchange **later = memory_zeroed(1, sizeof *later);
  *later = exchange;
  world_at(the_check.world, world_now(the_check.world) + (int64_t)(reply->pause * 1e9) + 1,
           reply_go_on, later);
}

static void reply_go_on(void *context) {
  struct exchange *exchange = *(struct exchange **)context;
  free(context);
  reply_piece(exchange);
}

/* ---- receiving ---- */

static void request_grow(struct exchange *exchange, const uint8_t *bytes, size_t length) {
  exchange->request = memory_resize(exchange->request, exchange->request_length + length + 1);
  memcpy(exchange->request + exchange->request_length, bytes, length);
  exchange->request_length += length;
  exchange->request[exchange->request_length] = '\0';
}

/* Takes the bytes that came through TLS; false if the handshake has failed or is not over. */
static bool take_tls(struct exchange *exchange) {
  uint8_t bytes[16384];
  if (exchange->handshake_failed)
    return false;
  if (!SSL_is_init_finished(exchange->ssl)) {
    int result = SSL_do_handshake(exchange->ssl);
    int error = SSL_get_error(exchange->ssl, result);
    flush_tls(exchange);
    if (result != 1) {
      bool over = error != SSL_ERROR_WANT_READ || exchange->connection->end != TCP_OPEN;
      exchange->handshake_failed = over;
      exchange->origin->failed_handshakes += over;
      if (over)
        connection_queue_end(exchange->connection, QUEUE_CLOSE);
      return false;
    }
  }
  int length;
  while ((length = SSL_read(exchange->ssl, bytes, sizeof bytes)) > 0)
    request_grow(exchange, bytes, (size_t)length);
  /* With TLS 1.3 a client that refuses the certificate says so after our part of the handshake. */
  if (SSL_get_error(exchange->ssl, length) == SSL_ERROR_SSL && exchange->request_length == 0 &&
      !exchange->replying) {
    exchange->handshake_failed = true;
    exchange->origin->failed_handshakes++;
    connection_queue_end(exchange->connection, QUEUE_CLOSE);
  }
  flush_tls(exchange);
  return !exchange->handshake_failed;
}

static void on_event(void *context, struct connection *connection) {
  struct exchange *exchange = context;
  if (exchange->other_side) {
    proxy_relay(exchange);
    return;
  }
  const uint8_t *fresh = connection->bytes + exchange->taken;
  size_t length = connection->length - exchange->taken;
  exchange->taken = connection->length;
  if (exchange->ssl) {
    if (length > 0)
      BIO_write(exchange->in, fresh, (int)length);
    take_tls(exchange);
  } else if (length > 0) {
    request_grow(exchange, fresh, length);
  }
  size_t header = header_length(exchange->request, exchange->request_length);
  if (header > 0 && !exchange->replying) {
    if (exchange->origin->is_proxy) {
      proxy_take(exchange, header);
      return;
    }
    request_note(exchange);
    exchange->replying = true;
    exchange->reply_sent = 0;
    reply_piece(exchange);
  }
  if (connection->end != TCP_OPEN && !exchange->replying) {
    exchange->origin->stray_bytes += exchange->request_length;
    exchange->request_length = 0;
    connection_queue_end(connection, QUEUE_CLOSE);
  }
}

static void exchange_end(void *context) {
  struct exchange *exchange = context;
  SSL_free(exchange->ssl); /* and its BIOs */
  free(exchange->request);
  free(exchange);
}

static void on_connection(void *context, struct connection *connection) {
  struct origin *origin = context;
  struct exchange *exchange = memory_zeroed(1, sizeof *exchange);
  *exchange = (struct exchange){
      .origin = origin, .connection = connection, .number = ++origin->connections};
  if (origin->tls) {
    exchange->ssl = SSL_new(origin->tls);
    exchange->in = BIO_new(BIO_s_mem());
    exchange->out = BIO_new(BIO_s_mem());
    SSL_set_bio(exchange->ssl, exchange->in, exchange->out);
    SSL_set_accept_state(exchange->ssl);
  }
  /* It lives as long as the world, since a piece of a reply may be due later. */
  struct peer *owner = peer_create(origin->host, origin->name, -1);
  owner->of = exchange;
  owner->end = exchange_end;
  connection_serve(connection, on_event, exchange);
}

/* ---- origins ---- */

static void origin_end(void *context) {
  struct origin *origin = context;
  for (struct origin **place = &the_check.origins; *place; place = &(*place)->next)
    if (*place == origin) {
      *place = origin->next;
      break;
    }
  SSL_CTX_free(origin->tls);
  free(origin->requests);
  free(origin);
}

struct origin *origin_create(struct host *host, const char *name, const char *ip, int port) {
  struct origin *origin = memory_zeroed(1, sizeof *origin);
  *origin = (struct origin){
      .host = host, .name = name, .address = address(ip, port), .next = the_check.origins};
  the_check.origins = origin;
  struct peer *owner = peer_create(host, name, -1);
  owner->of = origin;
  owner->end = origin_end;
  listener_serve(tcp_listen_at(host, name, ip, port), on_connection, origin);
  return origin;
}

struct origin *new_origin(struct host *host, const char *name, const char *ip, int port,
                          enum certificate certificate) {
  struct origin *origin = origin_create(host, name, ip, port);
  origin->tls = certificate == NO_TLS ? NULL : certificate_context(name, certificate);
  return origin;
}

void origin_reply(struct origin *origin, struct origin_reply reply) {
  reply.bytes = scrap_text(reply.bytes ? reply.bytes : "", reply.length);
  origin->reply = reply;
}

struct requests requests_to(struct origin *origin) {
  settle();
  struct request *list = scrap((origin->request_count + 1) * sizeof *list);
  if (origin->request_count > 0)
    memcpy(list, origin->requests, origin->request_count * sizeof *list);
  return (struct requests){list, origin->request_count};
}

int connections_to(struct origin *origin) {
  settle();
  return origin->connections;
}

int failed_handshakes_with(struct origin *origin) {
  settle();
  return origin->failed_handshakes;
}

size_t stray_bytes_to(struct origin *origin) {
  settle();
  return origin->stray_bytes;
}
