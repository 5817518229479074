/* The moments of a check, drawn as a time line: when, who, what. Called by the reports. Knows the
 * form of events (grader/result/verdict.h), not where they come from. */
#pragma once

#include "grader/result/page.h"

#include <jansson.h>

/* Draws some `most` moments. Of more, the waits are left out first, since the times tell of them
 * too; then some in the middle, and a line says how many. */
void timeline_draw(const struct page *page, const json_t *events, size_t most);

/* What one event says, as one line without its time; the caller frees it. */
char *timeline_words(const json_t *event);
/* The same, with another word between sender and receiver than "-->". */
char *timeline_words_with(const json_t *event, const char *arrow);

/* The moments of a story that are worth a place: `count` of them, of which the first `head` stand
 * before a gap of `left_out` more (0: there is none). The events are borrowed, the array is the
 * caller's to free. */
struct timeline_choice {
  const json_t **moments;
  size_t count, head, left_out;
};
void timeline_choose(const json_t *events, size_t most, struct timeline_choice *choice);

bool timeline_kind_is(const json_t *event, const char *kind);
/* Whether the frame carries what the one before it did, from and to the same addresses. */
bool timeline_frame_is_repeated(const json_t *frame, const json_t *before);
