/* Control groups: what all processes of a sandbox use together, limited by the kernel (cgroups(7)).
 *
 * Called by start.c and end.c, by suite programs, and by the doctor. A sandbox gets a group of its
 * own in each hierarchy that has the controllers `memory` and `pids`: of version 1 (root only), or
 * the one of version 2 (root; or an ordinary user in a scope that is delegated to them and that
 * they are alone in). Process 1 enters it before anything else is started, so that nothing of the
 * sandbox was ever outside. Where there is none, limits of processes and the grader's own look at
 * memory (sandbox_memory_used) are all there is.
 *
 * To move a process into a group can take the kernel several milliseconds (it waits for all CPUs);
 * to be born in one costs nothing. A process that starts many sandboxes therefore shares one group
 * with all of them, itself included: when memory is short, theirs are the processes that go.
 *
 * Groups are named after the process that made them, and its pid namespace; one whose maker is gone
 * is removed by whoever makes the next there, or tidies. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum cgroup_kind { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };

enum { CGROUP_HIERARCHIES = 2 }; /* of version 1, memory and pids have one each */

struct cgroup {
  enum cgroup_kind kind;
  char *folders[CGROUP_HIERARCHIES]; /* NULL where there is none */
  int procs_fds[CGROUP_HIERARCHIES]; /* cgroup.procs, to which a process writes "0" to enter; -1 */
  bool shared;                       /* with this process, which is in it */
  int kills_before;                  /* what the kernel had killed in it until then */
};

struct cgroup cgroup_none(void);

/* Moves this process into a new group, in which all sandboxes will be that it and its children
 * start from now on. Does nothing where there are no groups. */
void cgroup_share(uint64_t memory_bytes, unsigned tasks);
/* Removes the groups whose makers are gone. Of those that `maker` made (0: nobody) what is still
 * being ended is waited for, a second at most. */
void cgroup_tidy(pid_t maker);

/* Makes one with these limits, in bytes and tasks; or gives the shared one. Cannot fail: without
 * hierarchies, or should the kernel refuse, it is of the kind CGROUP_NONE. */
struct cgroup cgroup_create(uint64_t memory_bytes, unsigned tasks);
/* All that was in it must be dead. Resets *group. */
void cgroup_remove(struct cgroup *group);
/* Whether the kernel has killed something in it, since its memory was used up. */
bool cgroup_out_of_memory(const struct cgroup *group);

/* What this process can have; found once, by trying. */
enum cgroup_kind cgroup_kind_here(void);

/* Where a group can be made in the hierarchy of version 2 that is mounted at `mount`, for a process
 * in its group `own` ("/user.slice/…") and these controllers; NULL if nowhere. May move this
 * process into a group below its own, without which the kernel gives none with controllers
 * ("no internal processes"). The caller frees it. */
char *cgroup_v2_base(const char *mount, const char *own, const char *const *controllers, bool root);
