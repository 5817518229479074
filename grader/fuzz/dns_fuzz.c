/* sdk/dns.c: queries. An answer is one that a resolver can read, to the question that was asked. */
#include "grader/fuzz/fuzz.h"
#include "grader/fuzz/sdk.h"

#include "grader/base/scope.h"
#include "grader/sdk/dns_inner.h"

#include <ldns/ldns.h>
#include <string.h>

static void check_answer(const uint8_t *query, const uint8_t *wire, size_t size) {
  ldns_pkt *answer = NULL;
  FUZZ_HOLDS(size <= UINT16_MAX);
  FUZZ_HOLDS(memcmp(query, wire, sizeof(uint16_t)) == 0);
  FUZZ_HOLDS(ldns_wire2pkt(&answer, wire, size) == LDNS_STATUS_OK);
  FUZZ_HOLDS(ldns_pkt_qr(answer) && ldns_pkt_qdcount(answer) == 1);
  ldns_pkt_free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  fuzz_check();
  struct dns dns = {0};
  dns_address(&dns, "www.example.com", "10.0.0.1");
  dns_alias(&dns, "alias.example.com", "WWW.example.com.");
  dns_alias(&dns, "loop.example.com", "loop.example.com");
  dns_code(&dns, "broken.example.com", LDNS_RCODE_SERVFAIL);
  dns_truncate(&dns, "long.example.com");
  dns_address(&dns, "long.example.com", "10.0.0.2");
  for (int tcp = 0; tcp <= 1; tcp++) {
    size_t size = 0;
    scoped_text uint8_t *wire = dns_answer(&dns, bytes, length, tcp, &size);
    if (wire)
      check_answer(bytes, wire, size);
  }
  FUZZ_HOLDS(dns.query_count == 0 || dns.query_count == 2);
  for (size_t i = 0; i < dns.query_count; i++)
    FUZZ_HOLDS(strlen(dns.queries[i].name) > 0 || dns.query_count == 2);
  free(dns.queries);
  return 0;
}
