/* The catalogue: all labs of the suite, in the order of the notes' sections. Called by the command
 * line. */
#pragma once

#include "grader/lab/lab.h"

struct catalogue {
  struct lab **labs;
  size_t count;
};

/* Loads every folder in `suite` that has a lab.yaml. One that cannot be read fails the whole: half
 * a catalogue would grade half a submission and look complete. */
int catalogue_load(const char *suite, struct catalogue *catalogue, struct failure *failure);
void catalogue_free(struct catalogue *catalogue);

/* Finds by name; dashes and underscores are the same. On failure the sentence offers the nearest
 * names. */
const struct lab *catalogue_lab(const struct catalogue *catalogue, const char *name,
                                struct failure *failure);

/* Finds the lab and the requirement that "udp-retry.6" or "udp-retry.6/any_check" means. */
int catalogue_requirement(const struct catalogue *catalogue, const char *name,
                          const struct lab **lab, const struct requirement **requirement,
                          struct failure *failure);
