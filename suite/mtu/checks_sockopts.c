/* mtu: sockopts, which reads a socket's options and sets them. */
#define LAB mtu
#include "grader/sdk/wiregrade.h"

#include "calls.h"

#include <netinet/in.h>
#include <string.h>

/* The first call of that kind on the socket, from the i-th call on; calls.count if there is none.
 */
static size_t next_call(struct option_calls calls, size_t i, uint64_t socket, bool set, int option,
                        long value) {
  while (i < calls.count &&
         !(is_call(&calls.list[i], set, SOL_SOCKET, option) && calls.list[i].socket == socket &&
           !calls.list[i].error && calls.list[i].value == value))
    i++;
  return i;
}

static bool was_switched_on(struct option_calls calls, int option) {
  for (size_t i = 0; i < calls.count; i++) {
    const struct option_call *call = &calls.list[i];
    if (!is_of_udp_socket(call))
      continue;
    size_t read = next_call(calls, i, call->socket, false, option, 0);
    size_t set = next_call(calls, read, call->socket, true, option, 1);
    if (next_call(calls, set, call->socket, false, option, 1) < calls.count)
      return true;
  }
  return false;
}

static void expect_switch(struct program *program, const char *name, int option) {
  struct option_calls calls = option_calls_of(program);
  EXPECT(was_switched_on(calls, option),
         .message = say("sockopts does not read %s, set it to 1 and read it again", name),
         .expected = say("getsockopt() of %s: 0, setsockopt() to 1, getsockopt(): 1, "
                         "all on one UDP socket",
                         name),
         .actual = calls_text(calls),
         .cause = "each number that is printed has to be what getsockopt() returned");
}

static size_t place_of(struct program *program, const char *line) {
  struct lines all = lines(program, STDOUT);
  size_t i = 0;
  while (i < all.count && strcmp(all.list[i].text, line) != 0)
    i++;
  return i;
}

/* Why the line about an option has other numbers: by what was set and read. */
static const char *switch_cause(struct program *program, int option, const char *line) {
  struct option_calls calls = option_calls_of(program);
  const struct option_call *set = NULL, *read = NULL;
  for (size_t i = 0; i < calls.count; i++) {
    const struct option_call *call = &calls.list[i];
    if (is_call(call, true, SOL_SOCKET, option) && !set)
      set = call;
    if (is_call(call, false, SOL_SOCKET, option) && !read)
      read = call;
  }
  if (read && !set)
    return "the option was read and never set: setsockopt(fd, SOL_SOCKET, …), to 1";
  if (read && set && read->socket != set->socket)
    return "the option was set on another socket than the one that it is read of";
  if (read && set && read->value != 0)
    return "the option was set before it was read for the first time: read, set, read again";
  return missing_line_cause(program, STDOUT, line);
}

static void expect_switch_line(struct program *program, const char *name, int option,
                               const char *line) {
  EXPECT(await_line(program, STDOUT, 0, line) >= 0,
         .message = say("sockopts does not print what %s is, before it is set and after", name),
         .expected = line, .actual = printed(program),
         .cause = switch_cause(program, option, line));
}

CHECK(sockopts_are_read_and_set, "mtu.5", "sockopts") {
  record_calls();
  struct program *program = start("sockopts");
  await_exit(program, PATIENCE);
  EXPECT(await_line(program, STDOUT, 0, "SO_TYPE 2") >= 0,
         .message = "sockopts does not print that the socket is a UDP socket",
         .expected = "SO_TYPE 2", .actual = printed(program),
         .cause = place_of(program, "SO_TYPE 1") < lines(program, STDOUT).count
                      ? "1 is SOCK_STREAM: that is a TCP socket; 2 is SOCK_DGRAM"
                      : missing_line_cause(program, STDOUT, "SO_TYPE 2"));
  expect_switch_line(program, "SO_BROADCAST", SO_BROADCAST, "SO_BROADCAST 0 1");
  expect_switch_line(program, "SO_DONTROUTE", SO_DONTROUTE, "SO_DONTROUTE 0 1");
  size_t type = place_of(program, "SO_TYPE 2");
  EXPECT(type < place_of(program, "SO_BROADCAST 0 1") &&
             type < place_of(program, "SO_DONTROUTE 0 1"),
         .message = "sockopts prints the lines in another order",
         .expected = "SO_TYPE 2\nSO_BROADCAST 0 1\nSO_DONTROUTE 0 1", .actual = printed(program),
         .cause = "SO_TYPE is to be the first line");
  struct option_calls calls = option_calls_of(program);
  bool type_read = false;
  for (size_t i = 0; i < calls.count; i++)
    type_read |= is_call(&calls.list[i], false, SOL_SOCKET, SO_TYPE) &&
                 is_of_udp_socket(&calls.list[i]) && !calls.list[i].error;
  EXPECT(type_read, .message = "sockopts does not read SO_TYPE of a UDP socket",
         .expected = "getsockopt() of SO_TYPE: 2 (SOCK_DGRAM)", .actual = calls_text(calls),
         .cause = "the 2 is printed without being read: getsockopt(fd, SOL_SOCKET, SO_TYPE, …)");
  expect_switch(program, "SO_BROADCAST", SO_BROADCAST);
  expect_switch(program, "SO_DONTROUTE", SO_DONTROUTE);
  expect_success(program, "sockopts");
}
