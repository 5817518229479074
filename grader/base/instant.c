#include "grader/base/instant.h"

#include <string.h>

/* Seconds east of UTC that a text says; -1 if it is none of what is allowed. */
static int offset_parse(const char *text, time_t *offset) {
  static const char digits[] = "0123456789";
  *offset = 0;
  if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "UTC") == 0)
    return 0;
  const char *clock = text + 1, *minutes = clock + 2;
  if ((*text != '+' && *text != '-') || strspn(clock, digits) < 2)
    return -1;
  minutes += *minutes == ':';
  if (strspn(minutes, digits) != 2 || minutes[2] != '\0')
    return -1;
  time_t hours = (clock[0] - '0') * 10 + clock[1] - '0';
  *offset = (hours * 60 + (minutes[0] - '0') * 10 + minutes[1] - '0') * 60;
  if (*text == '-')
    *offset = -*offset;
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
