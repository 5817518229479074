/* The result in the JSON of other programs that collect grades: one function for each, which makes
 * the document, and one that writes any of them within the size that its reader takes.
 *
 * Called by the command line. Reporters: they know nothing but the result document. In all of them
 * points are whole numbers; a check that is missing or was skipped has not passed; an error of the
 * grader has no points, says so in its name, and is told of first of all. `room` is how many bytes
 * each text may have: what is longer is cut, and says so. */
#pragma once

#include "grader/base/failure.h"

#include <jansson.h>
#include <stddef.h>

typedef json_t *json_reporter(const json_t *result, size_t room);

/* Gradescope's results.json: a test for each check, all of them visible to the student. A grading
 * that is not whole (feedback_is_whole) has no score to give it. */
json_t *report_gradescope(const json_t *result, size_t room);

/* PrairieLearn's results.json. It is not "gradable" if the grading was interrupted or could judge
 * nothing: then it costs no attempt. */
json_t *report_prairielearn(const json_t *result, size_t room);

/* Autolab's two lines, as an array: the presentation, a stage for each lab, and the scores, a
 * problem for each lab. A lab that has an error of the grader in it is given no score, which leaves
 * it to be graded again; after an interruption none is. */
json_t *report_autolab(const json_t *result, size_t room);

/* check50's results, as `check50 --output json` prints them. An error of the grader, a skipped
 * check and a failed build are neither passed nor failed (null). */
json_t *report_check50(const json_t *result, size_t room);

/* What GitHub Classroom's old reporter reads, before base64. */
json_t *report_classroom(const json_t *result, size_t room);

/* The document as text of at most `most` bytes (0: any number), its texts being cut to make it so;
 * the elements of an array are lines of their own. No runner obeys anything in it. NULL if it does
 * not fit even without texts. The caller frees it. */
char *report_json(const json_t *result, json_reporter *make, size_t most, struct failure *failure);

/* The same for a maker of the caller's own, which is given `context` and may return NULL if what it
 * was told cannot be written as JSON. */
char *report_json_made(json_t *(*make)(const void *context, size_t room), const void *context,
                       size_t most, struct failure *failure);

/* The same in base64, in one line, which is what `most` is of. */
char *report_json_base64(const json_t *result, json_reporter *make, size_t most,
                         struct failure *failure);
