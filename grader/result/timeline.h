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
