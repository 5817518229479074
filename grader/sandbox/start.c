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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  START_LIMIT_MS = 30000, /* a start takes some 3 ms; this is for a machine in great trouble */
  START_LOOK_MS = 20,     /* how often to look whether init still lives */
};

static char *const usual_environment[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "HOME=/tmp",
    "LANG=C.UTF-8",
    "TERM=dumb",
    "TZ=UTC",
    "USER=student",
    "LOGNAME=student",
    NULL,
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

/* ---- the plan ---- */

static void plan_free(struct plan *plan) {
  if (plan->shared)
    munmap(plan->shared, sizeof *plan->shared);
  for (char **path = plan->paths; path && *path; path++)
    free(*path);
  free(plan->paths);
  free(plan->shell_argv);
  free((void *)plan->files);
  free((void *)plan->folder);
  for (size_t i = 0; i < plan->hidden_count; i++)
    free(plan->hidden[i]);
  free(plan->hosts);
  free(plan->passwd);
  free(plan->group);
  free(plan->host_name_line);
  scope_close_fd(&plan->caller_pidfd);
}

static const char *environment_value(char *const *environment, const char *name) {
  size_t length = strlen(name);
  for (; *environment; environment++)
    if (!strncmp(*environment, name, length) && (*environment)[length] == '=')
      return *environment + length + 1;
  return NULL;
}

static void plan_paths(struct plan *plan) {
  const char *name = plan->argv[0];
  const char *search = environment_value(plan->envp, "PATH");
  size_t count = 0;
  if (strchr(name, '/') || !*name)
    search = NULL;
  else if (!search)
    search = "/usr/local/bin:/usr/bin:/bin";
  plan->paths = memory_zeroed(2 + (search ? strlen(search) : 0), sizeof *plan->paths);
  if (!search)
    plan->paths[count++] = memory_text(name);
  while (search) {
    size_t length = strcspn(search, ":");
    plan->paths[count++] =
        length ? memory_format("%.*s/%s", (int)length, search, name) : memory_text(name);
    search = search[length] ? search + length + 1 : NULL;
  }
}

static void plan_shell(struct plan *plan) {
  size_t count = 0;
  while (plan->argv[count])
    count++;
  plan->shell_argv = memory_zeroed(count + 2, sizeof *plan->shell_argv);
  plan->shell_argv[0] = "/bin/sh";
  for (size_t i = 1; i < count; i++)
    plan->shell_argv[i + 1] = plan->argv[i];
}

static bool file_given(const struct sandbox_spec *spec, const char *path) {
  for (size_t i = 0; i < spec->file_count; i++)
    if (!strcmp(spec->files[i].path, path))
      return true;
  return false;
}

static int plan_files(struct plan *plan, struct failure *failure) {
  const struct sandbox_spec *spec = plan->spec;
  if (plan->open && spec->file_count > 0)
    return failure_set(failure,
                       "cannot give a program its own %s without a mount namespace, which "
                       "this machine does not allow",
                       spec->files[0].path);
  /* The host's would name the host; and it may know localhost as ::1, or, in a container where it
   * is a mount of its own, not at all. */
  plan->hosts = memory_format("127.0.0.1\tlocalhost\n127.0.1.1\t%s\n", plan->hostname);
  /* The program's user has a name, under either id that it may get; the host's are not shown. */
  plan->passwd =
      memory_format("root:x:0:0:root:/root:/bin/sh\n"
                    "student:x:%d:%d:student:/tmp:/bin/sh\n"
                    "student:x:%u:%u:student:/tmp:/bin/sh\n"
                    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
                    SANDBOX_INNER_UID, SANDBOX_INNER_UID, sandbox_user(), sandbox_user());
  plan->group = memory_format("root:x:0:\nstudent:x:%d:\nstudent:x:%u:\nnogroup:x:65534:\n",
                              SANDBOX_INNER_UID, sandbox_user());
  plan->host_name_line = memory_format("%s\n", plan->hostname);
  const struct sandbox_file usual[] = {
      {"/etc/passwd", plan->passwd, strlen(plan->passwd)},
      {"/etc/group", plan->group, strlen(plan->group)},
      {"/etc/hosts", plan->hosts, strlen(plan->hosts)},
      {"/etc/hostname", plan->host_name_line, strlen(plan->host_name_line)},
  };
  enum { USUAL = sizeof usual / sizeof *usual };
  struct sandbox_file *files = memory_zeroed(spec->file_count + USUAL, sizeof *files);
  plan->files = files;
  for (size_t i = 0; i < spec->file_count; i++) {
    const char *path = spec->files[i].path;
    if (strncmp(path, "/etc/", 5) != 0 || strstr(path, "/../") || path[strlen(path) - 1] == '/')
      return failure_set(failure, "cannot replace %s in a sandbox: only files below /etc can be",
                         path);
    files[plan->file_count++] = spec->files[i];
  }
  for (size_t i = 0; i < USUAL; i++)
    if (!file_given(spec, usual[i].path))
      files[plan->file_count++] = usual[i];
  return 0;
}

/* Where the kernel keeps this process's command line, and so shows it as that of its forks. */
static void plan_arguments(struct plan *plan) {
  scoped_file FILE *file = fopen("/proc/self/stat", "re");
  char line[2048];
  if (!file || !fgets(line, sizeof line, file))
    return;
  char *field = strrchr(line, ')');
  enum { ARGUMENTS_START = 48, AFTER_NAME = 2 }; /* field numbers of proc(5) */
  for (int i = AFTER_NAME; field && i < ARGUMENTS_START; i++)
    field = strchr(field + 1, ' ');
  unsigned long start = 0, end = 0;
  if (field && sscanf(field, "%lu %lu", &start, &end) == 2 && end > start) {
    plan->arguments = (char *)start; // NOLINT(performance-no-int-to-ptr)
    plan->arguments_length = end - start;
  }
}

static int plan_prepare(struct plan *plan, const struct sandbox_spec *spec,
                        struct failure *failure) {
  plan->spec = spec;
  plan->caller_pidfd = -1;
  plan->mode = sandbox_mode_now();
  plan->open = sandbox_is_open();
  plan->root = plan->mode == SANDBOX_ROOT;
  plan->uid = plan->root ? spec->uid ? spec->uid : sandbox_user() : 0;
  plan->limits = limits_resolve(spec->limits);
  plan->hostname = spec->hostname ? spec->hostname : "student";
  plan->argv = spec->argv;
  plan->envp = spec->envp ? spec->envp : usual_environment;
  snprintf(plan->id_map, sizeof plan->id_map, "%d %u 1", SANDBOX_INNER_UID, plan->uid);
  snprintf(plan->scratch_size, sizeof plan->scratch_size, "%llu",
           (unsigned long long)plan->limits.scratch_bytes);
  snprintf(plan->scratch_inodes, sizeof plan->scratch_inodes, "%llu",
           (unsigned long long)plan->limits.scratch_inodes);
  plan_paths(plan);
  plan_shell(plan);
  plan_arguments(plan);
  plan_hidden(plan);
  plan->folder = realpath(spec->folder, NULL);
  struct stat status;
  if (!plan->folder || stat(plan->folder, &status) < 0)
    return failure_errno(failure, "cannot open the folder %s", spec->folder);
  if (!S_ISDIR(status.st_mode))
    return failure_set(failure, "cannot open the folder %s: it is not a folder", spec->folder);
  plan->shared =
      mmap(NULL, sizeof *plan->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (plan->shared == MAP_FAILED) {
    plan->shared = NULL;
    failure_errno(failure, "cannot map a page for a sandbox");
    return -1;
  }
  plan->caller_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
  if (plan->caller_pidfd < 0)
    return failure_errno(failure, "cannot open a pidfd (Linux 5.12 or later is needed)");
  if (plan_files(plan, failure) < 0)
    return -1;
  return deny_filter(spec->cpu >= 0, &plan->deny, failure);
}

/* ---- the start ---- */

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
  sandbox->init_pid = init_clone(plan, &sandbox->init_pidfd);
  if (sandbox->init_pid == 0)
    init_run(plan);
  close(ends[1]);
  if (sandbox->init_pid < 0) {
    sandbox->init_pidfd = -1;
    return failure_errno(failure,
                         "cannot make the namespaces of a sandbox (try `wiregrade doctor`)");
  }
  if (plan->open)
    sandbox->keeper = sandbox->init_pid;
  if (start_await(plan->shared, sandbox->init_pidfd, failure) < 0)
    return -1;
  return start_take(plan, sandbox, failure);
}

int sandbox_start(const struct sandbox_spec *spec, struct sandbox *sandbox,
                  struct failure *failure) {
  __attribute__((cleanup(plan_free))) struct plan plan = {0};
  *sandbox = sandbox_none();
  if (plan_prepare(&plan, spec, failure) < 0)
    return -1;
  if (start_run(&plan, sandbox, failure) == 0)
    return 0;
  sandbox_kill(sandbox);
  return -1;
}
