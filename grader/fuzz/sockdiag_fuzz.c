/* world/sockdiag.c: the kernel's answers on sockets. */
#include "grader/fuzz/fuzz.h"

#include "grader/base/scope.h"
#include "grader/world/inner.h"

#include <netinet/in.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  enum { LEAST = 16 + 72 }; /* a header, and struct inet_diag_msg */
  for (int tcp = 0; tcp <= 1; tcp++) {
    struct socket_listing listing = {0};
    sockdiag_parse(&listing, bytes, length, tcp ? IPPROTO_TCP : IPPROTO_UDP);
    FUZZ_HOLDS(listing.count <= length / LEAST);
    for (size_t i = 0; i < listing.count; i++)
      FUZZ_HOLDS(listing.states[i].local.sin_family == AF_INET);
    free(listing.states);
  }
  return 0;
}
