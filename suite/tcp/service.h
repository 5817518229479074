/* How a client is served.
 *
 * What is wrong with every response is the business of tcp.3 and tcp.4. A check that asks whether
 * the server still serves (after another client, after a signal, at another address) compares what
 * its client got with what another one gets that nothing disturbs. */
#pragma once

#include "exchange.h"

struct service {
  struct stream_so_far response;
  bool request_shown;
  struct program *server;
};

/* 127.0.0.1:60000 */
struct address at_home(void);
/* Starts it without arguments, and waits until it listens. */
struct program *start_server(void);
struct connection *connect_from(const char *name, const char *ip);
struct connection *connect_home(void);
/* Sends what is left of a request, of which so much is `sent`, and waits for what comes of it. */
struct service finish_request(struct program *server, struct connection *client,
                              const char *request, size_t sent);
/* How a server without arguments serves its first client, whose request comes in one piece, or
 * (`cut` is not 0) in two. */
struct service serve_first(size_t cut);
/* The same, in one piece; ends the check if nothing comes of it. */
struct service expect_to_serve(void);

/* Whether it was served as the other one was; a response that is wrong already without a
 * disturbance may be wrong in whatever way. */
bool is_as_good(const struct service *service, const struct service *undisturbed);
const char *service_text(const struct service *service);
/* Ends the check unless `what` was served as the other one was. */
void expect_as_good(const struct service *service, const struct service *undisturbed,
                    struct program *server, const char *what, const char *cause);
