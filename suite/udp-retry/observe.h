/* What the flaky server does with many datagrams: for its checks, which judge it (drops.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Starts the server, sends it so many datagrams, some at a time (at most 50, of which `count` is a
 * multiple), `pause` seconds apart, and notes which of them are not answered, in the order in which
 * it received them. */
void observe_drops(bool *dropped, size_t count, size_t at_a_time, double pause);
