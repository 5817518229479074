/* The parts of the page that have a file of their own, and how they write. Called by report_html;
 * the ways to write also by the page of a whole class. */
#pragma once

#include "grader/result/diagram.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct html {
  FILE *file;
  bool has_captures; /* the captures stand beside the page */
  const char *submission;
};

/* ---- writing (report_html_write.c) ---- */

/* Any text, made safe; newlines stay. */
void html_text(FILE *file, const char *text);
/* At most so many columns of it, in one line; and how many it takes. */
void html_fitted(FILE *file, const char *text, unsigned columns);
unsigned html_columns(const char *text, unsigned columns);
/* An element of this class with the text in it; nothing if the text is empty. Element and class are
 * literals. */
void html_element(FILE *file, const char *element, const char *class, const char *text);
/* The page's language as HTML names it: "en", "zh-CN". The caller frees it. */
char *html_language(void);
/* The name of a check's capture file where it may stand in an address, or NULL. */
const char *html_capture_name(const json_t *check);

/* ---- the parts ---- */

/* The page for a folder in which the captures are. */
void report_html_beside_captures(const json_t *result, FILE *file);

/* A check, open if it failed. `lab` and `number` count from 0 and make its id. */
void html_check(const struct html *html, const json_t *checks, size_t lab, size_t number);
/* What was expected beside what was seen: words or bytes that differ are marked. */
void html_comparison(FILE *file, const char *expected, const char *seen);
/* Bytes that both texts quote as the grader quotes bytes ("\x00H" (2 bytes)), in hexadecimal;
 * nothing if they do not. */
void html_bytes(FILE *file, const char *expected, const char *seen);
/* The gaps between moments that both texts list ("gaps of 0.1, 0.2 s"), drawn to one scale; nothing
 * if they do not. */
void html_gaps(FILE *file, const char *expected, const char *seen);
/* The tasks of a standstill that wait for each other, as a picture; nothing if the text does not
 * tell of any. */
void html_standstill(FILE *file, const char *seen);
/* The diagram as SVG. */
void html_diagram(FILE *file, const struct diagram *diagram);

/* ---- style and script (report_html_assets.c) ---- */

extern const char html_style[], html_script[];
/* Takes a file's text in as a string of that name. */
#define HTML_TAKE_IN(symbol_, path_)                                                               \
  __asm__(".pushsection .rodata\n.global " #symbol_ "\n" #symbol_ ":\n.incbin \"" path_            \
          "\"\n.byte 0\n.popsection\n")
/* The hash of a text as a Content-Security-Policy names it: "sha256-…". The caller frees it. */
char *html_hash(const char *text);
