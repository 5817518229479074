#include "grader/world/supervisor_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static uint64_t namespace_of(pid_t process) {
  char path[40];
  struct stat status;
  snprintf(path, sizeof path, "/proc/%d/ns/pid", process);
  return stat(path, &status) == 0 ? status.st_ino : 0;
}

/* Process 1 of the sandbox is our child, so that its number is its own until it is reaped. */
bool process_is_inside(const struct program *program, pid_t process) {
  uint64_t namespace = namespace_of(process);
  return namespace && namespace == namespace_of(program->sandbox.init_pid);
}

/* A task may be killed while its call is looked at, and its number given to a process anywhere on
 * the machine. Numbers are given in turn, so none comes back between this question and what follows
 * it; what was read before it is right if it says yes. The call that was let in is no notification
 * any more. */
static bool is_still_the_task(const struct call *call) {
  uint64_t id = call->id;
  return ioctl(call->program->sandbox.notify_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0 ||
         process_is_inside(call->program, call->task->thread);
}

bool remote_read(const struct call *call, uint64_t address, void *into, size_t length) {
  struct iovec local = {into, length};
  struct iovec remote = {(void *)(uintptr_t)address, length};
  return process_vm_readv(call->task->thread, &local, 1, &remote, 1, 0) == (ssize_t)length &&
         is_still_the_task(call);
}

bool remote_write(const struct call *call, uint64_t address, const void *from, size_t length) {
  if (!is_still_the_task(call))
    return false;
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

static void *close_slowly(void *context) {
  close((int)(intptr_t)context);
  return NULL;
}

void remote_close(int *fd) {
  struct linger linger = {0};
  socklen_t length = sizeof linger;
  pthread_t thread;
  if (*fd < 0)
    return;
  bool waits = getsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, &length) == 0 && linger.l_onoff &&
               linger.l_linger > 0;
  if (!waits)
    close(*fd);
  else if (pthread_create(&thread, NULL, close_slowly, (void *)(intptr_t)*fd) == 0)
    pthread_detach(thread);
  /* else it stays open: better than to wait for an hour */
  *fd = -1;
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

static void known_task_free(struct known_task *task) {
  if (task->pidfd >= 0)
    close(task->pidfd);
  free(task);
}

static bool is_needed(const struct supervisor *supervisor, const struct known_task *task) {
  if (task->traced || task->exec_pending || process_is_inside(task->program, task->thread))
    return true;
  for (const struct hold *hold = supervisor->holds; hold; hold = hold->next)
    if (hold->call.task == task)
      return true;
  return false;
}

/* Forgets those that have died: a program may start more processes than there are descriptors for
 * us. */
static void known_tasks_sweep(struct supervisor *supervisor) {
  for (struct known_task **place = &supervisor->known; *place;) {
    struct known_task *task = *place;
    if (is_needed(supervisor, task)) {
      place = &task->next;
    } else {
      *place = task->next;
      known_task_free(task);
    }
  }
}

struct known_task *known_task_find(struct supervisor *supervisor, struct program *program,
                                   pid_t thread) {
  for (struct known_task *task = supervisor->known; task; task = task->next)
    if (task->thread == thread && task->program == program)
      return task;
  enum { SWEEP_EVERY = 128 };
  if (++supervisor->tasks_met % SWEEP_EVERY == 0)
    known_tasks_sweep(supervisor);
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
    known_task_free(task);
  }
}

static uint64_t status_set(const char *status, const char *name) {
  return strtoull(status_field(status, name), NULL, 16);
}

/* What is sent to a process is taken by its first thread, if that does not block it
 * (kernel/signal.c, complete_signal): no other is woken by it. */
static uint64_t taken_by_first_thread(const struct known_task *task) {
  char status[4096];
  if (task->thread == task->process || !status_read(task->process, status, sizeof status))
    return 0;
  bool has_ended = strchr("ZX", status_field(status, "\nState:\t")[0]) != NULL;
  return has_ended ? 0 : ~status_set(status, "\nSigBlk:");
}

bool known_task_signals(const struct known_task *task, struct signal_sets *sets) {
  char status[4096];
  if (!status_read(task->thread, status, sizeof status))
    return false;
  uint64_t of_process = status_set(status, "\nShdPnd:");
  if (of_process)
    of_process &= ~taken_by_first_thread(task);
  sets->pending = status_set(status, "\nSigPnd:") | of_process;
  sets->blocked = status_set(status, "\nSigBlk:");
  sets->ignored = status_set(status, "\nSigIgn:");
  sets->caught = status_set(status, "\nSigCgt:");
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
