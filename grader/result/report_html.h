/* The report as one page of HTML: a table of the labs, what to mend first, then each check with its
 * feedback, a diagram of what happened, and its capture.
 *
 * A reporter: knows nothing but the result document, and stumbles over no member that is not there.
 * The page needs neither network nor other files, and works without its script; its own policy
 * (CSP) allows nothing but the style and the script in it, by their hashes. What a student's code
 * wrote is text on it (safe_text.h) and nothing else: no id, class, address or attribute is made
 * from it. */
#pragma once

#include "grader/base/failure.h"

#include <jansson.h>
#include <stdio.h>

/* The page alone: captures are named as the document names them. */
void report_html(const json_t *result, FILE *file);

/* Makes the folder if need be, copies the captures into it and writes the page as index.html, last
 * and whole or not at all. A capture that is gone is no failure: the page then does without it. */
int report_html_write(const json_t *result, const char *folder, struct failure *failure);

/* Makes the folder, and fails if it is clear beforehand that the page cannot be written there. */
int report_html_check_place(const char *folder, struct failure *failure);
