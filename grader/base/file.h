/* Files that are written whole or not at all. */
#pragma once

#include "grader/base/failure.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes into a temporary file beside `path`, which then takes its place, and waits until both are
 * on the disk: a reader, or a power cut, meets the old file or the new one. The standard
 * output and what is no regular file (a pipe) are written as they are. */
int file_replace(const char *path, const char *contents, size_t length, struct failure *failure);
/* Puts the text behind what the file has, or makes the file: all of it, or none if that fails (a
 * full disk). */
int file_append(const char *path, const char *contents, size_t length, struct failure *failure);
/* "-", or the file that the standard output is, by whatever name: /dev/stdout, or what the shell
 * has redirected it to. */
bool file_is_stdout(const char *path);
/* Fails if it is clear beforehand that `path` cannot be written. */
int file_check_place(const char *path, struct failure *failure);
/* Makes the folder, and those above it that are not there. */
int file_make_folder(const char *path, struct failure *failure);
