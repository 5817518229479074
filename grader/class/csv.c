#include "grader/class/csv.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <stdarg.h>
#include <string.h>

void csv_text(FILE *file, bool first, const char *text) {
  if (!first)
    fputc(',', file);
  /* Moodle's mark for "never": no formula, and not to be read by it with an apostrophe. */
  bool is_dash = strcmp(text, "-") == 0;
  scoped_text char *safe = is_dash ? memory_text("\"-\"") : safe_for(SAFE_CSV, text, strlen(text));
  fputs(safe, file);
}

void csv_plain(FILE *file, bool first, const char *format, ...) {
  if (!first)
    fputc(',', file);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(file, format, arguments);
  va_end(arguments);
}

void csv_end(FILE *file) {
  fputs("\r\n", file);
}
