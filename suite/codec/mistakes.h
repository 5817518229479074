/* Which mistake is behind a wrong conversion: each known one is carried out on the same texts, and
 * is the likely cause if it makes of all of them what the program made. Called by the checks of
 * this lab when one has failed; knows nothing but what the program wrote, and how it ended. */
#pragma once

#include "codec.h"

struct conversion {
  const char *encoder, *decoder, *text, *result;
};

/* What the program made of a text. */
struct conversion_run {
  struct conversion asked; /* `result` is not looked at */
  struct output out, message;
  int status;
};
struct conversion_run conversion_run(const struct conversion *asked, struct program *codec);

/* The likely cause, of runs of which the last one went wrong; NULL if no mistake, or more than one,
 * explains them all. */
const char *mistake_cause(const struct conversion_run *runs, size_t count);
/* The same, and while several mistakes explain them the program is run on more texts. Never NULL.
 */
const char *mistake_cause_asking(const struct conversion_run *runs, size_t count);

/* What a text becomes that is encoded and decoded as asked, but that bytes which cannot be decoded
 * are left out. *cut_off: the last of them are the beginning of a character. NULL if the text
 * cannot be encoded. */
const char *converted_leaving_out(const struct conversion *asked, bool *cut_off);
/* Whether GB 18030 could encode it. */
bool is_in_gb18030(const char *text);
