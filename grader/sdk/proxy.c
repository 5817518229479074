/* A proxy: tunnels by CONNECT (RFC 9110, 9.3.6), and passes on requests for http:// URLs (RFC 9112,
 * 3.2.2). It reaches the check's origins by their names. */
#include "grader/sdk/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct origin *find_origin(const char *name, int port) {
  for (struct origin *origin = the_check.origins; origin; origin = origin->next)
    if (!origin->is_proxy && origin->address.port == port && strcasecmp(origin->name, name) == 0)
      return origin;
  return NULL;
}

static void pass_on(struct connection *from, size_t *taken, struct connection *to) {
  if (from->length > *taken) {
    size_t begin = *taken;
    *taken = from->length;
    connection_queue(to, from->bytes + begin, from->length - begin);
  }
  if (from->end == TCP_FINISHED && to->queue_end == QUEUE_OPEN)
    connection_queue_end(to, QUEUE_FINISH);
  else if (from->end == TCP_RESET)
    connection_queue_end(to, QUEUE_RESET);
}

void proxy_relay(struct exchange *exchange) {
  if (!exchange->other_side->established)
    return;
  pass_on(exchange->connection, &exchange->taken, exchange->other_side);
  pass_on(exchange->other_side, &exchange->other_taken, exchange->connection);
}

static void answer(struct exchange *exchange, const char *text) {
  connection_queue(exchange->connection, text, strlen(text));
}

static void on_other_side(void *context, struct connection *connection) {
  struct exchange *exchange = context;
  if (connection->error) {
    answer(exchange, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    connection_queue_end(exchange->connection, QUEUE_CLOSE);
    return;
  }
  proxy_relay(exchange);
}

static void connect_to(struct exchange *exchange, struct origin *origin) {
  exchange->other_side =
      connection_open(exchange->origin->host, "proxy", origin->address, on_other_side, exchange);
}

bool proxy_target_read(const char *request, struct proxy_target *target) {
  *target = (struct proxy_target){.path = "/", .port = 80};
  target->tunnel = sscanf(request, "CONNECT %255[^: ]:%d", target->name, &target->port) == 2;
  return target->tunnel ||
         sscanf(request, "GET http://%255[^:/ ]:%d%1023[^ \r\n]", target->name, &target->port,
                target->path) >= 2 ||
         sscanf(request, "GET http://%255[^:/ ]%1023[^ \r\n]", target->name, target->path) >= 1;
}

void proxy_take(struct exchange *exchange, size_t header) {
  const char *request = (const char *)exchange->request + exchange->request_taken;
  struct proxy_target target;
  struct origin *origin =
      proxy_target_read(request, &target) ? find_origin(target.name, target.port) : NULL;
  size_t line = strcspn(request, "\r\n");
  size_t length = exchange->request_length - exchange->request_taken;
  const char *rest = scrap_text(request + line, length - line);
  const char *after = scrap_text(request + header, length - header);
  size_t after_length = length - header;
  request_note(exchange, header);
  exchange->request_taken = exchange->request_length;
  exchange->ended = true; /* from here on it is a relay, or over */
  if (!origin) {
    answer(exchange, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    connection_queue_end(exchange->connection, QUEUE_CLOSE);
    return;
  }
  connect_to(exchange, origin);
  if (target.tunnel) {
    answer(exchange, "HTTP/1.1 200 Connection established\r\n\r\n");
    connection_queue(exchange->other_side, after, after_length);
  } else {
    const char *whole = say("GET %s HTTP/1.1%s", target.path, rest);
    connection_queue(exchange->other_side, whole, strlen(whole));
  }
}

struct origin *new_proxy(struct host *host, const char *ip, int port) {
  struct origin *proxy = origin_create(host, "proxy", ip, port);
  proxy->is_proxy = true;
  return proxy;
}
