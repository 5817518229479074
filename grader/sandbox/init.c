/* Process 1 of a sandbox: see the theory of operation in sandbox.h. */
#include "grader/sandbox/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

_Noreturn void start_fail(struct shared *shared, const char *step, const char *detail) {
  shared->error = errno;
  shared->step = step;
  snprintf(shared->detail, sizeof shared->detail, "%s", detail ? detail : "");
  atomic_store(&shared->state, START_FAILED);
  futex_wake(&shared->state);
  _exit(125);
}

static void need(const struct plan *plan, bool good, const char *step) {
  if (!good)
    start_fail(plan->shared, step, NULL);
}

/* The kernel forgets this wish when a process changes its user, so it is made again then. It may
 * come too late: a caller that was dead before is found by its pidfd. */
static void die_with_caller(const struct plan *plan) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct pollfd caller = {.fd = plan->caller_pidfd, .events = POLLIN};
  if (poll(&caller, 1, 0) != 0)
    _exit(125);
}

/* The kernel shields process 1 only from signals that it has no handler for, and an ordinary user's
 * program may send it any: the caller's handlers must go. SIGCHLD ignored would hide how main
 * ended.
 */
void signals_reset(void) {
  struct sigaction usual = {.sa_handler = SIG_DFL};
  for (int signal = 1; signal < NSIG; signal++)
    sigaction(signal, &usual, NULL); /* refused for a few, which nobody can have changed */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Closes every descriptor but those listed (-1 stands for none). */
static void close_others(int *kept, size_t count) {
  for (size_t i = 1; i < count; i++) /* so few that this is the quickest way to sort them */
    for (size_t j = i; j && kept[j - 1] > kept[j]; j--) {
      int lower = kept[j];
      kept[j] = kept[j - 1];
      kept[j - 1] = lower;
    }
  unsigned from = 0;
  for (size_t i = 0; i < count; i++) {
    if (kept[i] < 0)
      continue;
    unsigned fd = (unsigned)kept[i];
    if (fd > from)
      syscall(SYS_close_range, from, fd - 1, 0);
    from = fd + 1;
  }
  syscall(SYS_close_range, from, ~0u, 0);
}

static void file_put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  ssize_t ignored = write(fd, text, strlen(text));
  (void)ignored; /* a kernel that refuses this is one that does without */
  close(fd);
}

static void surroundings_enter(const struct plan *plan) {
  const struct sandbox_spec *spec = plan->spec;
  setsid();
  prctl(PR_SET_NAME, "init");
  if (spec->cpu >= 0) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((unsigned)spec->cpu, &cpus);
    need(plan, sched_setaffinity(0, sizeof cpus, &cpus) == 0, "cannot move to one CPU");
  }
  if (spec->netns_fd >= 0)
    need(plan, setns(spec->netns_fd, CLONE_NEWNET) == 0, "cannot join the network namespace");
  if (plan->open) /* orphans fall to this process, as they do to process 1 */
    need(plan, prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "cannot keep a program's processes together");
  else
    need(plan, sethostname(plan->hostname, strlen(plan->hostname)) == 0,
         "cannot set the host name");
}

/* A program may open its terminal or pipe again by name (`echo x >/dev/stderr`); the kernel then
 * looks at who owns it, and it was opened by root. */
static void streams_hand_over(const struct plan *plan) {
  const int streams[] = {plan->spec->stdin_fd, plan->spec->stdout_fd, plan->spec->stderr_fd};
  struct stat status;
  struct termios settings;
  for (size_t i = 0; i < 3 && plan->root; i++)
    if (streams[i] >= 0 && fstat(streams[i], &status) == 0 &&
        (S_ISFIFO(status.st_mode) ||
         (S_ISCHR(status.st_mode) && tcgetattr(streams[i], &settings) == 0)))
      need(plan, fchown(streams[i], plan->uid, (gid_t)-1) == 0,
           "cannot hand over a terminal or pipe");
}

static pid_t main_clone(const struct plan *plan, uint64_t flags, int *pidfd) {
  pid_t wanted = plan->open ? 0 : plan->spec->main_pid;
  struct clone_args arguments = {
      .flags = flags | CLONE_PIDFD,
      .pidfd = (uintptr_t)pidfd,
      .exit_signal = SIGCHLD,
      .set_tid = wanted > 0 ? (uintptr_t)&wanted : 0,
      .set_tid_size = wanted > 0,
  };
  return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

static void id_map_write(const struct plan *plan, pid_t pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  need(plan,
       fd >= 0 && write(fd, plan->id_map, strlen(plan->id_map)) == (ssize_t)strlen(plan->id_map),
       "cannot map the program's user");
  close(fd);
}

/* main gets a user namespace of its own: RLIMIT_NPROC is counted per user and user namespace
 * (Linux 5.14), so that one sandbox's fork bomb leaves the others alone; and the one user that an
 * ordinary user has cannot trace process 1 across it. Root can do without where there are none. */
static pid_t main_start(const struct plan *plan, int *pidfd) {
  bool nested = true;
  pid_t pid = main_clone(plan, CLONE_NEWUSER, pidfd);
  if (pid < 0 && plan->root) {
    nested = false;
    pid = main_clone(plan, 0, pidfd);
  }
  need(plan, pid >= 0, "cannot start the program's process");
  if (pid == 0)
    student_run(plan, nested);
  if (nested) {
    id_map_write(plan, pid, "uid_map");
    id_map_write(plan, pid, "gid_map");
  }
  return pid;
}

void bounding_set_drop(void) {
  for (unsigned long capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++)
    ;
}

bool capabilities_drop(void) {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
  return syscall(SYS_capset, &header, none) == 0;
}

/* By number: libc's own functions would speak to the threads that the caller had. */
bool user_become(uid_t uid) {
  return syscall(SYS_setresgid, uid, uid, uid) == 0 && syscall(SYS_setresuid, uid, uid, uid) == 0;
}

static void privileges_drop(const struct plan *plan) {
  if (plan->root)
    need(plan, syscall(SYS_setgroups, 0, NULL) == 0, "cannot drop groups");
  bounding_set_drop(); /* while it still can */
  if (plan->root)
    need(plan, user_become(SANDBOX_INIT_UID), "cannot become an unprivileged user");
  need(plan, capabilities_drop() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0,
       "cannot drop capabilities");
  die_with_caller(plan);
}

/* main stays a zombie until the caller has taken hold of it. */
static void children_reap(const struct plan *plan, pid_t main_pid) {
  for (;;) {
    siginfo_t ended = {0};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT) < 0) {
      if (errno == ECHILD)
        pause(); /* main is gone and left nobody who could make more */
      continue;
    }
    if (ended.si_pid == main_pid)
      while (!atomic_load(&plan->shared->taken))
        futex_wait(&plan->shared->taken, 0, 1000);
    struct sandbox_status status = {.exec_errno = plan->shared->exec_errno};
    if (waitpid(ended.si_pid, &status.wait_status, 0) == main_pid) {
      ssize_t ignored = write(plan->status_fd, &status, sizeof status);
      (void)ignored; /* a caller that has closed its end does not want to know */
    }
  }
}

/* A kernel that refuses this is one that does without, as the doctor tells. */
static void groups_enter(const struct plan *plan) {
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++)
    if (plan->group_fds[i] >= 0) {
      ssize_t ignored = write(plan->group_fds[i], "0", 1);
      (void)ignored;
    }
}

_Noreturn void init_run(const struct plan *plan) {
  const struct sandbox_spec *spec = plan->spec;
  die_with_caller(plan);
  signals_reset();
  groups_enter(plan);
  int kept[] = {spec->netns_fd,  spec->stdin_fd,  spec->stdout_fd,
                spec->stderr_fd, plan->status_fd, plan->caller_pidfd};
  close_others(kept, sizeof kept / sizeof *kept);
  surroundings_enter(plan);
  if (!plan->open)
    root_build(plan);
  streams_hand_over(plan);
  file_put("/proc/self/oom_score_adj",
           "1000"); /* when memory is short it is the student's that goes */
  plan->shared->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  need(plan, plan->shared->proc_fd >= 0, "cannot open /proc");
  int main_pidfd = -1;
  pid_t main_pid = main_start(plan, &main_pidfd);
  plan->shared->main_pidfd = main_pidfd;
  int still[] = {plan->status_fd, plan->caller_pidfd, plan->shared->proc_fd, main_pidfd};
  close_others(still, sizeof still / sizeof *still);
  privileges_drop(plan);
  /* Only now, since what is to be executed may stand in there. */
  memset(plan->arguments, 0, plan->arguments_length);
  atomic_store(&plan->shared->mapped, 1);
  futex_wake(&plan->shared->mapped);
  children_reap(plan, main_pid);
  __builtin_unreachable();
}
