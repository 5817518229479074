/* What both reports of findings say in words. */
#pragma once

#include <jansson.h>

/* "virtual" or "real" in the reader's language. */
const char *clock_word(const char *clock);

/* The gradings that have ended, the slowest first; ends with NULL. The caller frees the list. */
const json_t **slowest_gradings(const json_t *findings);
/* The submission of a grading, and, if there are several of it, which one that is. The caller frees
 * it, and the summary. */
char *grading_words(const json_t *findings, const json_t *grading);
/* "2 styles and 15 mutants: 0 deviations, 0 errors, in 3.5 s" */
char *findings_summary(const json_t *findings);
