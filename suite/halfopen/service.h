/* What client and server of this lab say to each other, and the clients that are lost.
 *
 * Whether an answer is what it should be, to the byte, is the business of halfopen.1. The other
 * checks only count how often the server says "pong". */
#pragma once

#include "grader/sdk/wiregrade.h"

#include <string.h>

enum { PORT = 60000, OTHER_PORT = 61000 };

#define PING "ping\n"

/* For the next answer, or line; more than any right program needs. */
static const double PATIENCE = 20;

/* 127.0.0.1:60000 */
struct address at_home(void);
/* Starts it without arguments, and waits until it listens. */
struct program *start_server(void);
/* The same with a host and a port. */
struct program *start_server_at(const char *host, int port);
/* The same with 0.0.0.0, on a LAN that is made for it: at SERVER_IP there. */
#define SERVER_IP "192.168.1.2"
struct program *start_server_on_lan(struct lan **lan);
/* Connects from one of localhost's addresses. */
struct connection *connect_from(const char *name, const char *ip);
/* How often "pong" has come, on whatever lines. */
size_t pongs(struct connection *client);
/* Waits until it has come so often; false if nothing comes for so long, or the connection ends. */
bool await_pongs(struct connection *client, size_t count, double within);
/* Ends the check unless exactly so many lines of "pong" have come in all, however slowly, and the
 * connection is still open. `what` is the client in words, and `cause` what it is else if answers
 * are missing. */
void expect_pongs(struct program *server, struct connection *client, size_t wanted,
                  const char *what, const char *cause);
/* Ends the check unless so many answers come to a client that has half-closed, and then FIN.
 * `before`: so many answers had come before the client's last lines, and its end with them; by that
 * it is told why answers are missing. */
void expect_pongs_and_end(struct program *server, struct connection *client, size_t before,
                          size_t wanted, const char *what);
/* `count` lines, of strlen(PING) bytes each. */
void put_pings(char *bytes, size_t count);
/* Whether the server accepts the connection within PATIENCE. */
bool is_accepted(struct connection *client);
/* Why one more client is not served, where so many others are. */
const char *too_few_cause(size_t others);
/* Where a client stands, for reports: what it got, and how its connection ended. */
const char *client_text(struct connection *client);

/* ---- clients that are lost ---- */

struct victim {
  struct connection *connection;
  struct address address;
  uint64_t socket;  /* the server's */
  double lost_time; /* when "lost" was printed; negative: not yet */
};

enum { VICTIMS_MAX = 200 };

/* A client that the server has accepted. */
struct victim victim_of(struct connection *connection);
/* Waits until all of them, of which nothing has come since `since`, are told as lost and their
 * sockets closed, in time; ends the check if not. `what` is a victim in words. `meanwhile` (may be
 * NULL) is done several times a second. */
void expect_lost(struct program *server, struct victim *victims, size_t count, const char *what,
                 double since, void (*meanwhile)(void *context), void *context);
