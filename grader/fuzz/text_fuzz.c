/* sdk/text.c and words.c: what a program printed, compared with what it was to print. */
#include "grader/fuzz/fuzz.h"
#include "grader/fuzz/sdk.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many languages print a text: each byte that is not a plain letter as \xHH. */
static char *escaped(const char *text) {
  char *out = memory_resize(NULL, 4 * strlen(text) + 1), *end = out;
  *out = '\0';
  for (; *text; text++)
    end +=
        sprintf(end,
                (unsigned char)*text < ' ' || strchr("\\\"'", *text) || (unsigned char)*text > '~'
                    ? "\\x%02x"
                    : "%c",
                (unsigned char)*text);
  return out;
}

static void check_same(const char *text) {
  FUZZ_HOLDS(text_equals(text, strlen(text), text));
  scoped_text char *other = escaped(text);
  FUZZ_HOLDS(text_equals(other, strlen(other), text));
  scoped_text char *in_quotes = memory_format("b'%s'", other);
  FUZZ_HOLDS(text_equals(in_quotes, strlen(in_quotes), text));
}

static void check_line(const char *line) {
  struct address address = {0};
  double number = 0;
  if (line_matches(line, "%A", &address))
    FUZZ_HOLDS(line_matches(line, "%a", &address));
  line_matches(line, "received %n bytes from %A: %t", &number, &address, "hello");
  line_matches(line, "%n", &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  fuzz_check();
  struct fuzz_input input = {bytes, length};
  size_t expected_length, printed_length;
  scoped_text char *expected = fuzz_piece(&input, &expected_length);
  scoped_text char *printed = (char *)fuzz_block(&input, input.left, &printed_length);
  const char *line = line_normalise((const uint8_t *)printed, printed_length);
  FUZZ_HOLDS(strlen(line) <= printed_length);
  check_line(line);
  text_equals(printed, printed_length, expected);
  check_same(expected);
  const char *words = quoted(printed, printed_length);
  FUZZ_HOLDS(fuzz_is_visible(words, strlen(words), false));
  words = difference(expected, expected_length, printed, printed_length);
  FUZZ_HOLDS(fuzz_is_visible(words, strlen(words), true));
  return 0;
}
