/* A file of translations, as msgfmt makes it (.mo). Called by language.c only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct language_file {
  char *path;
  const uint8_t *bytes; /* mapped */
  size_t length;
};

/* False if there is no such file, or if it is none of this machine's. */
bool language_file_open(struct language_file *file, const char *path);
void language_file_close(struct language_file *file);
/* NULL if it is not translated. The text lives as long as the file is open. */
const char *language_file_find(const struct language_file *file, const char *text);
