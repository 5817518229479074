/* What building a submission made, kept for the next time that the very same is to be built.
 *
 * Called by submission.c, which may do without: whatever goes wrong here, the submission is built.
 * Knows nothing of how it is built.
 *
 * A build is found by all that can make a difference to it: every file of the submission with its
 * name, mode, time and contents, the names of the programs that are looked for, the limits, the
 * machine, its compilers and libraries as their packages' state tells, and this grader. So what one
 * submission's build left can only ever be taken for the same submission. Only builds in which all
 * went well are kept: one that ran out of time or memory is tried anew.
 *
 * The place is a folder below the user's cache that nobody else can enter; a sandbox does not show
 * it. What is taken from it is compared with its digest, so that half of a build, or one that
 * somebody changed, is never used. It holds so many builds of so many bytes at most; the one that
 * was not used for longest goes first. */
#pragma once

#include "grader/sandbox/sandbox.h"

#include <stdbool.h>
#include <stddef.h>

struct build_cache_key {
  const char *folder; /* of the submission, nothing built yet */
  const char *const *programs;
  size_t program_count;
  char *const *languages; /* of submission_spec: what is in others is not compiled */
  unsigned language_count;
  const struct sandbox_limits *limits;
};

/* The path at which that build is, or would be kept; the caller frees it. NULL if it cannot be. */
char *build_cache_path(const struct build_cache_key *key);
/* Copies what is kept at the path to the new folder `to`. *log is what the build said; the caller
 * frees it. False if nothing is kept there; `to` may then have been made all the same. */
bool build_cache_take(const char *path, const char *to, char **log);
/* Keeps the folder, now that all is built. */
void build_cache_keep(const char *path, const char *folder, const char *log);
