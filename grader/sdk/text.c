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

/* The length of `u{7f}` if that is the point; 0 if it is not. */
static size_t braces_of(const char *printed, size_t left, unsigned point) {
  enum { DIGITS_MAX = 6 };
  unsigned value = 0;
  for (size_t digits = 1; digits <= DIGITS_MAX && digits + 2 < left; digits++)
    if (printed[0] == 'u' && printed[1] == '{' && printed[digits + 2] == '}')
      return hex_read(printed + 2, digits, &value) && value == point ? digits + 3 : 0;
  return 0;
}

/* Whether `printed` is one escaped form of `point`, after its backslashes. Returns how much of it
 * that form takes. Letters, digits and spaces print: their numbers are no form of them. */
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
  if (point == ' ' || (point < 128 && isalnum((int)point)))
    return 0;
  size_t digits = printed[0] == 'x' ? 2 : printed[0] == 'u' ? 4 : printed[0] == 'U' ? 8 : 0;
  if (digits && left > digits && hex_read(printed + 1, digits, &value) && value == point)
    return 1 + digits;
  size_t braced = braces_of(printed, left, point); /* Rust's and JavaScript's \u{7f} */
  if (braced)
    return braced;
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
    if (point_length == 1)
      continue; /* it was that already: to try it again would take twice as long for each */
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

const char *address_read(const char *text, struct address *address) {
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

/* The TEXT at the end of a line, in front of `rest`, which is plain: as long as it can be. NULL if
 * `rest` does not stand there. */
static const char *text_end(const char *line, const char *rest) {
  size_t left = strlen(rest), length = strlen(line);
  return length >= left && strcmp(line + length - left, rest) == 0 ? line + length - left : NULL;
}

bool line_matches_list(const char *line, const char *pattern, va_list list,
                       struct line_values *values) {
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
    case 'a': {
      const struct address wanted = *va_arg(arguments, const struct address *);
      after = address_read(line, &seen);
      if (!after || address_equal(seen, wanted))
        break;
      if (!values)
        after = NULL;
      else if (!values->address_is_wrong)
        *values = (struct line_values){.address_is_wrong = true, .wanted = wanted, .shown = seen};
      break;
    }
    case 'A':
      after = address_read(line, va_arg(arguments, struct address *));
      break;
    case 'n':
      after = number_read(line, &number);
      *va_arg(arguments, double *) = number;
      break;
    case 't': {
      const char *expected = va_arg(arguments, const char *);
      after = text_end(line, pattern + 1);
      if (!after || text_equals(line, (size_t)(after - line), expected))
        break;
      if (!values)
        after = NULL;
      else if (!values->address_is_wrong && !values->expected)
        *values = (struct line_values){
            .expected = expected, .text = line, .length = (size_t)(after - line)};
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
  bool matches = line_matches_list(line, pattern, arguments, NULL);
  va_end(arguments);
  return matches;
}

/* An address as it is usually written, or as Python prints a pair. */
static const char *address_in_form(struct address address, bool pair) {
  const char *text = address_text(address), *colon = strchr(text, ':');
  return pair ? say("('%.*s', %s)", (int)(colon - text), text, colon + 1) : text;
}

const char *pattern_text(const char *pattern, va_list list, bool pairs) {
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
      fputs(address_in_form(*va_arg(arguments, const struct address *), pairs), out);
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
