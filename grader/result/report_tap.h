/* The result as TAP: a test point for each check, with its details as a YAML block, and the score
 * and whatever makes it less than whole as comments. It keeps to version 14 of the protocol (its
 * escapes, its blocks), and calls itself 13 since prove refuses any later number; readers of 14
 * take that. A reporter: knows nothing but the result document. */
#pragma once

#include <jansson.h>
#include <stdio.h>

void report_tap(const json_t *result, FILE *file);
