/* Hidden checks: graded like all others, but shown to students as a number only.
 *
 * Called by the command line and by who makes students' reports. The document of a grading has
 * them whole, each with "hidden": true, so that teachers see what failed. What a student sees is
 * made from another document, in which the hidden checks of a lab are one entry: how many there
 * are, how many passed, and their points. So every report shows the score that counts, and no
 * report can show more. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Marks the checks that `hides` names. If they are released, students see them all the same. */
void result_hide(json_t *result,
                 bool (*hides)(const void *context, const char *check, const char *requirement),
                 const void *context, bool released);

/* The document that students' reports are made from: the caller's, who must not change it. Of one
 * without hidden checks it is the document itself. */
json_t *result_for_students(json_t *result);

/* Removes the captures of hidden checks that students are not to see, which lie where the document
 * says. */
void result_remove_hidden_captures(const json_t *result);
