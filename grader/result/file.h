/* The result document as a file: written whole or not at all, and checked when it is read back.
 * Called by the command line. */
#pragma once

#include "grader/base/failure.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes into a temporary file beside `path`, which then takes its place, and waits until both are
 * on the disk: a reader, or a power cut, meets the old file or the new one. The standard
 * output and what is no regular file (a pipe) are written as they are. */
int result_write(const json_t *result, const char *path, struct failure *failure);
/* The same for any text. */
int file_replace(const char *path, const char *contents, size_t length, struct failure *failure);
/* The same for a report that is made from the document. */
int report_write(const json_t *result, void (*report)(const json_t *result, FILE *file),
                 const char *path, struct failure *failure);

/* "-", or the file that the standard output is, by whatever name: /dev/stdout, or what the shell
 * has redirected it to. */
bool file_is_stdout(const char *path);
/* Fails if it is clear beforehand that `path` cannot be written. */
int file_check_place(const char *path, struct failure *failure);

/* Reads and checks a document; NULL with one sentence if it is not whole, not a result, or of a
 * later version. "-" is stdin. */
json_t *result_read(const char *path, struct failure *failure);
