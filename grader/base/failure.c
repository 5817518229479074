#include "grader/base/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int failure_set(struct failure *failure, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure->sentence, sizeof failure->sentence, format, arguments);
  va_end(arguments);
  return -1;
}

int failure_errno(struct failure *failure, const char *format, ...) {
  const char *why = strerror(errno);
  va_list arguments;
  va_start(arguments, format);
  int used = vsnprintf(failure->sentence, sizeof failure->sentence, format, arguments);
  va_end(arguments);
  if (used >= 0 && (size_t)used < sizeof failure->sentence)
    snprintf(failure->sentence + used, sizeof failure->sentence - (size_t)used, ": %s", why);
  return -1;
}

int failure_prefix(struct failure *failure, const char *format, ...) {
  char tail[sizeof failure->sentence];
  memcpy(tail, failure->sentence, sizeof tail);
  va_list arguments;
  va_start(arguments, format);
  int used = vsnprintf(failure->sentence, sizeof failure->sentence, format, arguments);
  va_end(arguments);
  if (used >= 0 && (size_t)used < sizeof failure->sentence)
    snprintf(failure->sentence + used, sizeof failure->sentence - (size_t)used, ": %s", tail);
  return -1;
}
