/* What client and server of this lab say to each other, and how the checks wait for it. */
#pragma once

#include "grader/sdk/wiregrade.h"

#include <stdlib.h>
#include <string.h>

enum { PORT = 60000, MESSAGE_SIZE = 16 };

#define REQUEST "1010101010101010"
#define RESPONSE "Request received"

/* For one step of a program; more than any right one needs. */
static const double PATIENCE = 20;

/* Whether it has printed a line with these words, anywhere and in whatever context. */
static inline bool has_printed(struct program *program, const char *words) {
  struct lines all = lines(program, EITHER);
  for (size_t i = 0; i < all.count; i++)
    if (strstr(all.list[i].text, words))
      return true;
  return false;
}

/* Whether it does so within PATIENCE. */
static inline bool prints_words(struct program *program, const char *words) {
  double until = now() + PATIENCE;
  while (!has_printed(program, words) && !await_exit(program, 0) && now() < until)
    pass(0.2);
  return has_printed(program, words);
}

/* The N of "Expecting 16 bytes but only N bytes received."; -1 if it says no such thing. */
static inline long told_count(struct program *program) {
  static const char words[] = "Expecting 16 bytes but only ";
  struct lines all = lines(program, EITHER);
  for (size_t i = 0; i < all.count; i++) {
    const char *found = strstr(all.list[i].text, words);
    if (found)
      return strtol(found + strlen(words), NULL, 10);
  }
  return -1;
}

static inline const char *early_end_cause(struct program *program, size_t received) {
  long told = told_count(program);
  if (told >= 0 && (size_t)told == MESSAGE_SIZE - received)
    return say("%ld is how many bytes did not come: those that came are to be told", told);
  if (told >= 0)
    return "the number is wrong: add up what all calls of recv() returned";
  if (has_printed(program, "Server responded") || has_printed(program, "Receiving request"))
    return "what has come by the end of the stream is taken for the whole: look whether it is 16 "
           "bytes";
  if (!await_exit(program, 0) && !strstr(doing(program), "accept"))
    return say("recv() returns 0 at the end of the stream, and it waits on: it %s", doing(program));
  if (printed_anything(program, STDERR))
    return "it tells of the end, but not in these words, with the number of bytes that came";
  return received == 0 ? "recv() returns 0 when the stream ends, also when nothing came before: "
                         "that is too little as well"
                       : "recv() returns 0 when the stream ends: nothing more will come, and less "
                         "than 16 bytes are there";
}

/* Ends the check unless the program says how many of the 16 bytes it got. */
static inline void expect_early_end(struct program *program, const char *name, size_t received) {
  const char *words = say("Expecting 16 bytes but only %zu bytes received.", received);
  EXPECT(prints_words(program, words),
         .message = say("%s does not say that only %zu of 16 bytes came", name, received),
         .expected = say("a line with “%s”", words), .actual = printed(program),
         .cause = early_end_cause(program, received));
}

/* Why a program that was stopped, and let go on, fails. */
static inline const char *stopped_cause(struct program *program) {
  struct output complaint = output_of(program, STDERR);
  if (memmem(complaint.bytes, complaint.length, "Interrupted", strlen("Interrupted")))
    return "SIGCONT made a call fail with EINTR, which is no error: call it again";
  if (told_count(program) >= 0)
    return "recv() returned less than it was asked for: with MSG_WAITALL it does so when the "
           "program is stopped; call it again until all is there";
  return "SIGCONT makes some calls fail with EINTR, and recv() with MSG_WAITALL return less than it "
         "was asked for: call them again";
}
