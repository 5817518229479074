#include "grader/result/timeline.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <string.h>

/* "udp-client:60001", or the bare address if nobody's name is known. */
static char *end_words(const json_t *event, const char *name_key, const char *address_key) {
  const char *name = result_text(event, name_key), *address = result_text(event, address_key);
  static const char loopback[] = "127.0.0.1:";
  if (!*name)
    return memory_text(address);
  if (!*address)
    return memory_text(name);
  if (strncmp(address, loopback, strlen(loopback)) == 0)
    return memory_format("%s:%s", name, address + strlen(loopback));
  return memory_format("%s (%s)", name, address);
}

static char *frame_words(const json_t *event) {
  scoped_text char *from = end_words(event, "sender", "from");
  scoped_text char *to = end_words(event, "receiver", "to");
  const char *text = result_text(event, "text");
  long long length = result_number(event, "length");
  const char *protocol = result_text(event, "protocol");
  if (length == 0 && strcmp(protocol, "UDP") != 0)
    return memory_format("%s --> %s  %s %s", from, to, protocol, text);
  return memory_format("%s --> %s  %s, %lld byte%s%s%s", from, to, protocol, length,
                       length == 1 ? "" : "s", *text ? ": " : "", text);
}

char *timeline_words(const json_t *event) {
  const char *kind = result_text(event, "kind"), *text = result_text(event, "text");
  const char *program = result_text(event, "program");
  if (strcmp(kind, "frame") == 0)
    return frame_words(event);
  if (strcmp(kind, "start") == 0)
    return memory_format("%s starts: %s", program, text);
  if (strcmp(kind, "line") == 0)
    return memory_format(
        "%s %s: %s", program,
        strcmp(result_text(event, "stream"), "stderr") == 0 ? "complains" : "prints", text);
  if (strcmp(kind, "wait") == 0)
    return memory_format("%s waits: %s", program, text);
  if (strcmp(kind, "exit") == 0)
    return memory_format("%s ends: %s", program, text);
  return memory_format("%s%s%s", program, *program ? ": " : "", text);
}

static enum page_style event_style(const json_t *event) {
  const char *kind = result_text(event, "kind");
  if (strcmp(kind, "frame") == 0)
    return PAGE_STRONG;
  return strcmp(kind, "wait") == 0 || strcmp(kind, "note") == 0 ? PAGE_FAINT : PAGE_PLAIN;
}

/* "    0.100  ": seconds, right-aligned, and a gap. */
enum { TIME_COLUMNS = 11, EVENT_LINES = 2 };

void timeline_draw(const struct page *page, const json_t *events, size_t most) {
  size_t count = json_array_size(events);
  size_t head = count > most ? most / 2 : count;
  size_t tail = count > most ? most - head - 1 : 0;
  for (size_t i = 0; i < count; i++) {
    if (i == head && tail > 0) {
      scoped_text char *elided = memory_format("... %zu more moments ...", count - head - tail);
      page_paragraph(page, PAGE_FAINT, "", TIME_COLUMNS, elided, 1);
      i = count - tail;
    }
    const json_t *event = json_array_get(events, i);
    char time[32];
    snprintf(time, sizeof time, "%9.3f", json_number_value(json_object_get(event, "t")));
    scoped_text char *words = timeline_words(event);
    for (char *c = words; *c; c++)
      if (*c == '\n')
        *c = ' ';
    page_paragraph(page, event_style(event), time, TIME_COLUMNS, words, EVENT_LINES);
  }
}
