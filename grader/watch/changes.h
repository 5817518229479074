/* What changes in a folder that somebody works in.
 *
 * Called by `wiregrade watch`. Knows files, by inotify(7), and nothing of what is in them. Files of
 * editors (hidden, ending in ~) and folders of version control are left out. */
#pragma once

#include "grader/base/failure.h"

#include <signal.h>
#include <stddef.h>

struct changes;

/* Watches the folder and all folders in it, those too that are made later. NULL on failure. */
struct changes *changes_begin(const char *folder, struct failure *failure);
void changes_end(struct changes *changes);

/* Waits until something has changed, and then until nothing more has for a moment: an editor writes
 * in several steps, a compiler many files. *paths, relative to the folder, each once and ending
 * with NULL, belong to `changes` until the next call; *count may be 0 if so much changed that names
 * were lost. Returns 1; 0 once *stop is not 0; -1 if the folder is gone. */
int changes_wait(struct changes *changes, const volatile sig_atomic_t *stop, char *const **paths,
                 size_t *count, struct failure *failure);
