#include "server.h"

#include <string.h>

struct address server_address(int number) {
  return address(server_ip(number), PORT);
}

bool is_bound_to(struct program *server, struct address wanted) {
  const struct address nobody = {.ip = 1, .port = wanted.port}; /* 0.0.0.1 */
  const char *bound = udp_bound_besides(server, nobody);
  return bound && (wanted.ip == 0 || strstr(bound, address_text(wanted)));
}

bool await_bound_to(struct program *server, struct address wanted) {
  enum { TRIES = 50 };
  for (int i = 0; i < TRIES && !is_bound_to(server, wanted); i++)
    if (await_exit(server, 0.1))
      return false;
  settle();
  return is_bound_to(server, wanted);
}

struct program *start_server(struct host *host) {
  struct program *server = start_at(host, "broadcast", "server");
  await_udp_bound(server, PORT);
  settle();
  return server;
}
