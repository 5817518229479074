/* The result as TAP 13, which every reader knows (prove refuses a later version): a test point
 * for each check, with its details as a YAML block. A reporter: knows nothing but the result
 * document. */
#pragma once

#include <jansson.h>
#include <stdio.h>

void report_tap(const json_t *result, FILE *file);
