/* The one place where bytes that a student's code may have written become something that a terminal
 * can be shown.
 *
 * Called by whatever prints: the text report, the command line's messages. Knows only bytes. */
#pragma once

#include <stddef.h>

/* A copy of the bytes in which everything is visible: control characters, ESC, controls that
 * reorder or hide text and bytes that are not UTF-8 are written \xHH, \n, \r, \t or \uHHHH; all
 * else stays as it is. The caller frees it. */
char *safe_text(const void *bytes, size_t length);

/* Decodes one character of at most `length` (not 0) bytes and returns how many bytes it takes; 0 if
 * they do not begin with well-formed UTF-8 (over-long forms, surrogates and what lies beyond
 * U+10FFFF are not). */
size_t safe_text_decode(const void *bytes, size_t length, unsigned *character);
