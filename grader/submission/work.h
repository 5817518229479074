/* The place where a submission is copied and built: a tmpfs of limited size in a mount namespace of
 * this process. It needs no cleaning up (whatever a build leaves there, under whatever names and
 * modes, goes with the namespace), and no other process of the machine sees it. (In an open sandbox
 * it is a folder as any other, and is removed.)
 *
 * Called by submission.c, once a process. */
#pragma once

#include "grader/base/failure.h"

#include <stdint.h>

/* Returns the path, the caller's to give to work_remove(); NULL on failure. The limits are those of
 * WORK_FOLDER in it, for the copy: what the grader itself writes beside that always finds room,
 * whatever a build has filled. */
#define WORK_FOLDER "copy"

char *work_create(uint64_t bytes, uint64_t files, struct failure *failure);
void work_remove(char *path);
