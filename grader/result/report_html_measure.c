/* Two kinds of text that are worth more than words: bytes, and gaps between moments. */
#include "grader/result/report_html_parts.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes ---- */

enum { BYTES_MAX = 64, BYTES_WIDTH = 8 };

struct bytes {
  uint8_t bytes[BYTES_MAX];
  size_t count;
  bool cut; /* there are more of them */
};

static int digit_value(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte as the grader quotes it; returns how long it is written, 0 if it is not. */
static size_t byte_read(const char *text, uint8_t *byte) {
  *byte = (uint8_t)text[0];
  if (text[0] == '\0' || text[0] == '\n')
    return 0;
  if (text[0] != '\\')
    return 1;
  if (text[1] == '\\' || text[1] == '"' || text[1] == 'n') {
    *byte = text[1] == 'n' ? '\n' : (uint8_t)text[1];
    return 2;
  }
  if (text[1] != 'x' || digit_value(text[2]) < 0 || digit_value(text[3]) < 0)
    return 0;
  *byte = (uint8_t)(digit_value(text[2]) * 16 + digit_value(text[3]));
  return 4;
}

/* Whether the text is, as a whole, bytes that the grader quotes: "H\x00i" (3 bytes). */
static bool bytes_read(const char *text, struct bytes *bytes) {
  static const char more[] = "\"…", end[] = "\"";
  *bytes = (struct bytes){.count = 0};
  if (*text++ != '"')
    return false;
  while (*text != '"' && bytes->count < BYTES_MAX) {
    size_t length = byte_read(text, &bytes->bytes[bytes->count++]);
    if (length == 0)
      return false;
    text += length;
  }
  bytes->cut = strncmp(text, more, strlen(more)) == 0;
  text += strlen(bytes->cut ? more : end);
  unsigned long count;
  int length = 0;
  if (sscanf(text, " (%lu %n", &count, &length) != 1 || length == 0)
    return false;
  text += length;
  const char *unit = _("byte"); /* as counted() of the SDK says it */
  if (strncmp(text, unit, strlen(unit)) != 0)
    return false;
  text += strlen(unit);
  text += *text == 's';
  return strcmp(text, ")") == 0 && (bytes->cut ? count > bytes->count : count == bytes->count);
}

static void bytes_row(FILE *file, const struct bytes *bytes, const struct bytes *other,
                      size_t offset) {
  fputs("<td><code>", file);
  for (size_t i = offset; i < offset + BYTES_WIDTH && i < bytes->count; i++) {
    bool differs = i >= other->count || other->bytes[i] != bytes->bytes[i];
    fprintf(file, differs ? "<mark>%02x</mark> " : "%02x ", bytes->bytes[i]);
  }
  fputs("</code></td><td><code>", file);
  for (size_t i = offset; i < offset + BYTES_WIDTH && i < bytes->count; i++) {
    uint8_t byte = bytes->bytes[i];
    char text[2] = {'.', '\0'};
    if (byte >= ' ' && byte < 127)
      memcpy(text, &byte, 1);
    html_text(file, text);
  }
  fputs("</code></td>", file);
}

void html_bytes(FILE *file, const char *expected, const char *seen) {
  struct bytes left, right;
  if (!bytes_read(expected, &left) || !bytes_read(seen, &right))
    return;
  fputs(_("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"The bytes\">"
          "<table class=\"bytes\"><caption>The bytes; those that differ are marked</caption>"
          "<thead><tr><th scope=\"col\">from</th><th scope=\"colgroup\" colspan=\"2\">expected</th>"
          "<th scope=\"colgroup\" colspan=\"2\">seen</th></tr></thead><tbody>\n"),
        file);
  size_t count = left.count > right.count ? left.count : right.count;
  for (size_t offset = 0; offset < count || offset == 0; offset += BYTES_WIDTH) {
    fprintf(file, "<tr><th scope=\"row\">%zu</th>", offset);
    bytes_row(file, &left, &right, offset);
    bytes_row(file, &right, &left, offset);
    fputs("</tr>\n", file);
  }
  fputs("</tbody></table></div>\n", file);
}

/* ---- gaps ---- */

enum { GAPS_MAX = 32, GAPS_LEFT = 90, GAPS_RIGHT = 740 };

struct gaps {
  double seconds[GAPS_MAX], sum;
  size_t count;
};

/* "gaps of 0.1, 0.2, 0.4 s": false if the text has none, or too many. */
static bool gaps_read(const char *text, struct gaps *gaps) {
  const char *before = _("gaps of ");
  *gaps = (struct gaps){.count = 0};
  const char *found = strstr(text, before);
  if (!found)
    return false;
  for (text = found + strlen(before); gaps->count < GAPS_MAX;) {
    char *end = NULL;
    if (*text < '0' || *text > '9')
      return false;
    double seconds = strtod(text, &end);
    if (!(seconds >= 0 && seconds < 1e6))
      return false;
    gaps->seconds[gaps->count++] = seconds;
    gaps->sum += seconds;
    if (strncmp(end, ", ", 2) != 0)
      return strncmp(end, " s", 2) == 0 && gaps->sum > 0;
    text = end + 2;
  }
  return false;
}

/* A line of time with a dot for each moment, and each gap written below where there is room. */
static void gaps_draw(FILE *file, const char *name, const struct gaps *gaps, double scale,
                      double y) {
  enum { ROOM = 38 };
  fprintf(file, "<text class=\"faint\" x=\"8\" y=\"%.0f\">%s</text>", y + 4, name);
  fprintf(file, "<path class=\"axis\" d=\"M%d %.0fH%.0f\"/>", GAPS_LEFT, y,
          GAPS_LEFT + gaps->sum * scale);
  double x = GAPS_LEFT, written = 0;
  fprintf(file, "<circle class=\"born\" cx=\"%.1f\" cy=\"%.0f\" r=\"5\"/>", x, y);
  for (size_t i = 0; i < gaps->count; i++) {
    double width = gaps->seconds[i] * scale, middle = x + width / 2;
    x += width;
    fprintf(file, "<circle class=\"born\" cx=\"%.1f\" cy=\"%.0f\" r=\"5\"/>", x, y);
    if (middle - written < ROOM)
      continue;
    fprintf(file, "<text class=\"pause\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">%.3g</text>",
            middle, y + 20, gaps->seconds[i]);
    written = middle;
  }
}

void html_gaps(FILE *file, const char *expected, const char *seen) {
  struct gaps left, right;
  if (!gaps_read(expected, &left) || !gaps_read(seen, &right))
    return;
  double scale = (GAPS_RIGHT - GAPS_LEFT) / (left.sum > right.sum ? left.sum : right.sum);
  fputs(_("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"The gaps\">\n"
          "<svg class=\"sequence\" role=\"img\" width=\"760\" height=\"92\" viewBox=\"0 0 760 92\">"
          "<title>The gaps in seconds, as they should be and as they were, to one scale</title>\n"),
        file);
  gaps_draw(file, _("expected"), &left, scale, 18);
  gaps_draw(file, _("seen"), &right, scale, 62);
  fputs("\n</svg></div>\n", file);
}
