/* The programs of the submission: starting, ending, and what is to be expected of an end. */
#include "grader/sdk/inner.h"
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
  run_until(now() + seconds, has_ended, program);
  return program_ended(program, NULL);
}

double exit_time(const struct program *program) {
  struct log *log = world_log(the_check.world);
  for (size_t i = 0; i < log->count; i++)
    if (log->events[i].kind == EVENT_EXIT && log->events[i].program == program)
      return (double)log->events[i].time_ns / 1e9;
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
  if (!await_exit(program, 1))
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

static bool crashed(int status) {
  return status == -SIGSEGV || status == -SIGBUS || status == -SIGILL || status == -SIGFPE;
}

void expect_success(struct program *program, const char *what) {
  bool ended = program_ended(program, NULL);
  EXPECT(ended && exit_status(program) == 0, .message = say("%s does not end with status 0", what),
         .expected = "exit status 0",
         .actual =
             say("%s\n%s",
                 ended ? say("%s %s", program_name(program), doing(program)) : why_standing_still(),
                 printed(program)),
         .cause = !ended ? "it still waits for something; see what it is doing"
                  : crashed(exit_status(program))
                      ? "the program crashed: run it under gdb, or build with -fsanitize=address"
                      : "main returns another value, or exit() is called with one");
}

/* What failed to fail: each has its usual cause, if the check knows no better one. */
void expect_failure_because(struct program *program, const char *what,
                            struct failure_causes causes) {
  static const char required[] = "an exit status that is not 0, and a message on stderr";
  bool ended = program_ended(program, NULL);
  EXPECT(ended, .message = say("%s does not end", what), .expected = required,
         .actual = say("%s\n%s", why_standing_still(), printed(program)),
         .cause =
             causes.still_runs ? causes.still_runs : "it waits for something that never comes");
  int status = exit_status(program);
  EXPECT(!crashed(status), .message = say("%s crashes", what), .expected = required,
         .actual = say("%s %s", program_name(program), doing(program)),
         .cause = causes.crashes ? causes.crashes
                                 : "run it under gdb, or build with -fsanitize=address");
  bool complains = printed_anything(program, STDERR);
  EXPECT(
      status != 0, .message = say("%s ends with status 0, as if all were well", what),
      .expected = required,
      .actual = say("%s ended with exit status 0\n%s", program_name(program), printed(program)),
      .cause =
          causes.succeeds ? causes.succeeds
          : complains
              ? "the message is printed, but the status is that of success: exit(EXIT_FAILURE) after it"
              : "the error is noticed nowhere, or exit(0) follows it");
  EXPECT(
      complains, .message = say("%s says nothing on stderr", what), .expected = required,
      .actual = say("exit status %d, and stderr is empty\n%s", status, printed(program)),
      .cause =
          printed_anything(program, STDOUT)
              ? "messages on errors go to stderr, not to stdout: fprintf(stderr, …), perror(…), print(…, file=sys.stderr)"
              : "the status alone does not say what went wrong: print that on stderr, with fprintf(stderr, …), perror(…) or print(…, file=sys.stderr)");
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
    count += is_line_of(&log->events[i], program, stream);
  struct line *list = scrap((count + 1) * sizeof *list);
  size_t at = 0;
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = &log->events[i];
    if (is_line_of(event, program, stream))
      list[at++] = (struct line){.text = line_normalise(event->bytes, event->length),
                                 .time = (double)event->time_ns / 1e9};
  }
  return (struct lines){list, count};
}
