/* A name server: RFC 1035, on the wire by ldns. */
#include "grader/sdk/dns_inner.h"

#include "grader/base/memory.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* ---- what it knows ---- */

static const char *canonical(const char *name) {
  size_t length = strlen(name);
  if (length > 0 && name[length - 1] == '.')
    length--;
  char *copy = (char *)scrap_text(name, length);
  for (char *c = copy; *c; c++)
    *c = (char)tolower((unsigned char)*c);
  return copy;
}

static void record_add(struct dns *dns, const char *name, struct record record) {
  struct record *kept = scrap(sizeof *kept), **last = &dns->records;
  *kept = record;
  kept->name = canonical(name);
  while (*last)
    last = &(*last)->next;
  *last = kept;
}

void dns_address(struct dns *dns, const char *name, const char *ip) {
  record_add(dns, name, (struct record){.ip = ip});
}

void dns_alias(struct dns *dns, const char *name, const char *target) {
  record_add(dns, name, (struct record){.alias = canonical(target)});
}

void dns_code(struct dns *dns, const char *name, int code) {
  record_add(dns, name, (struct record){.code = code});
}

void dns_truncate(struct dns *dns, const char *name) {
  record_add(dns, name, (struct record){.truncated = true});
}

void dns_silence(struct dns *dns) {
  dns->silent = true;
}

/* ---- answering ---- */

static void push_record(ldns_pkt *answer, const char *name, const char *type, const char *data) {
  ldns_rr *rr = NULL;
  const char *text = say("%s. 60 IN %s %s", name, type, data);
  if (ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL) == LDNS_STATUS_OK)
    ldns_pkt_push_rr(answer, LDNS_SECTION_ANSWER, rr);
}

struct lookup {
  bool known, truncated;
  int code;
};

/* Follows aliases; adds to the answer what is asked for. */
static struct lookup look_up(const struct dns *dns, ldns_pkt *answer, const char *name, int type) {
  enum { ALIASES_MAX = 16 };
  struct lookup lookup = {0};
  for (int i = 0; name && i < ALIASES_MAX; i++) {
    const char *alias = NULL;
    for (const struct record *record = dns->records; record; record = record->next) {
      if (strcmp(record->name, name) != 0)
        continue;
      lookup.known = true;
      lookup.truncated |= record->truncated;
      if (record->code)
        lookup.code = record->code;
      if (record->alias)
        push_record(answer, name, "CNAME", say("%s.", record->alias));
      if (record->ip && type == LDNS_RR_TYPE_A)
        push_record(answer, name, "A", record->ip);
      alias = record->alias ? record->alias : alias;
    }
    if (i > 0 && !alias) /* an alias of what does not exist */
      break;
    name = alias;
  }
  return lookup;
}

static void query_note(struct dns *dns, const char *name, int type, bool tcp) {
  dns->queries = memory_resize(dns->queries, (dns->query_count + 1) * sizeof *dns->queries);
  dns->queries[dns->query_count++] =
      (struct dns_query){.time = now(), .name = name, .type = type, .tcp = tcp};
}

static ldns_pkt *answer_begin(const ldns_pkt *query, ldns_rr *question) {
  ldns_pkt *answer = ldns_pkt_new();
  ldns_pkt_set_id(answer, ldns_pkt_id(query));
  ldns_pkt_set_qr(answer, true);
  ldns_pkt_set_aa(answer, true);
  ldns_pkt_set_rd(answer, ldns_pkt_rd(query));
  ldns_pkt_set_ra(answer, true);
  ldns_pkt_push_rr(answer, LDNS_SECTION_QUESTION, ldns_rr_clone(question));
  return answer;
}

uint8_t *dns_answer(struct dns *dns, const uint8_t *bytes, size_t length, bool tcp, size_t *size) {
  ldns_pkt *query = NULL;
  if (ldns_wire2pkt(&query, bytes, length) != LDNS_STATUS_OK)
    return NULL;
  uint8_t *wire = NULL;
  ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
  if (question && !ldns_pkt_qr(query)) {
    char *owner = ldns_rdf2str(ldns_rr_owner(question));
    const char *name = canonical(owner);
    int type = (int)ldns_rr_get_type(question);
    free(owner);
    query_note(dns, name, type, tcp);
    ldns_pkt *answer = answer_begin(query, question);
    struct lookup lookup = look_up(dns, answer, name, type);
    if (lookup.code || !lookup.known)
      ldns_pkt_set_rcode(answer, (uint8_t)(lookup.code ? lookup.code : LDNS_RCODE_NXDOMAIN));
    if (lookup.truncated && !tcp) {
      ldns_pkt_free(answer);
      answer = answer_begin(query, question);
      ldns_pkt_set_tc(answer, true);
    }
    if (!dns->silent)
      ldns_pkt2wire(&wire, answer, size);
    ldns_pkt_free(answer);
  }
  ldns_pkt_free(query);
  return wire;
}

/* ---- UDP ---- */

static void on_datagram(void *context, uint32_t events) {
  (void)events;
  struct dns *dns = context;
  uint8_t bytes[4096];
  struct sockaddr_in from;
  socklen_t from_length = sizeof from;
  ssize_t length;
  while ((length = recvfrom(dns->udp->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from,
                            &from_length)) >= 0) {
    size_t size = 0;
    uint8_t *answer = dns_answer(dns, bytes, (size_t)length, false, &size);
    if (answer)
      sendto(dns->udp->fd, answer, size, 0, (struct sockaddr *)&from, from_length);
    free(answer);
  }
}

/* ---- TCP: each message has its length in front (RFC 1035, 4.2.2) ---- */

static void on_stream(void *context, struct connection *connection) {
  struct dns *dns = context;
  size_t taken = 0;
  while (connection->length - taken >= 2) {
    const uint8_t *message = connection->bytes + taken;
    size_t length = (size_t)message[0] << 8 | message[1], size = 0;
    if (connection->length - taken - 2 < length)
      break;
    uint8_t *answer = dns_answer(dns, message + 2, length, true, &size);
    if (answer) {
      const uint8_t head[2] = {(uint8_t)(size >> 8), (uint8_t)size};
      connection_queue(connection, head, sizeof head);
      connection_queue(connection, answer, size);
    }
    free(answer);
    taken += 2 + length;
  }
  if (taken > 0) { /* only what is not answered yet stays */
    connection->length -= taken;
    memmove(connection->bytes, connection->bytes + taken, connection->length);
  }
  if (connection->end != TCP_OPEN)
    connection_queue_end(connection, QUEUE_CLOSE);
}

static void on_connection(void *context, struct connection *connection) {
  connection_serve(connection, on_stream, context);
}

static void dns_end(void *context) {
  struct dns *dns = context;
  world_unwatch(dns->watch);
  free(dns->queries);
  free(dns);
}

struct dns *dns_server(struct host *host, const char *ip) {
  enum { DOMAIN_PORT = 53 };
  struct dns *dns = memory_zeroed(1, sizeof *dns);
  dns->udp = udp_peer_at(host, "name server", ip, DOMAIN_PORT);
  dns->udp->of = dns;
  dns->udp->end = dns_end;
  dns->watch = world_watch(the_check.world, dns->udp->fd, EPOLLIN, on_datagram, dns);
  listener_serve(tcp_listen_at(host, "name server", ip, DOMAIN_PORT), on_connection, dns);
  put_file("/etc/resolv.conf", say("nameserver %s\n", ip));
  return dns;
}

struct dns_queries dns_queries_to(struct dns *dns) {
  settle();
  struct dns_query *list = scrap((dns->query_count + 1) * sizeof *list);
  if (dns->query_count > 0)
    memcpy(list, dns->queries, dns->query_count * sizeof *list);
  return (struct dns_queries){list, dns->query_count};
}
