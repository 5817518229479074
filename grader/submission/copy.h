/* Copies a student's folder. Called by submission.c. Knows nothing of what is in it. */
#pragma once

#include "grader/base/failure.h"

#include <stdint.h>
#include <sys/types.h>

struct copy_limits {
  uint64_t bytes;
  uint64_t files; /* folders and links included */
};

enum copy_fault {
  COPY_DONE,
  COPY_UNREADABLE, /* what is copied can't be read, or is too large, or is nothing */
  COPY_UNWRITABLE,
};

/* Copies what is in `folder` into the new folder `to`: files, folders, symbolic links (as links),
 * with their times and modes, without set-user-ID, sockets, devices and .git. All belongs to
 * `owner` then, who can read and write it; where ids cannot be changed, to this process's user. */
enum copy_fault copy_folder(const char *folder, const char *to, uid_t owner,
                            struct copy_limits limits, struct failure *failure);
