#include "grader/run/suite.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/verdict.h"
#include "grader/sandbox/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum {
  OUTPUT_MAX = 4 << 20,
  COMPLAINT_MAX = 64 << 10,
  TICK_MS = 100,
  GRACE_MS = 2000, /* between SIGTERM and SIGKILL */
};

/* The end of what a pipe brought. */
struct tail {
  int fd;
  char *bytes;
  size_t used, most;
};

struct suite_process {
  const struct suite_spec *spec;
  struct suite_outcome *outcome;
  pid_t pid;
  int pidfd, verdict_fd;
  struct tail output, complaint;
  char *record;
  double heard_s; /* when the last verdict came */
  double asked_to_end_s;
};

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void tail_read(struct tail *tail) {
  char block[16384];
  ssize_t length;
  while (tail->fd >= 0 && (length = read(tail->fd, block, sizeof block)) != 0) {
    if (length < 0) {
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN)
        return;
      break;
    }
    if (tail->used + (size_t)length > tail->most) {
      size_t excess = tail->used + (size_t)length - tail->most;
      memmove(tail->bytes, tail->bytes + excess, tail->used - excess);
      tail->used -= excess;
    }
    tail->bytes = memory_resize(tail->bytes, tail->used + (size_t)length + 1);
    memcpy(tail->bytes + tail->used, block, (size_t)length);
    tail->used += (size_t)length;
  }
  if (tail->fd >= 0)
    close(tail->fd);
  tail->fd = -1;
}

static char *tail_take(struct tail *tail) {
  tail->bytes = memory_resize(tail->bytes, tail->used + 1);
  tail->bytes[tail->used] = '\0';
  if (tail->fd >= 0)
    close(tail->fd);
  return steal_pointer(&tail->bytes);
}

/* What is no JSON gives no verdict: its check is then one without a verdict, which run retries. */
void suite_take_record(const struct suite_spec *spec, const char *record, size_t length) {
  json_t *verdict = json_loadb(record, length, 0, NULL);
  if (json_is_object(verdict))
    spec->take_verdict(spec->context, verdict);
  json_decref(verdict);
}

static void verdicts_read(struct suite_process *process) {
  while (process->verdict_fd >= 0) {
    ssize_t length = recv(process->verdict_fd, process->record, VERDICT_MAX, MSG_DONTWAIT);
    if (length < 0 && errno == EINTR)
      continue;
    if (length < 0 && errno == EAGAIN)
      return;
    if (length <= 0) {
      close(process->verdict_fd);
      process->verdict_fd = -1;
      return;
    }
    process->heard_s = now_s();
    suite_take_record(process->spec, process->record, (size_t)length);
  }
}

/* Between fork and execve: only calls that are safe there. */
static _Noreturn void child_become(const struct suite_spec *spec, char *const *environment,
                                   const int pipes[2], int verdict_fd) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(pipes[0], STDOUT_FILENO);
  dup2(pipes[1], STDERR_FILENO);
  if (verdict_fd >= 0)
    fcntl(verdict_fd, F_SETFD, 0);
  execve(spec->program, spec->argv, environment);
  const char *why = strerror(errno);
  if (write(STDERR_FILENO, why, strlen(why)) < 0)
    _exit(126);
  _exit(127);
}

/* The grader's own environment, without what another run may have left there, and what spec adds.
 */
static char **environment_make(const struct suite_spec *spec, const char *verdict_variable) {
  size_t count = 0, used = 0;
  while (environ[count])
    count++;
  for (size_t i = 0; spec->environment && spec->environment[i]; i++)
    count++;
  char **environment = memory_zeroed(count + 2, sizeof *environment);
  for (size_t i = 0; environ[i]; i++)
    if (strncmp(environ[i], "WIREGRADE_", 10) != 0 && strncmp(environ[i], "CRITERION_", 10) != 0)
      environment[used++] = environ[i];
  for (size_t i = 0; spec->environment && spec->environment[i]; i++)
    environment[used++] = (char *)spec->environment[i];
  if (verdict_variable)
    environment[used] = (char *)verdict_variable;
  return environment;
}

/* A record must fit into the socket's buffer as one message; several may wait while the grader is
 * busy. */
static int verdict_pair(int pair[2]) {
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
    return -1;
  for (int i = 0; i < 2; i++) {
    int size = 8 * VERDICT_MAX;
    if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
      setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (setsockopt(pair[i], SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
      setsockopt(pair[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  return 0;
}

static int process_start(struct suite_process *process, struct failure *failure) {
  const struct suite_spec *spec = process->spec;
  if (access(spec->program, X_OK))
    return failure_errno(failure, "Cannot run the suite program %s", spec->program);
  scoped_fd int ours = -1, theirs = -1, output_end = -1, complaint_end = -1;
  int pair[2], output[2], complaint[2];
  if (spec->wants_verdicts) {
    if (verdict_pair(pair))
      return failure_errno(failure, "Cannot make a socket for verdicts");
    ours = pair[0], theirs = pair[1];
  }
  if (pipe2(output, O_CLOEXEC))
    return failure_errno(failure, "Cannot make a pipe");
  process->output.fd = output[0], output_end = output[1];
  if (pipe2(complaint, O_CLOEXEC))
    return failure_errno(failure, "Cannot make a pipe");
  process->complaint.fd = complaint[0], complaint_end = complaint[1];
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  fcntl(complaint[0], F_SETFL, O_NONBLOCK);

  scoped_text char *variable =
      theirs >= 0 ? memory_format("WIREGRADE_VERDICT_FD=%d", theirs) : NULL;
  scoped_text char **environment = environment_make(spec, variable);
  process->pid = fork();
  if (process->pid < 0)
    return failure_errno(failure, "Cannot start %s", spec->program);
  if (process->pid == 0)
    child_become(spec, environment, (int[]){output_end, complaint_end}, theirs);
  setpgid(process->pid, process->pid);
  process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
  process->verdict_fd = steal_fd(&ours);
  process->heard_s = now_s();
  if (process->pidfd < 0)
    return failure_errno(failure, "Cannot watch %s", spec->program);
  return 0;
}

static void process_end_if_due(struct suite_process *process) {
  double now = now_s();
  if (process->asked_to_end_s > 0) {
    if (now > process->asked_to_end_s + GRACE_MS / 1e3)
      kill(-process->pid, SIGKILL);
    return;
  }
  process->outcome->stopped = process->spec->stop && *process->spec->stop;
  process->outcome->silent_too_long = now > process->heard_s + process->spec->silence_limit_s;
  if (process->outcome->stopped || process->outcome->silent_too_long) {
    process->asked_to_end_s = now;
    kill(-process->pid, SIGTERM);
    kill(-process->pid, SIGCONT);
  }
}

static void process_watch(struct suite_process *process) {
  for (bool ended = false; !ended;) {
    struct pollfd waits[] = {{process->pidfd, POLLIN, 0},
                             {process->verdict_fd, POLLIN, 0},
                             {process->output.fd, POLLIN, 0},
                             {process->complaint.fd, POLLIN, 0}};
    poll(waits, 4, TICK_MS);
    ended = waits[0].revents != 0;
    verdicts_read(process);
    tail_read(&process->output);
    tail_read(&process->complaint);
    if (!ended)
      process_end_if_due(process);
    if (process->spec->tick)
      process->spec->tick(process->spec->context);
  }
}

/* Its group exists, and its number is not given to another, as long as it is not reaped. */
static void process_reap(struct suite_process *process) {
  kill(-process->pid, SIGKILL);
  while (waitpid(process->pid, &process->outcome->wait_status, 0) < 0 && errno == EINTR)
    ;
}

/* What the worlds of its checks left for others to close (closing.c) is gone when nobody holds its
 * stderr any more. */
static void leftovers_wait(struct suite_process *process) {
  struct pollfd wait = {process->complaint.fd, 0, 0};
  if (wait.fd >= 0)
    poll(&wait, 1, GRACE_MS);
  cgroup_tidy(process->pid);
}

int suite_run(const struct suite_spec *spec, struct suite_outcome *outcome,
              struct failure *failure) {
  *outcome = (struct suite_outcome){0};
  scoped_text char *record = memory_resize(NULL, VERDICT_MAX);
  struct suite_process process = {
      .spec = spec,
      .outcome = outcome,
      .pid = -1,
      .pidfd = -1,
      .verdict_fd = -1,
      .output = {.fd = -1, .most = OUTPUT_MAX},
      .complaint = {.fd = -1, .most = COMPLAINT_MAX},
      .record = record,
  };
  int started = process_start(&process, failure);
  if (!started)
    process_watch(&process);
  if (process.pid > 0) {
    process_reap(&process);
    leftovers_wait(&process);
  }
  scope_close_fd(&process.pidfd);
  scope_close_fd(&process.verdict_fd);
  outcome->output = tail_take(&process.output);
  outcome->complaint = tail_take(&process.complaint);
  if (started)
    suite_outcome_free(outcome);
  return started;
}

void suite_outcome_free(struct suite_outcome *outcome) {
  free(outcome->output);
  free(outcome->complaint);
  *outcome = (struct suite_outcome){0};
}

char *suite_outcome_words(const struct suite_outcome *outcome) {
  if (outcome->stopped)
    return memory_text(_("was stopped"));
  if (outcome->silent_too_long)
    return memory_text(_("sent no verdict for too long and was killed"));
  if (WIFSIGNALED(outcome->wait_status))
    return language_sentence("was killed by SIG%s", sigabbrev_np(WTERMSIG(outcome->wait_status)));
  return language_sentence("ended with exit status %d", WEXITSTATUS(outcome->wait_status));
}
