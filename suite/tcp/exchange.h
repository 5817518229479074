/* What client and server of this lab say to each other, and how the checks wait for it. */
#pragma once

#include "grader/sdk/wiregrade.h"

#include <string.h>

enum { PORT = 60000, MESSAGE_SIZE = 16 };

#define REQUEST "1010101010101010"
#define RESPONSE "Request received"

/* For one step of a program; more than any right one needs. */
static const double PATIENCE = 5;
/* For a response: a slow server need not bear that its client half-closes. */
static const double SLOW = 2;

/* Whether it prints a line with these words, anywhere and in whatever context, within 2 s. */
static inline bool prints_words(struct program *program, const char *words) {
  enum { TRIES = 20 };
  for (int i = 0; i <= TRIES; i++) {
    struct lines all = lines(program, EITHER);
    for (size_t k = 0; k < all.count; k++)
      if (strstr(all.list[k].text, words))
        return true;
    if (!await_exit(program, 0) && i < TRIES)
      pass(0.1);
  }
  return false;
}

/* Ends the check unless the program says how many of the 16 bytes it got. */
static inline void expect_early_end(struct program *program, const char *name, size_t received) {
  const char *words = say("Expecting 16 bytes but only %zu bytes received.", received);
  bool said = prints_words(program, words);
  bool other_count = !said && prints_words(program, "Expecting 16 bytes but only ");
  EXPECT(said, .message = say("%s does not say that only %zu of 16 bytes came", name, received),
         .expected = say("a line with “%s”", words), .actual = printed(program),
         .cause = other_count ? "the number is wrong: add up what all calls of recv() returned"
                  : received == 0
                      ? "recv() returns 0 when the stream ends, also when nothing came "
                        "before: that is too little as well"
                      : "recv() returns 0 when the stream ends: nothing more will come, "
                        "and less than 16 bytes are there");
}
