#include "grader/world/supervisor_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

bool remote_read(const struct call *call, uint64_t address, void *into, size_t length) {
  struct iovec local = {into, length};
  struct iovec remote = {(void *)(uintptr_t)address, length};
  return process_vm_readv(call->task->thread, &local, 1, &remote, 1, 0) == (ssize_t)length;
}

bool remote_write(const struct call *call, uint64_t address, const void *from, size_t length) {
  struct iovec local = {(void *)from, length};
  struct iovec remote = {(void *)(uintptr_t)address, length};
  return process_vm_writev(call->task->thread, &local, 1, &remote, 1, 0) == (ssize_t)length;
}

int remote_descriptor(const struct call *call, int fd) {
  struct known_task *task = call->task;
  if (task->pidfd < 0)
    task->pidfd = (int)syscall(SYS_pidfd_open, task->process, 0);
  return task->pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, task->pidfd, fd, 0);
}

static bool status_read(pid_t thread, char *text, size_t size) {
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/status", thread);
  scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
  if (length <= 0)
    return false;
  text[length] = '\0';
  return true;
}

static const char *status_field(const char *text, const char *name) {
  const char *field = strstr(text, name);
  return field ? field + strlen(name) : "";
}

/* The innermost of the ids that the task has in nested pid namespaces. */
static pid_t status_inner_thread(const char *status) {
  const char *ids = status_field(status, "\nNSpid:");
  pid_t inner = 0;
  for (const char *end = ids + strcspn(ids, "\n"); ids < end; ids += strcspn(ids, "\t\n")) {
    ids += strspn(ids, "\t");
    inner = atoi(ids);
  }
  return inner;
}

pid_t remote_thread(pid_t process, pid_t inner_thread) {
  char path[40], status[4096];
  snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR *threads = opendir(path);
  pid_t found = 0;
  for (struct dirent *entry; threads && !found && (entry = readdir(threads));) {
    pid_t thread = atoi(entry->d_name);
    if (thread > 0 && status_read(thread, status, sizeof status) &&
        status_inner_thread(status) == inner_thread)
      found = thread;
  }
  if (threads)
    closedir(threads);
  return found;
}

struct known_task *known_task_find(struct supervisor *supervisor, struct program *program,
                                   pid_t thread) {
  for (struct known_task *task = supervisor->known; task; task = task->next)
    if (task->thread == thread)
      return task;
  char status[4096];
  if (!status_read(thread, status, sizeof status))
    return NULL;
  struct known_task *task = memory_zeroed(1, sizeof *task);
  task->program = program;
  task->thread = thread;
  task->process = atoi(status_field(status, "\nTgid:"));
  task->inner_thread = status_inner_thread(status);
  task->pidfd = -1;
  task->next = supervisor->known;
  supervisor->known = task;
  return task;
}

void known_tasks_end(struct supervisor *supervisor) {
  while (supervisor->known) {
    struct known_task *task = supervisor->known;
    supervisor->known = task->next;
    if (task->pidfd >= 0)
      close(task->pidfd);
    free(task);
  }
}

bool known_task_signals(const struct known_task *task, struct signal_sets *sets) {
  char status[4096];
  if (!status_read(task->thread, status, sizeof status))
    return false;
  sets->pending = strtoull(status_field(status, "\nSigPnd:"), NULL, 16) |
                  strtoull(status_field(status, "\nShdPnd:"), NULL, 16);
  sets->blocked = strtoull(status_field(status, "\nSigBlk:"), NULL, 16);
  sets->ignored = strtoull(status_field(status, "\nSigIgn:"), NULL, 16);
  sets->caught = strtoull(status_field(status, "\nSigCgt:"), NULL, 16);
  return true;
}

bool known_task_in_call(const struct known_task *task, int number, const uint64_t arguments[6]) {
  char path[40], text[256];
  snprintf(path, sizeof path, "/proc/%d/syscall", task->thread);
  scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (length <= 0)
    return false;
  text[length] = '\0';
  char *rest = NULL;
  if (strtol(text, &rest, 10) != number || rest == text)
    return false;
  for (int i = 0; i < 6; i++)
    if (strtoull(rest, &rest, 16) != arguments[i])
      return false;
  return true;
}
