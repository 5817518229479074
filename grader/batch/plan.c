/* A batch that several machines share: a plan, answers, and their way into the gradebook. */
#include "grader/batch/batch_inner.h"

#include "grader/base/file.h"
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/batch/answer.h"
#include "grader/batch/clearing.h"
#include "grader/batch/pool.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAN_SCHEMA "wiregrade/plan/v1"

static char *plan_path(const char *folder) {
  return memory_format("%s/plan.json", folder);
}

static char *answer_path(const char *folder, const char *hash) {
  return memory_format("%s/answers/%s", folder, hash);
}

/* ---- writing ---- */

static json_t *job_json(const struct job *job) {
  const struct source_submission *submission = job->submission;
  const struct source_student *student = &submission->students[0];
  scoped_text char *absolute = realpath(submission->path, NULL);
  json_t *object = json_pack("{s:s}", "hash", job->hash.text);
  const struct {
    const char *key, *text;
  } texts[] = {{"path", absolute ? absolute : submission->path},
               {"file", submission->file},
               {"student", student->name ? student->name : student->key}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    json_object_set_new(object, texts[i].key,
                        json_stringn_nocheck(texts[i].text, strlen(texts[i].text)));
  return object;
}

static json_t *run_json(const struct gradebook_run *run) {
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "suite_hash", run->suite_hash,
                   "wiregrade", run->wiregrade, "labs", run->labs, "course_hash", run->course_hash,
                   "course_name", run->course_name, "course_file", run->course_file, "regrade",
                   run->regrade);
}

int plan_write(struct batch *batch, const char *folder, size_t chunk, size_t *tasks) {
  scoped_text char *answers = memory_format("%s/answers", folder), *path = plan_path(folder);
  json_t *jobs = json_array();
  for (size_t i = 0; i < batch->job_count; i++)
    json_array_append_new(jobs, job_json(&batch->jobs[i]));
  *tasks = (batch->job_count + chunk - 1) / chunk;
  json_t *plan = json_pack("{s:s, s:I, s:o, s:o}", "schema", PLAN_SCHEMA, "chunk",
                           (json_int_t)chunk, "run", run_json(batch->spec->run), "jobs", jobs);
  json_object_set_new(plan, "roster_kind",
                      json_string(batch->roster.kind ? batch->roster.kind : ""));
  json_object_set_new(plan, "roster_columns",
                      json_string(batch->roster.columns ? batch->roster.columns : ""));
  scoped_text char *text = json_dumps(plan, JSON_INDENT(1));
  json_decref(plan);
  if (!text)
    return failure_set(batch->failure, "cannot write %s: a name in it is not UTF-8", path);
  if (file_make_folder(answers, batch->failure))
    return -1;
  return file_replace(path, text, strlen(text), batch->failure);
}

/* ---- reading ---- */

static json_t *plan_read(const char *folder, struct failure *failure) {
  scoped_text char *path = plan_path(folder);
  json_error_t error;
  json_t *plan = json_load_file(path, 0, &error);
  const char *schema = json_string_value(json_object_get(plan, "schema"));
  if (plan && schema && strcmp(schema, PLAN_SCHEMA) == 0)
    return plan;
  if (plan)
    failure_set(failure, "%s is no plan of this wiregrade", path);
  else
    failure_set(failure, "cannot read %s: %s", path, error.text);
  json_decref(plan);
  return NULL;
}

static char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return memory_text(text ? text : "");
}

/* The jobs from `first` on, at most `most`, as if they had been read from their sources. */
static void jobs_take(struct batch *batch, const json_t *plan, size_t first, size_t most) {
  const json_t *jobs = json_object_get(plan, "jobs");
  size_t all = json_array_size(jobs), count = first < all ? all - first : 0;
  count = count < most ? count : most;
  batch->list.submissions = memory_zeroed(count + 1, sizeof *batch->list.submissions);
  batch->jobs = memory_zeroed(count + 1, sizeof *batch->jobs);
  batch->list.count = batch->job_count = count;
  for (size_t i = 0; i < count; i++) {
    const json_t *object = json_array_get(jobs, first + i);
    struct source_submission *submission = &batch->list.submissions[i];
    submission->path = text_of(object, "path");
    submission->file = text_of(object, "file");
    submission->students = memory_zeroed(1, sizeof *submission->students);
    submission->students[0].key = text_of(object, "student");
    submission->student_count = 1;
    scoped_text char *hash = text_of(object, "hash");
    batch->jobs[i].submission = submission;
    strncat(batch->jobs[i].hash.text, hash, sizeof batch->jobs[i].hash.text - 1);
  }
}

/* ---- a task ---- */

struct task {
  struct batch batch;
  const char *folder;
};

static int task_work(void *context, size_t index, int answer_fd) {
  struct task *task = context;
  return batch_job_work(&task->batch, index, answer_fd);
}

/* Of a worker that failed for the last time: the same as an answer, in the grader's own words. */
static int failure_keep(struct task *task, const char *path, const char *reason) {
  scoped_text char *words = language_sentence("the worker that graded it %s", reason);
  scoped_fd int fd = memfd_create("answer", MFD_CLOEXEC);
  struct answer answer = {.fault = BATCH_IMPOSSIBLE, .reason = words};
  char bytes[4096];
  if (fd < 0 || answer_write(fd, &answer))
    return failure_errno(task->batch.failure, "cannot write an answer");
  ssize_t length = pread(fd, bytes, sizeof bytes, 0);
  return length < 0 ? failure_errno(task->batch.failure, "cannot read an answer")
                    : file_replace(path, bytes, (size_t)length, task->batch.failure);
}

static int task_take(void *context, size_t index, const struct pool_outcome *outcome) {
  struct task *task = context;
  const struct job *job = &task->batch.jobs[index];
  scoped_text char *path = answer_path(task->folder, job->hash.text);
  int result = 0;
  if (outcome->end == POOL_DONE)
    result = file_replace(path, outcome->answer, outcome->length, task->batch.failure);
  else if (outcome->last)
    result = failure_keep(task, path, outcome->reason);
  if (result == 0 && outcome->last) {
    printf("%s\n", job->submission->file);
    fflush(stdout);
  }
  return result;
}

/* Jobs that have an answer already, from before the task was started again, are left out. */
static void answered_leave_out(struct task *task) {
  size_t left = 0;
  for (size_t i = 0; i < task->batch.job_count; i++) {
    scoped_text char *path = answer_path(task->folder, task->batch.jobs[i].hash.text);
    if (access(path, F_OK) < 0)
      task->batch.jobs[left++] = task->batch.jobs[i];
  }
  task->batch.job_count = left;
}

int batch_task(const struct batch_spec *spec, const char *folder, size_t number,
               struct failure *failure) {
  json_t *plan = plan_read(folder, failure);
  if (!plan)
    return -1;
  size_t chunk = (size_t)json_integer_value(json_object_get(plan, "chunk"));
  struct task task = {.batch = batch_begin(spec, NULL, failure), .folder = folder};
  free(task.batch.work);
  task.batch.work = memory_format("%s/work/task-%zu", spec->out, number);
  jobs_take(&task.batch, plan, number * chunk, chunk);
  json_decref(plan);
  answered_leave_out(&task);
  const struct pool_spec pool = {
      .workers = spec->workers,
      .limit_s = spec->limit_s,
      .worker_bytes = batch_worker_bytes,
      .stop = spec->stop,
      .work = task_work,
      .take = task_take,
      .context = &task,
  };
  int outcome = pool_run(&pool, task.batch.job_count);
  struct failure ignored;
  clearing_do(task.batch.work, &ignored);
  batch_end(&task.batch);
  return outcome;
}

/* ---- merging ---- */

/* 1 if there is no answer. */
static int answer_put(struct batch *batch, const char *folder, const struct job *job) {
  scoped_text char *path = answer_path(folder, job->hash.text);
  scoped_file FILE *file = fopen(path, "re");
  struct stat status;
  if (!file || fstat(fileno(file), &status) < 0)
    return errno == ENOENT ? 1 : failure_errno(batch->failure, "cannot read %s", path);
  size_t length = (size_t)status.st_size;
  scoped_text char *bytes = memory_zeroed(length + 1, 1);
  if (fread(bytes, 1, length, file) != length)
    return failure_errno(batch->failure, "cannot read %s", path);
  struct gradebook_grading grading = {.tries = 1};
  scoped_text char *reason = answer_read(bytes, length, &grading);
  grading.reason = reason;
  int outcome = batch_job_finish(batch, job, &grading);
  return outcome;
}

static int run_go_on(struct batch *batch, const json_t *plan) {
  const json_t *object = json_object_get(plan, "run");
  struct gradebook_run run = {.regrade = json_is_true(json_object_get(object, "regrade"))};
  scoped_text char *suite = text_of(object, "suite_hash"), *course = text_of(object, "course_hash");
  scoped_text char *wiregrade = text_of(object, "wiregrade"), *labs = text_of(object, "labs");
  scoped_text char *name = text_of(object, "course_name"), *file = text_of(object, "course_file");
  scoped_text char *kind = text_of(plan, "roster_kind"), *columns = text_of(plan, "roster_columns");
  run.suite_hash = suite;
  run.wiregrade = wiregrade;
  run.labs = labs;
  run.course_hash = course;
  run.course_name = name;
  run.course_file = file;
  run.roster_kind = kind;
  run.roster_columns = columns;
  return gradebook_run_begin(batch->book, &run, batch->failure);
}

static int answers_put(struct batch *batch, const char *folder, size_t *missing) {
  if (gradebook_begin(batch->book, batch->failure))
    return -1;
  for (size_t i = 0; i < batch->job_count; i++) {
    bool needs = true;
    const struct job *job = &batch->jobs[i];
    if (gradebook_needs_grading(batch->book, job->hash.text, &needs, batch->failure))
      return -1;
    int outcome = needs ? answer_put(batch, folder, job) : 0;
    if (outcome < 0)
      return -1;
    *missing += outcome > 0;
  }
  return gradebook_commit(batch->book, batch->failure);
}

int batch_merge(const struct batch_spec *spec, struct gradebook *book, const char *folder,
                size_t *missing, struct failure *failure) {
  json_t *plan = plan_read(folder, failure);
  if (!plan)
    return -1;
  struct batch batch = batch_begin(spec, book, failure);
  *missing = 0;
  jobs_take(&batch, plan, 0, SIZE_MAX);
  int outcome = run_go_on(&batch, plan);
  if (outcome == 0)
    outcome = answers_put(&batch, folder, missing);
  if (outcome == 0 && *missing == 0)
    outcome = gradebook_run_end(book, failure);
  if (outcome == 0)
    outcome = clearing_do(folder, failure);
  if (outcome == 0)
    outcome = clearing_do(batch.work, failure);
  json_decref(plan);
  batch_end(&batch);
  return outcome;
}

void batch_plan_progress(const char *folder, size_t *answers, size_t *jobs) {
  struct failure ignored;
  json_t *plan = plan_read(folder, &ignored), *job;
  size_t index;
  *answers = *jobs = 0;
  json_array_foreach (json_object_get(plan, "jobs"), index, job) {
    scoped_text char *hash = text_of(job, "hash"), *path = answer_path(folder, hash);
    *answers += access(path, F_OK) == 0;
    (*jobs)++;
  }
  json_decref(plan);
}
