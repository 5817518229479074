/* Captures: the frames of an event log as a file that Wireshark opens.
 *
 * The format is pcapng (draft-ietf-opsawg-pcapng), not the older pcap, because it holds what a
 * reader of several hosts' traffic needs: which interface each frame was on, the hosts' names, and
 * nanoseconds. Times are the world's: 0 is when it began, so that a frame's "epoch time" in
 * Wireshark is its time in the report. */
#pragma once

#include "grader/world/world.h"

#include <stdio.h>

/* Writes all frames of the log; `comment` is shown as the file's. Returns how many there were, or
 * -1 if the stream has an error. */
int pcapng_write(FILE *file, struct world *world, const char *comment);
