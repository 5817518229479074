/* The result as JUnit XML, a test suite for each lab. `failure` is the student's, `error` only the
 * grader's own fault. A reporter: knows nothing but the result document. */
#pragma once

#include <jansson.h>
#include <stdio.h>

void report_junit(const json_t *result, FILE *file);
