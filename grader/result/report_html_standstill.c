/* The picture of a standstill: two tasks, each of which waits for the other. It is made from what
 * the diagnosis tells of them, a line for each, in the order of the cycle:
 *   → NAME sleeps in CALL on descriptor N, TCP LOCAL to REMOTE (STATE OF ITS QUEUES) */
#include "grader/result/report_html_parts.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdlib.h>
#include <string.h>

struct waiter {
  char *name, *call, *socket, *unread, *undelivered; /* what is not told is "" */
  bool sends;
};

static void waiter_free(struct waiter *waiter) {
  free(waiter->name);
  free(waiter->call);
  free(waiter->socket);
  free(waiter->unread);
  free(waiter->undelivered);
}

/* What stands between the two, in the line that begins at `from`; all up to its end if `until` is
 * not there. *from is set behind it. */
static char *piece(const char **from, const char *until, const char *end) {
  const char *found = *until ? strstr(*from, until) : NULL;
  bool there = found && found + strlen(until) <= end;
  const char *stop = there ? found : end;
  char *text = memory_format("%.*s", (int)(stop - *from), *from);
  *from = there ? stop + strlen(until) : end;
  return text;
}

/* Whether the call waits for room. */
static bool call_sends(const char *call) {
  return strncmp(call, "send", 4) == 0 || strncmp(call, "write", 5) == 0 ||
         strncmp(call, "pwrite", 6) == 0;
}

/* What stands in front of the first, between the first and the second %s, … of a text that the
 * diagnosis formats. The caller frees it. */
static char *between(const char *format, unsigned number) {
  const char *begin = language_text(format);
  for (unsigned i = 0; i < number && strchr(begin, '%'); i++)
    begin = strchr(begin, '%') + 2;
  return memory_format("%.*s", (int)strcspn(begin, "%"), begin);
}

static struct waiter waiter_read(const char *line, const char *end) {
  struct waiter waiter = {0};
  scoped_text char *sleeps = between("sleeps in %s", 0), *on = between(" on descriptor %d", 0);
  scoped_text char *gap = memory_format(" %s", sleeps), *comma = between(", %s %s to %s", 0);
  scoped_text char *to = between(", %s %s to %s", 2);
  waiter.name = piece(&line, gap, end);
  waiter.call = piece(&line, on, end);
  free(piece(&line, comma, end));
  waiter.socket = piece(&line, to, end);
  free(piece(&line, " (", end));
  waiter.unread = piece(&line, ", ", end - (end > line && end[-1] == ')'));
  waiter.undelivered = piece(&line, ")", end);
  waiter.sends = call_sends(waiter.call);
  return waiter;
}

/* The first two lines of a cycle; false if there are none. */
static bool cycle_read(const char *seen, struct waiter pair[2]) {
  static const char mark[] = "→ ";
  size_t count = 0;
  for (const char *line = seen; line && count < 2; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, mark, strlen(mark)) == 0)
      pair[count++] = waiter_read(line + strlen(mark), line + strcspn(line, "\n"));
  }
  if (count == 1)
    waiter_free(&pair[0]);
  return count == 2;
}

static void line_put(FILE *file, const char *class, double x, double y, const char *text) {
  fprintf(file, "<text class=\"%s\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">", class, x, y);
  html_fitted(file, text, 36);
  fputs("</text>", file);
}

static void waiter_draw(FILE *file, const struct waiter *waiter, double x) {
  scoped_text char *call = language_sentence("sleeps in %s()", waiter->call);
  fprintf(
      file,
      "<rect class=\"name program\" x=\"%.0f\" y=\"46\" width=\"280\" height=\"108\" rx=\"6\"/>",
      x - 140);
  line_put(file, "who", x, 66, waiter->name);
  line_put(file, "words", x, 86, *waiter->call ? call : _("is blocked"));
  line_put(file, "faint", x, 106, waiter->socket);
  line_put(file, "faint", x, 126, waiter->unread);
  line_put(file, "faint", x, 146, waiter->undelivered);
}

static const char *awaited(const struct waiter *waiter) {
  return waiter->sends ? _("waits until this one reads") : _("waits for bytes from this one");
}

void html_standstill(FILE *file, const char *seen) {
  struct waiter pair[2];
  if (!cycle_read(seen, pair))
    return;
  fprintf(file,
          "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"%s\">\n"
          "<svg class=\"sequence\" role=\"img\" width=\"760\" height=\"204\" "
          "viewBox=\"0 0 760 204\"><title>",
          _("Who waits for whom"));
  scoped_text char *title =
      language_sentence("%s and %s wait for each other", pair[0].name, pair[1].name);
  html_text(file, title);
  fputs("</title>\n"
        "<path class=\"cycle\" d=\"M160 46C160 6 600 6 600 40\"/>"
        "<path class=\"cycle head\" d=\"M600 46l-5 -10h10z\"/>"
        "<path class=\"cycle\" d=\"M600 154C600 194 160 194 160 160\"/>"
        "<path class=\"cycle head\" d=\"M160 154l-5 10h10z\"/>\n",
        file);
  line_put(file, "words bad", 380, 11, awaited(&pair[0]));
  line_put(file, "words bad", 380, 198, awaited(&pair[1]));
  waiter_draw(file, &pair[0], 160);
  waiter_draw(file, &pair[1], 600);
  fputs("\n</svg></div>\n", file);
  waiter_free(&pair[0]);
  waiter_free(&pair[1]);
}
