#include "grader/world/log.h"

#include "grader/base/memory.h"

#include <stdlib.h>
#include <string.h>

size_t log_append(struct log *log, const struct event *event) {
  if (log->count == log->capacity) {
    log->capacity = log->capacity ? log->capacity * 2 : 64;
    log->events = memory_resize(log->events, log->capacity * sizeof *log->events);
  }
  size_t place = log->count;
  while (place > 0 && log->events[place - 1].time_ns > event->time_ns)
    place--;
  memmove(&log->events[place + 1], &log->events[place], (log->count - place) * sizeof *log->events);
  log->count++;
  uint8_t *bytes = memory_resize(NULL, event->length + 1);
  if (event->length > 0)
    memcpy(bytes, event->bytes, event->length);
  bytes[event->length] = 0;
  log->events[place] = *event;
  log->events[place].bytes = bytes;
  return place;
}

void log_clear(struct log *log) {
  for (size_t i = 0; i < log->count; i++)
    free((void *)log->events[i].bytes);
  free(log->events);
  *log = (struct log){0};
}
