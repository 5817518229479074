/* sdk/origin.c and proxy.c: requests, which come in pieces. However they are cut, the same requests
 * are kept, and all bytes are in one or are left. */
#include "grader/fuzz/fuzz.h"
#include "grader/fuzz/sdk.h"

#include "grader/sdk/origin.h"

#include <stdlib.h>
#include <string.h>

/* Hands the bytes over in pieces of this size. Returns how many requests there were. */
static size_t take(const uint8_t *bytes, size_t length, size_t piece) {
  struct peer peer = {.fd = -1};
  struct connection connection = {.peer = &peer};
  struct origin origin = {.reply = {.bytes = "", .end = ORIGIN_STAYS_OPEN}};
  struct exchange exchange = {.origin = &origin, .connection = &connection};
  for (size_t begin = 0; begin < length; begin += piece)
    exchange_take(&exchange, bytes + begin, piece < length - begin ? piece : length - begin);
  size_t kept = exchange.request_length - exchange.request_taken, count = origin.requests.count;
  for (size_t i = 0; i < count; i++) {
    const struct request *request = &origin.requests.items[i];
    FUZZ_HOLDS(header_length(request->bytes, request->length) == request->length);
    FUZZ_HOLDS(header_length(request->bytes, request->length - 1) == 0);
    kept += request->length;
  }
  FUZZ_HOLDS(kept == length);
  free(origin.requests.items);
  free(exchange.request);
  free(connection.queue);
  return count;
}

static void check_proxy(const uint8_t *bytes, size_t length) {
  struct proxy_target target;
  char *request = strndup((const char *)bytes, length);
  bool understood = request && proxy_target_read(request, &target);
  free(request);
  if (!understood)
    return;
  FUZZ_HOLDS(*target.name && *target.path);
  FUZZ_HOLDS(!strpbrk(target.name, ": ") && !strpbrk(target.path, "\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  enum { SMALL = 5 };
  fuzz_check();
  size_t whole = length > 0 ? take(bytes, length, length) : 0;
  FUZZ_HOLDS(whole == take(bytes, length, SMALL));
  check_proxy(bytes, length);
  return 0;
}
