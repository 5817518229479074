/* What differs between two gradings: of a class, or of one submission.
 *
 * Called by the command line. Knows gradebooks and result documents. */
#pragma once

#include "grader/batch/gradebook.h"

#include <jansson.h>
#include <stdio.h>

/* One side: {"KEY": {"name", "state", "points", "max_points", "checks": {ID: status}}}. points is
 * null where there are none. The caller's. */
json_t *compare_side_of_gradebook(struct gradebook *book, struct failure *failure);
json_t *compare_side_of_result(const json_t *result);

/* {"students": [{"key", "name", "old": {"state", "points", "max_points"} or null, "new": likewise,
 * "checks": [{"id", "old": status or null, "new"}]}], of those for whom anything differs, by name;
 * "compared": how many are on both sides, "better", "worse", "only_old", "only_new"}. The caller's.
 */
json_t *compare_sides(const json_t *old_side, const json_t *new_side);
/* The same in words. */
void compare_print(const json_t *comparison, FILE *file);
/* Whether nothing differs. */
bool compare_is_empty(const json_t *comparison);
