/* The tasks (processes and threads) of one program's sandbox, seen from outside, and whether they
 * sleep.
 *
 * Used by the world's loop to decide quiescence, and for words on what a program is doing.
 * Everything in a world runs on one CPU, this thread's too; so while this thread runs without being
 * switched away, no task of the world runs, and what it reads in that time is one consistent
 * picture. On a busy machine it may never run so long (two hundred processes take milliseconds to
 * look at): then it looks twice. The kernel counts how often each task came to run
 * (/proc/…/schedstat, the third field); one that sleeps at both looks with the same count has slept
 * all the time between, and if that is so of all, they slept together.
 *
 * A task sleeps if
 *   - it is held: it waits for the supervisor's answer to a notification (then nothing of it is
 * read at all), or
 *   - /proc/…/syscall names a call (the kernel answers "running" for one that is runnable, and
 * makes sure that one which is about to sleep really does: wait_task_inactive) and its state is S,
 * T or Z: D is a page fault or a disk. A stop (T) that no check has sent counts when it lasts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct task {
  pid_t process, thread; /* inner ids */
  int syscall_fd;        /* /proc/…/syscall */
  int stat_fd;           /* /proc/…/stat */
  int schedstat_fd;      /* /proc/…/schedstat; negative: its runs are not counted */
  unsigned looks;        /* without counting */
  bool held;
  bool seen_asleep;   /* when it had run `runs` times */
  unsigned long runs; /* 0: the kernel does not count */
};

struct tasks {
  int proc_fd;        /* not owned */
  pid_t keeper;       /* of the sandbox */
  pid_t main_process; /* inner id of the program's first process */
  struct task *list;
  size_t count, capacity;
  bool changed;      /* a task may have been born since the list was made; see tasks_settled() */
  bool main_lives;   /* at the last tasks_asleep() */
  bool stop_wanted;  /* a check has stopped the program, and has not let it go on */
  int stopped_looks; /* at which one was stopped, though no check wanted it */
  int64_t stopped_look_ns;
};

void tasks_begin(struct tasks *tasks, int proc_fd, pid_t keeper, pid_t main_process);
void tasks_end(struct tasks *tasks);

/* Whether every task sleeps. The keeper is the sandbox's own, and is looked at only when the first
 * process is dead. */
bool tasks_asleep(struct tasks *tasks);
/* After a tasks_asleep() that was true: whether all of them have slept ever since, and there are no
 * others. False as well where the kernel does not count. */
bool tasks_still_asleep(struct tasks *tasks);
/* Tells that every task slept at one moment, by this thread's not being switched away during a
 * tasks_asleep() that was true, or by tasks_still_asleep(): the list is complete then, and needs
 * not be made again until a task forks. (Else a task could have been in the middle of a fork while
 * the list was made, and asleep when it was looked at.) */
void tasks_settled(struct tasks *tasks);
/* Tells that a check sends a signal to the program: SIGSTOP and SIGCONT matter. */
void tasks_signalled(struct tasks *tasks, int signal);
/* Marks the thread (inner id) as held or not. */
void tasks_hold(struct tasks *tasks, pid_t thread, bool held);
/* CPU time used by all tasks that are there now, in nanoseconds. */
int64_t tasks_cpu_ns(struct tasks *tasks);
/* How long they were ready to run and waited for the CPU, likewise. */
int64_t tasks_waited_ns(struct tasks *tasks);
/* The system call that each task sleeps in. *list is the caller's to free. Returns their number. */
struct task_call {
  pid_t process, thread; /* inner ids */
  long number;           /* -1: it runs */
  uint64_t arguments[6];
};
size_t tasks_calls(struct tasks *tasks, struct task_call **list);
