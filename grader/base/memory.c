#include "grader/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_GRADER_ERROR = 3 };

static void *memory_checked(void *block) {
  if (!block) {
    fputs("wiregrade: out of memory\n", stderr);
    exit(STATUS_GRADER_ERROR);
  }
  return block;
}

void *memory_resize(void *block, size_t size) {
  return memory_checked(realloc(block, size ? size : 1));
}

void *memory_zeroed(size_t count, size_t size) {
  return memory_checked(calloc(count ? count : 1, size ? size : 1));
}

char *memory_text(const char *text) {
  return memory_checked(strdup(text));
}

char *memory_format(const char *format, ...) {
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  return memory_checked(length < 0 ? NULL : text);
}
