#include "grader/batch/slurm.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MOST = 64 << 10 };

struct run {
  char output[OUTPUT_MOST]; /* the beginning of what it printed */
  int status;               /* exit status; -1: it could not be run, or was killed */
};

static void output_read(int fd, struct run *run) {
  size_t length = 0;
  char rest[4096];
  for (;;) {
    bool full = length + 1 >= sizeof run->output;
    ssize_t got = read(fd, full ? rest : run->output + length,
                       full ? sizeof rest : sizeof run->output - 1 - length);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    length += full ? 0 : (size_t)got;
  }
  run->output[length] = '\0';
}

/* Its stderr is taken with its stdout. */
static void command_run(char *const *argv, struct run *run) {
  int ends[2];
  *run = (struct run){.status = -1};
  if (pipe(ends) < 0)
    return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  pid_t pid;
  int error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error == 0) {
    int status;
    output_read(ends[0], run);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
      continue;
    run->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  } else {
    snprintf(run->output, sizeof run->output, "%s", strerror(error));
  }
  close(ends[0]);
}

struct arguments {
  char *list[64];
  size_t count;
};

static void argument_add(struct arguments *arguments, char *owned) {
  enum { MOST = sizeof arguments->list / sizeof *arguments->list - 1 };
  if (arguments->count < MOST)
    arguments->list[arguments->count++] = owned;
  else
    free(owned);
}

int slurm_submit(const struct slurm_job *job, long long *id, struct failure *failure) {
  struct arguments arguments = {0};
  argument_add(&arguments, memory_text("sbatch"));
  argument_add(&arguments, memory_text("--parsable"));
  argument_add(&arguments, memory_text("--requeue"));
  argument_add(&arguments, memory_text("--open-mode=append")); /* what is done again goes on */
  argument_add(&arguments, memory_format("--job-name=%s", job->name));
  argument_add(&arguments, memory_format("--output=%s", job->output));
  if (job->tasks)
    argument_add(&arguments, memory_format("--array=0-%zu", job->tasks - 1));
  if (job->cpus)
    argument_add(&arguments, memory_format("--cpus-per-task=%u", job->cpus));
  if (job->after)
    argument_add(&arguments, memory_format("--dependency=afterany:%lld", job->after));
  for (const char *const *option = job->options; option && *option; option++)
    argument_add(&arguments, memory_text(*option));
  argument_add(&arguments, memory_text(job->script));
  scoped_text struct run *run = memory_zeroed(1, sizeof *run);
  command_run(arguments.list, run);
  for (size_t i = 0; i < arguments.count; i++)
    free(arguments.list[i]);
  *id = run->status == 0 ? strtoll(run->output, NULL, 10) : 0;
  run->output[strcspn(run->output, "\n")] = '\0';
  return *id > 0 ? 0 : failure_set(failure, "sbatch did not take the job: %s", run->output);
}

bool slurm_is_live(const long long *ids, size_t count) {
  scoped_text struct run *run = memory_zeroed(1, sizeof *run);
  bool live = false;
  for (size_t i = 0; i < count && !live; i++) {
    scoped_text char *id = memory_format("--jobs=%lld", ids[i]);
    char squeue[] = "squeue", no_header[] = "--noheader";
    char *argv[] = {squeue, no_header, id, NULL};
    command_run(argv, run);
    bool forgotten = run->status > 0 && strstr(run->output, "Invalid job id");
    live = run->status == 0 ? run->output[0] != '\0' : !forgotten;
  }
  return live;
}
