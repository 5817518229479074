/* What becomes of jobs, whatever their workers do. */
#include "grader/batch/pool.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS = 6 };

static volatile sig_atomic_t stop_signal;

struct taken {
  unsigned done[JOBS], failed[JOBS], tries[JOBS];
  unsigned count;
  char reason[100];
  unsigned stop_after; /* answers; 0: never */
};

/* The even jobs answer. The others end badly, each in its own way; job 5 only the first time. */
static int work(void *context, size_t job, int answer_fd) {
  const struct taken *taken = context;
  if (job == 1)
    raise(SIGSEGV);
  if (job == 3 || (job == 5 && taken->failed[5] == 0))
    return 7;
  return dprintf(answer_fd, "answer %zu", job) > 0 ? 0 : 1;
}

static int take(void *context, size_t job, const struct pool_outcome *outcome) {
  struct taken *taken = context;
  char wanted[20];
  taken->count++;
  taken->tries[job] = outcome->tries;
  if (outcome->end == POOL_FAILED) {
    taken->failed[job]++;
    strncpy(taken->reason, outcome->reason, sizeof taken->reason - 1);
    cr_expect_eq(outcome->last, outcome->tries == 2);
    return 0;
  }
  taken->done[job]++;
  snprintf(wanted, sizeof wanted, "answer %zu", job);
  cr_expect_eq(outcome->length, strlen(wanted));
  cr_expect_eq(memcmp(outcome->answer, wanted, outcome->length), 0);
  if (taken->stop_after && taken->count == taken->stop_after)
    stop_signal = SIGINT;
  return 0;
}

static struct pool_spec spec_of(struct taken *taken) {
  return (struct pool_spec){.workers = 2,
                            .limit_s = 1000,
                            .stop = &stop_signal,
                            .work = work,
                            .take = take,
                            .context = taken};
}

Test(pool, does_each_job_and_tries_bad_ones_twice) {
  struct taken taken = {0};
  struct pool_spec spec = spec_of(&taken);
  cr_assert_eq(pool_run(&spec, JOBS), 0);
  for (size_t job = 0; job < JOBS; job++) {
    bool good = job != 1 && job != 3;
    cr_expect_eq(taken.done[job], good, "job %zu", job);
    cr_expect_eq(taken.failed[job], good ? job == 5 : 2, "job %zu", job);
    cr_expect_eq(taken.tries[job], job % 2 == 0 ? 1 : 2, "job %zu", job);
  }
}

static int work_crash(void *context, size_t job, int answer_fd) {
  (void)context, (void)job, (void)answer_fd;
  abort();
}

Test(pool, says_how_a_worker_ended) {
  struct taken taken = {0};
  struct pool_spec spec = spec_of(&taken);
  spec.work = work_crash;
  cr_assert_eq(pool_run(&spec, 1), 0);
  cr_expect_str_eq(taken.reason, "was killed by SIGABRT");
}

static int work_forever(void *context, size_t job, int answer_fd) {
  (void)context, (void)job, (void)answer_fd;
  while (pause())
    ;
  return 0;
}

Test(pool, ends_what_takes_too_long) {
  struct taken taken = {0};
  struct pool_spec spec = spec_of(&taken);
  spec.work = work_forever;
  spec.limit_s = 1;
  cr_assert_eq(pool_run(&spec, 1), 0);
  cr_expect_eq(taken.failed[0], 2);
  cr_expect_str_eq(taken.reason, "took longer than 1 s");
}

static int work_or_wait(void *context, size_t job, int answer_fd) {
  if (job == 0)
    return write(answer_fd, "answer 0", 8) == 8 ? 0 : 1;
  return work_forever(context, job, answer_fd);
}

Test(pool, stops_in_order) {
  struct taken taken = {.stop_after = 1};
  struct pool_spec spec = spec_of(&taken);
  spec.work = work_or_wait;
  cr_expect_eq(pool_run(&spec, JOBS), 1);
  cr_expect_eq(taken.done[0], 1, "what is done stays");
  cr_expect_eq(taken.count, 1, "those that were told to end are not taken for crashes");
}

static int take_nothing(void *context, size_t job, const struct pool_outcome *outcome) {
  (void)context, (void)job, (void)outcome;
  return -1;
}

Test(pool, stops_when_an_answer_cannot_be_kept) {
  struct taken taken = {0};
  struct pool_spec spec = spec_of(&taken);
  spec.take = take_nothing;
  spec.work = work_or_wait;
  cr_expect_eq(pool_run(&spec, JOBS), -1);
}

Test(pool, knows_how_much_memory_there_is) {
  size_t available = pool_memory_available();
  cr_expect_gt(available, 1 << 20);
  cr_expect_lt(available, 1ull << 50);
}
