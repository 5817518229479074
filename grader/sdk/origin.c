/* Web servers: requests are kept as they came, replies are sent as the check wrote them. TLS is
 * OpenSSL's, on memory: the connection is the loop's. */
#include "grader/sdk/origin.h"

#include "grader/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- requests ---- */

size_t header_length(const uint8_t *bytes, size_t length) {
  size_t begin = 0; /* empty lines in front of a request are ignored: RFC 9112, 2.2 */
  while (begin < length && (bytes[begin] == '\r' || bytes[begin] == '\n'))
    begin++;
  for (size_t i = begin; i < length; i++) {
    if (bytes[i] != '\n')
      continue;
    if (i + 1 < length && bytes[i + 1] == '\n')
      return i + 2;
    if (i + 2 < length && bytes[i + 1] == '\r' && bytes[i + 2] == '\n')
      return i + 3;
  }
  return 0;
}

/* Takes so many bytes of what has come, and keeps them in a list. */
static void keep(struct exchange *exchange, size_t length, struct request_list *list) {
  const char *server_name =
      exchange->ssl ? SSL_get_servername(exchange->ssl, TLSEXT_NAMETYPE_host_name) : NULL;
  size_t begin = exchange->request_taken;
  if ((list->count & (list->count - 1)) == 0) /* there is room up to the next power of two */
    list->items = memory_resize(list->items, (2 * list->count + 1) * sizeof *list->items);
  list->items[list->count++] = (struct request){
      .time = now(),
      .bytes = (const uint8_t *)scrap_text((const char *)exchange->request + begin, length),
      .length = length,
      .tls = exchange->ssl != NULL,
      .server_name = server_name ? say("%s", server_name) : "",
      .connection = exchange->number,
  };
  exchange->request_taken += length;
}

/* What has come and is not taken. */
static size_t left_of(const struct exchange *exchange) {
  return exchange->request_length - exchange->request_taken;
}

void request_note(struct exchange *exchange, size_t header) {
  keep(exchange, header, &exchange->origin->requests);
}

static void note_fragment(struct exchange *exchange) {
  if (left_of(exchange) > 0)
    keep(exchange, left_of(exchange), &exchange->origin->fragments);
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

/* The next request, if there is one already, is taken by who began the reply: a client may send a
 * million at once. */
static void reply_end(struct exchange *exchange) {
  exchange->replying = false;
  enum origin_end end = exchange->origin->reply.end;
  if (end == ORIGIN_STAYS_OPEN && exchange->connection->end == TCP_OPEN)
    return;
  exchange->ended = true;
  note_fragment(exchange);
  if (end == ORIGIN_CLOSES && exchange->ssl) {
    SSL_shutdown(exchange->ssl);
    flush_tls(exchange);
  }
  connection_queue_end(exchange->connection, end == ORIGIN_RESETS ? QUEUE_RESET : QUEUE_CLOSE);
}

static void reply_piece(struct exchange *exchange);
static void take_requests(struct exchange *exchange);

static void reply_go_on(void *context) {
  struct exchange *exchange = *(struct exchange **)context;
  free(context);
  reply_piece(exchange);
  take_requests(exchange); /* one may have come meanwhile */
}

static void reply_later(struct exchange *exchange, double seconds) {
  struct exchange **later = memory_zeroed(1, sizeof *later);
  *later = exchange;
  world_at(the_check.world, world_now(the_check.world) + (int64_t)(seconds * 1e9) + 1, reply_go_on,
           later);
}

/* One piece, and the next one later. */
static void reply_piece(struct exchange *exchange) {
  const struct origin_reply *reply = &exchange->origin->reply;
  size_t length = reply->length;
  if (exchange->header_only && header_length(reply->bytes, length) > 0)
    length = header_length(reply->bytes, length);
  size_t left = length - exchange->reply_sent;
  size_t piece = reply->piece > 0 && reply->piece < left ? reply->piece : left;
  if (exchange->connection->end == TCP_RESET) {
    exchange->replying = false;
    note_fragment(exchange);
    return;
  }
  send_bytes(exchange, (const uint8_t *)reply->bytes + exchange->reply_sent, piece);
  exchange->reply_sent += piece;
  if (exchange->reply_sent == length)
    reply_end(exchange);
  else
    reply_later(exchange, reply->pause);
}

static void take_request(struct exchange *exchange, size_t header) {
  const char *request = (const char *)exchange->request + exchange->request_taken;
  exchange->header_only = strncmp(request, "HEAD ", strlen("HEAD ")) == 0;
  request_note(exchange, header);
  exchange->replying = true;
  exchange->reply_sent = 0;
  if (exchange->origin->reply.delay > 0)
    reply_later(exchange, exchange->origin->reply.delay);
  else
    reply_piece(exchange);
}

static void take_requests(struct exchange *exchange) {
  while (!exchange->replying && !exchange->ended && left_of(exchange) > 0) {
    size_t header = header_length(exchange->request + exchange->request_taken, left_of(exchange));
    if (header == 0)
      return;
    if (exchange->origin->is_proxy)
      proxy_take(exchange, header);
    else
      take_request(exchange, header);
  }
}

/* ---- receiving ---- */

static void request_grow(struct exchange *exchange, const uint8_t *bytes, size_t length) {
  if (exchange->request_taken > 0) {
    exchange->request_length = left_of(exchange);
    memmove(exchange->request, exchange->request + exchange->request_taken,
            exchange->request_length);
    exchange->request_taken = 0;
  }
  exchange->request = memory_resize(exchange->request, exchange->request_length + length + 1);
  memcpy(exchange->request + exchange->request_length, bytes, length);
  exchange->request_length += length;
  exchange->request[exchange->request_length] = '\0';
}

void exchange_take(struct exchange *exchange, const uint8_t *bytes, size_t length) {
  if (length > 0)
    request_grow(exchange, bytes, length);
  take_requests(exchange);
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
  if (SSL_get_error(exchange->ssl, length) == SSL_ERROR_SSL && left_of(exchange) == 0 &&
      !exchange->replying) {
    exchange->handshake_failed = true;
    exchange->origin->failed_handshakes++;
    connection_queue_end(exchange->connection, QUEUE_CLOSE);
  }
  flush_tls(exchange);
  return !exchange->handshake_failed;
}

/* A record of a TLS handshake begins with 22; no request does. Who forgets TLS is heard as well. */
static void choose_tls(struct exchange *exchange, uint8_t first) {
  enum { HANDSHAKE_RECORD = 22 };
  struct origin *origin = exchange->origin;
  if (origin->certificate == NO_TLS || first != HANDSHAKE_RECORD)
    return;
  if (!origin->tls)
    origin->tls = certificate_context(origin->name, origin->certificate);
  exchange->ssl = SSL_new(origin->tls);
  exchange->in = BIO_new(BIO_s_mem());
  exchange->out = BIO_new(BIO_s_mem());
  SSL_set_bio(exchange->ssl, exchange->in, exchange->out);
  SSL_set_accept_state(exchange->ssl);
}

static void on_event(void *context, struct connection *connection) {
  struct exchange *exchange = context;
  if (exchange->other_side) {
    proxy_relay(exchange);
    return;
  }
  const uint8_t *fresh = connection->bytes + exchange->taken;
  size_t length = connection->length - exchange->taken;
  if (exchange->taken == 0 && length > 0)
    choose_tls(exchange, *fresh);
  exchange->taken = connection->length;
  if (exchange->ssl) {
    if (length > 0)
      BIO_write(exchange->in, fresh, (int)length);
    take_tls(exchange);
    take_requests(exchange);
  } else {
    exchange_take(exchange, fresh, length);
  }
  if (connection->end != TCP_OPEN && !exchange->replying && !exchange->other_side) {
    note_fragment(exchange);
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
  free(origin->requests.items);
  free(origin->fragments.items);
  free(origin);
}

struct origin *origin_create(struct host *host, const char *name, const char *ip, int port) {
  struct origin *origin = memory_zeroed(1, sizeof *origin);
  *origin = (struct origin){.host = host,
                            .name = name,
                            .address = address(ip, port),
                            .certificate = NO_TLS,
                            .next = the_check.origins};
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
  origin->certificate = certificate;
  if (certificate != NO_TLS)
    certificate_authority_give();
  return origin;
}

void origins_reply(struct origin *const *origins, size_t count, struct origin_reply reply) {
  reply.bytes = scrap_text(reply.bytes ? reply.bytes : "", reply.length);
  for (size_t i = 0; i < count; i++)
    origins[i]->reply = reply;
}

void origin_reply(struct origin *origin, struct origin_reply reply) {
  origins_reply(&origin, 1, reply);
}

static struct requests snapshot(const struct request_list *kept) {
  struct request *list = scrap((kept->count + 1) * sizeof *list);
  if (kept->count > 0)
    memcpy(list, kept->items, kept->count * sizeof *list);
  return (struct requests){list, kept->count};
}

struct requests requests_so_far(const struct origin *origin) {
  return snapshot(&origin->requests);
}

struct requests fragments_so_far(const struct origin *origin) {
  return snapshot(&origin->fragments);
}

struct requests requests_to(struct origin *origin) {
  settle();
  return requests_so_far(origin);
}

struct requests fragments_to(struct origin *origin) {
  settle();
  return fragments_so_far(origin);
}

int connections_to(struct origin *origin) {
  settle();
  return origin->connections;
}

int failed_handshakes_with(struct origin *origin) {
  settle();
  return origin->failed_handshakes;
}
