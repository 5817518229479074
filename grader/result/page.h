/* Text laid out for a terminal: as wide as it is, wrapped, and in colour where that is wanted.
 *
 * Called by the reports and the command line. Everything that is printed here goes through
 * safe_text: nothing that a student's code wrote reaches the terminal as it was. Knows nothing of
 * results. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct page {
  FILE *file;
  unsigned width;
  bool colour;
};

enum page_style { PAGE_PLAIN, PAGE_STRONG, PAGE_GOOD, PAGE_BAD, PAGE_ODD, PAGE_FAINT };

/* The terminal's width (40 to 100 columns), or 80; colour only on a terminal that is not dumb, and
 * not if NO_COLOR is set. */
struct page page_for(FILE *file);

/* Prints `label` and then the text, whose lines all begin in column `indent` and are wrapped
 * between words; a word that is too long is broken. Of more than `most` lines (0: any number) the
 * rest is left out, and "..." says so. */
void page_paragraph(const struct page *page, enum page_style style, const char *label, unsigned indent,
                    const char *text, unsigned most);
/* One line that is cut off where it would not fit. */
void page_line(const struct page *page, enum page_style style, const char *text);
void page_gap(const struct page *page);

/* Columns that a safe text takes. */
unsigned text_columns(const char *text);
/* The beginning of a safe text that fits into so many columns, padded with spaces if `pad`; the
 * caller frees it. */
char *text_fitted(const char *text, unsigned columns, bool pad);
