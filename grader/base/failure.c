#include "grader/base/failure.h"

#include "grader/base/language.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* At the end of what is there, if it fits; never the half of a character. */
static void sentence_add(struct failure *failure, const char *text) {
  size_t used = strlen(failure->sentence), room = sizeof failure->sentence - 1 - used;
  size_t length = strlen(text);
  if (length > room)
    for (length = room; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
      length--;
  memcpy(failure->sentence + used, text, length);
  failure->sentence[used + length] = '\0';
}

static void sentence_begin(struct failure *failure, const char *format, va_list arguments) {
  scoped_text char *words = language_format(format, arguments);
  failure->sentence[0] = '\0';
  sentence_add(failure, words);
}

int failure_set(struct failure *failure, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  sentence_begin(failure, format, arguments);
  va_end(arguments);
  return -1;
}

int failure_errno(struct failure *failure, const char *format, ...) {
  const char *why = language_text(strerror(errno));
  va_list arguments;
  va_start(arguments, format);
  sentence_begin(failure, format, arguments);
  va_end(arguments);
  sentence_add(failure, _(": "));
  sentence_add(failure, why);
  return -1;
}

int failure_prefix(struct failure *failure, const char *format, ...) {
  struct failure tail = *failure;
  va_list arguments;
  va_start(arguments, format);
  sentence_begin(failure, format, arguments);
  va_end(arguments);
  sentence_add(failure, _(": "));
  sentence_add(failure, tail.sentence);
  return -1;
}
