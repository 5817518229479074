/* YAML files read into structs by a schema (libcyaml), with the line of what is wrong in the
 * sentence.
 *
 * Called by whoever has files that people write: labs, courses. */
#pragma once

#include "grader/base/failure.h"

#include <cyaml/cyaml.h>

/* Reads the file into a new struct, as the schema (a mapping by pointer) says; yaml_file_free() it.
 * NULL on failure; `what` is what the file should describe ("a lab"). */
void *yaml_file_load(const char *path, const cyaml_schema_value_t *schema, const char *what,
                     struct failure *failure);
/* `data` may be NULL. */
void yaml_file_free(const cyaml_schema_value_t *schema, void *data);
