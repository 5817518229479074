/* A name server from inside, for dns.c and its tests: what it knows, and how it answers. */
#pragma once

#include "grader/sdk/tcp_inner.h"

struct record {
  struct record *next;
  const char *name;  /* lower case, no last dot */
  const char *alias; /* or NULL */
  const char *ip;    /* or NULL */
  int code;          /* or 0 */
  bool truncated;
};

struct dns {
  struct record *records; /* in the order in which they were told */
  struct peer *udp;
  struct watch *watch;
  bool silent;
  struct dns_query *queries;
  size_t query_count;
};

/* Answers one message (RFC 1035, without the length that TCP puts in front), and notes what was
 * asked. Returns the answer's bytes, which the caller frees; NULL if there is none. */
uint8_t *dns_answer(struct dns *dns, const uint8_t *bytes, size_t length, bool tcp, size_t *size);
