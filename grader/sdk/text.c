/* Comparing what a program printed with what it was to print: lines, addresses, and texts in any
 * quoting. */
#include "grader/sdk/inner.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines ---- */

const char *line_normalise(const uint8_t *bytes, size_t length) {
  /* A \r takes the cursor back, and what follows overwrites: what is longer stays visible. "\r\n"
   * overwrites nothing. */
  while (length > 0 && bytes[length - 1] == '\r')
    length--;
  char *visible = scrap(length + 1);
  size_t column = 0, width = 0;
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] == '\r') {
      column = 0;
      continue;
    }
    visible[column++] = (char)bytes[i];
    if (column > width)
      width = column;
  }
  while (width > 0 && isspace((unsigned char)visible[width - 1]))
    width--;
  visible[width] = '\0';
  return visible + strspn(visible, "\t ");
}

/* ---- TEXT ---- */

static size_t hex_read(const char *text, size_t digits, unsigned *value) {
  *value = 0;
  for (size_t i = 0; i < digits; i++) {
    if (!isxdigit((unsigned char)text[i]))
      return 0;
    char digit[2] = {text[i], '\0'};
    *value = *value * 16 + (unsigned)strtoul(digit, NULL, 16);
  }
  return digits;
}

/* Length of the UTF-8 sequence at `text` and its code point; 1 and the byte itself if it is none.
 */
static size_t code_point(const uint8_t *text, unsigned *point) {
  size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc2 ? 2 : 1;
  *point = text[0];
  if (length == 1)
    return 1;
  unsigned value = text[0] & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if ((text[i] & 0xc0) != 0x80)
      return 1;
    value = value << 6 | (text[i] & 0x3fu);
  }
  *point = value;
  return length;
}

/* Whether `printed` is one escaped form of `point`, after its backslashes. Returns how much of it
 * that form takes. */
static size_t escape_of(const char *printed, size_t left, unsigned point) {
  static const struct {
    char letter;
    unsigned point;
  } letters[] = {{'a', 7},  {'b', 8},  {'t', 9},   {'n', 10},  {'v', 11}, {'f', 12},
                 {'r', 13}, {'e', 27}, {'\\', 92}, {'\'', 39}, {'"', 34}, {'?', 63}};
  unsigned value = 0;
  if (left == 0)
    return 0;
  for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
    if (printed[0] == letters[i].letter && point == letters[i].point)
      return 1;
  size_t digits = printed[0] == 'x' ? 2 : printed[0] == 'u' ? 4 : printed[0] == 'U' ? 8 : 0;
  if (digits && left > digits && hex_read(printed + 1, digits, &value) && value == point)
    return 1 + digits;
  size_t octal = 0;
  value = 0;
  while (octal < 3 && octal < left && printed[octal] >= '0' && printed[octal] <= '7') {
    value = value * 8 + (unsigned)(printed[octal++] - '0');
    if (value == point &&
        (octal == 3 || octal == left || printed[octal] < '0' || printed[octal] > '7'))
      return octal;
  }
  return 0;
}

/* Backtracks over the few choices: raw, or escaped with one backslash or with two. */
static bool text_rest_equals(const char *printed, size_t left, const uint8_t *expected) {
  if (*expected == 0)
    return left == 0;
  if (left > 0 && (uint8_t)printed[0] == *expected &&
      text_rest_equals(printed + 1, left - 1, expected + 1))
    return true;
  if (left < 2 || printed[0] != '\\')
    return false;
  unsigned point = 0;
  size_t point_length = code_point(expected, &point);
  for (size_t slashes = 1; slashes <= 2 && slashes < left && printed[slashes - 1] == '\\';
       slashes++) {
    size_t used = escape_of(printed + slashes, left - slashes, point);
    if (used &&
        text_rest_equals(printed + slashes + used, left - slashes - used, expected + point_length))
      return true;
    used = escape_of(printed + slashes, left - slashes, *expected); /* each byte by itself */
    if (used && text_rest_equals(printed + slashes + used, left - slashes - used, expected + 1))
      return true;
  }
  return false;
}

bool text_equals(const char *printed, size_t length, const char *expected) {
  const uint8_t *bytes = (const uint8_t *)expected;
  if (text_rest_equals(printed, length, bytes))
    return true;
  if (length > 0 && printed[0] == 'b') {
    printed++;
    length--;
    if (text_rest_equals(printed, length, bytes))
      return true;
  }
  bool in_quotes =
      length >= 2 && (printed[0] == '\'' || printed[0] == '"') && printed[length - 1] == printed[0];
  return in_quotes && text_rest_equals(printed + 1, length - 2, bytes);
}

/* ---- addresses ---- */

static const char *skip_spaces(const char *text) {
  while (*text == ' ')
    text++;
  return text;
}

/* Reads a.b.c.d. */
static const char *ip_read(const char *text, uint32_t *ip) {
  *ip = 0;
  for (int i = 0; i < 4; i++) {
    if (i > 0 && *text++ != '.')
      return NULL;
    if (!isdigit((unsigned char)*text))
      return NULL;
    char *end = NULL;
    unsigned long part = strtoul(text, &end, 10);
    if (part > 255 || end - text > 3)
      return NULL;
    *ip = *ip << 8 | (uint32_t)part;
    text = end;
  }
  return text;
}

static const char *port_read(const char *text, uint16_t *port) {
  if (!isdigit((unsigned char)*text))
    return NULL;
  char *end = NULL;
  unsigned long value = strtoul(text, &end, 10);
  if (value > 65535 || end - text > 5)
    return NULL;
  *port = (uint16_t)value;
  return end;
}

/* Reads an address in either form; NULL if there is none. */
static const char *address_read(const char *text, struct address *address) {
  if (*text != '(') {
    text = ip_read(text, &address->ip);
    return text && *text == ':' ? port_read(text + 1, &address->port) : NULL;
  }
  text = skip_spaces(text + 1);
  char quote = '\0';
  if (*text == '\'' || *text == '"')
    quote = *text++;
  text = ip_read(text, &address->ip);
  if (!text || (quote && *text++ != quote))
    return NULL;
  text = skip_spaces(text);
  if (*text++ != ',')
    return NULL;
  text = port_read(skip_spaces(text), &address->port);
  if (!text)
    return NULL;
  text = skip_spaces(text);
  return *text == ')' ? text + 1 : NULL;
}

/* ---- patterns ---- */

static const char *number_read(const char *text, double *number) {
  if (!isdigit((unsigned char)text[0]) && !(text[0] == '.' && isdigit((unsigned char)text[1])))
    return NULL;
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
    return NULL;
  char *end = NULL;
  *number = strtod(text, &end);
  return end;
}

static bool line_matches_list(const char *line, const char *pattern, va_list list) {
  va_list arguments;
  va_copy(arguments, list);
  bool matches = true;
  for (; matches && *pattern; pattern++) {
    if (*pattern != '%') {
      matches = *line == *pattern;
      line += matches;
      continue;
    }
    pattern++;
    struct address seen = {0};
    const char *after = NULL;
    double number = 0;
    switch (*pattern) {
    case 'a':
      after = address_read(line, &seen);
      if (!address_equal(seen, *va_arg(arguments, const struct address *)))
        after = NULL;
      break;
    case 'A':
      after = address_read(line, va_arg(arguments, struct address *));
      break;
    case 'n':
      after = number_read(line, &number);
      *va_arg(arguments, double *) = number;
      break;
    case 't': /* as long as it can be: up to where the rest of the pattern, plain text, stands at
                 the end */
    {
      size_t rest = strlen(pattern + 1), length = strlen(line);
      const char *expected = va_arg(arguments, const char *);
      if (length >= rest && text_equals(line, length - rest, expected))
        after = line + length - rest;
      break;
    }
    default:
      after = *line == '%' ? line + 1 : NULL;
    }
    matches = after != NULL;
    line = after;
  }
  va_end(arguments);
  return matches && *line == '\0';
}

bool line_matches(const char *line, const char *pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  bool matches = line_matches_list(line, pattern, arguments);
  va_end(arguments);
  return matches;
}

/* The pattern as a person reads it, for `expected`. */
static const char *pattern_text(const char *pattern, va_list list) {
  va_list arguments;
  va_copy(arguments, list);
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  for (; *pattern; pattern++) {
    if (*pattern != '%') {
      fputc(*pattern, out);
      continue;
    }
    switch (*++pattern) {
    case 'a':
      fputs(address_text(*va_arg(arguments, const struct address *)), out);
      break;
    case 'A':
      (void)va_arg(arguments, struct address *);
      fputs("ADDRESS", out);
      break;
    case 'n':
      (void)va_arg(arguments, double *);
      fputs("NUMBER", out);
      break;
    case 't':
      fputs(va_arg(arguments, const char *), out);
      break;
    default:
      fputc('%', out);
    }
  }
  va_end(arguments);
  fclose(out);
  const char *kept = scrap_text(text, size);
  free(text);
  return kept;
}

/* ---- waiting for a line ---- */

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
                          *wait->arguments)) {
      wait->time = (double)event->time_ns / 1e9;
      return true;
    }
  }
  return program_ended(wait->program, NULL);
}

static const char *line_missing_cause(struct program *program, enum stream stream,
                                      const char *wanted) {
  struct lines all = lines(program, EITHER);
  size_t length = 0;
  const uint8_t *output = program_output(program, STREAM_STDERR, &length);
  if (stream == STDOUT && memmem(output, length, wanted, strlen(wanted)))
    return "the line was written to stderr; it belongs on stdout";
  output = program_output(program, STREAM_STDOUT, &length);
  if (stream == STDERR && memmem(output, length, wanted, strlen(wanted)))
    return "the line was written to stdout; it belongs on stderr";
  if (memmem(output, length, wanted, strlen(wanted)))
    return "the words are there, but not as a line of their own: is a newline missing, or something in front of it?";
  for (size_t i = 0; i < all.count; i++)
    if (strcasecmp(all.list[i].text, wanted) == 0)
      return "upper and lower case differ";
  return NULL;
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
  const char *wanted = pattern_text(pattern, *arguments);
  static const char *const where[] = {"", " on stderr", " on stdout or stderr"};
  EXPECT(time >= 0,
         .message = say("%s did not print the line that is required%s", program_name(program),
                        where[stream]),
         .expected = wanted, .actual = printed(program),
         .cause = line_missing_cause(program, stream, wanted));
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
