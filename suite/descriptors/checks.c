/* descriptors: what a program calls its sockets, and what the kernel does. */
#define LAB descriptors
#include "grader/sdk/wiregrade.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PATIENCE = 10 };

/* A whole number, and nothing else. */
static bool is_integer(const char *text, long *value) {
  char *end = NULL;
  *value = strtol(text, &end, 10);
  return (isdigit((unsigned char)text[0]) || text[0] == '-') && end > text && *end == '\0';
}

CHECK(prints_three_lines, "descriptors.1", "descriptors") {
  struct program *descriptors = start("descriptors");
  await_exit(descriptors, PATIENCE);
  struct lines seen = lines(descriptors, STDOUT);
  long first = -1, second = -1, third = 0;
  bool good = seen.count == 3 && is_integer(seen.list[0].text, &first) &&
              is_integer(seen.list[1].text, &second) && is_integer(seen.list[2].text, &third);
  EXPECT(good && first >= 0 && second >= 0 && first != second && third == -1,
         .message = "descriptors does not print the three lines, and nothing else",
         .expected = "two different integers that are not negative, and -1, one a line",
         .actual = printed(descriptors),
         .cause = good && third >= 0
                      ? "close() does not change the variable that holds the number: print -1"
                  : good && first == second && first >= 0
                      ? "the first was closed, or never kept, before the second was created"
                      : NULL);
  expect_success(descriptors, "descriptors");
}

/* ---- what the kernel saw ---- */

static bool holds_number(const char *text, long number) {
  while (*text) {
    char *end = NULL;
    if (!isdigit((unsigned char)*text)) {
      text++;
      continue;
    }
    if (strtol(text, &end, 10) == number)
      return true;
    text = end;
  }
  return false;
}

/* Whether these are the two numbers that are not negative, in any order. If they do not stand on
 * lines of their own, which is another requirement's business, they must be somewhere. */
static bool prints_both(struct program *program, long one, long other) {
  struct lines all = lines(program, STDOUT);
  long numbers[2];
  size_t count = 0;
  for (size_t i = 0; i < all.count && count < 2; i++)
    count += is_integer(all.list[i].text, &numbers[count]) && numbers[count] >= 0;
  if (count == 2)
    return (numbers[0] == one && numbers[1] == other) || (numbers[0] == other && numbers[1] == one);
  const char *text = (const char *)output_of(program, STDOUT).bytes;
  return holds_number(text, one) && holds_number(text, other);
}

/* The call that closes it; NULL if there is none. */
static const struct socket_call *closing_of(struct socket_calls calls, size_t created) {
  for (size_t i = created + 1; i < calls.count; i++)
    if (!calls.list[i].created && calls.list[i].socket == calls.list[created].socket)
      return &calls.list[i];
  return NULL;
}

/* Sockets that a language or a library makes for itself and closes at once (to ask a daemon for
 * names, to find out whether there is IPv6) are none of the three. */
static bool is_passing(struct socket_calls calls, size_t created) {
  return created + 1 < calls.count && !calls.list[created + 1].created &&
         calls.list[created + 1].socket == calls.list[created].socket;
}

/* The first socket from that call on that was created, and to stay; calls.count if there is none.
 */
static size_t next_socket(struct socket_calls calls, size_t from) {
  while (from < calls.count &&
         (!calls.list[from].created || calls.list[from].error || is_passing(calls, from)))
    from++;
  return from;
}

static size_t next_socket_of_any_kind(struct socket_calls calls, size_t from) {
  while (from < calls.count && (!calls.list[from].created || calls.list[from].error))
    from++;
  return from;
}

static const char *calls_text(struct socket_calls calls) {
  const char *text = "";
  for (size_t i = 0; i < calls.count; i++) {
    const struct socket_call *call = &calls.list[i];
    text = say("%s%s%s", text, *text ? ", " : "",
               !call->created ? say("close(%d)", call->fd)
               : call->error  ? say("socket() failed: %s", strerror(call->error))
                              : say("socket() returned %d", call->fd));
  }
  return *text ? text : "no socket was created";
}

/* With descriptors that are taken, 3 and 4 are not the likely numbers any more. */
static void expect_true_descriptors(int taken) {
  more_descriptors(taken);
  record_calls();
  struct program *descriptors = start("descriptors");
  await_exit(descriptors, PATIENCE);
  struct socket_calls calls = socket_calls_of(descriptors);
  size_t first = next_socket(calls, 0), second = next_socket(calls, first + 1);
  EXPECT(second < calls.count, .message = "descriptors does not create three sockets",
         .expected = "three calls of socket()", .actual = calls_text(calls));
  int fds[2] = {calls.list[first].fd, calls.list[second].fd};
  EXPECT(prints_both(descriptors, fds[0], fds[1]),
         .message = "descriptors does not print what the kernel returned for the first two sockets",
         .expected = say("%d and %d", fds[0], fds[1]),
         .actual = say("%s\n%s", printed(descriptors), calls_text(calls)),
         .cause = taken && prints_both(descriptors, 3, 4)
                      ? "3 and 4 stand in the program; here they were taken already"
                      : NULL);
  size_t third = next_socket_of_any_kind(calls, second + 1);
  EXPECT(third < calls.count, .message = "descriptors does not create a third socket",
         .expected = "three calls of socket()", .actual = calls_text(calls),
         .cause = "-1 must be what is left of a socket that there was");
  const struct socket_call *closing = closing_of(calls, third);
  EXPECT(closing, .message = "descriptors does not close the third socket",
         .expected = say("close(%d), after the third socket() returned it", calls.list[third].fd),
         .actual = calls_text(calls),
         .cause = "shutdown(), or the end of the program, is not close()");
  /* An interpreter closes at its end what the program has left open. */
  struct lines shown = lines(descriptors, STDOUT);
  EXPECT(shown.count == 0 || closing->time <= shown.list[shown.count - 1].time,
         .message = "descriptors closes the third socket only after it has printed all descriptors",
         .expected = say("close(%d), and then the last line", closing->fd),
         .actual = say("%s\n%s", printed(descriptors), calls_text(calls)),
         .cause = "shutdown(), or the end of the program, is not close()");
}

CHECK(prints_what_the_kernel_returned, "descriptors.2", "descriptors") {
  expect_true_descriptors(0);
  fresh_world();
  expect_true_descriptors(3);
}
