/* The one place where bytes that a student's code may have written become something that a reader
 * can be shown: a terminal, a CI log, a page, a spreadsheet.
 *
 * Called by whatever prints or writes a report. Knows only bytes. Each destination first has
 * everything made visible, as a terminal needs it; what that destination would obey on top of that
 * is then taken its meaning. */
#pragma once

#include <stddef.h>

enum safe_destination {
  SAFE_TERMINAL, /* a line */
  /* A line of a CI job's log, where runners obey what looks like a workflow command
   * (CVE-2020-15228): "::" where a word begins, and "##[". */
  SAFE_LOG,
  SAFE_MARKUP, /* HTML and XML 1.0: text of an element, or the value of a quoted attribute */
  /* Text that some readers show as it is, and others take for HTML without having escaped it: no
   * tag can begin in it. */
  SAFE_TEXT_OR_MARKUP,
  /* GitHub's Markdown, wherever inline text may stand, a cell of a table included: as a piece of
   * code, in which nobody is mentioned and nothing is linked. */
  SAFE_MARKDOWN,
  /* A whole cell of a CSV file (RFC 4180), its quotes included: no formula for any spreadsheet. */
  SAFE_CSV,
  SAFE_COMMAND_TEXT,  /* what stands behind a workflow command's second "::" */
  SAFE_COMMAND_VALUE, /* the value of one of its properties */
};

/* A copy of the bytes that the destination shows and does not obey. The caller frees it. */
char *safe_for(enum safe_destination destination, const void *bytes, size_t length);

/* For a terminal: everything is visible. Control characters, ESC, controls that reorder or hide
 * text and bytes that are not UTF-8 are written \xHH, \n, \r, \t or \uHHHH; all else stays as it
 * is. The caller frees it. */
char *safe_text(const void *bytes, size_t length);

/* Decodes one character of at most `length` (not 0) bytes and returns how many bytes it takes; 0 if
 * they do not begin with well-formed UTF-8 (over-long forms, surrogates and what lies beyond
 * U+10FFFF are not). */
size_t safe_text_decode(const void *bytes, size_t length, unsigned *character);
