/* The programs of the submission: starting, ending, and what is to be expected of an end. */
#include "grader/sdk/inner.h"

#include "grader/base/language.h"
#include "grader/world/diagnosis.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct program *start_with(struct host *host, const char *name, const char *const *arguments) {
  const char *missing = NULL;
  char *const *command = manifest_find(the_check.manifest, name, &missing);
  if (!command)
    check_error(say("the check starts %s, which it does not declare", name));
  size_t own = 0, more = 0;
  while (command[own])
    own++;
  while (arguments[1 + more]) /* the first is the name itself */
    more++;
  char **argv = scrap((own + more + 1) * sizeof *argv);
  memcpy(argv, command, own * sizeof *argv);
  memcpy(argv + own, arguments + 1, more * sizeof *argv);
  struct failure failure;
  struct program_spec spec = {.name = name,
                              .folder = manifest_folder(the_check.manifest),
                              .argv = argv,
                              .record_calls = the_check.record_calls,
                              .record_transfers = the_check.record_transfers,
                              .long_output = the_check.long_output};
  surroundings_give(&spec);
  struct program *program = program_start(host, &spec, &failure);
  if (!program)
    check_error(say("%s", failure.sentence));
  return program;
}

void record_calls(void) {
  the_check.record_calls = true;
}

const char *doing(struct program *program) {
  int status = 0;
  if (program_exec_error(program))
    return say("could not be executed: %s", strerror(program_exec_error(program)));
  if (!program_ended(program, &status)) {
    char *text = program_doing(program);
    const char *kept = scrap_text(text, strlen(text));
    free(text);
    return kept;
  }
  if (WIFSIGNALED(status))
    return say("was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return say("ended with exit status %d", WEXITSTATUS(status));
}

static bool has_ended(void *context) {
  return program_ended(context, NULL);
}

bool await_exit(struct program *program, double seconds) {
  enum { CPU_MOST_S = 20, SLICE_S = 5 };
  static const double ROUNDED = 1e-6;
  double until = now() + seconds;
  /* To ask for it costs system calls: only for a wait that may be long. */
  double cpu_most_s = seconds > SLICE_S ? cpu_seconds(program) + CPU_MOST_S : 0;
  for (;;) {
    double slice = now() + SLICE_S < until ? now() + SLICE_S : until;
    run_until(slice, has_ended, program);
    bool stands_still = now() < slice - ROUNDED;
    if (program_ended(program, NULL))
      return true;
    if (stands_still || slice == until || cpu_seconds(program) >= cpu_most_s)
      return false;
  }
}

double exit_time(const struct program *program) {
  struct log *log = world_log(the_check.world);
  for (size_t i = 0; i < log->count; i++)
    if (log->events[i]->kind == EVENT_EXIT && log->events[i]->program == program)
      return (double)log->events[i]->time_ns / 1e9;
  return -1;
}

int exit_status(const struct program *program) {
  int status = 0;
  if (!program_ended(program, &status))
    check_error("the check asks for the exit status of a program that runs");
  if (program_exec_error(program))
    return 127;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool printed_anything(struct program *program, enum stream stream) {
  if (stream == EITHER)
    return printed_anything(program, STDOUT) || printed_anything(program, STDERR);
  size_t length = 0;
  const uint8_t *output = program_output(program, (enum event_stream)stream, &length);
  for (size_t i = 0; i < length; i++)
    if (!isspace(output[i]))
      return true;
  return false;
}

void send_signal(struct program *program, int signal) {
  program_signal(program, signal);
}

void stop(struct program *program) {
  send_signal(program, SIGTERM);
  if (await_exit(program, 1))
    return;
  world_finding_add(the_check.world, "%s is still there 1 s after SIGTERM, and was killed",
                    program_name(program));
  kill_at_once(program);
}

void kill_at_once(struct program *program) {
  enum { PATIENCE_S = 5 };
  program_kill(program);
  if (!await_exit(program, PATIENCE_S))
    check_error(say("%s was killed, and is still there", program_name(program)));
  settle();
}

double cpu_seconds(struct program *program) {
  return (double)program_cpu_ns(program) / 1e9;
}

double own_cpu_seconds(void) {
  return (double)clock_kernel(CLOCK_THREAD_CPUTIME_ID) / 1e9;
}

static bool crashed(int status) {
  return status == -SIGSEGV || status == -SIGBUS || status == -SIGILL || status == -SIGFPE;
}

/* Whether the status is the number of bytes of something that it sent or got: of which a parent is
 * told the last eight bits. */
static bool is_length(int status) {
  struct frames all = frames_all();
  for (size_t i = 0; i < all.count; i++)
    if (all.list[i].length > 0 && (int)(all.list[i].length & 0xff) == status)
      return true;
  return false;
}

static const char *no_success_cause(struct program *program) {
  if (!program_ended(program, NULL))
    return say("it still waits for something: it %s", doing(program));
  int status = exit_status(program);
  if (crashed(status))
    return N_("the program crashed: run it under gdb, or build with -fsanitize=address");
  if (status < 0)
    return say("it %s", doing(program));
  if (printed_anything(program, STDERR))
    return N_("it ends as if something were wrong: what it says on stderr tells what");
  if (is_length(status))
    return say("%d is the number of bytes of something that it sent or got: does main() return a "
               "length? It must return 0",
               status);
  return say("does main() return another value than 0, or is exit() called with one? It was %d",
             status);
}

void expect_success(struct program *program, const char *what) {
  bool ended = program_ended(program, NULL);
  EXPECT(ended && exit_status(program) == 0, .message = say("%s does not end with status 0", what),
         .expected = "exit status 0",
         .actual =
             say("%s\n%s",
                 ended ? say("%s %s", program_name(program), doing(program)) : why_standing_still(),
                 printed(program)),
         .cause = no_success_cause(program));
}

/* Whether a line on stdout reads like a message on an error. */
static bool complains_on_stdout(struct program *program) {
  static const char *const words[] = {"error",   "fail",    "refused",   "cannot",    "can't",
                                      "unknown", "timeout", "time out",  "timed out", "not found",
                                      "no such", "invalid", "expecting", "not known"};
  struct lines all = lines(program, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
      if (strcasestr(all.list[i].text, words[k]))
        return true;
  return false;
}

void expect_failure_because(struct program *program, const char *what,
                            struct failure_causes causes) {
  enum { COMPUTES_FROM_S = 5 };
  const char *expected = causes.said ? "an exit status that is not 0"
                                     : "an exit status that is not 0, and a message on stderr";
  bool ended = program_ended(program, NULL);
  EXPECT(
      ended, .message = say("%s does not end", what), .expected = expected,
      .actual = say("%s\n%s", why_standing_still(), printed(program)),
      .cause =
          causes.still_runs ? causes.still_runs
          : cpu_seconds(program) > COMPUTES_FROM_S
              ? "it computes without an end, or asks again and again: is there a loop that nothing ends?"
              : say("it waits for something that never comes: it %s", doing(program)));
  int status = exit_status(program);
  EXPECT(
      !crashed(status), .message = say("%s crashes", what), .expected = expected,
      .actual = say("%s %s", program_name(program), doing(program)),
      .cause =
          causes.crashes
              ? causes.crashes
              : "is an error not looked for, and what it leaves behind (a null pointer) used? Run "
                "it under gdb, or build with -fsanitize=address");
  EXPECT(status != 0, .message = say("%s ends with status 0, as if all were well", what),
         .expected = expected,
         .actual = say("%s ended with exit status 0\n%s", program_name(program), printed(program)),
         .cause =
             causes.succeeds ? causes.succeeds
             : printed_anything(program, STDERR)
                 ? N_("the error is noticed, but main() returns 0 all the same: return "
                      "EXIT_FAILURE, or exit(1), behind the message")
                 : "the error is not noticed: does the program look at what its calls return?");
  EXPECT(causes.said || printed_anything(program, STDERR),
         .message = say("%s says nothing on stderr", what), .expected = expected,
         .actual = say("exit status %d, and stderr is empty\n%s", status, printed(program)),
         .cause =
             causes.silent ? causes.silent
             : complains_on_stdout(program)
                 ? N_("the message seems to be on stdout; errors go to stderr: fprintf(stderr, "
                      "…), perror(…), print(…, file=sys.stderr)")
                 : "it ends without a word: say what went wrong on stderr, with perror(…), "
                   "fprintf(stderr, …) or print(…, file=sys.stderr)");
}

void expect_failure(struct program *program, const char *what) {
  expect_failure_because(program, what, (struct failure_causes){0});
}

/* ---- lines ---- */

struct output output_of(struct program *program, enum stream stream) {
  settle();
  size_t length = 0;
  const uint8_t *bytes =
      program_output(program, stream == STDERR ? STREAM_STDERR : STREAM_STDOUT, &length);
  return (struct output){(const uint8_t *)scrap_text(bytes ? (const char *)bytes : "", length),
                         length};
}

const char *why_standing_still(void) {
  char *text = NULL;
  settle();
  world_standstill(the_check.world, &text);
  const char *kept = scrap_text(text, strlen(text));
  free(text);
  return kept;
}

bool is_mutual_send(void) {
  settle();
  return world_standstill(the_check.world, NULL) == STANDSTILL_MUTUAL_SEND;
}

bool is_line_of(const struct event *event, const struct program *program, enum stream stream) {
  return event->kind == EVENT_LINE && event->program == program &&
         (stream == EITHER || event->stream == (enum event_stream)stream);
}

struct lines lines(struct program *program, enum stream stream) {
  struct log *log = world_log(the_check.world);
  size_t count = 0;
  for (size_t i = 0; i < log->count; i++)
    count += is_line_of(log->events[i], program, stream);
  struct line *list = scrap((count + 1) * sizeof *list);
  size_t at = 0;
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = log->events[i];
    if (is_line_of(event, program, stream))
      list[at++] = (struct line){.text = line_normalise(event->bytes, event->length),
                                 .time = (double)event->time_ns / 1e9,
                                 .not_before = (double)event->not_before_ns / 1e9};
  }
  return (struct lines){list, count};
}
