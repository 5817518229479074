#include "grader/world/log.h"

#include "grader/base/memory.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* A segment that only acknowledges: keep-alive probes and their answers are such, and come by
 * themselves as long as connections are open. */
static bool only_acknowledges(const struct event *event) {
  return event->protocol == IPPROTO_TCP && event->tcp_flags == TH_ACK && event->length == 0;
}

static bool frame_is_one_too_many(struct log *log, const struct event *event) {
  if (event->kind != EVENT_FRAME)
    return false;
  if (log->frame_count >= LOG_FRAMES_MAX / 2 && only_acknowledges(event))
    return true;
  if (log->frame_count >= LOG_FRAMES_MAX ||
      log->frame_bytes + event->raw_length > LOG_FRAME_BYTES_MAX) {
    log->frames_left_out++;
    return true;
  }
  log->frame_count++;
  log->frame_bytes += event->raw_length;
  return false;
}

/* Where an event of that time belongs: behind all that are not later. Frames come after the lines
 * that were printed meanwhile, of which there may be ten thousand. */
static size_t place_of(const struct log *log, int64_t time_ns) {
  size_t low = 0, high = log->count;
  if (high > 0 && log->events[high - 1]->time_ns <= time_ns)
    return high;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (log->events[middle]->time_ns <= time_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* With its bytes behind it. */
static struct event *event_copy(const struct event *event) {
  const uint8_t *whole = event->raw ? event->raw : event->bytes;
  size_t length = event->raw ? event->raw_length : event->length;
  struct event *kept = memory_resize(NULL, sizeof *kept + length + 1);
  uint8_t *copy = (uint8_t *)(kept + 1);
  *kept = *event;
  if (length > 0)
    memcpy(copy, whole, length);
  copy[length] = 0;
  kept->bytes = copy;
  if (event->raw) {
    kept->raw = copy;
    kept->bytes = copy + (event->bytes - event->raw);
  }
  return kept;
}

size_t log_append(struct log *log, const struct event *event) {
  if (frame_is_one_too_many(log, event))
    return SIZE_MAX;
  if (log->count == log->capacity) {
    log->capacity = log->capacity ? log->capacity * 2 : 64;
    log->events = memory_resize(log->events, log->capacity * sizeof *log->events);
  }
  size_t place = place_of(log, event->time_ns);
  memmove(&log->events[place + 1], &log->events[place], (log->count - place) * sizeof *log->events);
  log->count++;
  log->events[place] = event_copy(event);
  return place;
}

static bool is_line_of(const struct event *event, const struct program *program,
                       enum event_stream stream) {
  return event->kind == EVENT_LINE && event->program == program && event->stream == stream;
}

size_t log_forget_lines(struct log *log, const struct program *program, enum event_stream stream,
                        size_t keep) {
  size_t lines = 0, seen = 0, left = 0;
  for (size_t i = 0; i < log->count; i++)
    lines += is_line_of(log->events[i], program, stream);
  if (lines <= 2 * keep)
    return lines;
  for (size_t i = 0; i < log->count; i++) {
    bool line = is_line_of(log->events[i], program, stream);
    seen += line;
    if (line && seen > keep && seen + keep <= lines)
      free(log->events[i]);
    else
      log->events[left++] = log->events[i];
  }
  log->count = left;
  return 2 * keep;
}

void log_clear(struct log *log) {
  for (size_t i = 0; i < log->count; i++)
    free(log->events[i]);
  free(log->events);
  *log = (struct log){0};
}
