/* Waiting for a line of a program's. */
#include "grader/sdk/inner.h"

#include "grader/base/language.h"

#include <stdarg.h>
#include <string.h>

struct line_wait {
  struct program *program;
  enum stream stream;
  const char *pattern;
  va_list *arguments;
  double time;
  size_t looked;
};

static bool line_is_there(void *context) {
  struct line_wait *wait = context;
  struct log *log = world_log(the_check.world);
  for (; wait->looked < log->count; wait->looked++) {
    const struct event *event = log->events[wait->looked];
    if (is_line_of(event, wait->program, wait->stream) &&
        line_matches_list(line_normalise(event->bytes, event->length), wait->pattern,
                          *wait->arguments, NULL)) {
      wait->time = (double)event->time_ns / 1e9;
      line_was_awaited(event);
      return true;
    }
  }
  return program_ended(wait->program, NULL);
}

/* The time of the line, or -1. */
static double line_wait(struct program *program, enum stream stream, double within,
                        const char *pattern, va_list *arguments) {
  struct line_wait wait = {
      .program = program, .stream = stream, .pattern = pattern, .arguments = arguments, .time = -1};
  run_until(now() + within, line_is_there, &wait);
  return wait.time;
}

static double line_expect(struct program *program, enum stream stream, double within,
                          const char *pattern, va_list *arguments) {
  double time = line_wait(program, stream, within, pattern, arguments);
  static const char *const where[] = {"", N_(" on stderr"), N_(" on stdout or stderr")};
  EXPECT(time >= 0,
         .message = say("%s did not print the line that is required%s", program_name(program),
                        where[stream]),
         .expected = pattern_text(pattern, *arguments, false), .actual = printed(program),
         .cause = line_cause(program, stream, pattern, *arguments));
  return time;
}

double expect_line(struct program *program, double within, const char *pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  double time = line_expect(program, STDOUT, within, pattern, &arguments);
  va_end(arguments);
  return time;
}

double expect_line_on(struct program *program, enum stream stream, double within,
                      const char *pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  double time = line_expect(program, stream, within, pattern, &arguments);
  va_end(arguments);
  return time;
}

double await_line(struct program *program, enum stream stream, double within, const char *pattern,
                  ...) {
  va_list arguments;
  va_start(arguments, pattern);
  double time = line_wait(program, stream, within, pattern, &arguments);
  va_end(arguments);
  return time;
}

bool says_timed_out(struct program *program, enum stream stream) {
  struct lines all = lines(program, stream);
  for (size_t i = 0; i < all.count; i++)
    if (strcasestr(all.list[i].text, "time out") || strcasestr(all.list[i].text, "timeout") ||
        strcasestr(all.list[i].text, "timed out"))
      return true;
  return false;
}
