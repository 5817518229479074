/* What containment rests on: each layer is tried from inside a real sandbox, by a function in the
 * place of a student's program. It may do nothing but system calls, and says what held by the bits
 * of its exit status, or by how it ends. */
#include "grader/cli/doctor_probes.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, MEBIBYTE = 1 << 20 };

typedef int attempt(const void *context);

/* ---- running one ---- */

struct outcome {
  int wait_status;
  bool out_of_memory; /* the kernel says so */
};

static int sandbox_try(attempt *function, const void *context, struct sandbox_limits limits,
                       int stdout_fd, struct sandbox *sandbox, struct failure *detail) {
  char folder[] = "/tmp/wiregrade-doctor-XXXXXX";
  if (!mkdtemp(folder))
    return failure_errno(detail, "Cannot make a folder in /tmp");
  chmod(folder, 0755);
  char *argv[] = {(char *)"doctor", NULL};
  struct sandbox_spec spec = {
      .folder = folder,
      .folder_mode = SANDBOX_FOLDER_SCRATCH,
      .argv = argv,
      .function = function,
      .context = context,
      .netns_fd = -1,
      .stdin_fd = -1,
      .stdout_fd = stdout_fd,
      .stderr_fd = -1,
      .cpu = -1,
      .limits = limits,
  };
  int started = sandbox_start(&spec, sandbox, detail);
  rmdir(folder);
  return started;
}

static int attempt_run(attempt *function, const void *context, struct sandbox_limits limits,
                       struct outcome *outcome, struct failure *detail) {
  struct sandbox sandbox = sandbox_none();
  if (sandbox_try(function, context, limits, -1, &sandbox, detail) < 0)
    return -1;
  struct pollfd wait = {sandbox.status_fd, POLLIN, 0};
  struct sandbox_status status = {.wait_status = SIGKILL};
  bool ended = poll(&wait, 1, PATIENCE_MS) > 0;
  if (ended && read(sandbox.status_fd, &status, sizeof status) < 0)
    ended = false;
  *outcome = (struct outcome){status.wait_status, cgroup_out_of_memory(&sandbox.group)};
  sandbox_kill(&sandbox);
  return ended ? 0 : failure_set(detail, "A trial in a sandbox did not come to its end");
}

/* Runs one that ends with a bit for each thing that does not hold, and names the first of them. */
static int holds_all(attempt *function, const void *context, const char *const *names,
                     struct failure *detail) {
  struct outcome outcome;
  if (attempt_run(function, context, (struct sandbox_limits){0}, &outcome, detail) < 0)
    return -1;
  if (!WIFEXITED(outcome.wait_status))
    return failure_set(detail, "A trial in a sandbox was killed by signal %d",
                       WTERMSIG(outcome.wait_status));
  for (int bit = 0; names[bit]; bit++)
    if (WEXITSTATUS(outcome.wait_status) & (1 << bit))
      return failure_set(detail, "%s", names[bit]);
  return 0;
}

/* ---- the user ---- */

static int try_user(const void *context) {
  (void)context;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2] = {{0, 0, 0}, {0, 0, 0}};
  int failed = syscall(SYS_getuid) == 0 || syscall(SYS_geteuid) == 0 ? 1 : 0;
  if (syscall(SYS_capget, &header, sets) < 0 || sets[0].effective || sets[0].permitted ||
      sets[0].inheritable || sets[1].effective || sets[1].permitted)
    failed |= 2;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    failed |= 4;
  return failed;
}

int probe_user(struct failure *detail) {
  static const char *const names[] = {N_("A program is root"), N_("A program has capabilities"),
                                      N_("A set-user-ID file gives a program rights"), NULL};
  return holds_all(try_user, NULL, names, detail);
}

/* ---- namespaces ---- */

struct outside {
  pid_t pid;
  int shm;
  struct utsname name;
};

static int try_namespaces(const void *context) {
  const struct outside *outside = context;
  struct utsname name;
  int failed = 0;
  if (syscall(SYS_kill, outside->pid, 0) == 0 || errno != ESRCH)
    failed |= 1;
  struct shmid_ds ignored;
  if (outside->shm >= 0 && (syscall(SYS_shmctl, outside->shm, IPC_STAT, &ignored) == 0 ||
                            (errno != EINVAL && errno != EIDRM)))
    failed |= 2;
  if (uname(&name) < 0 || strcmp(name.nodename, "student") != 0)
    failed |= 4;
  struct stat status;
  if (stat("/sys/class/net/lo", &status) == 0 || stat("/proc/1/root/etc", &status) == 0)
    failed |= 8;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct {
    unsigned short family, port;
    unsigned address;
    char zero[8];
  } somewhere = {AF_INET, 0x3500, 0x08080808, {0}}; /* port 53 of an address that is not ours */
  if (fd < 0 || syscall(SYS_connect, fd, &somewhere, sizeof somewhere) == 0)
    failed |= 16;
  return failed;
}

int probe_layers_namespaces(struct failure *detail) {
  static const char *const names[] = {N_("A program sees processes of the machine"),
                                      N_("A program reaches memory that others share"),
                                      N_("A program sees the machine's name"),
                                      N_("A program sees other file systems of the machine"),
                                      N_("A program has a way to other networks"),
                                      NULL};
  struct outside outside = {.pid = 1 << 21 /* none */, .shm = shmget(IPC_PRIVATE, 4096, 0600)};
  pid_t sleeper = fork();
  if (sleeper == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      pause();
  }
  if (sleeper > 0)
    outside.pid = sleeper;
  int held = holds_all(try_namespaces, &outside, names, detail);
  if (outside.shm >= 0)
    shmctl(outside.shm, IPC_RMID, NULL);
  if (sleeper > 0) {
    kill(sleeper, SIGKILL);
    waitpid(sleeper, NULL, 0);
  }
  return held;
}

/* ---- files ---- */

static int try_files(const void *context) {
  (void)context;
  static const char *const places[] = {"/usr/wiregrade", "/etc/wiregrade", "/wiregrade",
                                       "/dev/wiregrade"};
  int failed = 0;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (open(places[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0)
      failed |= 1;
  if (access("/home", F_OK) == 0 || access("/root", F_OK) == 0 || access("/etc/shadow", R_OK) == 0)
    failed |= 2;
  static const char block[MEBIBYTE];
  int fd = open("/tmp/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ssize_t written = 0;
  for (int i = 0; fd >= 0 && i < 8 && written >= 0; i++)
    written = write(fd, block, sizeof block);
  if (fd < 0 || written == (ssize_t)sizeof block)
    failed |= 4;
  syscall(SYS_unlinkat, AT_FDCWD, "/tmp/large", 0);
  int made = 0;
  for (char name[] = "/tmp/aaa"; made < 26 * 26; made++) {
    name[5] = (char)('a' + made / 26);
    name[6] = (char)('a' + made % 26);
    int one = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (one < 0)
      break;
    close(one);
  }
  if (made == 26 * 26)
    failed |= 8;
  return failed;
}

int probe_layers_files(struct failure *detail) {
  static const char *const names[] = {N_("A program can write into the system's folders"),
                                      N_("A program sees homes or secrets of the machine"),
                                      N_("What a program writes to /tmp is not limited in size"),
                                      N_("What a program writes to /tmp is not limited in number"),
                                      NULL};
  struct outcome outcome;
  struct sandbox_limits small = {.scratch_bytes = 4 * MEBIBYTE, .scratch_inodes = 200};
  if (attempt_run(try_files, NULL, small, &outcome, detail) < 0)
    return -1;
  for (int bit = 0; names[bit]; bit++)
    if (!WIFEXITED(outcome.wait_status) || (WEXITSTATUS(outcome.wait_status) & (1 << bit)))
      return failure_set(detail, "%s", names[bit]);
  return 0;
}

/* ---- system calls ---- */

static int try_calls(const void *context) {
  (void)context;
  int failed = 0;
  if (syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL) == 0 || errno != EPERM)
    failed |= 1;
  if (syscall(SYS_unshare, CLONE_NEWUSER) == 0 || errno != EPERM)
    failed |= 2;
  if (syscall(SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM)
    failed |= 4;
  if (syscall(SYS_clock_settime, 0, NULL) == 0 || errno != EPERM)
    failed |= 8;
  return failed;
}

int probe_layers_calls(struct failure *detail) {
  static const char *const names[] = {
      N_("A program may mount"), N_("A program may make namespaces"), N_("A program may load BPF"),
      N_("A program may set the clock"), NULL};
  return holds_all(try_calls, NULL, names, detail);
}

/* ---- limits ---- */

enum { PROCESSES = 20, DESCRIPTORS = 64 };

static int try_processes(const void *context) {
  (void)context;
  int count = 0;
  for (; count < 4 * PROCESSES; count++) {
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid < 0)
      break;
    if (pid == 0)
      for (;;)
        pause();
  }
  int opened = 0;
  while (opened < 4 * DESCRIPTORS && open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
    opened++;
  return (count == 4 * PROCESSES ? 1 : 0) | (opened == 4 * DESCRIPTORS ? 2 : 0);
}

static int try_file_size(const void *context) {
  (void)context;
  static const char block[MEBIBYTE];
  int fd = open("/tmp/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  for (int i = 0; i < 8; i++)
    if (write(fd, block, sizeof block) < 0)
      return 0;
  return 1;
}

static int try_cpu(const void *context) {
  (void)context;
  volatile bool on = true;
  while (on)
    ;
  return 0;
}

int probe_layers_limits(struct failure *detail) {
  struct sandbox_limits limits = {.processes = PROCESSES, .descriptors = DESCRIPTORS};
  struct outcome outcome;
  if (attempt_run(try_processes, NULL, limits, &outcome, detail) < 0)
    return -1;
  if (!WIFEXITED(outcome.wait_status) || WEXITSTATUS(outcome.wait_status))
    return failure_set(detail, "A program can start any number of processes, or open any number of "
                               "files");
  limits = (struct sandbox_limits){.file_bytes = 2 * MEBIBYTE};
  if (attempt_run(try_file_size, NULL, limits, &outcome, detail) < 0)
    return -1;
  if (WIFEXITED(outcome.wait_status) && WEXITSTATUS(outcome.wait_status))
    return failure_set(detail, "A program can write a file of any size");
  limits = (struct sandbox_limits){.cpu_seconds = 1};
  if (attempt_run(try_cpu, NULL, limits, &outcome, detail) < 0)
    return -1;
  return WIFSIGNALED(outcome.wait_status)
             ? 0
             : failure_set(detail, "A program can use any amount of CPU time");
}

static int try_memory(const void *context) {
  (void)context;
  static const char block[MEBIBYTE];
  for (int i = 0; i < 256; i++) {
    int fd = (int)syscall(SYS_memfd_create, "doctor", 0);
    if (fd < 0 || write(fd, block, sizeof block) != (ssize_t)sizeof block)
      return 1;
  }
  return 0;
}

/* Files in memory, which nobody has resident: only a control group sees them. */
int probe_layers_memory(struct failure *detail) {
  static const char *const kinds[] = {"", N_("control groups of version 1"),
                                      N_("control groups of version 2")};
  struct sandbox_limits limits = {.memory_bytes = 32 * MEBIBYTE, .scratch_bytes = 4 * MEBIBYTE};
  struct outcome outcome;
  enum cgroup_kind kind = cgroup_kind_here();
  if (attempt_run(try_memory, NULL, limits, &outcome, detail) < 0)
    return -1;
  if (outcome.out_of_memory && WIFSIGNALED(outcome.wait_status))
    return failure_set(detail, "%s", kinds[kind]), 0;
  return failure_set(detail, kind == CGROUP_NONE
                                 ? "No control group with the controllers memory and pids can be "
                                   "made here: the grader looks itself at how much memory programs "
                                   "have resident"
                                 : "The kernel does not end what uses up a control group's memory");
}

/* ---- the end ---- */

/* Children that leave their session, ignore signals and are nobody's. They hold the pipe. */
static int try_staying(const void *context) {
  (void)context;
  for (int i = 0; i < 8; i++)
    if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
      syscall(SYS_setsid);
      if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != 0)
        return 0;
      for (;;)
        pause();
    }
  ssize_t ignored = write(STDOUT_FILENO, "x", 1);
  (void)ignored;
  for (;;)
    pause();
}

int probe_layers_end(struct failure *detail) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return failure_errno(detail, "Cannot make a pipe");
  scoped_fd int ours = ends[0];
  struct sandbox sandbox = sandbox_none();
  int started =
      sandbox_try(try_staying, NULL, (struct sandbox_limits){0}, ends[1], &sandbox, detail);
  close(ends[1]);
  if (started < 0)
    return -1;
  char byte;
  struct pollfd wait = {ours, POLLIN, 0};
  bool said = poll(&wait, 1, PATIENCE_MS) > 0 && read(ours, &byte, 1) == 1;
  sandbox_kill(&sandbox);
  if (!said)
    return failure_set(detail, "A trial in a sandbox did not begin");
  if (poll(&wait, 1, 0) <= 0 || read(ours, &byte, 1) != 0)
    return failure_set(detail, "Something of a sandbox outlives it");
  return 0;
}
