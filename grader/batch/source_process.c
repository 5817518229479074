/* What needs sandboxes is done in a process of its own: the batch itself stays outside. */
#include "grader/batch/source_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static _Noreturn void child_do(int (*function)(const void *context, char **text,
                                               struct failure *failure),
                               const void *context, int answer_fd) {
  struct failure failure;
  enum sandbox_mode mode;
  char *text = NULL;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int outcome = sandbox_enter(&mode, &failure);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* which a change of credentials takes away */
  if (outcome == 0)
    outcome = function(context, &text, &failure);
  const char *words = outcome ? failure.sentence : text ? text : "";
  if (write(answer_fd, words, strlen(words)) != (ssize_t)strlen(words))
    _exit(2);
  _exit(outcome ? 1 : 0);
}

int source_process(int (*function)(const void *context, char **text, struct failure *failure),
                   const void *context, char **text, struct failure *failure) {
  *text = NULL;
  scoped_fd int answer_fd = memfd_create("answer", MFD_CLOEXEC);
  fflush(NULL);
  pid_t pid = answer_fd < 0 ? -1 : fork();
  if (pid == 0)
    child_do(function, context, answer_fd);
  if (pid < 0)
    return failure_errno(failure, "Cannot start a process");
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  off_t length = lseek(answer_fd, 0, SEEK_END);
  char *words = memory_zeroed((size_t)length + 1, 1);
  if (pread(answer_fd, words, (size_t)length, 0) != length || !WIFEXITED(status) ||
      WEXITSTATUS(status) > 1) {
    free(words);
    return failure_set(failure, "the process that reads it ended without a word");
  }
  if (WEXITSTATUS(status) == 1) {
    failure_set(failure, "%s", words);
    free(words);
    return -1;
  }
  *text = words;
  return 0;
}
