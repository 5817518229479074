/* What the sandbox's files know of each other; nobody else includes this.
 *
 * `plan` is made by the caller before the clone and only read afterwards: init and main are forks
 * of a process that may have had other threads, so until execve they do nothing but system calls
 * (no malloc, no stdio, no libc call that takes a lock or speaks to other threads, such as setuid).
 * They need not have the caller's heap either: what a plan points to is in the plan's own mapping.
 * `shared` is one page that all three see; it is how init and main speak, since a notification
 * filter may trap any other means. */
#pragma once

#include "grader/sandbox/sandbox.h"

#include <stdatomic.h>

enum {
  SANDBOX_INIT_UID =
      SANDBOX_FIRST_UID - 1, /* so that the program can neither trace nor limit process 1 */
  SANDBOX_INNER_UID =
      1000, /* what the program sees as its own, where user namespaces can be nested */
  SANDBOX_DETAIL_MAX = 160,
  SANDBOX_HIDDEN_MAX = 8,
};

enum start_state {
  START_RUNNING = 0,
  START_ARMED,  /* main is about to call execve, its filters are in place */
  START_FAILED, /* step, detail and error say why */
};

struct shared {
  _Atomic uint32_t state; /* enum start_state; a futex */
  _Atomic uint32_t
      mapped; /* 1: main may go on: its user namespace has its ids, init no rights; a futex */
  _Atomic uint32_t
      taken; /* 1: the caller has what it wants of main, which may be reaped; a futex */
  int proc_fd, main_pidfd; /* of init */
  int notify_fd;           /* of main */
  int exec_errno;
  int error;
  const char *step; /* a literal: the same address in every fork */
  char detail[SANDBOX_DETAIL_MAX];
};

struct plan {
  const struct sandbox_spec *spec;
  struct shared *shared;
  enum sandbox_mode mode;
  struct sandbox_limits limits;
  uid_t uid;             /* as init's user namespace knows the program's user */
  bool open;             /* no walls: see open.c */
  bool root;             /* several users are mapped here, so that ids can be changed */
  char id_map[48];       /* for uid_map and gid_map of the program's own user namespace */
  char scratch_size[32]; /* options of the scratch tmpfs */
  char scratch_inodes[32];
  const char *folder;                /* without symbolic links */
  int status_fd, caller_pidfd;       /* status_fd: the end that init writes to */
  int group_fds[CGROUP_HIERARCHIES]; /* to enter the control groups; -1 */
  const char *hostname;
  char *hosts, *host_name_line; /* contents of /etc/hosts and /etc/hostname */
  char *passwd, *group;         /* and of these */
  const struct sandbox_file *files;
  size_t file_count;
  char *const *argv;
  char *const *envp;
  char **paths;      /* where argv[0] may be, ends with NULL */
  char **shell_argv; /* "/bin/sh", the path (when it is known), argv[1…]: for a script without #! */
  struct sock_fprog deny;
  char *hidden[SANDBOX_HIDDEN_MAX]; /* folders of the grader's own, without symbolic links */
  size_t hidden_count;
  size_t arguments_length; /* the grader's command line in memory, which process 1 would show */
  char *arguments;
  char *heap;    /* where the grader's heap begins (brk(2)), a page; NULL: not known */
  size_t length; /* of the mapping in which the plan is, with all that it points to */
};

/* ---- plan.c ---- */

/* NULL on failure. The caller sets status_fd and group_fds, before the clone. */
struct plan *sandbox_plan(const struct sandbox_spec *spec, struct failure *failure);
void sandbox_plan_free(struct plan *plan);

/* ---- init.c, root.c, student.c: run after the clone; a `step` that fails does not return ---- */

_Noreturn void init_run(const struct plan *plan);
_Noreturn void student_run(const struct plan *plan, bool nested);

/* Builds the root file system in this mount namespace, and moves into it. */
void root_build(const struct plan *plan);

/* The bounding set goes while CAP_SETPCAP is there, then the user is changed, then the other sets
 * are emptied. */
void bounding_set_drop(void);
bool capabilities_drop(void);
/* Every signal gets its usual effect, and none is blocked. */
void signals_reset(void);
/* Becomes user and group `uid`, for good. */
bool user_become(uid_t uid);

/* Reports that `step` failed with errno on `detail` (may be NULL) and ends this process. */
_Noreturn void start_fail(struct shared *shared, const char *step, const char *detail);

/* ---- filter.c, limits.c, namespaces.c ---- */

/* The filter that refuses what no lab needs; built once a process. `pinned`: sched_setaffinity does
 * nothing. */
int deny_filter(bool pinned, struct sock_fprog *program, struct failure *failure);

struct sandbox_limits limits_resolve(struct sandbox_limits wanted);
/* Sets them for this process; false with errno if one is refused. */
bool limits_apply(const struct sandbox_limits *limits);

/* Maps this user to 0 in the user namespace that this process has just made. */
bool users_map(uid_t uid, gid_t gid);

/* The mode that this process is in now, without changing it. */
enum sandbox_mode sandbox_mode_now(void);

/* ---- open.c ---- */

bool sandbox_is_trusted(void);
/* Enters walls by `walls` if that is possible, or does without them. */
int open_enter(int (*walls)(struct failure *failure), struct failure *failure);
/* Whether --trust-me would help where there are no walls. */
bool open_is_possible(struct failure *failure);

/* ---- hidden.c ---- */

/* Fills in the folders that no program may see. */
void plan_hidden(struct plan *plan);

/* ---- futex.c ---- */

void futex_wake(_Atomic uint32_t *word);
/* Waits until *word is not 0; without a time limit, which the notification filter could trap. */
void futex_await(_Atomic uint32_t *word);
/* Waits while *word is `value`, at most so long. */
void futex_wait(_Atomic uint32_t *word, uint32_t value, unsigned milliseconds);
