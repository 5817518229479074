/* udp: a promiscuous client, and the server that it asks: what is known to both. */
#pragma once

#define LAB udp
#include "suite/lucky_number.h"

enum { PORT = 60000 };

/* For the first question of a client, and for an answer of a server, which may take its time: more
 * than any right one needs. */
static const double PATIENCE = 10;

#define QUESTION "Hello, I'm a client."

static inline struct address server_address(void) {
  return address("127.0.0.1", PORT);
}
