#include "grader/sdk/alone.h"

#include "grader/base/failure.h"
#include "grader/sandbox/cgroup.h"
#include "grader/sandbox/sandbox.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* For all programs of all checks that run at the same time, above what each may have: the last
 * resort where something is not seen by the limits that each sandbox has. */
static void group_share(void) {
  enum { PROGRAMS_AT_ONCE = 4, GRADER_TASKS = 1000 };
  struct sandbox_limits limits = sandbox_default_limits();
  uint64_t most = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 4 * 3;
  uint64_t wanted = PROGRAMS_AT_ONCE * (limits.memory_bytes + limits.scratch_bytes);
  cgroup_share(wanted < most ? wanted : most, PROGRAMS_AT_ONCE * limits.processes + GRADER_TASKS);
}

/* A world has some descriptors open for each of a program's tasks, and for each that one waits for:
 * more than the 1024 that processes begin with. A program's own limit does not depend on it. */
static void descriptors_raise(void) {
  enum { MOST = 1 << 16 };
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= MOST)
    return;
  struct rlimit wanted = {MOST, limit.rlim_max < MOST ? MOST : limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
    return;
  limit.rlim_cur = limit.rlim_max; /* only root may have more */
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool suite_enter(const char *program) {
  enum sandbox_mode mode;
  struct failure failure;
  if (sandbox_enter(&mode, &failure) < 0) {
    fprintf(stderr, "%s: %s\n", program, failure.sentence);
    return false;
  }
  group_share();
  descriptors_raise();
  return true;
}
