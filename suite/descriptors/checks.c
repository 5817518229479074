/* descriptors: what a program calls its sockets, and what the kernel does. */
#define LAB descriptors
#include "grader/sdk/wiregrade.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PATIENCE = 60, SOCKETS_OF_THE_PROGRAM = 3 };

/* A whole number, and nothing else. */
static bool is_integer(const char *text, long *value) {
  char *end = NULL;
  *value = strtol(text, &end, 10);
  return (isdigit((unsigned char)text[0]) || text[0] == '-') && end > text && *end == '\0';
}

/* Why these are not the three lines. */
static const char *lines_cause(struct lines seen) {
  enum { LINES = 3 };
  long numbers[LINES] = {0};
  size_t count = 0;
  for (size_t i = 0; i < seen.count && i < LINES; i++)
    count += is_integer(seen.list[i].text, &numbers[i]);
  if (seen.count == 1 && strpbrk(seen.list[0].text, " ,\t"))
    return "all stand on one line: print a newline after each";
  if (seen.count > LINES)
    return "exactly three lines: no heading, nothing else";
  if (seen.count == 2 && count == 2)
    return "the closed socket gets a line too: its number is -1 now";
  if (seen.count == LINES && count == 2)
    return "the closed socket is shown by a number as well: -1";
  if (seen.count == LINES && count == 0)
    return "a line is the number alone: no word beside it";
  if (count < LINES)
    return NULL;
  if (numbers[0] == -1 && numbers[1] == -1)
    return "more than one is shown as closed: only the third socket is to be closed";
  if (numbers[0] == -1 || numbers[1] == -1)
    return "it is the third socket that is closed, so -1 comes last";
  if (numbers[2] >= 0)
    return "close() does not change the variable that holds the number: print -1";
  return numbers[0] == numbers[1] ? "the same number twice: is the first printed twice, or was it "
                                    "closed before the second was created?"
                                  : NULL;
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
         .actual = printed(descriptors), .cause = lines_cause(seen));
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

/* The call that closes it, and not a duplicate of it; NULL if there is none. */
static const struct socket_call *closing_of(struct socket_calls calls, size_t created) {
  if (!calls.list[created].created || calls.list[created].error)
    return NULL;
  for (size_t i = created + 1; i < calls.count; i++)
    if (!calls.list[i].created && calls.list[i].socket == calls.list[created].socket &&
        calls.list[i].fd == calls.list[created].fd)
      return &calls.list[i];
  return NULL;
}

/* Where all sockets are closed again that were created from that call on; calls.count if that is
 * never so. */
static size_t end_of_group(struct socket_calls calls, size_t from) {
  size_t open = 0;
  for (size_t i = from; i < calls.count; i++) {
    open += calls.list[i].created && !calls.list[i].error;
    for (size_t k = from; k < i && !calls.list[i].created; k++)
      if (closing_of(calls, k) == &calls.list[i])
        open--;
    if (open == 0)
      return i;
  }
  return calls.count;
}

static size_t count_created(struct socket_calls calls, size_t from) {
  size_t created = 0;
  for (size_t i = from; i < calls.count; i++)
    created += calls.list[i].created && !calls.list[i].error;
  return created;
}

/* Sockets that a language or a library makes for itself and closes (to ask a daemon for names, to
 * find out whether there is IPv6) are none of the three. One is closed at once; several together
 * come before the three: else they may be the three, closed at the end. */
static bool is_passing(struct socket_calls calls, size_t created) {
  size_t end = end_of_group(calls, created);
  return end < calls.count &&
         (end == created + 1 || count_created(calls, end + 1) >= SOCKETS_OF_THE_PROGRAM);
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

/* The number of the socket that socket() returned as `fd`: 1 for the first; 0 if there is none. */
static size_t number_of_socket(struct socket_calls calls, long fd) {
  size_t number = 0;
  for (size_t i = next_socket_of_any_kind(calls, 0); i < calls.count;
       i = next_socket_of_any_kind(calls, i + 1)) {
    number++;
    if (calls.list[i].fd == fd)
      return number;
  }
  return 0;
}

/* Why the numbers are not those of the first two sockets. */
static const char *numbers_cause(struct program *descriptors, struct socket_calls calls,
                                 bool taken) {
  struct lines seen = lines(descriptors, STDOUT);
  long numbers[2];
  size_t count = 0;
  for (size_t i = 0; i < seen.count && count < 2; i++)
    count += is_integer(seen.list[i].text, &numbers[count]) && numbers[count] >= 0;
  if (taken && prints_both(descriptors, 3, 4))
    return "3 and 4 stand in the program; here they were taken already";
  if (count < 2)
    return count == 0 && seen.count > 0 ? "no number of a socket that is still open is printed"
                                        : NULL;
  if (numbers[0] == numbers[1])
    return say("%ld is printed twice; each socket has a number of its own", numbers[0]);
  if (prints_both(descriptors, 0, 1))
    return "0 and 1 are places in an array, or stdin and stdout: print what socket() returned";
  size_t first = number_of_socket(calls, numbers[0]), second = number_of_socket(calls, numbers[1]);
  if (first && second)
    return "these are sockets, but not the first two: it is the third that is to be closed";
  return say("no socket() returned %ld: a duplicate, made by dup(), has another number",
             first ? numbers[1] : numbers[0]);
}

/* Why the third socket is not closed. */
static const char *not_closed_cause(struct socket_calls calls) {
  for (size_t i = 0; i < calls.count; i++)
    if (!calls.list[i].created)
      return say("close(%d) closes socket number %zu, not the third", calls.list[i].fd,
                 number_of_socket(calls, calls.list[i].fd));
  return "close() is not called: shutdown(), or the end of the program, is not the same";
}

/* Why there is no third socket. */
static const char *no_third_cause(struct socket_calls calls, size_t second) {
  for (size_t i = second + 1; i < calls.count; i++)
    if (calls.list[i].created && calls.list[i].error)
      return say("the third socket() failed: %s; look at what it returns",
                 strerror(calls.list[i].error));
  return "only two are created; -1 must be what is left of a third that there was";
}

/* A pair is two sockets; but a language may have one for itself (Python's asyncio). Which is meant
 * the program shows. */
static struct socket_calls calls_meant(struct program *program) {
  struct socket_calls calls = socket_calls_of(program);
  size_t first = next_socket(calls, 0), second = next_socket(calls, first + 1);
  bool shown =
      second < calls.count && prints_both(program, calls.list[first].fd, calls.list[second].fd);
  return shown ? calls : without_pairs(calls);
}

/* With descriptors that are taken, 3 and 4 are not the likely numbers any more. */
static void expect_true_descriptors(int taken) {
  more_descriptors(taken);
  record_calls();
  struct program *descriptors = start("descriptors");
  await_exit(descriptors, PATIENCE);
  struct socket_calls calls = calls_meant(descriptors);
  size_t first = next_socket(calls, 0), second = next_socket(calls, first + 1);
  EXPECT(second < calls.count, .message = "descriptors does not create three sockets",
         .expected = "three calls of socket()", .actual = calls_text(calls),
         .cause = calls.count == 0
                      ? "socket() is never called: are the numbers printed those of files?"
                      : NULL);
  int fds[2] = {calls.list[first].fd, calls.list[second].fd};
  EXPECT(prints_both(descriptors, fds[0], fds[1]),
         .message = "descriptors does not print what the kernel returned for the first two sockets",
         .expected = say("%d and %d", fds[0], fds[1]),
         .actual = say("%s\n%s", printed(descriptors), calls_text(calls)),
         .cause = numbers_cause(descriptors, calls, taken > 0));
  size_t third = next_socket_of_any_kind(calls, second + 1);
  EXPECT(third < calls.count, .message = "descriptors does not create a third socket",
         .expected = "three calls of socket()", .actual = calls_text(calls),
         .cause = no_third_cause(calls, second));
  const struct socket_call *closing = closing_of(calls, third);
  EXPECT(closing, .message = "descriptors does not close the third socket",
         .expected = say("close(%d), after the third socket() returned it", calls.list[third].fd),
         .actual = calls_text(calls), .cause = not_closed_cause(calls));
  /* Whoever closes it behind the last line has closed it, too. But an interpreter closes at its end
   * what the program has left open: then all of them. */
  bool others_stay = !closing_of(calls, first) && !closing_of(calls, second);
  struct lines shown = lines(descriptors, STDOUT);
  EXPECT(others_stay || shown.count == 0 || closing->time <= shown.list[shown.count - 1].time,
         .message =
             "descriptors closes the third socket only with the others, after it has printed "
             "all descriptors",
         .expected = say("close(%d), and then the last line", closing->fd),
         .actual = say("%s\n%s", printed(descriptors), calls_text(calls)),
         .cause = "-1 is printed while the socket is still open: is close() left to the end of the "
                  "program?");
}

CHECK(prints_what_the_kernel_returned, "descriptors.2", "descriptors") {
  expect_true_descriptors(0);
  fresh_world();
  expect_true_descriptors(3);
}
