/* Points in time as texts. */
#pragma once

#include <time.h>

/* "2026-11-28 23:59:59.5 -08:00": with a T or a space, with or without seconds, and with Z, UTC, an
 * offset, or none of these, which is UTC. -1 if it is no such time. */
time_t instant_parse(const char *text);

/* ISO 8601 in UTC: "2026-11-29T07:59:59Z". */
struct instant_text {
  char text[32];
};
struct instant_text instant_format(time_t instant);
