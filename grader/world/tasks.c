#include "grader/world/tasks.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEEPER = 1 };

void tasks_begin(struct tasks *tasks, int proc_fd, pid_t main_process) {
  *tasks = (struct tasks){.proc_fd = proc_fd, .main_process = main_process, .changed = true};
}

static void task_close(struct task *task) {
  close(task->syscall_fd);
  close(task->stat_fd);
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

static void tasks_add(struct tasks *tasks, pid_t process, pid_t thread) {
  char path[80];
  snprintf(path, sizeof path, "%d/task/%d/syscall", process, thread);
  scoped_fd int syscall_fd = openat(tasks->proc_fd, path, O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "%d/task/%d/stat", process, thread);
  scoped_fd int stat_fd = openat(tasks->proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (syscall_fd < 0 || stat_fd < 0)
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
  DIR *processes = folder_open(tasks->proc_fd, ".");
  if (!processes)
    return;
  for (pid_t process; (process = folder_next_number(processes));) {
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
  closedir(processes);
}

enum task_condition { TASK_AWAKE, TASK_ASLEEP, TASK_DEAD, TASK_GONE };

/* The parent of a vfork sleeps uninterruptibly, until its child has executed something or ended. */
static bool is_vfork(long call) {
#ifdef SYS_vfork
  if (call == SYS_vfork)
    return true;
#endif
  return call == SYS_clone || call == SYS_clone3;
}

static enum task_condition task_look(const struct task *task) {
  char text[512];
  ssize_t length = pread(task->syscall_fd, text, sizeof text - 1, 0);
  if (length < 0)
    return errno == ESRCH || errno == EINVAL ? TASK_GONE : TASK_AWAKE;
  if (length == 0)
    return TASK_GONE;
  text[length] = '\0';
  bool running = strncmp(text, "running", 7) == 0;
  long call = running ? -1 : atol(text);
  length = pread(task->stat_fd, text, sizeof text - 1, 0);
  if (length <= 0)
    return TASK_GONE;
  text[length] = '\0';
  const char *name_end = strrchr(text, ')');
  int state = name_end && name_end[1] ? name_end[2] : 'R';
  if (state == 'Z' || state == 'X')
    return TASK_DEAD;
  bool asleep = state == 'S' || state == 'T' || (state == 'D' && is_vfork(call));
  return !running && asleep ? TASK_ASLEEP : TASK_AWAKE;
}

bool tasks_asleep(struct tasks *tasks) {
  if (tasks->changed)
    tasks_scan(tasks);
  const struct task *keeper = NULL; /* process 1 */
  bool main_lives = false;
  for (size_t i = 0; i < tasks->count;) {
    struct task *task = &tasks->list[i];
    if (task->process == KEEPER) {
      keeper = task;
      i++;
      continue;
    }
    switch (task->held ? TASK_ASLEEP : task_look(task)) {
    case TASK_AWAKE:
      return false;
    case TASK_GONE:
      task_close(task);
      *task = tasks->list[--tasks->count];
      break;
    case TASK_ASLEEP:
      main_lives |= task->process == tasks->main_process;
      i++;
      break;
    case TASK_DEAD:
      i++;
    }
  }
  /* Process 1 sleeps until main dies, and then has that to tell. */
  if (!main_lives && keeper && task_look(keeper) == TASK_AWAKE)
    return false;
  tasks->changed = false;
  return true;
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

int64_t tasks_cpu_ns(struct tasks *tasks) {
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
    total += strtoll(text, NULL, 10);
  }
  return total;
}

/* The calls in which programs are found asleep, and whether their first argument is a descriptor.
 */
static const struct {
  int number;
  const char *name;
  bool descriptor;
} sleeping_calls[] = {
    {SYS_read, "read", true},
    {SYS_write, "write", true},
    {SYS_readv, "readv", true},
    {SYS_writev, "writev", true},
    {SYS_recvfrom, "recvfrom", true},
    {SYS_recvmsg, "recvmsg", true},
    {SYS_sendto, "sendto", true},
    {SYS_sendmsg, "sendmsg", true},
    {SYS_accept, "accept", true},
    {SYS_accept4, "accept", true},
    {SYS_connect, "connect", true},
    {SYS_ppoll, "poll", false},
    {SYS_pselect6, "select", false},
    {SYS_epoll_pwait, "epoll_wait", true},
    {SYS_futex, "futex (a lock, a condition variable, or a thread's end)", false},
    {SYS_wait4, "wait (for a child's end)", false},
    {SYS_waitid, "wait (for a child's end)", false},
    {SYS_nanosleep, "nanosleep", false},
    {SYS_clock_nanosleep, "clock_nanosleep", false},
    {SYS_rt_sigsuspend, "sigsuspend", false},
    {SYS_rt_sigtimedwait, "sigwait", false},
    {SYS_flock, "flock", true},
#ifdef __x86_64__
    {SYS_poll, "poll", false},
    {SYS_select, "select", false},
    {SYS_epoll_wait, "epoll_wait", true},
    {SYS_pause, "pause", false},
#endif
};

static void describe_call(FILE *out, const char *text) {
  char *rest = NULL;
  long number = strtol(text, &rest, 10);
  unsigned long long first = strtoull(rest, NULL, 16);
  for (size_t i = 0; i < sizeof sleeping_calls / sizeof *sleeping_calls; i++) {
    if (sleeping_calls[i].number != number)
      continue;
    fprintf(out, "sleeps in %s", sleeping_calls[i].name);
    if (sleeping_calls[i].descriptor)
      fprintf(out, " on descriptor %llu", first);
    return;
  }
  fprintf(out, "sleeps in system call %ld", number);
}

static void describe_task(FILE *out, const struct task *task) {
  char text[512];
  ssize_t length = pread(task->syscall_fd, text, sizeof text - 1, 0);
  if (length <= 0)
    fputs("has ended", out);
  else if (text[length] = '\0', strncmp(text, "running", 7) == 0)
    fputs("is running", out);
  else
    describe_call(out, text);
}

char *tasks_describe(struct tasks *tasks) {
  tasks_scan(tasks);
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out)
    return memory_text("");
  bool first = true;
  for (size_t i = 0; i < tasks->count; i++) {
    if (tasks->list[i].process == KEEPER)
      continue;
    if (!first)
      fprintf(out, "; %s %d ",
              tasks->list[i].process == tasks->list[i].thread ? "process" : "thread",
              tasks->list[i].thread);
    describe_task(out, &tasks->list[i]);
    first = false;
  }
  if (first)
    fputs("has ended", out);
  fclose(out);
  return text;
}
