/* Words for reports. */
#include "grader/sdk/inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *scrap(size_t size) {
  struct scrap *block = memory_zeroed(1, sizeof *block + size);
  block->next = the_check.scraps;
  the_check.scraps = block;
  return block->memory;
}

const char *scrap_text(const char *text, size_t length) {
  char *copy = scrap(length + 1);
  memcpy(copy, text, length);
  return copy;
}

const char *say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  scoped_text char *text = language_format(format, arguments);
  va_end(arguments);
  return scrap_text(text, strlen(text));
}

const char *quoted(const void *bytes, size_t length) {
  enum { SHOWN = 60 };
  const uint8_t *byte = bytes;
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  fputc('"', out);
  for (size_t i = 0; i < length && i < SHOWN; i++) {
    if (byte[i] == '"' || byte[i] == '\\')
      fprintf(out, "\\%c", byte[i]);
    else if (byte[i] == '\n')
      fputs("\\n", out);
    else if (byte[i] < ' ' || byte[i] >= 127)
      fprintf(out, "\\x%02x", byte[i]);
    else
      fputc(byte[i], out);
  }
  fputs(length > SHOWN ? "\"…" : "\"", out);
  fprintf(out, " (%s)", counted(length, "byte"));
  fclose(out);
  const char *kept = scrap_text(text, size);
  free(text);
  return kept;
}

/* One line of a hex dump: offset, up to 12 bytes, and the same as text. `mark`: a byte whose place
 * is marked in a line below; SIZE_MAX: none. */
static const char *dump_line(const uint8_t *bytes, size_t length, size_t offset, size_t mark) {
  enum { WIDTH = 12 };
  const char *hex = "", *text = "";
  for (size_t i = 0; i < WIDTH; i++) {
    bool there = offset + i < length;
    uint8_t byte = there ? bytes[offset + i] : 0;
    hex = there ? say("%s %02x", hex, byte) : say("%s   ", hex);
    if (there)
      text = say("%s%c", text, byte >= ' ' && byte < 127 ? byte : '.');
  }
  const char *line = say("  %6zu %s  %s", offset, hex, text);
  if (mark < offset || mark >= offset + WIDTH)
    return line;
  size_t column = mark - offset;
  return say("%s\n%*s^^%*s^", line, (int)(10 + 3 * column), "",
             (int)(3 * (WIDTH - column) - 1 + column), "");
}

const char *difference(const void *expected, size_t expected_length, const void *actual,
                       size_t actual_length) {
  enum { WIDTH = 12 };
  const uint8_t *left = expected, *right = actual;
  size_t first = 0;
  while (first < expected_length && first < actual_length && left[first] == right[first])
    first++;
  if (first == expected_length && first == actual_length)
    return say("the same %s", counted(actual_length, "byte"));
  const char *what =
      first == actual_length ? say("ends after %s of %zu", counted(first, "byte"), expected_length)
      : first == expected_length
          ? say("has %s more than %zu", counted(actual_length - first, "byte"), expected_length)
          : say("differs from byte %zu on (counted from 0)", first);
  size_t offset = first / WIDTH * WIDTH;
  const char *text = say("what came %s:\n%s", what,
                         first < actual_length ? dump_line(right, actual_length, offset, first)
                                               : dump_line(right, actual_length, offset, SIZE_MAX));
  if (first < expected_length)
    text = say("%s\nwhere there should be:\n%s", text,
               dump_line(left, expected_length, offset, SIZE_MAX));
  return text;
}

const char *counted(size_t count, const char *thing) {
  bool plural = count != 1 && language_is_english();
  return say("%zu %s%s", count, thing, plural ? "s" : "");
}

static const char *some_lines(struct program *program, enum stream stream, const char *heading) {
  enum { SHOWN = 6 };
  struct lines all = lines(program, stream);
  size_t length = 0;
  const uint8_t *output = program_output(program, (enum event_stream)stream, &length);
  const char *text = "";
  for (size_t i = 0; i < all.count && i < SHOWN; i++)
    text = say("%s%s%.200s", text, i ? "\n" : heading, all.list[i].text);
  if (all.count > SHOWN)
    text = say("%s\n(and %zu more)", text, all.count - SHOWN);
  if (all.count == 0 && length > 0)
    text = say("%s%s, without a newline", heading, quoted(output, length));
  return text;
}

const char *printed(struct program *program) {
  const char *out = some_lines(program, STDOUT, "");
  const char *err = some_lines(program, STDERR, _("on stderr: "));
  if (!*out && !*err)
    return say("%s printed nothing", program_name(program));
  return say("%s%s%s", out, *out && *err ? "\n" : "", err);
}
