#include "grader/result/safe_text.h"

#include "grader/base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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
 * interlinear annotation, the two that XML cannot have, tags. The joiners U+200C and U+200D stay:
 * scripts and emoji need them. */
static bool character_is_hidden(unsigned character) {
  static const struct {
    unsigned first, last;
  } ranges[] = {{0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},
                {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
                {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe007f}};
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

/* ---- destinations ---- */

/* How a character of a text in which everything is visible is written, or NULL: as it is. */
typedef const char *writer(const char *text, size_t at, char room[ESCAPE_MAX + 1]);

static bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         (unsigned char)c >= 0x80;
}

/* C++ is full of "::", which stays readable within a name; a runner looks where a line begins. */
static const char *log_write(const char *text, size_t at, char room[ESCAPE_MAX + 1]) {
  (void)room;
  if (text[at] == ':' && text[at + 1] == ':' && (at == 0 || !is_word(text[at - 1])))
    return "\\x3a";
  return strncmp(text + at, "##[", 3) == 0 ? "\\x23" : NULL;
}

static const char *markup_write(const char *text, size_t at, char room[ESCAPE_MAX + 1]) {
  if (!strchr("<>&\"'", text[at]))
    return NULL;
  sprintf(room, "&#%d;", text[at]);
  return room;
}

/* Where HTML begins a tag or a comment; elsewhere a "<" is a "<". */
static const char *text_or_markup_write(const char *text, size_t at, char room[ESCAPE_MAX + 1]) {
  (void)room;
  if (text[at] != '<')
    return NULL;
  char next = text[at + 1];
  bool begins = (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z') || next == '/' ||
                next == '!' || next == '?';
  return begins ? "\\x3c" : NULL;
}

static const char *markdown_write(const char *text, size_t at, char room[ESCAPE_MAX + 1]) {
  if (is_word(text[at]) && text[at] != '_')
    return NULL;
  if (text[at] == ' ' && at > 0 && text[at - 1] != ' ')
    return NULL;
  sprintf(room, "&#%d;", text[at]);
  return room;
}

static const char *csv_write(const char *text, size_t at, char room[ESCAPE_MAX + 1]) {
  (void)room;
  return text[at] == '"' ? "\"\"" : NULL;
}

static const char *command_text_write(const char *text, size_t at, char room[ESCAPE_MAX + 1]) {
  (void)room;
  if (strncmp(text + at, "##[", 3) == 0)
    return "\\x23";
  return text[at] == '%' ? "%25" : NULL;
}

static const char *command_value_write(const char *text, size_t at, char room[ESCAPE_MAX + 1]) {
  if (!strchr("%:,", text[at]))
    return NULL;
  sprintf(room, "%%%02X", text[at]);
  return room;
}

/* Spreadsheets take a cell that begins so for a formula, quoted or not; some also take the
 * full-width forms. An apostrophe before it makes it a text. */
static bool is_formula(const char *text) {
  static const char *const beginnings[] = {"=",   "+",  "-",  "@",  "\\t", "\\r",
                                           "\\n", "＝", "＋", "－", "＠"};
  text += strspn(text, " ");
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
    if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
      return true;
  return false;
}

char *safe_for(enum safe_destination destination, const void *bytes, size_t length) {
  static writer *const writers[] = {
      [SAFE_TERMINAL] = NULL,
      [SAFE_LOG] = log_write,
      [SAFE_MARKUP] = markup_write,
      [SAFE_TEXT_OR_MARKUP] = text_or_markup_write,
      [SAFE_MARKDOWN] = markdown_write,
      [SAFE_CSV] = csv_write,
      [SAFE_COMMAND_TEXT] = command_text_write,
      [SAFE_COMMAND_VALUE] = command_value_write,
  };
  char *visible = safe_text(bytes, length);
  if (!writers[destination])
    return visible;
  const char *before = destination == SAFE_MARKDOWN ? "<code>" : "";
  const char *behind = destination == SAFE_MARKDOWN ? "</code>" : "";
  if (destination == SAFE_CSV) {
    before = is_formula(visible) ? "\"'" : "\"";
    behind = "\"";
  }
  char *text =
      memory_resize(NULL, strlen(before) + strlen(visible) * ESCAPE_MAX + strlen(behind) + 1);
  char *end = stpcpy(text, before);
  for (size_t i = 0; visible[i]; i++) {
    char room[ESCAPE_MAX + 1];
    const char *written = writers[destination](visible, i, room);
    if (written)
      end = stpcpy(end, written);
    else
      *end++ = visible[i];
  }
  end = stpcpy(end, behind);
  free(visible);
  return memory_resize(text, (size_t)(end - text) + 1);
}
