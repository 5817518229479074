#include "grader/verify/grading.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { TICK_MS = 50, STATUS_NO_COPY = 120, STATUS_NO_PATCH, STATUS_NO_GRADER };

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

static int patch_apply(const char *patch, const char *folder, const char *log) {
  char *const argv[] = {(char *)"patch",
                        (char *)"-p1",
                        (char *)"-s",
                        (char *)"-d",
                        (char *)folder,
                        (char *)"-i",
                        (char *)patch,
                        (char *)"--no-backup-if-mismatch",
                        NULL};
  return command_do(argv, log);
}

/* `wiregrade grade` with all that it is to be told; the words belong to a child that is replaced.
 * In English, as the hints that mutants name. */
static char **grade_command(const struct grading_pool *pool, const struct grading *grading,
                            const char *folder, const char *result) {
  const char *const fixed[] = {
      pool->executable, "grade",  "--lang", "en",      "--jobs",       "1",     "--captures",
      "none",           "--json", result,   "--clock", grading->clock, "--seed"};
  enum { FIXED = sizeof fixed / sizeof *fixed };
  size_t labs = 0, used = FIXED;
  while (grading->labs[labs])
    labs++;
  const char **argv = memory_zeroed(FIXED + 2 * (labs + grading->program_count) + 4, sizeof *argv);
  memcpy(argv, fixed, sizeof fixed);
  argv[used++] = memory_format("%u", grading->seed);
  if (!grading->keeps_build)
    argv[used++] = "--no-build-cache";
  for (size_t i = 0; i < labs; i++) {
    argv[used++] = "--lab";
    argv[used++] = grading->labs[i];
  }
  for (size_t i = 0; i < grading->program_count; i++) {
    argv[used++] = "--program";
    argv[used++] = grading->programs[i];
  }
  argv[used] = folder;
  return (char **)argv;
}

/* The child's whole way: copy, patch, grade. */
static _Noreturn void grading_child(const struct grading_pool *pool,
                                    const struct grading *grading) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  signal(SIGPIPE, SIG_DFL);
  char *log = work_path(pool, grading, ".log"), *copy = work_path(pool, grading, "");
  char *result = work_path(pool, grading, ".json");
  output_to(log);
  if (grading->patch && folder_copy(grading->folder, copy, log))
    _exit(STATUS_NO_COPY);
  if (grading->patch && patch_apply(grading->patch, copy, log))
    _exit(STATUS_NO_PATCH);
  if (pool->suite)
    setenv("WIREGRADE_SUITE", pool->suite, 1);
  char *builds = memory_format("%s/builds", pool->work);
  if (grading->keeps_build)
    setenv("XDG_CACHE_HOME", builds, 1);
  const char *folder = grading->patch ? copy : grading->folder;
  execv(pool->executable, grade_command(pool, grading, folder, result));
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

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- which one is next ---- */

/* What is known of a kind so far. */
struct kind {
  double first_s; /* when its first one began; 0: none has */
  double sum_s;
  size_t ended;
};

struct schedule {
  struct grading *gradings;
  size_t count;
  bool *begun;
  struct kind *kinds;
  size_t begun_count;
  unsigned stage; /* of the last that has begun */
};

/* Of a kind that is being tried for the first time: it takes as long as that has taken yet, at
 * least. */
static double expected_s(const struct kind *kind, double at_s) {
  if (kind->ended)
    return kind->sum_s / (double)kind->ended;
  return kind->first_s > 0 ? at_s - kind->first_s : INFINITY;
}

/* Whether it goes before the other one. */
static bool is_before(const struct schedule *schedule, const struct grading *one,
                      const struct grading *other, double at_s) {
  if (one->stage != other->stage)
    return one->stage < other->stage;
  if (one->turn != other->turn)
    return one->turn < other->turn;
  return expected_s(&schedule->kinds[one->kind], at_s) >
         expected_s(&schedule->kinds[other->kind], at_s);
}

/* NULL: none is left, or, while `running` are, none of their stage. */
static struct grading *schedule_next(struct schedule *schedule, size_t running) {
  double at_s = now_s();
  struct grading *next = NULL;
  for (size_t i = 0; i < schedule->count; i++)
    if (!schedule->begun[i] && (!next || is_before(schedule, &schedule->gradings[i], next, at_s)))
      next = &schedule->gradings[i];
  if (!next || (running > 0 && next->stage > schedule->stage))
    return NULL;
  struct kind *kind = &schedule->kinds[next->kind];
  schedule->stage = next->stage;
  schedule->begun[next - schedule->gradings] = true;
  schedule->begun_count++;
  kind->first_s = kind->first_s > 0 ? kind->first_s : at_s;
  return next;
}

static void schedule_note(struct schedule *schedule, const struct grading *grading) {
  struct kind *kind = &schedule->kinds[grading->kind];
  kind->sum_s += grading->duration_s;
  kind->ended++;
}

/* ---- a few at a time ---- */

struct slot {
  pid_t pid; /* 0: free */
  int pidfd;
  size_t grading;
  double begun_s;
};

struct work {
  const struct grading_pool *pool;
  struct schedule schedule;
  struct slot *slots;
  struct pollfd *waits;
  unsigned jobs;
  size_t running, ended;
  bool stopped;
};

static int slot_start(const struct grading_pool *pool, struct slot *slot, struct grading *grading,
                      size_t index) {
  pid_t pid = fork();
  if (pid == 0)
    grading_child(pool, grading);
  if (pid < 0)
    return failure_errno(&grading->failure, "Cannot start a process");
  *slot = (struct slot){pid, (int)syscall(SYS_pidfd_open, pid, 0), index, now_s()};
  return 0;
}

static void slot_fill(struct work *work, struct slot *slot) {
  struct schedule *schedule = &work->schedule;
  while (!slot->pid && !work->stopped) {
    struct grading *next = schedule_next(schedule, work->running);
    if (!next)
      return;
    if (slot_start(work->pool, slot, next, (size_t)(next - schedule->gradings))) {
      next->ended = true;
      work->ended++;
    } else {
      work->running++;
    }
  }
}

static void slot_reap(struct work *work, struct slot *slot) {
  int status;
  if (!slot->pid || waitpid(slot->pid, &status, WNOHANG) != slot->pid)
    return;
  struct grading *grading = &work->schedule.gradings[slot->grading];
  close(slot->pidfd);
  slot->pid = 0;
  work->running--;
  grading->duration_s = now_s() - slot->begun_s;
  grading_finish(work->pool, grading, status);
  if (json_is_true(json_object_get(grading->result, "interrupted"))) {
    json_decref(grading->result);
    grading->result = NULL;
  }
  grading->ended = grading->result || !work->stopped;
  work->ended += grading->ended;
  schedule_note(&work->schedule, grading);
}

/* A signal from a terminal has reached the gradings, too, and may have ended one before it is known
 * here: what ends from now on without a result was stopped. */
static void work_look_for_stop(struct work *work) {
  if (work->stopped || !work->pool->stop || !*work->pool->stop)
    return;
  work->stopped = true;
  for (unsigned i = 0; i < work->jobs; i++)
    if (work->slots[i].pid)
      kill(work->slots[i].pid, SIGTERM);
}

static void work_tell(const struct work *work) {
  const struct slot *oldest = NULL;
  for (unsigned i = 0; i < work->jobs; i++)
    if (work->slots[i].pid && (!oldest || work->slots[i].begun_s < oldest->begun_s))
      oldest = &work->slots[i];
  if (work->pool->progress)
    work->pool->progress(work->pool->context,
                         oldest ? work->schedule.gradings[oldest->grading].name : "", work->ended,
                         work->schedule.count);
}

/* Waits until one ends, or a little; and sees how long that was. */
static void work_wait(struct work *work) {
  double begun_s = now_s();
  if (poll(work->waits, work->jobs, TICK_MS) != 0)
    return;
  double late_s = now_s() - begun_s - TICK_MS / 1e3;
  for (unsigned i = 0; i < work->jobs; i++) {
    if (!work->slots[i].pid)
      continue;
    struct grading *grading = &work->schedule.gradings[work->slots[i].grading];
    grading->late_s = late_s > grading->late_s ? late_s : grading->late_s;
  }
}

static void work_do(struct work *work) {
  do {
    for (unsigned i = 0; i < work->jobs; i++) {
      slot_fill(work, &work->slots[i]);
      work->waits[i] = (struct pollfd){work->slots[i].pid ? work->slots[i].pidfd : -1, POLLIN, 0};
    }
    if (work->running > 0)
      work_wait(work);
    work_look_for_stop(work);
    for (unsigned i = 0; i < work->jobs; i++)
      slot_reap(work, &work->slots[i]);
    work_tell(work);
  } while (work->running > 0 ||
           (work->schedule.begun_count < work->schedule.count && !work->stopped));
}

int gradings_do(const struct grading_pool *pool, struct grading *gradings, size_t count) {
  unsigned jobs = pool->jobs ? pool->jobs : 1;
  scoped_text struct slot *slots = memory_zeroed(jobs, sizeof *slots);
  scoped_text struct pollfd *waits = memory_zeroed(jobs, sizeof *waits);
  scoped_text bool *begun = memory_zeroed(count + 1, sizeof *begun);
  size_t kind_count = 1;
  for (size_t i = 0; i < count; i++)
    kind_count = gradings[i].kind < kind_count ? kind_count : gradings[i].kind + 1;
  scoped_text struct kind *kinds = memory_zeroed(kind_count, sizeof *kinds);
  struct work work = {
      .pool = pool,
      .schedule = {.gradings = gradings, .count = count, .begun = begun, .kinds = kinds},
      .slots = slots,
      .waits = waits,
      .jobs = jobs,
  };
  work_do(&work);
  return work.stopped ? -1 : 0;
}
