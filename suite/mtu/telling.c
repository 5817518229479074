#include "telling.h"

#include <stdlib.h>
#include <string.h>

/* What the line says, if it is an integer and nothing else; else -1. */
static long integer_of(const char *line) {
  size_t digits = strspn(line, "0123456789");
  return digits > 0 && line[digits] == '\0' ? strtol(line, NULL, 10) : -1;
}

static bool has_number(const char *line, long number) {
  for (const char *at = line; (at = strpbrk(at, "0123456789"));) {
    char *end = NULL;
    if (strtol(at, &end, 10) == number)
      return true;
    at = end;
  }
  return false;
}

/* The line names an MTU that a link could have here, but not this one. */
static bool has_another(const char *line, long mtu) {
  static const long others[] = {1280, ODD_MTU, 1400, 1492, 1500, 9000, LOOPBACK, LOOPBACK + 1};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (others[i] != mtu && has_number(line, others[i]))
      return true;
  return false;
}

struct telling telling_of(struct program *program, long mtu) {
  enum { SMALLEST_MTU = 68 }; /* RFC 791 */
  struct lines all = lines(program, STDOUT);
  const char *about_mtu = NULL, *numbered = NULL;
  bool any_alone = false; /* and no word about MTUs after it */
  struct telling telling = {0};
  for (size_t i = 0; i < all.count; i++) {
    const char *line = all.list[i].text;
    long value = integer_of(line);
    if (value >= SMALLEST_MTU) {
      any_alone = true;
      telling.ambiguous |= has_another(line, mtu);
      telling.alone = value == mtu || (telling.alone && !has_another(line, mtu));
    } else if (strpbrk(line, "0123456789")) {
      numbered = line;
      if (strcasestr(line, "mtu")) {
        about_mtu = line;
        any_alone = false;
      }
    }
  }
  const char *words = about_mtu ? about_mtu : numbered;
  telling.at_all = telling.alone;
  if (!telling.alone && !any_alone && words) {
    telling.at_all = has_number(words, mtu);
    telling.ambiguous = has_another(words, mtu);
  }
  return telling;
}

bool tells(struct program *program, long number) {
  return telling_of(program, number).at_all;
}
