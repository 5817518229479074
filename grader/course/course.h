/* A course: what its teacher has decided for all submissions, in one YAML file.
 *
 *   course: Network programming, autumn
 *   limits:                 # of a build, and of each program; what is left out keeps its default
 *     memory: 2 GB          # of all its processes together
 *     file-size: 256 MB     # the largest file
 *     scratch: 256 MB       # of /tmp, and of what is written over the submission
 *     scratch-files: 20000
 *     processes: 512        # and threads
 *     descriptors: 1024
 *     cpu-time: 300 s       # of one process
 *     build-time: 2 min     # real time, of the whole build
 *
 * Called by the command line. Knows nothing of labs or submissions. */
#pragma once

#include "grader/base/failure.h"
#include "grader/sandbox/sandbox.h"

struct course {
  char *name;
  struct sandbox_limits limits; /* 0 where the course says nothing */
  unsigned build_seconds;       /* likewise */
};

/* NULL on failure, with the line if it is the YAML's fault. */
struct course *course_load(const char *path, struct failure *failure);
void course_free(struct course *course);
