/* What the programs do with many datagrams, and when: for the checks, which judge it. */
#pragma once

#include "grader/sdk/wiregrade.h"

/* Starts the server, sends it so many datagrams, some at a time (at most 50, of which `count` is a
 * multiple), `pause` seconds apart, and notes which of them are not answered, in the order in which
 * it received them. Of those that come together each is of another client; after `of_a_client` of
 * each there are new clients. */
void observe_drops(bool *dropped, size_t count, size_t at_a_time, size_t of_a_client, double pause);

enum fate { FATE_ANSWERED, FATE_DROPPED, FATE_UNKNOWN };
/* Sends the server a datagram, and waits until the server has answered it, which is in *answer, or
 * says that it drops one; 10 s at most, and not if it has ended. */
enum fate await_fate(struct program *server, struct peer *client, const char *text,
                     struct datagram *answer);

/* How many datagrams went to the server's port after its first reply, but for those that came so
 * soon after it (0: all of them count). */
size_t sent_after_reply(double but_within);

/* The moments of sending, in *times: what is sent within a moment counts once. */
size_t sending_moments(struct frames sent, double times[], size_t most);
