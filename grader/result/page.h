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
  bool drawing; /* the reader's locale is UTF-8: bars and arrows can be drawn */
  bool log;     /* the log of a CI job, whose runner obeys some lines */
};

enum page_style { PAGE_PLAIN, PAGE_STRONG, PAGE_GOOD, PAGE_BAD, PAGE_ODD, PAGE_FAINT };

/* The terminal's width, but 80 columns at most; colour only on a terminal that is not dumb, and not
 * if NO_COLOR is set. A log if GITHUB_ACTIONS is true. */
struct page page_for(FILE *file);

/* Prints `label` and then the text, whose lines all begin in column `indent` and are wrapped
 * between words; a word that is too long is broken. Of more than `most` lines (0: any number) the
 * rest is left out, and "..." says so. The label of a plain text is faint. */
void page_paragraph(const struct page *page, enum page_style style, const char *label,
                    unsigned indent, const char *text, unsigned most);
/* One line that is cut off where it would not fit. */
void page_line(const struct page *page, enum page_style style, const char *text);
/* One line that is to be copied: however long it is, it stays whole. */
void page_command(const struct page *page, const char *text);
void page_gap(const struct page *page);
/* A piece of a line, cut off or padded to so many columns; the caller sees to it that they fit. */
void page_cell(const struct page *page, enum page_style style, const char *text, unsigned columns);

/* How many bytes of the text a line of so many columns takes: up to the last space that fits, or
 * the last place between Chinese characters. Never none, if there is any text. */
size_t text_line_length(const char *text, unsigned columns);
/* Columns that a safe text takes. */
unsigned text_columns(const char *text);
/* The beginning of a safe text that fits into so many columns, padded with spaces if `pad`; the
 * caller frees it. */
char *text_fitted(const char *text, unsigned columns, bool pad);
