#include "grader/sandbox/inner.h"

#include "grader/base/scope.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STACK_BYTES = 8 << 20 }; /* the usual one, whatever the grader was started with */

static const struct sandbox_limits usual_limits = {
    .memory_bytes = 2ull << 30,
    .file_bytes = 256ull << 20,
    .scratch_bytes = 256ull << 20,
    .scratch_inodes = 20000,
    .processes = 512, /* two for each of 200 clients */
    .descriptors = 1024,
    .cpu_seconds = 300,
};

static struct sandbox_limits limits_or(struct sandbox_limits wanted, struct sandbox_limits others) {
#define RESOLVE(field) wanted.field = wanted.field ? wanted.field : others.field
  RESOLVE(memory_bytes);
  RESOLVE(file_bytes);
  RESOLVE(scratch_bytes);
  RESOLVE(scratch_inodes);
  RESOLVE(processes);
  RESOLVE(descriptors);
  RESOLVE(cpu_seconds);
#undef RESOLVE
  return wanted;
}

struct sandbox_limits sandbox_default_limits(void) {
  struct sandbox_limits limits = {0};
  const char *text = getenv(SANDBOX_LIMITS_VARIABLE);
  enum { FIELDS = 7 };
  if (!text ||
      sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %u %u %u", &limits.memory_bytes,
             &limits.file_bytes, &limits.scratch_bytes, &limits.scratch_inodes, &limits.processes,
             &limits.descriptors, &limits.cpu_seconds) != FIELDS)
    return usual_limits;
  return limits_or(limits, usual_limits);
}

void sandbox_set_default_limits(struct sandbox_limits limits) {
  limits = limits_or(limits, sandbox_default_limits());
  char text[200];
  snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u %u %u",
           limits.memory_bytes, limits.file_bytes, limits.scratch_bytes, limits.scratch_inodes,
           limits.processes, limits.descriptors, limits.cpu_seconds);
  setenv(SANDBOX_LIMITS_VARIABLE, text, 1);
}

struct sandbox_limits limits_resolve(struct sandbox_limits wanted) {
  return limits_or(wanted, sandbox_default_limits());
}

/* Only root may raise a hard limit, so an ordinary user's own limit stays where it is lower. */
static bool limit_set(int resource, rlim_t soft, rlim_t hard) {
  struct rlimit now;
  if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
    return false;
  if (now.rlim_max < hard)
    hard = now.rlim_max;
  struct rlimit limit = {.rlim_cur = soft < hard ? soft : hard, .rlim_max = hard};
  return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

bool limits_apply(const struct sandbox_limits *limits) {
  return limit_set(RLIMIT_FSIZE, limits->file_bytes, limits->file_bytes) &&
         limit_set(RLIMIT_NPROC, limits->processes, limits->processes) &&
         limit_set(RLIMIT_NOFILE, limits->descriptors, limits->descriptors) &&
         /* SIGXCPU first, which a debugger or a shell explains; SIGKILL a second later. */
         limit_set(RLIMIT_CPU, limits->cpu_seconds, limits->cpu_seconds + 1) &&
         /* 0 would still start the host's helper where core_pattern names one; 1 does not, and is
          * too small for a file (core(5)). */
         limit_set(RLIMIT_CORE, 1, 1) &&
         /* Some machines let ordinary users run before all others, the grader included. */
         limit_set(RLIMIT_RTPRIO, 0, 0) && limit_set(RLIMIT_NICE, 0, 0) &&
         limit_set(RLIMIT_STACK, STACK_BYTES, RLIM_INFINITY);
}

static uint64_t resident_pages(int proc_fd, pid_t process) {
  char path[40], text[128];
  snprintf(path, sizeof path, "%d/statm", process);
  scoped_fd int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (length <= 0)
    return 0;
  text[length] = '\0';
  unsigned long long size, resident;
  return sscanf(text, "%llu %llu", &size, &resident) == 2 ? resident : 0;
}

uint64_t sandbox_memory_used(const struct sandbox *sandbox) {
  scoped_text pid_t *members = NULL;
  size_t count = sandbox_processes(sandbox->proc_fd, sandbox->keeper, &members);
  uint64_t pages = 0;
  for (size_t i = 0; i < count; i++)
    pages += resident_pages(sandbox->proc_fd, members[i]);
  return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool sandbox_memory_exceeded(const struct sandbox *sandbox, uint64_t most) {
  return sandbox_memory_used(sandbox) > most || cgroup_out_of_memory(&sandbox->group);
}
