#include "grader/verify/sentence.h"

#include "grader/base/language.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <string.h>

/* What a program printed may stand in a sentence, and need not be UTF-8. */
void sentence_add(json_t *list, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  scoped_text char *sentence = language_format(format, arguments);
  va_end(arguments);
  json_t *text = json_string(sentence);
  if (!text) {
    scoped_text char *safe = safe_text(sentence, strlen(sentence));
    text = json_string(safe);
  }
  json_array_append_new(list, text);
}
