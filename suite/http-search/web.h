/* The web of http-search: a LAN with the student's machine on it, a name server, three sites that
 * speak HTTP and HTTPS, a proxy; and replies for the sites to give.
 *
 * Whatever site a program asks, and by whatever scheme, it is heard and answered. That it asked the
 * wrong one is the business of one requirement; the others can be judged all the same. */
#pragma once

#include "grader/sdk/wiregrade.h"

#define PROXY_URL "http://192.0.2.1:3128"

/* ---- sites ---- */

enum site { GOOGLE, WWW_BAIDU, BAIDU, SITES };
extern const char *const SITE_NAMES[SITES];

struct web {
  struct dns *dns;
  struct origin *origins[SITES][2]; /* by http, by https */
  struct origin *proxy;
};

enum { NOT_NAMED = 1, NOT_SERVED = 2 };
/* `certificate` is every site's. NOT_NAMED: the name server knows no names; NOT_SERVED: the sites
 * are there, and nobody listens. */
struct web make_web(enum certificate certificate, int lacks);
/* Whether the address is a site's. */
bool is_site(struct address address);

/* ---- replies ---- */

/* Text of `length` bytes in UTF-8 (or ASCII), of lines that all differ, so that no piece of it can
 * be lost, repeated or moved unseen. It ends without a newline. */
const char *make_text(size_t length, bool ascii);

enum framing { BY_LENGTH, BY_CHUNKS, BY_CLOSE };
struct reply {
  const char *name; /* for messages: "a body of 500 bytes, in chunks" */
  const char *body;
  size_t body_length;
  const char *header; /* its empty line included */
  const char *bytes;  /* all of it, as it goes over the wire */
  size_t length;
};
/* `header`: fields besides those that frame it, each with its CR LF. */
struct reply make_reply(enum framing framing, const char *header, const char *body,
                        size_t body_length);
/* All sites say so from now on, in pieces of so many bytes (0: at once). */
void set_reply(const struct web *web, const struct reply *reply, size_t length, size_t piece,
               enum origin_end end);
/* A short reply, complete, that every program understands: framed by its length and by the close.
 */
void set_plain_reply(const struct web *web);

/* ---- asking ---- */

struct question {
  struct request request;
  enum site site;
  const char *url; /* "https://baidu.com", as it was asked */
};
enum { QUESTIONS_MAX = 20 };
/* One run of a program, and what it asked. */
struct search {
  const char *name; /* the program's */
  struct program *program;
  const char *did;                          /* "ended with exit status 0" */
  bool endless;                             /* it did not end by itself, and was killed */
  const char *waits_for;                    /* what it did instead: the whole diagnosis */
  struct question questions[QUESTIONS_MAX]; /* of all sites, in order */
  size_t count;
  size_t stray; /* bytes that made up no request, of all searches so far */
};
/* Runs the program with these bytes as its stdin, to its end; kills it if it does not end. */
struct search search_with_input(const struct web *web, const char *name, const char *input);
/* The same with the keyword as a line. */
struct search search(const struct web *web, const char *name, const char *keyword);
/* Ends the check if the search asked nothing at all. */
void expect_question(const struct search *search);
/* "GET /?q=x HTTP/1.1": the first line of the request, without its end. */
const char *request_line(const struct request *request);
/* The target in it: "/?q=x"; "" if there is none. */
const char *request_target(const struct request *request);
/* How many header fields of that name the request has; the value of the first in *value. */
size_t request_field(const struct request *request, const char *name, const char **value);
