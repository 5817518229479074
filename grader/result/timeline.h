/* The moments of a check, drawn as a time line: when, who, what. Called by the text report. Knows
 * the form of events (grader/result/verdict.h), not where they come from. */
#pragma once

#include "grader/result/page.h"

#include <jansson.h>

/* Draws at most `most` moments; of more, some in the middle are left out, and a line says how many.
 */
void timeline_draw(const struct page *page, const json_t *events, size_t most);

/* What one event says, as one line without its time; the caller frees it. */
char *timeline_words(const json_t *event);
