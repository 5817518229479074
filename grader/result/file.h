/* The result document as a file: written whole or not at all, and checked when it is read back.
 * Called by the command line. */
#pragma once

#include "grader/base/failure.h"

#include <jansson.h>

/* Writes into a temporary file beside `path`, which then takes its place, and waits until both are
 * on the disk: a reader, or a power cut, meets the old file or the new one. "-" and what is no
 * regular file (/dev/stdout, a pipe) are written as they are. */
int result_write(const json_t *result, const char *path, struct failure *failure);
/* The same for any text. */
int file_replace(const char *path, const char *contents, size_t length, struct failure *failure);

/* Reads and checks a document; NULL with one sentence if it is not whole, not a result, or of a
 * later version. "-" is stdin. */
json_t *result_read(const char *path, struct failure *failure);
