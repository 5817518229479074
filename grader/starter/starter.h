/* A student's first repository: a skeleton for each program of each lab, and what is around them.
 *
 * Called by `wiregrade init`. Knows what labs say of themselves (lab.h), and nothing of checks; the
 * other files are copies of those in a folder that comes with wiregrade (grader/starter/files), in
 * which names that are to begin with a dot have none. */
#pragma once

#include "grader/base/failure.h"
#include "grader/lab/lab.h"

/* Makes `folder`, which must not be there yet, or be empty. It is there whole or, on failure, as it
 * was. `files` is the folder with the other files. */
int starter_create(const char *folder, const struct lab *const *labs, size_t count,
                   const char *files, struct failure *failure);
