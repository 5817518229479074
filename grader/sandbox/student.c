/* `main`: the process that becomes the student's program. */
#include "grader/sandbox/inner.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  LINE_LOOKED_AT = 256, /* as the kernel (BINPRM_BUF_SIZE) */
  INTERPRETERS_MAX = 6, /* likewise: a script's interpreter may be a script */
};

static void need(const struct plan *plan, bool good, const char *step) {
  if (!good)
    start_fail(plan->shared, step, NULL);
}

static void streams_place(const struct plan *plan) {
  const int streams[] = {plan->spec->stdin_fd, plan->spec->stdout_fd, plan->spec->stderr_fd};
  int copies[3];
  for (int i = 0; i < 3; i++) /* out of the way first: they may be 0, 1 and 2 in any order */
    copies[i] = fcntl(streams[i] >= 0 ? streams[i] : open("/dev/null", O_RDWR), F_DUPFD, 3);
  for (int i = 0; i < 3; i++)
    need(plan, copies[i] >= 0 && dup2(copies[i], i) == i, "cannot place stdin, stdout and stderr");
  syscall(SYS_close_range, 3, ~0u, 0);
}

static void privileges_drop(const struct plan *plan, bool nested) {
  bounding_set_drop();
  /* Refused in an ordinary user's namespace, where groups can neither be changed nor used for
   * anything more than that user may anyway. */
  bool grouped = syscall(SYS_setgroups, 0, NULL) == 0;
  need(plan, grouped || !plan->root, "cannot drop groups");
  need(plan, user_become(nested ? SANDBOX_INNER_UID : plan->uid),
       "cannot become an unprivileged user");
  need(plan, capabilities_drop() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0,
       "cannot drop capabilities");
  /* Where there is no pid namespace to end with process 1, as when the grader is killed; after the
   * user was changed, which makes the kernel forget it. Programs may forget it, too. */
  if (plan->open)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* A link like /proc/self/exe must lead nowhere: until execve that is the grader itself. */
static int plain_open(const char *path, uint64_t flags) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* The interpreter that a script names behind its #!, or "". One that cannot be read is refused with
 * errno: the kernel would read it all the same. */
static bool script_interpreter(const char *path, char interpreter[PATH_MAX]) {
  char line[LINE_LOOKED_AT + 1];
  int fd = plain_open(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0)
    return false;
  ssize_t length = read(fd, line, LINE_LOOKED_AT);
  close(fd);
  if (length < 0)
    return false;
  line[length] = '\0';
  const char *begin = strncmp(line, "#!", 2) == 0 ? line + 2 + strspn(line + 2, " \t") : "";
  size_t end = strcspn(begin, " \t\n");
  memcpy(interpreter, begin, end);
  interpreter[end] = '\0';
  return true;
}

/* The same for the dynamic linker that an ELF file names (PT_INTERP), and its errno. 0: it names
 * none, or one that can be opened; files that are broken are left to the kernel to refuse. */
static int elf_linker_errno(const char *path) {
  int fd = plain_open(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0)
    return 0; /* executable, and not readable */
  Elf64_Ehdr header;
  Elf64_Phdr segment = {.p_type = PT_NULL};
  char linker[PATH_MAX] = "";
  bool is_elf = pread(fd, &header, sizeof header, 0) == (ssize_t)sizeof header &&
                memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_phentsize == sizeof segment;
  for (int i = 0; is_elf && i < header.e_phnum && segment.p_type != PT_INTERP; i++)
    if (pread(fd, &segment, sizeof segment,
              (off_t)(header.e_phoff + (uint64_t)i * sizeof segment)) != (ssize_t)sizeof segment)
      is_elf = false;
  if (is_elf && segment.p_type == PT_INTERP && segment.p_filesz < sizeof linker &&
      pread(fd, linker, segment.p_filesz, (off_t)segment.p_offset) < 0)
    linker[0] = '\0';
  close(fd);
  if (!*linker)
    return 0;
  int linker_fd = plain_open(linker, O_PATH);
  int error = linker_fd < 0 ? errno : 0;
  close(linker_fd);
  return error;
}

/* Why `path` cannot be executed; 0 if it can. */
static int path_errno(const char *path) {
  int fd = plain_open(path, O_PATH);
  if (fd < 0)
    return errno;
  struct stat status;
  bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  close(fd);
  if (!regular)
    return EACCES;
  if (syscall(SYS_faccessat, AT_FDCWD, path, X_OK) < 0)
    return errno;
  char interpreter[PATH_MAX];
  for (int depth = 0; depth < INTERPRETERS_MAX; depth++) {
    if (!script_interpreter(path, interpreter))
      return errno;
    if (!*interpreter)
      return elf_linker_errno(path);
    path = interpreter;
  }
  return ELOOP;
}

/* As execvp does it, but before any filter is there that would report each try. */
static const char *path_find(const struct plan *plan, int *error) {
  *error = ENOENT;
  for (char **path = plan->paths; *path; path++) {
    int why = path_errno(*path);
    if (why == 0) {
      *error = 0;
      return *path;
    }
    if (why != ENOENT && why != ENOTDIR)
      *error = why;
  }
  return "";
}

/* Whether a shell runs it where the kernel does not: a script without #!, and not the program of
 * another machine. */
static bool is_for_shells(const char *path) {
  char begin[256];
  int fd = plain_open(path, O_RDONLY);
  ssize_t length = fd < 0 ? 0 : read(fd, begin, sizeof begin);
  close(fd);
  return length > 0 && !memchr(begin, '\0', (size_t)length);
}

static int filter_install(const struct sock_fprog *program, unsigned flags) {
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                      program);
}

/* From here to execve nothing may be called that the filter could trap, for nobody answers yet. */
static void notify_install(const struct plan *plan) {
  const struct sock_fprog *filter = plan->spec->notify_filter;
  if (!filter)
    return;
  unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  int fd = filter_install(filter, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  if (fd < 0 && errno == EINVAL) /* before Linux 5.19 */
    fd = filter_install(filter, flags);
  need(plan, fd >= 0, "cannot install the filter that reports system calls");
  plan->shared->notify_fd = fd;
}

_Noreturn void student_run(const struct plan *plan, bool nested) {
  struct shared *shared = plan->shared;
  while (!atomic_load(&shared->mapped))
    futex_wait(&shared->mapped, 0, 1000);
  umask(022);
  setsid();
  streams_place(plan);
  if (plan->spec->controlled_by_stdin)
    need(plan, ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0, "cannot take the terminal");
  need(plan, chdir(plan->open ? plan->folder : SANDBOX_FOLDER) == 0,
       "cannot enter " SANDBOX_FOLDER);
  privileges_drop(plan, nested);
  need(plan, limits_apply(&plan->limits), "cannot set the limits");
  signals_reset();
  int error;
  const char *path = path_find(plan, &error);
  bool for_shells = !error && is_for_shells(path);
  need(plan, filter_install(&plan->deny, 0) == 0, "cannot install the system call filter");
  notify_install(plan);
  atomic_store(&shared->state, START_ARMED);
  futex_wake(&shared->state);
  futex_await(&shared->taken); /* at execve, or with this process, its listener will be gone */
  if (plan->spec->function)
    _exit(plan->spec->function(plan->spec->context));
  if (!error) {
    syscall(SYS_execve, path, plan->argv, plan->envp);
    error = errno;
  }
  if (error == ENOEXEC && for_shells) {
    plan->shell_argv[1] = (char *)path;
    syscall(SYS_execve, plan->shell_argv[0], plan->shell_argv, plan->envp);
    error = errno;
  }
  shared->exec_errno = error;
  _exit(127);
}
