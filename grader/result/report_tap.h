/* The result as TAP 14, which readers of TAP 13 (automake's tap-driver.sh) read too: a test point
 * for each check, with its details as a YAML block. A reporter: knows nothing but the result
 * document. */
#pragma once

#include <jansson.h>
#include <stdio.h>

void report_tap(const json_t *result, FILE *file);
