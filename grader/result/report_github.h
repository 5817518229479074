/* What a GitHub Actions job prints of a result: the report for its log, which its runner must not
 * obey, and annotations, which it must; and the lines for $GITHUB_OUTPUT.
 *
 * Called by the command line. Reporters: they know nothing but the result document. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* The text report, between ::stop-commands::TOKEN and ::TOKEN::. `token` must be one that nobody
 * could know while the submission was graded. */
void report_github_log(const json_t *result, const char *token, FILE *file);

/* Workflow commands: ::error for what costs points and for the build's errors, ::warning for errors
 * of the grader and the build's warnings, ::notice for remarks. At most ten of each, since GitHub
 * shows no more of a step; where there are more, the tenth says how many. `folder` is the
 * submission's place in the repository ("" or "labs"); NULL: not in it, so no file is named. */
void report_github_annotations(const json_t *result, const char *folder, FILE *file);

/* "score=…", "max-score=…", "passed=true" or "false", and "whole=", which is false if the score is
 * not the submission's (an interruption, an error of the grader). */
void report_github_outputs(const json_t *result, FILE *file);
