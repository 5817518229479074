#include "grader/submission/step.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum {
  LOG_HEAD = 48 * 1024, /* the first error is what counts */
  LOG_TAIL = 16 * 1024,
  TICK_MS = 100,
  STEP_JOBS_MOST = 64,
};

struct running {
  struct step *step; /* NULL: this place is free */
  struct sandbox sandbox;
  struct patience_look look;
  int output_fd;
  size_t tail_length; /* of LOG_TAIL bytes, a ring after the head */
  uint64_t left_out;
};

double steps_now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- what it prints ---- */

static void log_add(struct running *running, const char *bytes, size_t length) {
  struct step *step = running->step;
  if (!step->log)
    step->log = memory_zeroed(LOG_HEAD + LOG_TAIL + 64, 1);
  size_t room = step->log_length < LOG_HEAD ? LOG_HEAD - step->log_length : 0;
  size_t head = length < room ? length : room;
  memcpy(step->log + step->log_length, bytes, head);
  step->log_length += head;
  bytes += head;
  length -= head;
  char *tail = step->log + LOG_HEAD;
  if (length > LOG_TAIL) {
    running->left_out += length - LOG_TAIL;
    bytes += length - LOG_TAIL;
    length = LOG_TAIL;
  }
  if (running->tail_length + length > LOG_TAIL) {
    size_t gone = running->tail_length + length - LOG_TAIL;
    running->left_out += gone;
    running->tail_length -= gone;
    memmove(tail, tail + gone, running->tail_length);
  }
  memcpy(tail + running->tail_length, bytes, length);
  running->tail_length += length;
}

static void log_finish(struct running *running) {
  struct step *step = running->step;
  if (!step->log) {
    step->log = memory_text("");
    return;
  }
  for (size_t i = 0; i < LOG_HEAD + running->tail_length; i++)
    if (!step->log[i] && (i < step->log_length || i >= LOG_HEAD))
      step->log[i] = ' '; /* from here on it is a text */
  if (running->tail_length == 0)
    return;
  char note[64] = "";
  if (running->left_out)
    snprintf(note, sizeof note, _("\n[... %ju bytes left out ...]\n"),
             (uintmax_t)running->left_out);
  size_t length = strlen(note);
  char *tail = step->log + LOG_HEAD;
  memmove(tail + length, tail, running->tail_length);
  memcpy(tail, note, length); // NOLINT(bugprone-not-null-terminated-result): what follows ends it
  step->log_length = LOG_HEAD + length + running->tail_length;
}

/* What is there now; a command that never stops printing must not keep us from looking at the
 * clock. */
static void output_take(struct running *running) {
  char bytes[64 * 1024];
  for (int reads = 0; reads < 16 && running->output_fd >= 0; reads++) {
    ssize_t length = read(running->output_fd, bytes, sizeof bytes);
    if (length < 0)
      return;
    if (length == 0) { /* the command closed it; a poll would return at once from now on */
      close(steal_fd(&running->output_fd));
      return;
    }
    log_add(running, bytes, (size_t)length);
  }
}

/* ---- one step ---- */

static int step_start(const struct step_plan *plan, struct running *running, struct step *step,
                      struct failure *failure) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC))
    return failure_errno(failure, "cannot make a pipe");
  scoped_fd int ours = ends[0], theirs = ends[1];
  fcntl(ours, F_SETFL, O_NONBLOCK);
  struct sandbox_spec spec = {
      .folder = plan->folder,
      .folder_mode = SANDBOX_FOLDER_WRITABLE,
      .argv = (char *const *)step->argv,
      .netns_fd = -1,
      .stdin_fd = -1,
      .stdout_fd = theirs,
      .stderr_fd = theirs,
      .cpu = -1,
      .limits = plan->limits,
  };
  if (sandbox_start(&spec, &running->sandbox, failure))
    return -1;
  running->step = step;
  running->look = (struct patience_look){0};
  running->output_fd = steal_fd(&ours);
  running->tail_length = running->left_out = 0;
  return 0;
}

static void step_end(struct running *running, enum step_end end) {
  output_take(running);
  sandbox_kill(&running->sandbox);
  scope_close_fd(&running->output_fd);
  running->step->end = end;
  log_finish(running);
  running->step = NULL;
}

/* How the command ended: 1; 0 if it runs; -1 if its sandbox has ended without a word. */
static int status_take(const struct running *running, struct sandbox_status *status) {
  struct pollfd ended = {.fd = running->sandbox.status_fd, .events = POLLIN};
  if (poll(&ended, 1, 0) <= 0)
    return 0;
  return read(running->sandbox.status_fd, status, sizeof *status) == (ssize_t)sizeof *status ? 1
                                                                                             : -1;
}

static enum step_end status_end(const struct sandbox_status *status) {
  if (status->exec_errno == ENOENT)
    return STEP_NO_COMMAND;
  return status->exec_errno || status->wait_status ? STEP_FAILED : STEP_DONE;
}

static void step_look(const struct step_plan *plan, struct running *running) {
  output_take(running);
  struct sandbox_status status;
  int known = status_take(running, &status);
  if (known != 0 && cgroup_out_of_memory(&running->sandbox.group)) {
    step_end(running, STEP_TOO_LARGE);
  } else if (known > 0) {
    running->step->wait_status = status.wait_status;
    step_end(running, status_end(&status));
  } else if (known < 0) { /* process 1 was killed: memory was short */
    running->step->wait_status = SIGKILL;
    step_end(running, STEP_FAILED);
  } else if (plan->stop && *plan->stop) {
    step_end(running, STEP_NOT_RUN);
  } else if (patience_ends(plan->patience, &running->look, &running->sandbox, steps_now_s())) {
    step_end(running, STEP_TOO_LONG);
  } else if (sandbox_memory_exceeded(&running->sandbox, plan->limits.memory_bytes)) {
    step_end(running, STEP_TOO_LARGE);
  }
}

/* ---- all of them ---- */

static void steps_await(const struct running *places, unsigned jobs) {
  struct pollfd watched[2 * STEP_JOBS_MOST];
  nfds_t count = 0;
  for (unsigned i = 0; i < jobs; i++)
    if (places[i].step) {
      watched[count++] = (struct pollfd){.fd = places[i].output_fd, .events = POLLIN};
      watched[count++] = (struct pollfd){.fd = places[i].sandbox.status_fd, .events = POLLIN};
    }
  poll(watched, count, TICK_MS);
}

int steps_run(const struct step_plan *plan, struct step *steps, size_t count,
              struct failure *failure) {
  struct running places[STEP_JOBS_MOST] = {0};
  unsigned jobs = plan->jobs < 1 ? 1 : plan->jobs < STEP_JOBS_MOST ? plan->jobs : STEP_JOBS_MOST;
  size_t next = 0;
  bool good = true;
  for (size_t busy = 0;;) {
    for (unsigned i = 0; i < jobs && good && next < count; i++) {
      bool late = plan->patience->is_over || (plan->stop && *plan->stop);
      if (places[i].step || late)
        continue;
      good = step_start(plan, &places[i], &steps[next++], failure) == 0;
      busy += good;
    }
    if (busy == 0)
      break;
    steps_await(places, jobs);
    for (unsigned i = 0; i < jobs; i++) {
      if (!places[i].step)
        continue;
      if (plan->tick)
        plan->tick(plan->context, places[i].step);
      step_look(plan, &places[i]);
      busy -= !places[i].step;
    }
  }
  return good ? 0 : -1;
}
