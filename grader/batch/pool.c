#include "grader/batch/pool.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum {
  TICK_MS = 200,
  TRIES_MOST = 2,
  GRACE_S = 5, /* between SIGTERM and SIGKILL, for a grading to end in order */
};

struct worker {
  pid_t pid; /* 0: none */
  int pidfd, answer_fd;
  size_t job;
  unsigned tries;
  double begun_s;
  bool too_long;
};

struct pool {
  const struct pool_spec *spec;
  struct worker *workers;
  unsigned working;
  size_t next, count; /* jobs that are to be begun */
  size_t *again;      /* jobs that are to be tried again */
  size_t again_count;
  double stopped_s; /* when the workers were told to end; 0: not */
  bool failed;      /* take() wants no more */
};

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- one worker ---- */

static _Noreturn void worker_child(const struct pool_spec *spec, size_t job, int answer_fd,
                                   pid_t caller) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != caller)
    _exit(1);
  signal(SIGINT, SIG_IGN);
  int status = spec->work(spec->context, job, answer_fd);
  fflush(NULL);
  _exit(status);
}

static bool worker_start(struct pool *pool, struct worker *worker, size_t job, unsigned tries) {
  pid_t caller = getpid();
  int answer_fd = memfd_create("answer", MFD_CLOEXEC);
  fflush(NULL);
  pid_t pid = answer_fd < 0 ? -1 : fork();
  if (pid == 0)
    worker_child(pool->spec, job, answer_fd, caller);
  if (pid < 0) {
    scope_close_fd(&answer_fd);
    return false;
  }
  setpgid(pid, pid);
  *worker = (struct worker){
      pid, (int)syscall(SYS_pidfd_open, pid, 0), answer_fd, job, tries, now_s(), false};
  pool->working++;
  return true;
}

static char *end_words(const struct worker *worker, const struct pool_spec *spec, int status) {
  if (worker->too_long)
    return language_sentence("took longer than %.0f s", spec->limit_s);
  if (WIFSIGNALED(status))
    return language_sentence("was killed by SIG%s",
                             sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
  return language_sentence("ended with exit status %d", WEXITSTATUS(status));
}

static void worker_finish(struct pool *pool, struct worker *worker, int status) {
  off_t length = lseek(worker->answer_fd, 0, SEEK_END);
  void *answer = NULL;
  bool done = WIFEXITED(status) && WEXITSTATUS(status) == 0 && length > 0 && !worker->too_long;
  if (done)
    answer = mmap(NULL, (size_t)length, PROT_READ, MAP_PRIVATE, worker->answer_fd, 0);
  if (answer == MAP_FAILED)
    done = false;
  scoped_text char *reason = done ? NULL : end_words(worker, pool->spec, status);
  const struct pool_outcome outcome = {
      .end = done ? POOL_DONE : POOL_FAILED,
      .reason = reason ? reason : "",
      .answer = done ? answer : NULL,
      .length = done ? (size_t)length : 0,
      .tries = worker->tries,
      .last = done || worker->tries == TRIES_MOST,
  };
  /* One that was told to end has said nothing about its job. */
  if ((done || !pool->stopped_s) && pool->spec->take(pool->spec->context, worker->job, &outcome))
    pool->failed = true;
  if (!outcome.last && !pool->stopped_s)
    pool->again[pool->again_count++] = worker->job;
  if (done)
    munmap(answer, (size_t)length);
}

static void worker_reap(struct pool *pool, struct worker *worker) {
  int status;
  if (waitpid(worker->pid, &status, WNOHANG) != worker->pid)
    return;
  /* What is left of its group: nothing that is right. */
  kill(-worker->pid, SIGKILL);
  worker_finish(pool, worker, status);
  close(worker->pidfd);
  close(worker->answer_fd);
  *worker = (struct worker){0};
  pool->working--;
}

/* ---- all of them ---- */

static bool memory_allows(const struct pool *pool) {
  return pool->working == 0 || pool_memory_available() >= pool->spec->worker_bytes;
}

static bool is_stopping(const struct pool *pool) {
  return pool->failed || (pool->spec->stop && *pool->spec->stop);
}

/* What is to be tried again comes last: by then whatever was wrong with the machine may be over. */
static void workers_fill(struct pool *pool) {
  for (unsigned i = 0; i < pool->spec->workers && !is_stopping(pool); i++) {
    struct worker *worker = &pool->workers[i];
    bool fresh = pool->next < pool->count;
    if (worker->pid || (!fresh && pool->again_count == 0))
      continue;
    if (!memory_allows(pool))
      return;
    size_t job = fresh ? pool->next : pool->again[pool->again_count - 1];
    /* Without memory for a process, wait until another has ended. */
    if (!worker_start(pool, worker, job, fresh ? 1 : TRIES_MOST))
      return;
    pool->next += fresh;
    pool->again_count -= !fresh;
  }
}

static void workers_signal(struct pool *pool, int signal_number) {
  for (unsigned i = 0; i < pool->spec->workers; i++)
    if (pool->workers[i].pid)
      kill(pool->workers[i].pid, signal_number);
}

static void limits_keep(struct pool *pool) {
  double now = now_s();
  for (unsigned i = 0; i < pool->spec->workers; i++) {
    struct worker *worker = &pool->workers[i];
    if (worker->pid && !worker->too_long && now - worker->begun_s > pool->spec->limit_s) {
      worker->too_long = true;
      kill(-worker->pid, SIGKILL);
    }
  }
  if (is_stopping(pool) && !pool->stopped_s) {
    pool->stopped_s = now;
    workers_signal(pool, SIGTERM);
  } else if (pool->stopped_s && now - pool->stopped_s > GRACE_S) {
    workers_signal(pool, SIGKILL);
  }
}

static void workers_await(struct pool *pool, struct pollfd *waits) {
  for (unsigned i = 0; i < pool->spec->workers; i++)
    waits[i] = (struct pollfd){pool->workers[i].pid ? pool->workers[i].pidfd : -1, POLLIN, 0};
  poll(waits, pool->spec->workers, TICK_MS);
  limits_keep(pool);
  for (unsigned i = 0; i < pool->spec->workers; i++)
    if (pool->workers[i].pid)
      worker_reap(pool, &pool->workers[i]);
}

int pool_run(const struct pool_spec *spec, size_t count) {
  scoped_text struct worker *workers = memory_zeroed(spec->workers, sizeof *workers);
  scoped_text struct pollfd *waits = memory_zeroed(spec->workers, sizeof *waits);
  scoped_text size_t *again = memory_zeroed(count, sizeof *again);
  struct pool pool = {.spec = spec, .workers = workers, .count = count, .again = again};
  for (;;) {
    workers_fill(&pool);
    bool left = pool.next < pool.count || pool.again_count > 0;
    if (pool.working == 0 && (!left || is_stopping(&pool)))
      break;
    workers_await(&pool, waits);
    if (spec->tick)
      spec->tick(spec->context, pool.working);
  }
  if (pool.failed)
    return -1;
  return pool.next < pool.count || pool.again_count > 0 || pool.stopped_s ? 1 : 0;
}
