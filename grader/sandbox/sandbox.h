/* The sandbox: where a student's code runs, at build time and at run time.
 *
 * Called by: world (programs) and submission (builds). Knows nothing of labs, checks, clocks or
 * networks: the network namespace to run in, and the seccomp filter that reports system calls, are
 * handed to it.
 *
 * Theory of operation. Three processes take part in a start:
 *
 *   caller ──clone3──> init ──clone3(set_tid)──> main
 *
 * `caller` is the grader (or a check's worker). `init` is process 1 of a new pid namespace, with
 * mount, ipc, uts and cgroup namespaces of its own and, when the grader is not root, a user
 * namespace of its own. It joins the network namespace, builds the read-only root, drops every
 * privilege, starts `main`, reaps what is orphaned, reports how `main` ended over a pipe, and then
 * stays until it is killed: the kernel kills everything else in the pid namespace with it, whatever
 * it did to hide (setsid, double fork, ignored signals). `main` becomes the student's program: it
 * is not process 1, since the kernel shields process 1 from signals that it does not handle.
 *
 * If a notification filter is given, `main` installs it just before execve with
 * SECCOMP_FILTER_FLAG_NEW_LISTENER; the caller takes the listener with pidfd_getfd (the filter
 * could trap any call with which `main` might send it). From then on the first notification is
 * main's execve. */
#pragma once

#include "grader/base/failure.h"
#include "grader/sandbox/cgroup.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How this process may make namespaces. Decided once, by trying it. */
enum sandbox_mode {
  SANDBOX_ROOT,     /* CAP_SYS_ADMIN over the initial user namespace (or the container's) */
  SANDBOX_ROOTLESS, /* inside a user namespace that sandbox_enter() made */
};

/* Makes this process able to create namespaces, and gives it a network namespace of its own, from
 * which those of hosts are made. As root, that is all. Otherwise it enters a new user namespace
 * (this user mapped to 0), and a mount namespace with private propagation. Must be called while the
 * process has one thread (the kernel refuses CLONE_NEWUSER otherwise), and is inherited by
 * children; calling it again in a child or after an execve finds the state by trying it and does
 * nothing. Fails with advice in the sentence. */
int sandbox_enter(enum sandbox_mode *mode, struct failure *failure);

/* For who grades nothing but their own work: from now on sandbox_enter() does without process and
 * mount namespaces where they cannot be had. Each check's network namespace it never does without.
 */
void sandbox_trust(void);
/* Whether sandboxes here have no walls, for want of these. Children that are given the variable
 * know it from that. */
bool sandbox_is_open(void);
#define SANDBOX_OPEN_VARIABLE "WIREGRADE_OPEN"
/* What that means, for whoever reads the result; NULL if everything holds. */
const char *sandbox_missing(void);

/* A file that replaces one of the host's for the program (bind-mounted, read-only): /etc/hosts and
 * the like. */
struct sandbox_file {
  const char *path;
  const char *contents;
  size_t length;
};

/* 0 in any field means the default, which sandbox_default_limits() shows. */
struct sandbox_limits {
  uint64_t memory_bytes;   /* of all processes together: kept by who runs it, see
                              sandbox_memory_exceeded(); and a little more by its control group */
  uint64_t file_bytes;     /* the largest file (RLIMIT_FSIZE) */
  uint64_t scratch_bytes;  /* of /tmp, and of what is written over the submission (tmpfs size) */
  uint64_t scratch_inodes; /* the same, files */
  unsigned processes;      /* processes and threads (RLIMIT_NPROC, and its control group) */
  unsigned descriptors;    /* RLIMIT_NOFILE */
  unsigned cpu_seconds;    /* RLIMIT_CPU, a process */
};

struct sandbox_limits sandbox_default_limits(void);
/* Makes these the defaults of this process and of those that it starts from now on (by an
 * environment variable, which student's programs do not get); a field that is 0 stays. */
void sandbox_set_default_limits(struct sandbox_limits limits);
#define SANDBOX_LIMITS_VARIABLE "WIREGRADE_LIMITS"

enum sandbox_folder {
  SANDBOX_FOLDER_READ_ONLY, /* writes fail */
  SANDBOX_FOLDER_SCRATCH,  /* writes go to a tmpfs over it and vanish (overlayfs; read-only where it
                              can't be had) */
  SANDBOX_FOLDER_WRITABLE, /* writes reach the folder: only for building in a copy */
};

struct sandbox_spec {
  const char *folder; /* the folder of the submission's copy; appears as /submission, which is the
                         working directory */
  enum sandbox_folder folder_mode;
  char *const *argv; /* argv[0] is looked up in PATH like execvp, unless it has a slash */
  /* In place of execve, which then does not happen: `main` calls this, without descriptors but 0, 1
   * and 2, and ends with what it returns. In a fork of a process that has threads it may do nothing
   * but system calls. NULL: argv is executed. */
  int (*function)(const void *context);
  const void *context;
  char *const
      *envp; /* NULL: PATH, HOME=/tmp, LANG=C.UTF-8, TERM=dumb, TZ=UTC, USER and LOGNAME=student */
  int netns_fd; /* the network namespace to join; -1: a new one, with nothing but `lo` down */
  int stdin_fd, stdout_fd,
      stderr_fd;            /* of the caller; -1: /dev/null. They stay the caller's to close. */
  bool controlled_by_stdin; /* stdin is a terminal that is to control `main`: Ctrl-C on it reaches
                               the processes in its foreground */
  uid_t uid;                /* SANDBOX_ROOT: the unprivileged user to become; 0 means the default */
  pid_t main_pid; /* the pid that `main` is to have in its namespace; 0: the kernel's choice */
  int cpu;        /* pin everything to this CPU, and make sched_setaffinity a no-op; -1: don't */
  const struct sandbox_file *files;
  size_t file_count;
  struct sandbox_limits limits;
  const struct sock_fprog *notify_filter; /* NULL: none, and notify_fd will be -1 */
  const char *hostname;                   /* NULL: "student" */
};

struct sandbox {
  pid_t init_pid; /* in the caller's pid namespace, a child of the caller; reap it after
                     sandbox_kill */
  int init_pidfd;
  pid_t main_pid;      /* in the caller's pid namespace */
  int notify_fd;       /* seccomp listener, non-blocking use by poll; -1 without filter */
  int status_fd;       /* becomes readable when `main` has ended: one struct sandbox_status */
  struct cgroup group; /* CGROUP_NONE where none can be had */
  int proc_fd; /* folder: /proc of the pid namespace, to list every task in the sandbox (inner pids)
                */
  pid_t keeper; /* who plays the part of process 1, as proc_fd knows it */
};

struct sandbox_status {
  int wait_status; /* as waitpid(2) gives it */
  int exec_errno;  /* not 0: execve itself failed with this; wait_status is then meaningless */
};

/* Starts spec->argv in a new sandbox. On success fills *sandbox (owned by the caller: sandbox_kill)
 * and returns 0 as soon as the notification filter is in place, or, without one, as soon as `main`
 * is about to call execve: a program that cannot be executed is not a failure here, but a status
 * with exec_errno. On failure nothing is left behind. */
int sandbox_start(const struct sandbox_spec *spec, struct sandbox *sandbox,
                  struct failure *failure);

/* Kills everything in the sandbox, and waits until it is gone: what it held, sockets too, is
 * closed then. The end of process 1, which status_fd tells, is no sign of that. */
void sandbox_kill_processes(const struct sandbox *sandbox);

/* Kills everything in the sandbox, waits until it is gone, closes the descriptors and resets
 * *sandbox. May be called on one that was killed or zero-initialised with sandbox_none(). */
void sandbox_kill(struct sandbox *sandbox);

struct sandbox sandbox_none(void);

/* The processes in a sandbox with that proc_fd and that keeper, the keeper too. *members is the
 * caller's to free. */
size_t sandbox_processes(int proc_fd, pid_t keeper, pid_t **members);
/* Whether one of them beside the keeper still lives. */
bool sandbox_lives_on(int proc_fd, pid_t keeper);
enum { SANDBOX_KEEPER = 1 };

/* How much memory all processes in the sandbox have resident, in bytes. There is no rlimit for it
 * (Linux ignores RLIMIT_RSS), and RLIMIT_DATA and RLIMIT_AS count what is only reserved: programs
 * that are compiled with a sanitizer reserve terabytes. So whoever runs a sandbox looks now and
 * then, and kills it if this is over the limit. */
uint64_t sandbox_memory_used(const struct sandbox *sandbox);

/* How much processor time all processes in the sandbox have had, in seconds, those included that
 * have ended and were waited for. In steps of the kernel's clock ticks. */
double sandbox_processor_time(const struct sandbox *sandbox);

/* Whether that is more than `most`, or the kernel has ended something in the sandbox's control
 * group since its memory was used up. What it uses in other ways than by having it resident (files
 * in its tmpfs or in memory, buffers of sockets) counts there only. */
bool sandbox_memory_exceeded(const struct sandbox *sandbox, uint64_t most);

/* Where the submission's folder is inside the sandbox. */
#define SANDBOX_FOLDER "/submission"

/* In SANDBOX_ROOT mode, the user whom programs run as, unless the spec names another; what they are
 * to write must belong to it. sandbox_user_take() chooses one that no other grading has, until
 * sandbox_user_give_back(), for this process and those that it gives the variable to. Nobody else's
 * on Debian, which gives numbers up to some 64100 to packages; 65534 is shared by whatever runs as
 * `nobody`. */
enum { SANDBOX_FIRST_UID = 64300, SANDBOX_UIDS = 256 };
#define SANDBOX_USER_VARIABLE "WIREGRADE_USER"
void sandbox_user_take(void);
void sandbox_user_give_back(void);
uid_t sandbox_user(void);
