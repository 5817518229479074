/* A part of wiregrade.h, which includes it: name servers, web servers, proxies, and an HTTP client.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;

/* ---- DNS ---- */

/* A name server of the check's own, UDP and TCP, port 53 of the address; /etc/resolv.conf names it
 * for programs that are started from now on. A name that it has not been told of does not exist
 * (NXDOMAIN). */
struct dns;
struct dns *dns_server(struct host *host, const char *ip);
/* One more address (A) of the name. */
void dns_address(struct dns *dns, const char *name, const char *ip);
/* The name is an alias (CNAME) of another. */
void dns_alias(struct dns *dns, const char *name, const char *target);
/* Questions about the name are answered with this code (RFC 1035, 4.1.1): 2 is SERVFAIL. */
void dns_code(struct dns *dns, const char *name, int code);
/* By UDP the name's answer is truncated: it is to be had by TCP only. */
void dns_truncate(struct dns *dns, const char *name);
/* It answers nothing any more. */
void dns_silence(struct dns *dns);
struct dns_query {
  double time;
  const char *name; /* in lower case, without the last dot */
  int type;         /* 1 A, 28 AAAA, … */
  bool tcp;
};
struct dns_queries {
  const struct dns_query *list;
  size_t count;
};
struct dns_queries dns_queries_to(struct dns *dns);

/* ---- web servers and proxies of the check's own ---- */

enum certificate {
  NO_TLS,
  CERTIFICATE_GOOD,
  CERTIFICATE_EXPIRED,
  CERTIFICATE_OF_OTHER_NAME, /* of www.NAME and notNAME */
  CERTIFICATE_UNTRUSTED      /* signed by an authority that nobody knows */
};
/* Serves HTTP at the address, and HTTPS too (whatever the port) with a certificate for `name`, if
 * there is one: who forgets TLS, or uses it where nobody else does, is heard. The authority that
 * has signed it is made for the world; programs that are started from now on find it in
 * /etc/ssl/certs/ca-certificates.crt and by SSL_CERT_FILE and its like. The world needs no name for
 * the address: dns_address gives it one. */
struct origin;
struct origin *new_origin(struct host *host, const char *name, const char *ip, int port,
                          enum certificate certificate);
/* What it says to each request whose header is complete, byte for byte (to HEAD the header only).
 */
enum origin_end {
  ORIGIN_CLOSES,     /* then closes, with close_notify if it speaks TLS */
  ORIGIN_STAYS_OPEN, /* then waits for another request */
  ORIGIN_CUTS,       /* then closes TCP without close_notify */
  ORIGIN_RESETS      /* then breaks TCP off: RST */
};
struct origin_reply {
  const void *bytes;
  size_t length;
  size_t piece; /* sent in pieces of so many bytes; 0: all at once */
  double pause; /* seconds between two pieces */
  double delay; /* before the first piece: what else the client sends meanwhile is noticed */
  enum origin_end end;
};
void origin_reply(struct origin *origin, struct origin_reply reply);
/* The same for several. */
void origins_reply(struct origin *const *origins, size_t count, struct origin_reply reply);
/* A proxy for CONNECT (RFC 9110, 9.3.6), and for GET of http:// URLs, that reaches the origins of
 * this world by their names. What requests_to tells of it are the requests made of the proxy
 * itself. */
struct origin *new_proxy(struct host *host, const char *ip, int port);

struct request {
  double time;          /* when its header was complete */
  const uint8_t *bytes; /* the header, its empty line included; a 0 byte follows */
  size_t length;
  bool tls;
  const char *server_name; /* SNI; "" if there was none */
  int connection;          /* on which connection it came, counted from 1 */
};
struct requests {
  const struct request *list;
  size_t count;
};
struct requests requests_to(struct origin *origin);
/* The same, of now: for many origins after one settle(). */
struct requests requests_so_far(const struct origin *origin);
struct requests fragments_so_far(const struct origin *origin);
/* How many TCP connections were made to it, and how many of them failed in the TLS handshake. */
int connections_to(struct origin *origin);
int failed_handshakes_with(struct origin *origin);
/* What came on connections that have ended, beyond the TLS handshake, and made up no whole header:
 * a beginning of one, a body, or what followed the last request that was answered. */
struct requests fragments_to(struct origin *origin);

/* ---- HTTP by a real client: libcurl ---- */

struct http_response {
  bool ok;            /* libcurl has no complaint */
  const char *error;  /* its complaint, in its words */
  int status;         /* 200 */
  const char *header; /* whole, as it came */
  const uint8_t *body;
  size_t body_length;
};
/* A GET of the URL from the host, with at most `within` seconds for it. */
struct http_response http_get_at(struct host *host, const char *url, double within);
