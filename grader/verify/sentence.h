/* Lists of sentences that people read: deviations, and the grader's own faults. */
#pragma once

#include <jansson.h>

/* As printf, with the format and literal arguments in the reader's language. */
void sentence_add(json_t *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
