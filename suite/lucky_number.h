/* The answer that the servers of udp and udp-retry give: "Here's your lucky number:X". */
#pragma once

#include "grader/sdk/wiregrade.h"

#include <stdlib.h>
#include <string.h>

#define LUCKY_ANSWER "Here's your lucky number:"

/* The number in an answer, 0 <= X < 1, in decimal or exponent form; a negative one if it is no
 * right answer. */
static inline double lucky_number(const struct datagram *answer) {
  static const char allowed[] = "0123456789.eE+-";
  size_t prefix = strlen(LUCKY_ANSWER);
  if (answer->length <= prefix || memcmp(answer->bytes, LUCKY_ANSWER, prefix) != 0)
    return -1;
  const char *text = (const char *)answer->bytes + prefix;
  size_t length = answer->length - prefix;
  if (strspn(text, allowed) != length || strspn(text, "0123456789.") == 0)
    return -1;
  char *end = NULL;
  double number = strtod(text, &end);
  return (size_t)(end - text) == length && number < 1 ? number : -1;
}

/* Ends the check if the answer is wrong, or does not come from `server`. `to`: " to …", or "". */
static inline void expect_lucky_answer(const struct datagram *answer, struct address server,
                                       const char *to) {
  EXPECT(lucky_number(answer) >= 0, .message = say("the answer%s is not what is required", to),
         .expected = "\"" LUCKY_ANSWER "X\", X a decimal fraction, 0 <= X < 1, and nothing else",
         .actual = quoted(answer->bytes, answer->length),
         .cause = memchr(answer->bytes, 0, answer->length)
                      ? "there is a 0 byte in it: is the terminating NUL of a C string sent?"
                      : NULL);
  EXPECT(address_equal(answer->from, server),
         .message = say("the answer%s comes from another address than the server's", to),
         .expected = address_text(server), .actual = address_text(answer->from),
         .cause = "answer through the socket that received the question");
}
