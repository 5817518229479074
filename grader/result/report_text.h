/* The report on the terminal: a line a lab, then each failure with what was required, what was
 * seen, the likely cause and the moments on the wire. A reporter: knows nothing but the result
 * document, and stumbles over no member that is not there. */
#pragma once

#include "grader/result/page.h"

#include <jansson.h>

void report_text(const json_t *result, const struct page *page);
