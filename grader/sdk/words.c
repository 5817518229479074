/* Words for reports. */
#include "grader/sdk/inner.h"

#include "grader/base/memory.h"

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
  char *text = NULL;
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0)
    return "";
  const char *kept = scrap_text(text, (size_t)length);
  free(text);
  return kept;
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

const char *counted(size_t count, const char *thing) {
  return say("%zu %s%s", count, thing, count == 1 ? "" : "s");
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
  const char *err = some_lines(program, STDERR, "on stderr: ");
  if (!*out && !*err)
    return say("%s printed nothing", program_name(program));
  return say("%s%s%s", out, *out && *err ? "\n" : "", err);
}
