/* The likely cause that a line which a program should print is not there: chosen by what it printed
 * instead. */
#include "grader/sdk/inner.h"

#include "grader/base/language.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- lines that have their own place ---- */

struct awaited_line {
  struct awaited_line *next;
  const uint8_t *bytes; /* the event's: events may change their places, these do not */
};

void line_was_awaited(const struct event *line) {
  struct awaited_line *awaited = scrap(sizeof *awaited);
  *awaited = (struct awaited_line){the_check.awaited, line->bytes};
  the_check.awaited = awaited;
}

static bool was_awaited(const struct event *line) {
  for (const struct awaited_line *one = the_check.awaited; one; one = one->next)
    if (one->bytes == line->bytes)
      return true;
  return false;
}

/* ---- what is looked for, and where ---- */

struct search {
  struct program *program;
  enum stream stream;
  const char *pattern;
  va_list arguments;
};

/* What of the program's lines says something about one that is not there. */
struct candidates {
  const char **texts;
  size_t count;
};

/* The lines of the stream that nothing has waited for yet. */
static struct candidates candidates_of(struct search *search, enum stream stream) {
  const struct log *log = world_log(the_check.world);
  struct candidates found = {.texts = scrap((log->count + 1) * sizeof(char *))};
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = log->events[i];
    if (is_line_of(event, search->program, stream) && !was_awaited(event))
      found.texts[found.count++] = line_normalise(event->bytes, event->length);
  }
  return found;
}

/* What stands behind the stream's last newline. */
static const char *unfinished(struct search *search) {
  size_t length = 0;
  const uint8_t *output = program_output(
      search->program, search->stream == STDERR ? STREAM_STDERR : STREAM_STDOUT, &length);
  const uint8_t *newline = length ? memrchr(output, '\n', length) : NULL;
  const uint8_t *begin = newline ? newline + 1 : output;
  return line_normalise(begin, length - (size_t)(begin - output));
}

/* ---- rules, the surest first ---- */

static const char *other_stream_cause(struct search *search) {
  if (search->stream == EITHER)
    return NULL;
  struct candidates other = candidates_of(search, search->stream == STDOUT ? STDERR : STDOUT);
  for (size_t i = 0; i < other.count; i++)
    if (line_matches_list(other.texts[i], search->pattern, search->arguments, NULL))
      return search->stream == STDOUT ? N_("the line was written to stderr; it belongs on stdout")
                                      : N_("the line was written to stdout; it belongs on stderr");
  return NULL;
}

static const char *newline_cause(struct search *search) {
  const char *text = unfinished(search),
             *wanted = pattern_text(search->pattern, search->arguments, false);
  if (program_ended(search->program, NULL) || !*text)
    return NULL;
  if (line_matches_list(text, search->pattern, search->arguments, NULL) || strstr(text, wanted))
    return N_("the words are there, but the line is not finished: is the newline (\\n) at its end "
              "missing?");
  return NULL;
}

/* Whether an earlier line ends with these bytes too: what a longer text left behind. */
static bool is_left_over(struct search *search, const char *rest) {
  struct lines all = lines(search->program, search->stream);
  size_t length = strlen(rest), times = 0;
  for (size_t i = 0; i < all.count; i++) {
    size_t line = strlen(all.list[i].text);
    times += line >= length && strcmp(all.list[i].text + line - length, rest) == 0;
  }
  return times > 1;
}

/* TEXT is other than what was sent. */
static const char *text_cause(struct search *search, const struct line_values *values) {
  const char *text = scrap_text(values->text, values->length);
  size_t wanted = strlen(values->expected), seen = values->length;
  if (seen < wanted && strncmp(values->expected, text, seen) == 0)
    return seen == 0
               ? N_("the text is missing: it was printed empty")
               : say("the text is cut after %s of %zu: is the buffer too small, or was only a part "
                     "of it read?",
                     counted(seen, "byte"), wanted);
  if (seen > wanted && strncmp(values->expected, text, wanted) == 0) {
    const char *rest = text + wanted;
    if (is_left_over(search, rest))
      return say(
          "behind the text stands what a longer one before has left in the buffer, %s: print "
          "as many bytes as were received, and not up to a NUL that nobody sent",
          quoted(rest, strlen(rest)));
    return say("behind the text stands more than was sent: %s", quoted(rest, strlen(rest)));
  }
  return words_cause(values->expected, text);
}

/* A line has the words, but other values in them. The latest such line is meant. */
static const char *values_cause(struct search *search, const struct candidates *lines) {
  for (size_t i = lines->count; i-- > 0;) {
    struct line_values values = {0};
    if (!line_matches_list(lines->texts[i], search->pattern, search->arguments, &values))
      continue;
    if (values.address_is_wrong)
      return address_cause(values.wanted, values.shown);
    if (values.expected)
      return text_cause(search, &values);
  }
  return NULL;
}

/* The line that has most in common with what is wanted, and what differs. */
static const char *nearest_cause(const char *wanted, const struct candidates *lines) {
  const char *cause = NULL, *nearest = NULL;
  size_t most = 0;
  for (size_t i = 0; i < lines->count; i++) {
    size_t shared = words_in_common(wanted, lines->texts[i]);
    const char *difference = shared > most ? words_cause(wanted, lines->texts[i]) : NULL;
    if (!difference)
      continue;
    most = shared;
    cause = difference;
    nearest = lines->texts[i];
  }
  return cause ? say("the line \"%.80s\" is almost right: %s", nearest, cause) : NULL;
}

/* It sent something when its last line had been printed, or in the same instant (a terminal is read
 * a little after what is on the wire): it came past the place where this line belongs. */
static const char *buffer_cause(struct search *search) {
  enum { INSTANT_NS = 5 * MILLISECONDS };
  const struct log *log = world_log(the_check.world);
  struct host *host = program_host(search->program);
  int64_t last_line = 0, last_sent = -1;
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = log->events[i];
    if (is_line_of(event, search->program, EITHER))
      last_line = event->time_ns;
    if (event->kind == EVENT_FRAME && event->host == host && event->length > 0 &&
        event->protocol != IPPROTO_ICMP && !peer_at(host, address_from_socket(&event->source)))
      last_sent = event->time_ns;
  }
  if (program_ended(search->program, NULL))
    return exit_status(search->program) == 0 ? N_("it ended well without it: is it printed at all?")
                                             : NULL;
  if (last_sent < 0 || last_sent + INSTANT_NS < last_line)
    return NULL;
  return N_("it went on without printing it: is it printed, and is the newline (\\n) missing? Text "
            "without one stays in the program's buffer");
}

static bool is_served_port(const struct program *program, int port) {
  for (size_t i = 0; i < the_check.served_count; i++)
    if (the_check.served[i].program == program && the_check.served[i].address.port == port)
      return true;
  return false;
}

/* A server that has connected its socket, and was last asked by somebody else. */
static const char *connected_cause(struct program *program) {
  struct address peer = udp_connected_to(program);
  if (peer.port == 0)
    return NULL;
  struct frames all = frames_all();
  for (size_t i = all.count; i-- > 0;)
    if (all.list[i].protocol == IPPROTO_UDP &&
        is_served_port(program, all.list[i].destination.port))
      return address_equal(all.list[i].source, peer) ? NULL : silence_cause(program);
  return NULL;
}

const char *line_cause(struct program *program, enum stream stream, const char *pattern,
                       va_list list) {
  struct search search = {.program = program, .stream = stream, .pattern = pattern};
  va_copy(search.arguments, list);
  struct candidates lines = candidates_of(&search, stream);
  const char *cause = other_stream_cause(&search);
  if (!cause)
    cause = newline_cause(&search);
  if (!cause)
    cause = values_cause(&search, &lines);
  for (int pairs = 0; pairs < 2 && !cause; pairs++)
    cause = nearest_cause(pattern_text(pattern, search.arguments, pairs), &lines);
  if (!cause)
    cause = connected_cause(program);
  if (!cause)
    cause = buffer_cause(&search);
  if (!cause)
    cause = silence_cause(program);
  va_end(search.arguments);
  return cause;
}

const char *missing_line_cause(struct program *program, enum stream stream, const char *pattern,
                               ...) {
  va_list arguments;
  va_start(arguments, pattern);
  const char *cause = line_cause(program, stream, pattern, arguments);
  va_end(arguments);
  return cause;
}
