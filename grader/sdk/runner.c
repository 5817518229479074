#include "grader/sdk/runner.h"

#include "grader/sdk/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct running {
  pid_t pid; /* 0: the place is free */
  const struct check *check;
};

static _Noreturn void check_be(const struct check *check, pid_t runner) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "check"); /* ps(1) and .ci/bench tell it from the runner */
  if (getppid() != runner)
    _exit(1);
  check_judge(check);
  fflush(NULL);
  _exit(0); /* what the runner registered to be done at its exit is not the check's to do */
}

/* False if there is no process to be had. */
static bool place_fill(struct running *place, const struct check *check) {
  pid_t runner = getpid();
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0)
    check_be(check, runner);
  if (pid < 0)
    fprintf(stderr, "no process can be made for %s: %s\n", check->name, strerror(errno));
  else
    *place = (struct running){pid, check};
  return pid > 0;
}

static bool crash_tell(const struct check *check, int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return false;
  if (WIFSIGNALED(status))
    fprintf(stderr, "the check %s was killed by SIG%s\n", check->name,
            sigabbrev_np(WTERMSIG(status)));
  else
    fprintf(stderr, "the check %s ended with exit status %d\n", check->name, WEXITSTATUS(status));
  return true;
}

/* Waits until one of the checks has ended. True if it crashed. */
static bool place_empty(struct running *places, unsigned count) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, 0)) > 0 || errno == EINTR)
    for (unsigned i = 0; pid > 0 && i < count; i++)
      if (places[i].pid == pid) {
        places[i].pid = 0;
        return crash_tell(places[i].check, status);
      }
  return false; /* there was none */
}

/* What checks leave behind to end by itself (grader/world/closing.c). */
static void orphans_await(void) {
  enum { TRIES = 1000, PAUSE_US = 1000 };
  for (int i = 0; i < TRIES; i++) {
    pid_t pid = waitpid(-1, NULL, WNOHANG);
    if (pid < 0 && errno == ECHILD)
      return;
    if (pid == 0)
      usleep(PAUSE_US);
  }
}

size_t runner_run(const struct check *const *checks, size_t count, unsigned at_once) {
  /* Nobody else might reap them: process 1 of a container is often a program like any other. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  scoped_text struct running *places = memory_zeroed(at_once, sizeof *places);
  size_t begun = 0, crashed = 0;
  for (unsigned busy = 0; busy > 0 || begun < count;) {
    for (unsigned i = 0; i < at_once && begun < count; i++) {
      if (places[i].pid)
        continue;
      bool started = place_fill(&places[i], checks[begun++]);
      busy += started;
      crashed += !started;
    }
    if (busy == 0)
      continue;
    crashed += place_empty(places, at_once);
    busy--;
  }
  orphans_await();
  return crashed;
}
