/* Reports for other programs: which go where, by what the environment says of the job that runs.
 *
 * Called by `wiregrade report`. Each writes to the file `output`, whole or not at all, or to the
 * standard output if that is NULL; what else it writes is said below. All return 0, or -1 with one
 * sentence. */
#pragma once

#include "grader/base/failure.h"

#include <jansson.h>

typedef int delivery(const json_t *result, const char *output, struct failure *failure);

/* Fails if the grading was interrupted or could judge nothing, since then no score must be written:
 * without a document Gradescope says that the autograder failed. */
delivery deliver_gradescope;

delivery deliver_prairielearn, deliver_autolab, deliver_check50;

/* Base64, in one line. In a job of GitHub's ($GITHUB_OUTPUT), also as its output "result". */
delivery deliver_classroom;

/* result.json, by the environment of Classroom 50's runner; in a job of GitHub's also its outputs
 * "status" and "summary"; and beside `output`, release-body.md. Fails if the grading was
 * interrupted or could judge nothing, for then no score must be written. */
delivery deliver_classroom50;

/* The summary goes to `output`, or else behind what $GITHUB_STEP_SUMMARY has, or else to the
 * standard output; if not there, the log and the annotations do. The outputs "score", "max-score",
 * "passed" and "whole" go to $GITHUB_OUTPUT, if that is set. */
delivery deliver_github;

/* -1 if the grading was interrupted or could judge nothing: `who` must not be given a score. */
int deliver_whole(const json_t *result, const char *who, struct failure *failure);
