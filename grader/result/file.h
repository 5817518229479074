/* The result document as a file: written whole or not at all, and checked when it is read back.
 * Called by the command line. */
#pragma once

#include "grader/base/file.h"

#include <jansson.h>
#include <stdio.h>

/* By file_replace. */
int result_write(const json_t *result, const char *path, struct failure *failure);
/* The same for a report that is made from the document. */
int report_write(const json_t *result, void (*report)(const json_t *result, FILE *file),
                 const char *path, struct failure *failure);

/* Reads and checks a document; NULL with one sentence if it is not whole, not a result, or of a
 * later version. "-" is stdin. */
json_t *result_read(const char *path, struct failure *failure);
