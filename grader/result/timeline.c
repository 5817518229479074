#include "grader/result/timeline.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <string.h>

bool timeline_kind_is(const json_t *event, const char *kind) {
  return strcmp(result_text(event, "kind"), kind) == 0;
}

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

static char *frame_words(const json_t *event, const char *arrow, bool repeated) {
  scoped_text char *from = end_words(event, "sender", "from");
  scoped_text char *to = end_words(event, "receiver", "to");
  const char *text = result_text(event, "text"), *protocol = result_text(event, "protocol");
  long long length = result_number(event, "length");
  /* ICMP has no ports, and what is in it is a copy of what was sent before. */
  if (strcmp(protocol, "ICMP") == 0)
    return memory_format("%s: %s", protocol, text);
  const char *flags = result_text(event, "flags");
  if (length == 0 && strcmp(protocol, "UDP") != 0)
    return memory_format("%s %s %s  %s %s", from, arrow, to, protocol, *flags ? flags : text);
  if (!strstr(flags, "FIN") && !strstr(flags, "RST"))
    flags = "";
  const char *plural = length == 1 ? "" : "s";
  if (repeated)
    return language_sentence("%s %s %s  the same %lld byte%s", from, arrow, to, length, plural);
  return language_sentence("%s %s %s  %s%s%s, %lld byte%s%s%s", from, arrow, to, protocol,
                           *flags ? " " : "", flags, length, plural, *text ? ": " : "", text);
}

/* `program` may be "", where it is clear whose moment it is. */
static char *moment_words(const json_t *event, const char *program, const char *arrow,
                          bool repeated) {
  static const struct {
    const char *kind, *verb;
  } verbs[] = {
      {"start", N_("starts")}, {"line", N_("prints")}, {"wait", N_("waits")}, {"exit", N_("ends")}};
  const char *text = result_text(event, "text"), *verb = "", *gap = *program ? " " : "";
  if (timeline_kind_is(event, "frame"))
    return frame_words(event, arrow, repeated);
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    if (timeline_kind_is(event, verbs[i].kind))
      verb = verbs[i].verb;
  if (timeline_kind_is(event, "line") && strcmp(result_text(event, "stream"), "stderr") == 0)
    verb = N_("complains");
  if (!*verb)
    return memory_format("%s%s%s", program, *program ? ": " : "", text);
  return language_sentence("%s%s%s: %s", program, gap, verb, text);
}

char *timeline_words_with(const json_t *event, const char *arrow) {
  return moment_words(event, result_text(event, "program"), arrow, false);
}

char *timeline_words(const json_t *event) {
  return timeline_words_with(event, "-->");
}

/* ---- drawing ---- */

/* "    0.100 | ": seconds, right-aligned, and the line of time. */
enum { TIME_COLUMNS = 12, MOMENT_LINES = 2, GAP_LEAST = 3 };

struct timeline {
  const struct page *page;
  const char *only; /* the one program of the story, or "" */
  const json_t *last_frame;
};

static bool text_is_same(const json_t *one, const json_t *other, const char *key) {
  return strcmp(result_text(one, key), result_text(other, key)) == 0;
}

bool timeline_frame_is_repeated(const json_t *frame, const json_t *before) {
  return before && *result_text(frame, "text") && text_is_same(frame, before, "from") &&
         text_is_same(frame, before, "to") && text_is_same(frame, before, "text") &&
         result_number(frame, "length") == result_number(before, "length");
}

static void moment_draw(struct timeline *timeline, const json_t *event) {
  const struct page *page = timeline->page;
  bool frame = timeline_kind_is(event, "frame");
  const char *program = result_text(event, "program");
  scoped_text char *words = moment_words(event, strcmp(program, timeline->only) == 0 ? "" : program,
                                         page->drawing ? "→" : "-->",
                                         timeline_frame_is_repeated(event, timeline->last_frame));
  if (frame)
    timeline->last_frame = event;
  for (char *c = words; *c; c++)
    if (*c == '\n')
      *c = ' ';
  const char *rail = page->drawing ? (frame ? "●" : "│") : (frame ? "*" : "|");
  scoped_text char *label =
      memory_format("%9.3f %s", json_number_value(json_object_get(event, "t")), rail);
  bool faint = timeline_kind_is(event, "wait") || timeline_kind_is(event, "note");
  page_paragraph(page, faint ? PAGE_FAINT : PAGE_PLAIN, label, TIME_COLUMNS, words, MOMENT_LINES);
}

static void gap_draw(const struct page *page, size_t count) {
  scoped_text char *words = language_sentence("%zu more moments", count);
  page_paragraph(page, PAGE_FAINT, page->drawing ? "          ⋮" : "          :", TIME_COLUMNS,
                 words, 1);
}

/* An acknowledgement, and nothing else: worth a line only where it ends a handshake or answers a
 * FIN.
 */
static bool is_mere_ack(const json_t *event, const json_t *frame_before) {
  const char *before = frame_before ? result_text(frame_before, "flags") : "";
  return timeline_kind_is(event, "frame") && strcmp(result_text(event, "flags"), "ACK") == 0 &&
         result_number(event, "length") == 0 && !strstr(before, "SYN") && !strstr(before, "FIN");
}

/* The moments that are worth a line if there are too many; borrows them. */
static size_t moments_choose(const json_t *events, const json_t **moments, size_t most) {
  size_t count = json_array_size(events), used = 0;
  bool waits = count <= most;
  const json_t *frame_before = NULL;
  for (size_t i = 0; i < count; i++) {
    const json_t *event = json_array_get(events, i);
    if (is_mere_ack(event, frame_before))
      continue;
    if (timeline_kind_is(event, "frame"))
      frame_before = event;
    /* The last moment stays, whatever it is: a program that hangs ends with a wait. */
    if (waits || i + 1 == count || !timeline_kind_is(event, "wait"))
      moments[used++] = event;
  }
  return used;
}

/* Whose story it is, if all moments have the same program. */
static const char *program_of_all(const json_t *events) {
  const char *only = "";
  size_t index;
  json_t *event;
  json_array_foreach (events, index, event) {
    const char *program = result_text(event, "program");
    if (*only && *program && strcmp(program, only) != 0)
      return "";
    only = *program ? program : only;
  }
  return only;
}

void timeline_choose(const json_t *events, size_t most, struct timeline_choice *choice) {
  const json_t **moments = memory_zeroed(json_array_size(events), sizeof *moments);
  size_t count = moments_choose(events, moments, most);
  *choice = (struct timeline_choice){moments, count, count, 0};
  if (count < most + GAP_LEAST)
    return;
  size_t head = most / 2, tail = most - head - 1;
  memmove(&moments[head], &moments[count - tail], tail * sizeof *moments);
  *choice = (struct timeline_choice){moments, head + tail, head, count - head - tail};
}

void timeline_draw(const struct page *page, const json_t *events, size_t most) {
  struct timeline_choice choice;
  timeline_choose(events, most, &choice);
  struct timeline timeline = {page, program_of_all(events), NULL};
  for (size_t i = 0; i < choice.count; i++) {
    if (i == choice.head && choice.left_out > 0)
      gap_draw(page, choice.left_out);
    moment_draw(&timeline, choice.moments[i]);
  }
  free(choice.moments);
}
