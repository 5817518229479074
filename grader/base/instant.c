#include "grader/base/instant.h"

#include <stdio.h>
#include <string.h>

/* Seconds east of UTC that a text says; -1 if it is none of what is allowed. */
static int offset_parse(const char *text, time_t *offset) {
  unsigned hours = 0, minutes = 0;
  char sign = '+', end;
  *offset = 0;
  if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "UTC") == 0)
    return 0;
  if ((sscanf(text, "%c%2u:%2u%c", &sign, &hours, &minutes, &end) != 3 &&
       sscanf(text, "%c%2u%2u%c", &sign, &hours, &minutes, &end) != 3) ||
      (sign != '+' && sign != '-'))
    return -1;
  *offset = ((time_t)hours * 60 + (time_t)minutes) * 60 * (sign == '-' ? -1 : 1);
  return 0;
}

time_t instant_parse(const char *text) {
  struct tm time = {0};
  const char *rest = strptime(text, "%Y-%m-%d", &time);
  if (!rest || (*rest != ' ' && *rest != 'T'))
    return -1;
  const char *clock = rest + 1;
  rest = strptime(clock, "%H:%M:%S", &time);
  if (!rest)
    rest = strptime(clock, "%H:%M", &time);
  if (!rest)
    return -1;
  if (*rest == '.')
    rest += 1 + strspn(rest + 1, "0123456789");
  rest += strspn(rest, " ");
  time_t offset;
  return offset_parse(rest, &offset) ? -1 : timegm(&time) - offset;
}

struct instant_text instant_format(time_t instant) {
  struct instant_text text;
  struct tm utc;
  strftime(text.text, sizeof text.text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&instant, &utc));
  return text;
}
