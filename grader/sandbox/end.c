/* The end of a sandbox. */
#include "grader/sandbox/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether somebody traces the task that has this folder of /proc. */
static bool is_traced(const char *folder) {
  scoped_text char *path = memory_format("%s/status", folder);
  scoped_file FILE *file = fopen(path, "re");
  char line[256];
  int tracer = 0;
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "TracerPid: %d", &tracer) == 1)
      break;
  return tracer != 0;
}

static void each_number(const char *folder, void (*visit)(const char *folder, const char *number)) {
  DIR *entries = opendir(folder);
  if (!entries)
    return;
  for (const struct dirent *entry; (entry = readdir(entries));)
    if (isdigit((unsigned char)entry->d_name[0]))
      visit(folder, entry->d_name);
  closedir(entries);
}

static void task_release(const char *folder, const char *number) {
  scoped_text char *path = memory_format("%s/%s", folder, number);
  if (is_traced(path)) /* by another than us, waitid refuses; alive, it does nothing */
    waitid(P_PID, (id_t)strtoul(number, NULL, 10), &(siginfo_t){0}, WEXITED | WNOHANG | __WALL);
}

static void process_release(const char *folder, const char *number) {
  scoped_text char *path = memory_format("%s/%s/task", folder, number);
  each_number(path, task_release);
}

/* Without a pid namespace to take everything along: until nobody is left, who may have forked
 * meanwhile. */
static void family_kill(const struct sandbox *sandbox) {
  enum { ROUNDS = 1000, PAUSE_US = 1000 };
  size_t count = 2;
  for (int round = 0; round < ROUNDS && count > 1; round++) {
    scoped_text pid_t *members = NULL;
    count = sandbox_processes(sandbox->proc_fd, sandbox->keeper, &members);
    for (size_t i = 0; i < count; i++)
      if (members[i] != sandbox->keeper)
        kill(members[i], SIGKILL);
    if (round)
      each_number("/proc", process_release);
    if (count > 1)
      usleep(PAUSE_US);
  }
}

void sandbox_kill_processes(const struct sandbox *sandbox) {
  if (sandbox->init_pidfd < 0)
    return;
  if (sandbox->keeper != SANDBOX_KEEPER && sandbox->proc_fd >= 0)
    family_kill(sandbox);
  syscall(SYS_pidfd_send_signal, sandbox->init_pidfd, SIGKILL, NULL, 0);
  /* The kernel ends process 1 only after it has reaped every other of its namespace. One that the
   * caller traces stays a zombie until the caller has taken notice: it would wait for ever. */
  enum { PATIENCE_MS = 20 };
  struct pollfd ended = {.fd = sandbox->init_pidfd, .events = POLLIN};
  while (poll(&ended, 1, PATIENCE_MS) <= 0)
    each_number("/proc", process_release);
}

void sandbox_kill(struct sandbox *sandbox) {
  sandbox_kill_processes(sandbox);
  if (sandbox->init_pidfd >= 0)
    waitid(P_PIDFD, (id_t)sandbox->init_pidfd, &(siginfo_t){0}, WEXITED);
  cgroup_remove(&sandbox->group);
  scope_close_fd(&sandbox->init_pidfd);
  scope_close_fd(&sandbox->notify_fd);
  scope_close_fd(&sandbox->status_fd);
  scope_close_fd(&sandbox->proc_fd);
  *sandbox = sandbox_none();
}
