/* A server of this lab, and where it listens: for checks of the server. */
#pragma once

#include "lan.h"

/* A server that waits a moment before it answers, so that not all answer at once, is right. */
#define ANSWER_WITHIN PATIENCE
/* Whoever sends an answer once more has done so by then. */
#define AGAIN_WITHIN 10.0

struct address server_address(int number);
/* Starts one on the host, without arguments, and waits until it receives. */
struct program *start_server(struct host *host);
/* Whether a socket of the program's host is bound to that; any address if its IP is 0.0.0.0. */
bool is_bound_to(struct program *server, struct address wanted);
/* Waits until it is, or the program has ended; and then until it receives: it may still set options
 * of its socket. */
bool await_bound_to(struct program *server, struct address wanted);
