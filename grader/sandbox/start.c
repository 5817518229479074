/* The caller's side: what is prepared before the clone, and what is taken over after it. */
#include "grader/sandbox/inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  START_LIMIT_MS = 30000, /* a start takes some 3 ms; this is for a machine in great trouble */
  START_LOOK_MS = 20,     /* how often to look whether init still lives */
};

struct sandbox sandbox_none(void) {
  return (struct sandbox){.init_pid = -1,
                          .init_pidfd = -1,
                          .main_pid = -1,
                          .notify_fd = -1,
                          .status_fd = -1,
                          .group = cgroup_none(),
                          .proc_fd = -1,
                          .keeper = SANDBOX_KEEPER};
}

/* ---- the start ---- */

/* The heap of a grader is some megabytes. A child that has it too makes the kernel copy each page
 * that the grader writes to from then on, and init stays as long as its program; it needs none of
 * it, having a plan in a mapping of its own. Other threads might fork meanwhile, with a use for it:
 * so not where there are any. Returns how much of the heap the next clone does without. */
static size_t heap_spare(const struct plan *plan) {
  if (!plan->heap || plan->spec->function || !__libc_single_threaded)
    return 0;
  size_t length = (size_t)((char *)sbrk(0) - plan->heap);
  return madvise(plan->heap, length, MADV_DONTFORK) == 0 ? length : 0;
}

static pid_t init_clone(const struct plan *plan, int *pidfd) {
  uint64_t walls = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  struct clone_args arguments = {
      .flags =
          CLONE_PIDFD | (plan->open ? 0 : walls) | (plan->spec->netns_fd < 0 ? CLONE_NEWNET : 0),
      .pidfd = (uintptr_t)pidfd,
      .exit_signal = SIGCHLD,
  };
  return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

static void init_start(const struct plan *plan, struct sandbox *sandbox) {
  size_t spared = heap_spare(plan);
  int pidfd = -1;
  pid_t pid = init_clone(plan, &pidfd); /* *sandbox may be on the heap */
  if (pid == 0)
    init_run(plan);
  if (spared)
    madvise(plan->heap, spared, MADV_DOFORK);
  sandbox->init_pid = pid;
  sandbox->init_pidfd = pidfd;
}

static bool has_ended(int pidfd) {
  struct pollfd ended = {.fd = pidfd, .events = POLLIN};
  return poll(&ended, 1, 0) > 0;
}

static int start_await(struct shared *shared, int init_pidfd, struct failure *failure) {
  for (int waited = 0; atomic_load(&shared->state) == START_RUNNING; waited += START_LOOK_MS) {
    if (waited > START_LIMIT_MS)
      return failure_set(failure, "cannot start a sandbox: it was not ready after %d s",
                         START_LIMIT_MS / 1000);
    if (has_ended(init_pidfd) && atomic_load(&shared->state) == START_RUNNING)
      return failure_set(failure, "cannot start a sandbox: its first process was killed");
    futex_wait(&shared->state, START_RUNNING, START_LOOK_MS);
  }
  if (atomic_load(&shared->state) == START_ARMED)
    return 0;
  errno = shared->error;
  const char *detail = shared->detail;
  return failure_errno(failure, "cannot start a sandbox: %s%s%s", language_text(shared->step),
                       *detail ? " " : "", detail);
}

static int descriptor_take(int pidfd, int fd) {
  return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

/* The process that a pidfd stands for, as this process knows it. */
static pid_t pidfd_process(int pidfd) {
  scoped_text char *path = memory_format("/proc/self/fdinfo/%d", pidfd);
  scoped_file FILE *file = fopen(path, "re");
  char line[128];
  int pid = -1;
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "Pid: %d", &pid) == 1)
      return pid;
  return -1;
}

static int start_take(struct plan *plan, struct sandbox *sandbox, struct failure *failure) {
  struct shared *shared = plan->shared;
  scoped_fd int main_pidfd = descriptor_take(sandbox->init_pidfd, shared->main_pidfd);
  sandbox->proc_fd = descriptor_take(sandbox->init_pidfd, shared->proc_fd);
  if (main_pidfd < 0 || sandbox->proc_fd < 0)
    return failure_errno(failure, "cannot take descriptors from a sandbox");
  sandbox->main_pid = pidfd_process(main_pidfd);
  if (sandbox->main_pid <= 0)
    return failure_set(failure, "cannot find the program's process in /proc");
  if (plan->spec->notify_filter) {
    sandbox->notify_fd = descriptor_take(main_pidfd, shared->notify_fd);
    if (sandbox->notify_fd < 0)
      return failure_errno(failure, "cannot take the listener of the system call filter");
  }
  atomic_store(&shared->taken, 1);
  futex_wake(&shared->taken);
  return 0;
}

/* The grader's own look, which ends the sandbox in an orderly way, is to come first; what is in the
 * scratch tmpfs is not part of that. */
static void start_group(struct plan *plan, struct sandbox *sandbox) {
  enum { MEMORY_ABOVE = 64 << 20, TASKS_ABOVE = 16 };
  const struct sandbox_limits *limits = &plan->limits;
  sandbox->group = cgroup_create(limits->memory_bytes + limits->scratch_bytes + MEMORY_ABOVE,
                                 limits->processes + TASKS_ABOVE);
  memcpy(plan->group_fds, sandbox->group.procs_fds, sizeof plan->group_fds);
}

static int start_run(struct plan *plan, struct sandbox *sandbox, struct failure *failure) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return failure_errno(failure, "cannot make a pipe for a sandbox");
  sandbox->status_fd = ends[0];
  plan->status_fd = ends[1];
  start_group(plan, sandbox);
  init_start(plan, sandbox);
  close(ends[1]);
  if (sandbox->init_pid < 0)
    return failure_errno(failure,
                         "cannot make the namespaces of a sandbox (try `wiregrade doctor`)");
  if (plan->open)
    sandbox->keeper = sandbox->init_pid;
  if (start_await(plan->shared, sandbox->init_pidfd, failure) < 0)
    return -1;
  return start_take(plan, sandbox, failure);
}

int sandbox_start(const struct sandbox_spec *spec, struct sandbox *sandbox,
                  struct failure *failure) {
  *sandbox = sandbox_none();
  struct plan *plan = sandbox_plan(spec, failure);
  if (!plan)
    return -1;
  int result = start_run(plan, sandbox, failure);
  sandbox_plan_free(plan);
  if (result < 0)
    sandbox_kill(sandbox);
  return result;
}
