/* What batch.c and plan.c know of each other; nobody else includes this. */
#pragma once

#include "grader/batch/batch.h"
#include "grader/batch/hash.h"
#include "grader/batch/roster.h"

/* A worker with one check at a time has some 150 MB at its peak; what it grades may fill as much
 * again with its copy and its programs, and more. */
static const size_t batch_worker_bytes = 400u << 20;

struct job {
  struct hash hash;
  const struct source_submission *submission; /* the first with these contents */
};

struct batch {
  const struct batch_spec *spec;
  struct gradebook *book;
  char *work; /* OUT/work */
  struct source_list list;
  struct roster roster;
  struct job *jobs;
  size_t job_count;
  struct batch_event event;
  double begun_s;
  struct failure *failure;
};

struct batch batch_begin(const struct batch_spec *spec, struct gradebook *book,
                         struct failure *failure);
void batch_end(struct batch *batch);
double batch_now_s(void);

/* For the pool: grades the job, and writes the answer. */
int batch_job_work(void *context, size_t index, int answer_fd);
/* Puts what came of it into the gradebook, and notes it for who is told. */
int batch_job_finish(struct batch *batch, const struct job *job, struct gradebook_grading *grading);
void batch_tell(struct batch *batch);

/* Writes FOLDER/plan.json: the jobs in tasks of `chunk` each, and what else a task must know; the
 * folder FOLDER/answers is made. (plan.c) */
int plan_write(struct batch *batch, const char *folder, size_t chunk, size_t *tasks);
