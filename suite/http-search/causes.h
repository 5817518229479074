/* Why a program of this lab did not do what is required, chosen by what it asked and printed. NULL:
 * nothing that was seen tells. */
#pragma once

#include "web.h"

/* What was asked is not one GET of that URL, https://www.google.com for example, and the path,
 * /?q=, with the keyword behind it. */
const char *get_cause(const struct search *search, const char *url, const char *path,
                      const char *keyword);
/* Another scheme, site or port was asked than the one of `url`. */
const char *url_cause(const struct search *search, const char *url);
/* Where a request is not, line by line, the required one. */
const char *request_cause(const struct request *request, const char *required);
/* A program does not end: its request has no end, or it waits for the connection's. `left_open`:
 * the server has said all, and waits for another request. */
const char *no_end_cause(const struct search *search, bool left_open);
/* Of a reply only this much was printed, or something else. `piece`: it came in pieces of so many
 * bytes; 0: all at once. */
const char *framing_cause(const struct search *search, enum framing framing,
                          const struct reply *reply, size_t piece);
/* A reply that was cut short is taken for a whole one. */
const char *cut_cause(const struct search *search, enum framing framing, const struct reply *reply);
