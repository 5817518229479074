#include "grader/verify/grading.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { TICK_MS = 200, STATUS_NO_COPY = 120, STATUS_NO_PATCH, STATUS_NO_GRADER };

static void output_to(const char *log) {
  int null = open("/dev/null", O_RDONLY);
  int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(null, STDIN_FILENO);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
}

int command_do(char *const *argv, const char *log) {
  pid_t pid = fork();
  if (pid == 0) {
    output_to(log);
    execvp(argv[0], argv);
    _exit(127);
  }
  int status = -1;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

int folder_copy(const char *folder, const char *copy, const char *log) {
  if (mkdir(copy, 0755))
    return -1;
  scoped_text char *contents = memory_format("%s/.", folder);
  char *const argv[] = {(char *)"cp", (char *)"-RLp", (char *)"--", contents, (char *)copy, NULL};
  return command_do(argv, log);
}

static char *work_path(const struct grading_pool *pool, const struct grading *grading,
                       const char *suffix) {
  return memory_format("%s/%s%s", pool->work, grading->name, suffix);
}

/* The child's whole way: copy, patch, grade. */
static _Noreturn void grading_child(const struct grading_pool *pool,
                                    const struct grading *grading) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  signal(SIGPIPE, SIG_DFL);
  char *log = work_path(pool, grading, ".log"), *copy = work_path(pool, grading, "");
  char *result = work_path(pool, grading, ".json");
  output_to(log);
  const char *folder = grading->folder;
  if (grading->patch) {
    if (folder_copy(folder, copy, log))
      _exit(STATUS_NO_COPY);
    char *const patching[] = {(char *)"patch",
                              (char *)"-p1",
                              (char *)"-s",
                              (char *)"-d",
                              copy,
                              (char *)"-i",
                              (char *)grading->patch,
                              (char *)"--no-backup-if-mismatch",
                              NULL};
    if (command_do(patching, log))
      _exit(STATUS_NO_PATCH);
    folder = copy;
  }
  size_t labs = 0, used = 0;
  while (grading->labs[labs])
    labs++;
  char **argv = memory_zeroed(2 * (labs + grading->program_count) + 11, sizeof *argv);
  argv[used++] = (char *)pool->executable;
  argv[used++] = (char *)"grade";
  argv[used++] = (char *)"--jobs";
  argv[used++] = (char *)"1";
  argv[used++] = (char *)"--no-build-cache";
  argv[used++] = (char *)"--captures";
  argv[used++] = (char *)"none";
  argv[used++] = (char *)"--json";
  argv[used++] = result;
  for (size_t i = 0; i < labs; i++) {
    argv[used++] = (char *)"--lab";
    argv[used++] = (char *)grading->labs[i];
  }
  for (size_t i = 0; i < grading->program_count; i++) {
    argv[used++] = (char *)"--program";
    argv[used++] = grading->programs[i];
  }
  argv[used++] = (char *)folder;
  if (pool->suite)
    setenv("WIREGRADE_SUITE", pool->suite, 1);
  execv(pool->executable, argv);
  _exit(STATUS_NO_GRADER);
}

/* The end of what it wrote, for a failure's sentence. */
static void log_tail(const char *path, char *tail, size_t size) {
  scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  tail[0] = '\0';
  if (fd < 0)
    return;
  off_t end = lseek(fd, 0, SEEK_END);
  off_t from = end > (off_t)size - 1 ? end - (off_t)size + 1 : 0;
  ssize_t length = pread(fd, tail, size - 1, from);
  tail[length > 0 ? length : 0] = '\0';
  for (char *c = tail; *c; c++)
    if (*c == '\n')
      *c = c[1] ? ' ' : '\0';
}

static void grading_finish(const struct grading_pool *pool, struct grading *grading, int status) {
  scoped_text char *log = work_path(pool, grading, ".log");
  scoped_text char *file = work_path(pool, grading, ".json");
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == 0 || code == 1 || code == 3)
    grading->result = result_read(file, &grading->failure);
  char tail[400];
  log_tail(log, tail, sizeof tail);
  if (code == STATUS_NO_COPY)
    failure_set(&grading->failure, "it cannot be copied: %s", tail);
  else if (code == STATUS_NO_PATCH)
    failure_set(&grading->failure, "the patch does not apply: %s", tail);
  else if (!grading->result)
    failure_set(&grading->failure, "it cannot be graded (status %d): %s", code, tail);
  unlink(file);
  unlink(log);
  if (grading->patch) {
    scoped_text char *copy = work_path(pool, grading, "");
    char *const removing[] = {(char *)"rm", (char *)"-rf", copy, NULL};
    command_do(removing, "/dev/null");
  }
}

struct slot {
  pid_t pid; /* 0: free */
  int pidfd;
  size_t grading;
  double begun_s;
};

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int slot_start(const struct grading_pool *pool, struct slot *slot, struct grading *gradings,
                      size_t index) {
  pid_t pid = fork();
  if (pid == 0)
    grading_child(pool, &gradings[index]);
  if (pid < 0)
    return failure_errno(&gradings[index].failure, "Cannot start a process");
  *slot = (struct slot){pid, (int)syscall(SYS_pidfd_open, pid, 0), index, now_s()};
  return 0;
}

static bool slot_reap(const struct grading_pool *pool, struct slot *slot,
                      struct grading *gradings) {
  int status;
  if (waitpid(slot->pid, &status, WNOHANG) != slot->pid)
    return false;
  close(slot->pidfd);
  slot->pid = 0;
  slot->pidfd = -1;
  gradings[slot->grading].duration_s = now_s() - slot->begun_s;
  grading_finish(pool, &gradings[slot->grading], status);
  return true;
}

int gradings_do(const struct grading_pool *pool, struct grading *gradings, size_t count) {
  unsigned jobs = pool->jobs ? pool->jobs : 1;
  scoped_text struct slot *slots = memory_zeroed(jobs, sizeof *slots);
  scoped_text struct pollfd *waits = memory_zeroed(jobs, sizeof *waits);
  size_t begun = 0, done = 0, running = 0;
  bool stopped = false;
  while (running > 0 || (begun < count && !stopped)) {
    for (unsigned i = 0; i < jobs; i++) {
      while (!slots[i].pid && begun < count && !stopped) {
        if (slot_start(pool, &slots[i], gradings, begun++))
          done++;
        else
          running++;
      }
      waits[i] = (struct pollfd){slots[i].pid ? slots[i].pidfd : -1, POLLIN, 0};
    }
    poll(waits, jobs, TICK_MS);
    if (!stopped && pool->stop && *pool->stop) {
      stopped = true;
      for (unsigned i = 0; i < jobs; i++)
        if (slots[i].pid)
          kill(slots[i].pid, SIGTERM);
    }
    const char *name = "";
    for (unsigned i = 0; i < jobs; i++) {
      if (slots[i].pid && slot_reap(pool, &slots[i], gradings)) {
        running--;
        done++;
      }
      if (slots[i].pid)
        name = gradings[slots[i].grading].name;
    }
    if (pool->progress)
      pool->progress(pool->context, name, done, count);
  }
  return stopped ? -1 : 0;
}
