/* Hashes by which a batch knows contents again: of submissions, of a suite, of a course.
 *
 * Called by batch.c and its sources. SHA-256, in hexadecimal. Follows no link, and reads of a
 * submission no more than a submission may have (submission.h refuses what is larger). */
#pragma once

#include "grader/base/failure.h"

#include <stddef.h>

struct hash {
  char text[65];
};

/* Of an archive its bytes; of a folder the sorted names of all that is in it with their types,
 * modes and contents, without .git, and without times: what was copied is what it was. Fails only
 * if there is nothing to be opened at `path`; what cannot be read in it makes another hash than
 * what can. */
int hash_contents(const char *path, struct hash *hash, struct failure *failure);

struct hash hash_bytes(const void *bytes, size_t length);
/* Of files in this order, each with its name (the last part of the path). Fails if one cannot be
 * read. */
int hash_files(const char *const *paths, size_t count, struct hash *hash, struct failure *failure);
