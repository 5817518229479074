/* Visits to the server: a client's request, and what came back.
 *
 * What is wrong with every response is the business of the requirements that describe it. A check
 * that asks something else (how a request may be cut, whether the next client is served) compares
 * what its client got with what one got that nothing disturbed. */
#pragma once

#include "grader/sdk/wiregrade.h"

#include <string.h>

enum { PORT = 8001, BODY_LENGTH = 11, LONGEST = 8192 };

#define BODY "Hello World"
#define URL "http://127.0.0.1:8001"
/* A browser's request, in short. */
#define REQUEST                                                                                    \
  "GET / HTTP/1.1\r\nHost: 127.0.0.1:8001\r\nUser-Agent: kingfisher\r\nAccept: */*\r\n\r\n"
/* One whose lines end in LF alone. */
#define REQUEST_WITH_NEWLINES "GET / HTTP/1.0\nHost: 127.0.0.1:8001\nAccept: */*\n\n"

/* For one step of a program; more than any right one needs. */
static const double PATIENCE = 15;
/* CPU time of a server that has gone astray: it will not respond any more. */
static const double ASTRAY = 8;
/* So long nothing comes any more when all has come. */
static const double SILENCE = 1;

/* A request of that many bytes, in lines of so many, or somewhat more. */
const char *long_request_in_lines(size_t length, int line);
/* With no line that is long, and not many. */
const char *long_request(size_t length);

/* 127.0.0.1:8001 */
struct address at_home(void);
/* Starts it; start_server() also waits until it listens. */
struct program *begin_server(void);
struct program *start_server(void);
/* Why a server is no more that should go on. */
const char *ended_cause(struct program *server);
/* A connection to it; ends the check if there is none. `what` is the client's, in reports: "the
 * client after …". */
struct connection *connect_home(struct program *server, const char *what);

/* All that came on a connection until its end, or until the silence after it. */
struct response {
  struct stream_so_far stream;
  /* The header's length, with the empty line that ends it; without one it is all but the bytes
   * behind the last line. */
  size_t header_length;
  bool has_empty_line;
  const char *status_line;
  const uint8_t *body;
  size_t body_length;
};
/* Waits for it. */
struct response await_response(struct connection *client);
/* Sends the request in one piece, waits for the response, and leaves. */
struct response visit(struct program *server, const char *what, const char *request);
/* A fresh world's server that has been visited twice. Whether it can be asked more than once is the
 * business of one requirement, and what is wrong with every client's response but the first's is
 * that of those that describe it. */
struct house {
  struct program *server;
  struct response first; /* what its first client got */
  struct response usual; /* what its second got, if it was served */
  bool serves_one;       /* and no other as well */
};
/* Ends the check if nothing comes back for its first client. */
struct house open_house(void);
/* Before a client that must find a server: a new one, if this one serves no second, or has ended.
 */
void open_again(struct house *house);

/* What stands behind the version in its status line: the version may be a wrong one. */
const char *response_status(const struct response *response);
/* The value of the first header field of that name, in lower or upper case; NULL: there is none. */
const char *response_field(const struct response *response, const char *name);
/* That of the second one. */
const char *response_field_again(const struct response *response, const char *name);
/* "214 bytes, then FIN: “HTTP/1.0 200 OK…”" */
const char *response_text(const struct response *response);

/* Whether it is what the undisturbed one is, but for the version, for fields that may differ from
 * time to time, and for more that comes behind the body. How the connection ends is the business of
 * one requirement, and not of those that ask this. */
bool is_as_good(const struct response *response, const struct response *undisturbed);
/* Ends the check unless `what` was served as the undisturbed one was. */
void expect_as_good(const struct response *response, const struct response *undisturbed,
                    struct program *server, const char *what, const char *cause);
/* One more client; ends the check unless it is served so. `after`: "after a client that …". */
void expect_next(struct program *server, const struct response *undisturbed, const char *after);
