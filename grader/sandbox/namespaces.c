/* Whether and how this process can make namespaces, found out by making them. */
#include "grader/sandbox/inner.h"

#include "grader/base/language.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool file_write(const char *path, const char *text) {
  scoped_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static long file_number(const char *path, long absent) {
  scoped_file FILE *file = fopen(path, "re");
  long number;
  return file && fscanf(file, "%ld", &number) == 1 ? number : absent;
}

/* Root, here or in a container, has the programs' users among the ids of its user namespace; the
 * namespace that sandbox_enter makes holds one id only. */
enum sandbox_mode sandbox_mode_now(void) {
  scoped_file FILE *map = fopen("/proc/self/uid_map", "re");
  unsigned long inside, outside, count;
  while (map && fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3)
    if (inside < SANDBOX_FIRST_UID && SANDBOX_FIRST_UID + SANDBOX_UIDS - inside <= count)
      return SANDBOX_ROOT;
  return SANDBOX_ROOTLESS;
}

/* Root can do without a user namespace in which a program is another user than process 1. */
static int inside_try(void) {
  bool root = sandbox_mode_now() == SANDBOX_ROOT;
  return mount("tmpfs", "/tmp", "tmpfs", 0, NULL) < 0 ||
                 mount("proc", "/proc", "proc", 0, NULL) < 0 ||
                 (!root && unshare(CLONE_NEWUSER) < 0)
             ? errno
             : 0;
}

/* What a sandbox needs, tried in a child: 0, or the errno of the first thing refused. The child of
 * the child has the new pid namespace, without which proc cannot be mounted. */
static int namespaces_try(void) {
  pid_t child = fork();
  if (child < 0)
    return errno;
  if (child == 0) {
    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                CLONE_NEWNET) < 0)
      _exit(errno);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
      _exit(errno);
    pid_t inner = fork();
    if (inner < 0)
      _exit(errno);
    if (inner == 0)
      _exit(inside_try());
    int status;
    _exit(waitpid(inner, &status, 0) == inner && WIFEXITED(status) ? WEXITSTATUS(status) : EIO);
  }
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int refusal_explain(const char *what, int error, struct failure *failure) {
  const char *advice = N_("run wiregrade as root, or `wiregrade doctor` to see what is missing");
  if (file_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1)
    advice = N_("this system forbids it to ordinary users: run wiregrade as root, or set "
                "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`");
  else if (file_number("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
    advice = N_("this system forbids it to ordinary users: run wiregrade as root, or set "
                "`sysctl kernel.unprivileged_userns_clone=1`");
  else if (file_number("/proc/sys/user/max_user_namespaces", 1) == 0)
    advice = N_("this system allows no user namespaces: run wiregrade as root, or set "
                "`sysctl user.max_user_namespaces=10000`");
  else if (geteuid() == 0)
    advice =
        N_("root is confined here, as in a container: give it CAP_SYS_ADMIN and an unmasked /proc "
           "(docker run --privileged), or run wiregrade outside");
  return failure_set(failure, "cannot %s: %s (%s)", what, _(strerror(error)), advice);
}

bool users_map(uid_t uid, gid_t gid) {
  char uid_map[32], gid_map[32];
  snprintf(uid_map, sizeof uid_map, "0 %u 1", uid);
  snprintf(gid_map, sizeof gid_map, "0 %u 1", gid);
  return file_write("/proc/self/setgroups", "deny") && file_write("/proc/self/uid_map", uid_map) &&
         file_write("/proc/self/gid_map", gid_map);
}

/* Also a network namespace, though nothing is done in it: a thread that has visited a world's
 * network can come back only to one that its own user namespace owns. */
static int namespaces_enter(struct failure *failure) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0) {
    if (errno == EINVAL)
      return failure_set(failure, "cannot make a user namespace in a process with several threads");
    return refusal_explain(_("make a user namespace"), errno, failure);
  }
  if (!users_map(uid, gid))
    return refusal_explain(_("set up a user namespace"), errno, failure);
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return refusal_explain(_("make mounts private"), errno, failure);
  /* Criterion's processes meet in files here that bear a process id. Those that another user's
   * killed run left behind could not be removed, and whoever gets their id could not start. */
  if (mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0 && errno != ENOENT)
    return refusal_explain(_("mount a /dev/shm of its own"), errno, failure);
  return 0;
}

/* Network namespaces that are made from this one get hash tables of their own, small ones
 * (ip-sysctl; Linux 6.1 for TCP, 6.2 for UDP). Else all share the machine's, of a quarter of a
 * million places, each of which sock_diag(7) looks at whenever it lists a host's sockets. On older
 * kernels that is what it does. The namespace must be this process's own: as root it may still be
 * in the machine's, whose settings are none of ours. */
static void small_tables_prepare(bool own_network) {
  static const char tcp[] = "/proc/sys/net/ipv4/tcp_child_ehash_entries";
  if (file_number(tcp, 0) != 0 || (!own_network && unshare(CLONE_NEWNET) < 0))
    return;
  file_write(tcp, "1024");
  file_write("/proc/sys/net/ipv4/udp_child_hash_entries", "128");
}

static int walls_enter(struct failure *failure) {
  int refusal = geteuid() == 0 ? namespaces_try() : EPERM;
  bool own_network = refusal != 0;
  if (refusal) {
    if (namespaces_enter(failure) < 0)
      return -1;
    refusal = namespaces_try();
    if (refusal)
      return refusal_explain(_("make the namespaces of a sandbox"), refusal, failure);
  }
  small_tables_prepare(own_network);
  return 0;
}

int sandbox_enter(enum sandbox_mode *mode, struct failure *failure) {
  if (!sandbox_is_open()) {
    if (sandbox_is_trusted()) {
      if (open_enter(walls_enter, failure) < 0)
        return -1;
    } else if (walls_enter(failure) < 0) {
      const struct failure why = *failure;
      struct failure ignored;
      if (open_is_possible(&ignored))
        failure_set(failure,
                    "%.800s. If what you grade is nothing but your own work, `wiregrade grade "
                    "--trust-me` does without",
                    why.sentence);
      return -1;
    }
  }
  *mode = sandbox_mode_now();
  return 0;
}
