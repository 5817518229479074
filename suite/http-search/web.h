/* The web of http-search: a LAN with the student's machine on it, a name server, sites that speak
 * HTTP and HTTPS, a proxy; and replies for the sites to give.
 *
 * Whatever site a program asks, at whatever port and by whatever scheme, it is heard and answered.
 * That it asked the wrong one is the business of one requirement; the others can be judged all the
 * same. */
#pragma once

#include "grader/sdk/wiregrade.h"

#define PROXY_URL "http://192.0.2.1:3128"

/* ---- sites ---- */

enum { SITES = 4, PORTS = 4 }; /* more than the requirements name */

struct web {
  struct dns *dns;
  struct origin *origins[SITES][PORTS];
  struct origin *proxy;
};

enum { NOT_NAMED = 1, NOT_SERVED = 2 };
/* `certificate` is every site's. NOT_NAMED: the name server knows no names; NOT_SERVED: the sites
 * are there, and nobody listens. */
struct web make_web(enum certificate certificate, int lacks);
/* Whether the student's machine itself has tried to connect to a site. */
bool connected_directly(void);

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
/* How the bytes of a reply come. */
struct pace {
  size_t piece; /* so many at a time; 0: all at once */
  double pause; /* seconds between two pieces */
};
/* All sites say so from now on. */
void set_reply(const struct web *web, const struct reply *reply, size_t length, struct pace pace,
               enum origin_end end);
/* A short reply, complete, that every program understands: framed by its length and by the close.
 * It comes after a moment, so that all that a program has to say is heard. */
void set_plain_reply(const struct web *web);

/* ---- asking ---- */

struct question {
  struct request request;
  bool whole;       /* its header has an end; it was answered */
  const char *site; /* "baidu.com" */
  const char *url;  /* "https://baidu.com", as it was asked */
};
enum { QUESTIONS_MAX = 20 };
/* One run of a program, and what it asked. */
struct search {
  const char *name; /* the program's */
  struct program *program;
  const char *did;                          /* "ended with exit status 0" */
  bool endless;                             /* it did not end by itself, and was killed */
  const char *waits_for;                    /* what it did instead: the whole diagnosis */
  struct question questions[QUESTIONS_MAX]; /* whole ones, of all sites, in order */
  size_t count;
  struct question rest[QUESTIONS_MAX]; /* what came besides: beginnings, bodies, … */
  size_t rest_count;
};
/* Runs the program with these bytes as its stdin, to its end; kills it if it does not end. */
struct search search_with_input(const struct web *web, const char *name, const char *input);
/* The same with the keyword as a line. */
struct search search(const struct web *web, const char *name, const char *keyword);
/* Ends the check if the search asked nothing at all, be it whole or not; else the first of what it
 * asked. */
const struct question *expect_question(const struct search *search);
/* What was asked, one a line, for reports. */
const char *asked(const struct search *search);
/* "GET /?q=x HTTP/1.1": the first line of the request, without its end. */
const char *request_line(const struct request *request);
/* The target in it: "/?q=x"; "" if there is none. */
const char *request_target(const struct request *request);
/* How many header fields of that name the request has; the value of the first in *value. */
size_t request_field(const struct request *request, const char *name, const char **value);
