/* Whether a failed check teaches: whether the likely cause that is shown for a mutant is that of
 * its bug. Called by the matrix. */
#pragma once

#include "grader/verify/mutant.h"

#include <jansson.h>

/* What is shown for each check that failed: [{"mutant": "udp/connected", "check":
 * "udp.7/asks_once", "requirement": "udp.7", "cause": text, "general": whether it is but the lab's
 * own hint, which is shown where no cause is known}]. `general` has that hint for each requirement.
 */
json_t *hints_shown(const char *name, const json_t *result, const json_t *general);

/* Adds a sentence to `deviations` for each hint of the mutant that is not among those. */
void hints_judge(const struct mutant *mutant, const char *name, const json_t *shown,
                 json_t *deviations);
