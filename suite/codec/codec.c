/* What the checks of this lab share. */
#include "codec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program *run_codec(const char *encoder, const char *decoder, const char *text) {
  next_input(text, strlen(text));
  struct program *codec = start("codec", encoder, decoder);
  await_exit(codec, PATIENCE);
  return codec;
}

const char *text_of(const char *begin, const char *unit, const char *end, size_t units) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  fputs(begin, out);
  while (units-- > 0)
    fputs(unit, out);
  fputs(end, out);
  fclose(out);
  const char *kept = say("%s", text);
  free(text);
  return kept;
}

bool output_holds(struct output output, const char *wanted) {
  size_t length = strlen(wanted);
  while (length > 0 && wanted[length - 1] == '\n')
    length--;
  const uint8_t *found = memmem(output.bytes, output.length, wanted, length);
  return found && (found == output.bytes || found[-1] == '\n') &&
         (found + length == output.bytes + output.length || isspace(found[length]));
}

/* Without what is no letter or digit. */
static const char *const *other_names(const char *encoding) {
  static const char *const ascii[] = {"ascii", "ansix34", NULL};
  static const char *const latin[] = {"latin1", "iso88591", NULL};
  static const char *const utf_8[] = {"utf8", NULL};
  static const char *const utf_16[] = {"utf16", NULL};
  static const char *const gbk[] = {"gbk", "cp936", "ms936", "windows936", NULL};
  return strcasecmp(encoding, "ascii") == 0     ? ascii
         : strcasecmp(encoding, "latin-1") == 0 ? latin
         : strcasecmp(encoding, "utf-8") == 0   ? utf_8
         : strcasecmp(encoding, "gbk") == 0     ? gbk
                                                : utf_16;
}

bool names_encoding(struct output message, const char *encoding) {
  char *plain = calloc(1, message.length + 1);
  size_t length = 0;
  for (size_t i = 0; plain && i < message.length; i++)
    if (isalnum(message.bytes[i]))
      plain[length++] = (char)tolower(message.bytes[i]);
  bool named = false;
  for (const char *const *name = other_names(encoding); plain && *name; name++)
    named |= strstr(plain, *name) != NULL;
  free(plain);
  return named;
}
