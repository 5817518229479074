/* The answer that the servers of udp and udp-retry give: "Here's your lucky number:X". */
#pragma once

#include "grader/sdk/wiregrade.h"

#include <stdlib.h>
#include <string.h>

#define LUCKY_ANSWER "Here's your lucky number:"

/* One that a check gives itself: another number each time, as long as they are, or nearly so. */
static inline const char *lucky_reply(void) {
  enum { HALF = 10000000 };
  return say("%s0.%07d%07d93", LUCKY_ANSWER, random_between(HALF / 10, HALF - 1),
             random_between(0, HALF - 1));
}

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

/* Why the answer is not right. */
static inline const char *lucky_cause(const struct datagram *answer) {
  static const char form[] = LUCKY_ANSWER;
  const char *text = (const char *)answer->bytes, *number = text + strlen(form);
  const char *digits = "0123456789";
  size_t end = answer->length;
  if (memchr(answer->bytes, 0, answer->length) || strncmp(text, form, strlen(form)) != 0) {
    size_t length = strlen(text) < strlen(form) ? strlen(text) : strlen(form);
    return end > 0 && strlen(text) < end ? bytes_cause(text, strlen(text), text, end)
                                         : words_cause(form, say("%.*s", (int)length, text));
  }
  if (!*number)
    return "there is no number behind the colon: is it sent in a datagram of its own? One answer "
           "is one datagram";
  if (strspn(number, digits) == strlen(number))
    return "the number is a whole one: is it an integer division, or rand() itself? Write "
           "rand() / (RAND_MAX + 1.0)";
  if (number[strlen(number) - 1] == '\n')
    return "a newline is sent behind the number: it does not belong to the answer";
  if (strtod(number, NULL) >= 1)
    return say("%g is not below 1: X is a fraction, such as rand() / (RAND_MAX + 1.0)",
               strtod(number, NULL));
  if (*number == ' ')
    return "there is a space behind the colon, where none belongs";
  return NULL;
}

/* Ends the check if the answer is wrong, or does not come from `server`. `to`: " to …", or "". */
static inline void expect_lucky_answer(const struct datagram *answer, struct address server,
                                       const char *to) {
  EXPECT(lucky_number(answer) >= 0, .message = say("the answer%s is not what is required", to),
         .expected = "\"" LUCKY_ANSWER "X\", X a decimal fraction, 0 <= X < 1, and nothing else",
         .actual = quoted(answer->bytes, answer->length), .cause = lucky_cause(answer));
  EXPECT(address_equal(answer->from, server),
         .message = say("the answer%s comes from another address than the server's", to),
         .expected = address_text(server), .actual = address_text(answer->from),
         .cause = "answer through the socket that received the question");
}
