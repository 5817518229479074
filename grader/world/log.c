#include "grader/world/log.h"

#include "grader/base/memory.h"

#include <stdlib.h>
#include <string.h>

static bool frame_is_one_too_many(struct log *log, const struct event *event) {
  if (event->kind != EVENT_FRAME)
    return false;
  if (log->frame_count >= LOG_FRAMES_MAX ||
      log->frame_bytes + event->raw_length > LOG_FRAME_BYTES_MAX) {
    log->frames_left_out++;
    return true;
  }
  log->frame_count++;
  log->frame_bytes += event->raw_length;
  return false;
}

size_t log_append(struct log *log, const struct event *event) {
  if (frame_is_one_too_many(log, event))
    return SIZE_MAX;
  if (log->count == log->capacity) {
    log->capacity = log->capacity ? log->capacity * 2 : 64;
    log->events = memory_resize(log->events, log->capacity * sizeof *log->events);
  }
  size_t place = log->count;
  while (place > 0 && log->events[place - 1].time_ns > event->time_ns)
    place--;
  memmove(&log->events[place + 1], &log->events[place], (log->count - place) * sizeof *log->events);
  log->count++;
  struct event *kept = &log->events[place];
  *kept = *event;
  const uint8_t *whole = event->raw ? event->raw : event->bytes;
  size_t length = event->raw ? event->raw_length : event->length;
  uint8_t *copy = memory_resize(NULL, length + 1);
  if (length > 0)
    memcpy(copy, whole, length);
  copy[length] = 0;
  kept->bytes = copy;
  if (event->raw) {
    kept->raw = copy;
    kept->bytes = copy + (event->bytes - event->raw);
  }
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
    lines += is_line_of(&log->events[i], program, stream);
  if (lines <= 2 * keep)
    return lines;
  for (size_t i = 0; i < log->count; i++) {
    bool line = is_line_of(&log->events[i], program, stream);
    seen += line;
    if (line && seen > keep && seen + keep <= lines)
      free((void *)log->events[i].bytes);
    else
      log->events[left++] = log->events[i];
  }
  log->count = left;
  return 2 * keep;
}

void log_clear(struct log *log) {
  for (size_t i = 0; i < log->count; i++)
    free((void *)(log->events[i].raw ? log->events[i].raw : log->events[i].bytes));
  free(log->events);
  *log = (struct log){0};
}
