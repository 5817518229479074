/* The calls that read and set options of sockets, as both programs' checks look at them. */
#pragma once

#include "grader/sdk/wiregrade.h"

/* More than any right program needs; a resolver may take its time. */
static const double PATIENCE = 60;

/* All of them, for `actual`. */
const char *calls_text(struct option_calls calls);
bool is_call(const struct option_call *call, bool set, int level, int option);
bool is_of_udp_socket(const struct option_call *call);
/* Whether IP_MTU was read of a UDP socket that is connected to an address; with `port` not 0: to
 * that port. */
bool reads_mtu(struct option_calls calls, int port);
/* Whom it was connected to when IP_MTU was read; only if it was. */
struct address asked_about(struct option_calls calls);
