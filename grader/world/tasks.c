#include "grader/world/tasks.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* In place of a schedstat_fd. */
enum { COUNT_NOT_YET = -1, COUNT_NOT_TO_BE_HAD = -2 };

void tasks_begin(struct tasks *tasks, int proc_fd, pid_t keeper, pid_t main_process) {
  *tasks = (struct tasks){
      .proc_fd = proc_fd, .keeper = keeper, .main_process = main_process, .changed = true};
}

static void task_close(struct task *task) {
  if (task->syscall_fd >= 0)
    close(task->syscall_fd);
  close(task->stat_fd);
  if (task->schedstat_fd >= 0)
    close(task->schedstat_fd);
}

void tasks_end(struct tasks *tasks) {
  for (size_t i = 0; i < tasks->count; i++)
    task_close(&tasks->list[i]);
  free(tasks->list);
  *tasks = (struct tasks){.proc_fd = -1};
}

static struct task *tasks_find(struct tasks *tasks, pid_t thread) {
  for (size_t i = 0; i < tasks->count; i++)
    if (tasks->list[i].thread == thread)
      return &tasks->list[i];
  return NULL;
}

/* A task that ends belongs to the machine's root from when it gave up its memory: to anybody else
 * its call is denied, while it still has something to do: to wake its parent. Its state can be
 * read. */
static void tasks_add(struct tasks *tasks, pid_t process, pid_t thread) {
  char path[80];
  snprintf(path, sizeof path, "%d/task/%d/stat", process, thread);
  scoped_fd int stat_fd = openat(tasks->proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (stat_fd < 0)
    return;
  snprintf(path, sizeof path, "%d/task/%d/syscall", process, thread);
  scoped_fd int syscall_fd = openat(tasks->proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (syscall_fd < 0 && errno != EACCES && errno != EPERM)
    return;
  if (tasks->count == tasks->capacity) {
    tasks->capacity = tasks->capacity ? tasks->capacity * 2 : 8;
    tasks->list = memory_resize(tasks->list, tasks->capacity * sizeof *tasks->list);
  }
  tasks->list[tasks->count++] = (struct task){
      .process = process,
      .thread = thread,
      .syscall_fd = steal_fd(&syscall_fd),
      .stat_fd = steal_fd(&stat_fd),
      .schedstat_fd = COUNT_NOT_YET,
  };
}

static DIR *folder_open(int at_fd, const char *path) {
  int fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return NULL;
  DIR *folder = fdopendir(fd);
  if (!folder)
    close(fd);
  return folder;
}

static pid_t folder_next_number(DIR *folder) {
  for (struct dirent *entry; (entry = readdir(folder));)
    if (isdigit((unsigned char)entry->d_name[0]))
      return atoi(entry->d_name);
  return 0;
}

/* Adds the tasks that are not in the list yet. */
static void tasks_scan(struct tasks *tasks) {
  scoped_text pid_t *members = NULL;
  size_t count = sandbox_processes(tasks->proc_fd, tasks->keeper, &members);
  for (size_t i = 0; i < count; i++) {
    pid_t process = members[i];
    char path[40];
    snprintf(path, sizeof path, "%d/task", process);
    DIR *threads = folder_open(tasks->proc_fd, path);
    if (!threads)
      continue;
    for (pid_t thread; (thread = folder_next_number(threads));)
      if (!tasks_find(tasks, thread))
        tasks_add(tasks, process, thread);
    closedir(threads);
  }
}

enum task_condition { TASK_AWAKE, TASK_ASLEEP, TASK_STOPPED, TASK_DEAD, TASK_GONE };

/* The flags of a clone3, which stand in the task's memory. */
static uint64_t clone3_flags(const struct tasks *tasks, const struct task *task, uint64_t address) {
  char path[40];
  uint64_t flags = 0;
  snprintf(path, sizeof path, "%d/mem", task->process);
  scoped_fd int fd = openat(tasks->proc_fd, path, O_RDONLY | O_CLOEXEC);
  return fd >= 0 && pread(fd, &flags, sizeof flags, (off_t)address) == sizeof flags ? flags : 0;
}

/* The parent of a vfork sleeps uninterruptibly, until its child has executed something or ended. A
 * parent of any other fork is in that state for moments only. */
static bool is_vfork(const struct tasks *tasks, const struct task *task, long call,
                     uint64_t argument) {
#ifdef SYS_vfork
  if (call == SYS_vfork)
    return true;
#endif
  return (call == SYS_clone && (argument & CLONE_VFORK)) ||
         (call == SYS_clone3 && (clone3_flags(tasks, task, argument) & CLONE_VFORK));
}

/* To count takes as long as some looks: for whom it pays off is known only by and by. */
static void task_count(const struct tasks *tasks, struct task *task) {
  char path[80];
  snprintf(path, sizeof path, "%d/task/%d/schedstat", task->process, task->thread);
  int fd = openat(tasks->proc_fd, path, O_RDONLY | O_CLOEXEC);
  task->schedstat_fd = fd < 0 ? COUNT_NOT_TO_BE_HAD : fd;
}

/* How often it came to run; 0 if that cannot be known. */
static unsigned long task_runs(const struct task *task) {
  char text[80];
  ssize_t length = task->schedstat_fd < 0 ? 0 : pread(task->schedstat_fd, text, sizeof text - 1, 0);
  if (length <= 0)
    return 0;
  text[length] = '\0';
  unsigned long runs;
  return sscanf(text, "%*u %*u %lu", &runs) == 1 ? runs : 0;
}

/* What it slept in is what it still sleeps in, if it did not run: its state needs not be read. */
static enum task_condition task_look(const struct tasks *tasks, struct task *task) {
  enum { LOOKS_WITHOUT_COUNT = 8 };
  char text[512];
  if (task->schedstat_fd == COUNT_NOT_YET && ++task->looks > LOOKS_WITHOUT_COUNT)
    task_count(tasks, task);
  unsigned long runs = task_runs(task); /* first: what follows is of this run, or of a later one */
  bool ran = runs == 0 || runs != task->runs || !task->seen_asleep;
  task->runs = runs;
  task->seen_asleep = false;
  ssize_t length = task->syscall_fd < 0 ? 0 : pread(task->syscall_fd, text, sizeof text - 1, 0);
  if (length < 0 && errno != EPERM)
    return errno == ESRCH || errno == EINVAL ? TASK_GONE : TASK_AWAKE;
  if (length == 0 && task->syscall_fd >= 0)
    return TASK_GONE;
  if (length <= 0) /* denied: by its state alone */
    length = snprintf(text, sizeof text, "-1");
  text[length] = '\0';
  if (strncmp(text, "running", 7) == 0)
    return TASK_AWAKE; /* the dead are in no call, -1 */
  char *rest = text;
  long call = strtol(text, &rest, 10);
  uint64_t argument = strtoull(rest, NULL, 16);
  task->seen_asleep = !ran;
  if (!ran)
    return TASK_ASLEEP;
  length = pread(task->stat_fd, text, sizeof text - 1, 0);
  if (length <= 0)
    return TASK_GONE;
  text[length] = '\0';
  const char *name_end = strrchr(text, ')');
  int state = name_end && name_end[1] ? name_end[2] : 'R';
  if (state == 'Z' || state == 'X')
    return TASK_DEAD;
  if (state == 'T')
    return TASK_STOPPED;
  bool asleep =
      state == 'S' || state == 't' || (state == 'D' && is_vfork(tasks, task, call, argument));
  task->seen_asleep = asleep;
  return asleep ? TASK_ASLEEP : TASK_AWAKE;
}

/* Of those that are in the list already. */
static bool one_is_awake(struct tasks *tasks) {
  for (size_t i = 0; i < tasks->count; i++) {
    struct task *task = &tasks->list[i];
    if (task->process != tasks->keeper && !task->held && task_look(tasks, task) == TASK_AWAKE)
      return true;
  }
  return false;
}

/* Who stops a whole group of processes, the grader among them (a batch system makes place for
 * another job so), lets one after the other go on: the others are no sleepers then. Nobody within
 * can stop process 1; and else it is over in moments. */
static bool stop_is_meant(struct tasks *tasks) {
  enum { LOOKS = 20, APART_NS = 5000000 };
  struct task *keeper = tasks_find(tasks, tasks->keeper);
  if (tasks->stop_wanted)
    return true;
  if (keeper && task_look(tasks, keeper) == TASK_STOPPED)
    return false;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t now_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
  if (tasks->stopped_looks < LOOKS && now_ns >= tasks->stopped_look_ns + APART_NS) {
    tasks->stopped_looks++;
    tasks->stopped_look_ns = now_ns;
  }
  return tasks->stopped_looks >= LOOKS;
}

bool tasks_asleep(struct tasks *tasks) {
  if (tasks->changed) { /* a program that is being loaded is looked at after each of its calls */
    if (one_is_awake(tasks))
      return false;
    tasks_scan(tasks);
  }
  struct task *keeper = NULL; /* process 1 */
  bool one_is_stopped = false;
  tasks->main_lives = false;
  for (size_t i = 0; i < tasks->count;) {
    struct task *task = &tasks->list[i];
    if (task->process == tasks->keeper) {
      keeper = task;
      i++;
      continue;
    }
    enum task_condition condition = task->held ? TASK_ASLEEP : task_look(tasks, task);
    if (condition == TASK_STOPPED && !stop_is_meant(tasks))
      return false;
    one_is_stopped |= condition == TASK_STOPPED;
    switch (condition) {
    case TASK_AWAKE:
      return false;
    case TASK_GONE:
      task_close(task);
      *task = tasks->list[--tasks->count];
      break;
    case TASK_STOPPED:
    case TASK_ASLEEP:
      tasks->main_lives |= task->process == tasks->main_process;
      i++;
      break;
    case TASK_DEAD:
      i++;
    }
  }
  if (!one_is_stopped)
    tasks->stopped_looks = 0;
  /* Process 1 sleeps until main dies, and then has that to tell. */
  if (tasks->main_lives || !keeper)
    return true;
  enum task_condition of_keeper = task_look(tasks, keeper);
  return of_keeper != TASK_AWAKE && of_keeper != TASK_STOPPED;
}

/* Its call is read before the count: what was woken meanwhile, and has slept again, has run. */
static bool task_still_sleeps(const struct tasks *tasks, struct task *task) {
  if (task->held || (task->process == tasks->keeper && tasks->main_lives))
    return true; /* as in tasks_asleep() */
  if (task->schedstat_fd == COUNT_NOT_YET)
    task_count(tasks, task); /* for the next time */
  unsigned long runs = task->runs;
  bool slept = task->seen_asleep;
  enum task_condition condition = task_look(tasks, task);
  return condition == TASK_DEAD ||
         (slept && condition == TASK_ASLEEP && runs > 0 && task_runs(task) == runs);
}

bool tasks_still_asleep(struct tasks *tasks) {
  size_t count = tasks->count;
  if (tasks->changed)
    tasks_scan(tasks);
  if (tasks->count != count)
    return false;
  for (size_t i = 0; i < tasks->count; i++)
    if (!task_still_sleeps(tasks, &tasks->list[i]))
      return false;
  return true;
}

void tasks_signalled(struct tasks *tasks, int signal) {
  if (signal == SIGSTOP || signal == SIGCONT)
    tasks->stop_wanted = signal == SIGSTOP;
}

void tasks_settled(struct tasks *tasks) {
  tasks->changed = false;
}

void tasks_hold(struct tasks *tasks, pid_t thread, bool held) {
  struct task *task = tasks_find(tasks, thread);
  if (!task && held) {
    tasks_scan(tasks);
    task = tasks_find(tasks, thread);
  }
  if (task)
    task->held = held;
}

/* The sum of a field of schedstat: 0 is the time on the CPU, 1 the time spent waiting for it. */
static int64_t tasks_schedule_ns(struct tasks *tasks, int field) {
  tasks_scan(tasks);
  int64_t total = 0;
  for (size_t i = 0; i < tasks->count; i++) {
    char text[256];
    snprintf(text, sizeof text, "%d/task/%d/schedstat", tasks->list[i].process,
             tasks->list[i].thread);
    scoped_fd int fd = openat(tasks->proc_fd, text, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
      continue;
    text[length] = '\0';
    char *rest = text;
    int64_t value = 0;
    for (int k = 0; k <= field; k++)
      value = strtoll(rest, &rest, 10);
    total += value;
  }
  return total;
}

int64_t tasks_cpu_ns(struct tasks *tasks) {
  return tasks_schedule_ns(tasks, 0);
}

int64_t tasks_waited_ns(struct tasks *tasks) {
  return tasks_schedule_ns(tasks, 1);
}

size_t tasks_calls(struct tasks *tasks, struct task_call **list) {
  tasks_scan(tasks);
  *list = memory_zeroed(tasks->count + 1, sizeof **list);
  size_t count = 0;
  for (size_t i = 0; i < tasks->count; i++) {
    const struct task *task = &tasks->list[i];
    char text[512];
    ssize_t length = task->syscall_fd < 0 ? 0 : pread(task->syscall_fd, text, sizeof text - 1, 0);
    if (task->process == tasks->keeper || length <= 0)
      continue;
    text[length] = '\0';
    struct task_call *call = &(*list)[count++];
    *call = (struct task_call){.process = task->process, .thread = task->thread, .number = -1};
    if (strncmp(text, "running", 7) == 0)
      continue;
    char *rest = NULL;
    call->number = strtol(text, &rest, 10);
    for (size_t k = 0; k < sizeof call->arguments / sizeof *call->arguments; k++)
      call->arguments[k] = strtoull(rest, &rest, 16);
  }
  return count;
}
