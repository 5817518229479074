/* What the checks must know of a submission: where its copy is, and by which command each program
 * runs. Written by submission.c, read by each suite program; the path between them is in
 * WIREGRADE_MANIFEST.
 *
 *   {"folder": "/…/copy", "programs": {"udp-server": ["bin/udp-server"], "udp-client": "one
 * sentence: why it is missing"}}
 */
#pragma once

#include "grader/base/failure.h"

struct manifest;

struct manifest *manifest_load(const char *path, struct failure *failure);
void manifest_free(struct manifest *manifest);

/* The command of a program, ending with NULL and the manifest's own; or NULL, and *missing is a
 * sentence. */
char *const *manifest_find(const struct manifest *manifest, const char *program,
                           const char **missing);

/* The folder that the program's sandbox shows as SANDBOX_FOLDER. */
const char *manifest_folder(const struct manifest *manifest);

/* ---- for who writes one ---- */

struct manifest *manifest_new(const char *folder);
void manifest_add(struct manifest *manifest, const char *program, const char *const *argv);
void manifest_add_missing(struct manifest *manifest, const char *program, const char *sentence);
int manifest_save(const struct manifest *manifest, const char *path, struct failure *failure);
