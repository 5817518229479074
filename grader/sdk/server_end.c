/* Servers run until they are told to end, and then they do. */
#include "grader/sdk/inner.h"

#include <signal.h>
#include <string.h>

static const char *never_ends_cause(struct program *server, const char *signal) {
  const char *what = doing(server);
  if (strstr(what, "sleep") && strstr(what, "nano"))
    return say("it sleeps: a handler of %s that waits, or cleans up for long, is not needed",
               signal);
  return say("is %s ignored, or caught by a handler that only takes notice of it? A program that "
             "does nothing about it is ended by the kernel",
             signal);
}

static bool await_no_process(struct program *server, double within) {
  enum { STEPS = 20 };
  for (int i = 0; i < STEPS && program_lives_on(server); i++)
    pass(within / STEPS);
  return !program_lives_on(server);
}

/* Whether it ends when nobody asks it for anything. For who never sleeps, the time that passes
 * would be as long in reality: that is not waited for. */
static bool ends_by_itself(struct program *server) {
  enum { CPU_MOST_S = 1, STEPS = 130 };
  static const double IDLE_IN_REALITY = 0.5, STEP = 0.5;
  if (the_check.clock == CLOCK_REAL)
    return await_exit(server, IDLE_IN_REALITY);
  double began = own_cpu_seconds() + cpu_seconds(server);
  for (int i = 0; i < STEPS && own_cpu_seconds() + cpu_seconds(server) < began + CPU_MOST_S; i++)
    if (await_exit(server, STEP))
      return true;
  return false;
}

/* That it is gone within 1 s of the signal, which it has been sent. `when`: ", …", or nothing. */
static void expect_gone(struct program *server, const char *signal, const char *when,
                        const char *cause) {
  const char *name = program_name(server);
  const char *expected = "it is gone within 1 s, with any status, and its children too";
  bool ended = await_exit(server, at_most(1));
  EXPECT(ended, .message = say("%s is still there 1 s after %s%s", name, signal, when),
         .expected = expected, .actual = say("it %s\n%s", doing(server), printed(server)),
         .cause = cause ? cause : never_ends_cause(server, signal));
  EXPECT(await_no_process(server, at_most(1)),
         .message = say("a child of %s is still there 1 s after %s%s", name, signal, when),
         .expected = expected, .actual = "the first process has ended, and another has not",
         .cause = cause
                      ? cause
                      : "end the children with it: does one ignore the signal, or has it left the "
                        "group of processes (setsid), as daemons do?");
}

void expect_runs_until_told(struct program *server) {
  const char *name = program_name(server);
  EXPECT(!ends_by_itself(server), .message = say("%s ends by itself", name),
         .expected = "it runs until SIGINT or SIGTERM",
         .actual = say("it %s\n%s", doing(server), printed(server)),
         .cause =
             exit_status(server) == 0
                 ? "it ended as if all were done: is there an end to its loop, or a limit to its "
                   "patience?"
                 : silence_cause(server));
  send_signal(server, SIGTERM);
  expect_gone(server, "SIGTERM", "", NULL);
}

/* Python's main thread ends by an exception, and then waits for the others, which still serve. It
 * has understood the signal; and "SIGINT or SIGTERM" may be read so that one of them will do. */
static bool has_understood(struct program *server) {
  struct output said = output_of(server, STDERR);
  static const char exception[] = "KeyboardInterrupt";
  return memmem(said.bytes, said.length, exception, strlen(exception)) != NULL;
}

void expect_ends_when_interrupted(struct program *server) {
  pass(1);
  send_signal(server, SIGINT);
  if (!await_exit(server, at_most(1)) && has_understood(server))
    return;
  expect_gone(server, "SIGINT", "", NULL);
}

void expect_ends_when_told(struct program *server, const char *when) {
  send_signal(server, SIGTERM);
  expect_gone(server, "SIGTERM", say(", sent %s", when),
              "is SIGTERM only noted down until the clients have gone? They may stay for ever: "
              "close their connections, or leave it to the kernel to end the program");
}
