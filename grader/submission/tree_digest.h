/* The SHA-256 of folders and other things: whether two are the same. Called by build_cache.c.
 *
 * Whatever cannot be read, or could not be restored by copying it (copy.h), spoils the digest: its
 * end is then NULL. */
#pragma once

#include <stddef.h>

struct tree_digest;

/* NULL if there is no SHA-256 to be had. */
struct tree_digest *tree_digest_begin(void);
void tree_digest_add(struct tree_digest *digest, const void *bytes, size_t length);
/* With its end: two texts are not the same as one. */
void tree_digest_text(struct tree_digest *digest, const char *text);
/* All that is in the folder: names, kinds, modes, times, contents. */
void tree_digest_folder(struct tree_digest *digest, const char *path);
/* Whether there is something at the path, and when it was changed: not what is in it. */
void tree_digest_state(struct tree_digest *digest, const char *path);
/* In hexadecimal; the caller frees it. */
char *tree_digest_end(struct tree_digest *digest);
