/* The result as JUnit XML, a test suite for each lab, and one for the grading itself if there is
 * something to tell of it: a failed build, faults of the grader, an interruption. `failure` is the
 * student's, `error` only the grader's own fault. A reporter: knows nothing but the result
 * document. */
#pragma once

#include <jansson.h>
#include <stdio.h>

void report_junit(const json_t *result, FILE *file);
