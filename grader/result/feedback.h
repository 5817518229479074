/* What a check, a build and a whole result have to say, in plain lines that are made safe for where
 * they go. All reports that are no terminal's are made of these, so that each says the same.
 *
 * Called by the reporters. Knows nothing but the result document, and stumbles over no member that
 * is not there. */
#pragma once

#include "grader/result/safe_text.h"

#include <jansson.h>
#include <stdbool.h>

#define foreach_lab(result_, index_, lab_)                                                         \
  json_array_foreach (json_object_get(result_, "labs"), index_, lab_)
#define foreach_check(lab_, index_, check_)                                                        \
  json_array_foreach (json_object_get(lab_, "checks"), index_, check_)

enum outcome {
  OUTCOME_PASSED,
  OUTCOME_FAILED,
  OUTCOME_MISSING, /* a program is not there */
  OUTCOME_SKIPPED,
  OUTCOME_ERROR, /* the grader's own, which costs nothing; also a status that is not known */
};

enum outcome feedback_outcome(const json_t *check);

/* One line, a newline being shown as \n; at most `most` bytes, of which the end says what was cut.
 * The caller frees it, and all texts below. */
char *feedback_line(enum safe_destination destination, const char *text, size_t most);

/* The check's name; of one that was not judged also why: "udp.1/a (error of the grader: costs
 * nothing)". */
char *feedback_name(const json_t *check, enum safe_destination destination);

/* In lines of `most` bytes together: the message, what was required, expected and seen, the likely
 * cause, where to read on, remarks, and the moments on the wire. Of a check that passed only the
 * remarks: "" most often. */
char *feedback_of_check(const json_t *check, enum safe_destination destination, size_t most);

/* A line that says that the build failed, and the beginning of its log; "" if it did
 * not. */
char *feedback_of_build(const json_t *result, enum safe_destination destination, size_t most);

/* The score, how many checks passed, whether the build failed, and, loudly, whatever makes the
 * score less than whole: errors and faults of the grader, or an interruption. */
char *feedback_of_result(const json_t *result, enum safe_destination destination, size_t most);

/* Whether the score can be taken for the submission's: the grading was not interrupted, and
 * something was judged. */
bool feedback_is_whole(const json_t *result);

/* How many of the grader's own errors and faults there are. */
size_t feedback_error_count(const json_t *result);
