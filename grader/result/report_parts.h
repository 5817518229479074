/* The parts of the text report that have a file of their own, and the words that reports share.
 * Called by reports only. */
#pragma once

#include "grader/result/page.h"

#include <jansson.h>

/* What became of the checks of a lab that did not pass: each failure by itself, what is missing or
 * was skipped together. */
void report_checks(const struct page *page, const json_t *lab);

/* The build, if it failed: the compiler's first error. */
void report_build(const struct page *page, const json_t *build);

bool report_status_is(const json_t *check, const char *status);
/* "" or "s". */
const char *report_plural(long long number);
/* What the result says with one word (core, stretch, virtual, real), in the reader's language. */
const char *report_word(const char *word);
/* Puts the text behind the one that is there; *list is the caller's to free. */
void report_append(char **list, const char *between, const char *text);
/* A word as a shell takes it; the caller frees it. */
char *report_shell_word(const char *word);
