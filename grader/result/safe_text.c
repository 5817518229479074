#include "grader/result/safe_text.h"

#include "grader/base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t safe_text_decode(const void *bytes, size_t length, unsigned *character) {
  const unsigned char *byte = bytes;
  size_t size;
  unsigned value, least;
  if (byte[0] < 0x80) {
    *character = byte[0];
    return 1;
  } else if (byte[0] >= 0xc2 && byte[0] < 0xe0) {
    size = 2, value = byte[0] & 0x1f, least = 0x80;
  } else if (byte[0] >= 0xe0 && byte[0] < 0xf0) {
    size = 3, value = byte[0] & 0x0f, least = 0x800;
  } else if (byte[0] >= 0xf0 && byte[0] < 0xf5) {
    size = 4, value = byte[0] & 0x07, least = 0x10000;
  } else {
    return 0;
  }
  if (length < size)
    return 0;
  for (size_t i = 1; i < size; i++) {
    if ((byte[i] & 0xc0) != 0x80)
      return 0;
    value = value << 6 | (byte[i] & 0x3f);
  }
  if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
    return 0;
  *character = value;
  return size;
}

/* Characters that a terminal acts on, or that make a text read otherwise than it is: C1 controls,
 * bidirectional controls, line and paragraph separators, invisible spaces and operators,
 * interlinear annotation, tags. The joiners U+200C and U+200D stay: scripts and emoji need them. */
static bool character_is_hidden(unsigned character) {
  static const struct {
    unsigned first, last;
  } ranges[] = {{0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},    {0x180e, 0x180e},
                {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
                {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (character >= ranges[i].first && character <= ranges[i].last)
      return true;
  return false;
}

/* The longest is \u{e0001}. */
enum { ESCAPE_MAX = 10 };

static size_t escape_byte(unsigned char byte, char *out) {
  static const char named[] = "\nn\rr\tt";
  for (const char *name = named; *name; name += 2)
    if (byte == (unsigned char)name[0])
      return (size_t)sprintf(out, "\\%c", name[1]);
  return (size_t)sprintf(out, "\\x%02x", byte);
}

char *safe_text(const void *bytes, size_t length) {
  const unsigned char *byte = bytes;
  char *text = memory_resize(NULL, length * ESCAPE_MAX + 1);
  size_t used = 0;
  for (size_t i = 0; i < length;) {
    unsigned character;
    size_t size = safe_text_decode(byte + i, length - i, &character);
    if (size == 0 || character < 0x20 || character == 0x7f) {
      used += escape_byte(byte[i], text + used);
      i++;
      continue;
    }
    if (character_is_hidden(character)) {
      used += (size_t)sprintf(text + used, character > 0xffff ? "\\u{%x}" : "\\u%04x", character);
    } else {
      memcpy(text + used, byte + i, size);
      used += size;
    }
    i += size;
  }
  text[used++] = '\0';
  return memory_resize(text, used);
}
