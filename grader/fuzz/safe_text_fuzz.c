/* safe_text.c: whatever the bytes, each destination shows them and obeys none. */
#include "grader/fuzz/fuzz.h"

#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <ctype.h>
#include <string.h>

static bool is_word(char c) {
  return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool log_obeys_nothing(const char *text) {
  for (const char *found = text; (found = strstr(found, "::")); found++)
    if (found == text || !is_word(found[-1]))
      return false;
  return !strstr(text, "##[");
}

static bool markup_is_text(const char *text) {
  for (const char *c = text; *c; c++)
    if (strchr("<>\"'", *c) || (*c == '&' && c[1] != '#'))
      return false;
  return true;
}

/* As HTML's tokenizer sees it: https://html.spec.whatwg.org/#tag-open-state */
static bool begins_tag(const char *text) {
  for (const char *c = text; *c; c++)
    if (*c == '<' && (isalpha((unsigned char)c[1]) || (c[1] && strchr("/!?", c[1]))))
      return true;
  return false;
}

static bool markdown_is_code(const char *text, size_t length) {
  static const char before[] = "<code>", behind[] = "</code>";
  size_t tags = strlen(before) + strlen(behind);
  if (length < tags || strncmp(text, before, strlen(before)) != 0 ||
      strcmp(text + length - strlen(behind), behind) != 0)
    return false;
  for (size_t i = strlen(before); i < length - strlen(behind); i++)
    if (text[i] == '_' || (!is_word(text[i]) && !strchr("&#; ", text[i])))
      return false;
  return true;
}

static bool csv_is_cell(const char *text, size_t length) {
  if (length < 2 || text[0] != '"' || text[length - 1] != '"' || strchr("=+-@", text[1]))
    return false;
  for (size_t i = 1; i < length - 1; i++)
    if (text[i] == '"' && text[++i] != '"')
      return false;
  return true;
}

static bool is_escaped(const char *text, const char *forbidden) {
  for (const char *c = text; *c; c++)
    if (strchr(forbidden, *c) || (*c == '%' && !(isxdigit((unsigned char)c[1]) && c[2])))
      return false;
  return true;
}

static void check(enum safe_destination destination, const char *text) {
  size_t length = strlen(text);
  FUZZ_HOLDS(fuzz_is_visible(text, length, false));
  switch (destination) {
  case SAFE_TERMINAL:
    break;
  case SAFE_LOG:
    FUZZ_HOLDS(log_obeys_nothing(text));
    break;
  case SAFE_MARKUP:
    FUZZ_HOLDS(markup_is_text(text));
    break;
  case SAFE_TEXT_OR_MARKUP:
    FUZZ_HOLDS(!begins_tag(text));
    break;
  case SAFE_MARKDOWN:
    FUZZ_HOLDS(markdown_is_code(text, length));
    break;
  case SAFE_CSV:
    FUZZ_HOLDS(csv_is_cell(text, length));
    break;
  case SAFE_COMMAND_TEXT:
    FUZZ_HOLDS(is_escaped(text, "\r\n"));
    break;
  case SAFE_COMMAND_VALUE:
    FUZZ_HOLDS(is_escaped(text, "\r\n:,"));
    break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  for (int destination = SAFE_TERMINAL; destination <= SAFE_COMMAND_VALUE; destination++) {
    scoped_text char *text = safe_for((enum safe_destination)destination, bytes, length);
    check((enum safe_destination)destination, text);
  }
  return 0;
}
