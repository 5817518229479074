#include "grader/batch/batch.h"

#include "grader/base/file.h"
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/batch/answer.h"
#include "grader/batch/batch_inner.h"
#include "grader/batch/clearing.h"
#include "grader/batch/hash.h"
#include "grader/batch/pool.h"
#include "grader/batch/roster.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double batch_now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- from the sources into the gradebook ---- */

static int sources_read(struct batch *batch, enum batch_fault *fault) {
  const struct batch_spec *spec = batch->spec;
  for (size_t i = 0; i < spec->source_count; i++) {
    scoped_text char *work = memory_format("%s/source-%zu", batch->work, i + 1);
    if (file_make_folder(work, batch->failure)) {
      *fault = BATCH_IMPOSSIBLE;
      return -1;
    }
    const struct source_spec source = {.source = spec->sources[i],
                                       .work = work,
                                       .among_others = spec->source_count > 1,
                                       .except = spec->except,
                                       .stop = spec->stop};
    if (source_read(&source, &batch->list, batch->failure)) {
      *fault = BATCH_UNREADABLE;
      return -1;
    }
  }
  return 0;
}

/* What cannot be read has a hash too, of its name and of what is wrong with it. */
static struct hash submission_hash(struct source_submission *submission) {
  struct hash hash;
  struct failure failure;
  if (submission->path && hash_contents(submission->path, &hash, &failure) == 0)
    return hash;
  if (submission->path) {
    free(submission->path);
    submission->path = NULL;
    submission->reason = memory_text(failure.sentence);
  }
  scoped_text char *words = memory_format("%s: %s", submission->file, submission->reason);
  return hash_bytes(words, strlen(words));
}

/* Whoever the source names, by the roster's key where the roster knows who that is. */
static int student_put(struct batch *batch, const struct source_student *student, long long *id) {
  const struct roster_student *known =
      roster_find(&batch->roster, student->key, student->number, student->email, student->name);
  const struct gradebook_student put = {
      .key = known ? known->key : student->key,
      .former_key = known ? student->key : NULL,
      .name = known && known->name ? known->name : student->name,
      .email = known && known->email ? known->email : student->email,
      .number = known && known->number ? known->number : student->number,
      .login = known ? known->login : NULL,
      .section = known ? known->section : NULL,
      .roster = known ? known->row : NULL,
  };
  return gradebook_put_student(batch->book, &put, id, batch->failure);
}

static int submission_put(struct batch *batch, const struct source_submission *submission,
                          const struct hash *hash) {
  const struct batch_lateness lateness =
      batch->spec->lateness(batch->spec->context, submission->late, submission->submitted);
  struct gradebook_submission put = {
      .hash = hash->text,
      .source = submission->source,
      .file = submission->file,
      .submitted = submission->submitted,
      .note = submission->note,
      .attempt = submission->attempt,
      .late = lateness.late,
      .late_s = lateness.late_s,
      .penalty = lateness.penalty,
  };
  for (size_t i = 0; i < submission->student_count; i++)
    if (student_put(batch, &submission->students[i], &put.student) ||
        gradebook_put_submission(batch->book, &put, batch->failure))
      return -1;
  return 0;
}

static int roster_put(struct batch *batch) {
  for (size_t i = 0; i < batch->roster.count; i++) {
    const struct roster_student *student = &batch->roster.students[i];
    long long id;
    if (gradebook_put_student(batch->book,
                              &(struct gradebook_student){.key = student->key,
                                                          .name = student->name,
                                                          .email = student->email,
                                                          .number = student->number,
                                                          .login = student->login,
                                                          .section = student->section,
                                                          .roster = student->row},
                              &id, batch->failure))
      return -1;
  }
  return 0;
}

static bool job_is_there(const struct batch *batch, const struct hash *hash) {
  for (size_t i = 0; i < batch->job_count; i++)
    if (strcmp(batch->jobs[i].hash.text, hash->text) == 0)
      return true;
  return false;
}

static int job_add(struct batch *batch, const struct source_submission *submission,
                   const struct hash *hash) {
  bool needs;
  if (gradebook_needs_grading(batch->book, hash->text, &needs, batch->failure))
    return -1;
  if (!needs || job_is_there(batch, hash))
    return 0;
  if (!submission->path)
    return gradebook_put_grading(batch->book,
                                 &(struct gradebook_grading){.hash = hash->text,
                                                             .state = GRADEBOOK_UNREADABLE,
                                                             .reason = submission->reason,
                                                             .tries = 1},
                                 batch->failure);
  batch->jobs[batch->job_count++] = (struct job){*hash, submission};
  return 0;
}

static int submissions_put(struct batch *batch) {
  batch->jobs = memory_zeroed(batch->list.count, sizeof *batch->jobs);
  if (gradebook_begin(batch->book, batch->failure))
    return -1;
  for (size_t i = 0; i < batch->list.count; i++) {
    struct source_submission *submission = &batch->list.submissions[i];
    const struct hash hash = submission_hash(submission);
    if (submission_put(batch, submission, &hash) || job_add(batch, submission, &hash))
      return -1;
  }
  if (roster_put(batch))
    return -1;
  return gradebook_commit(batch->book, batch->failure);
}

/* ---- grading ---- */

/* Of a sentence about the folder or archive the path is left out: it may be one of OUT/work, which
 * nobody knows. */
static void path_leave_out(struct failure *failure, const char *path) {
  const char *front = _("the submission "), *colon = _(": ");
  const struct failure whole = *failure;
  size_t begin = strlen(front), length = strlen(path);
  const char *rest = whole.sentence + begin + length;
  if (strncmp(whole.sentence, front, begin) != 0 ||
      strncmp(whole.sentence + begin, path, length) != 0)
    return;
  if (strncmp(rest, colon, strlen(colon)) == 0)
    failure_set(failure, "%s", rest + strlen(colon));
  else
    failure_set(failure, "the submission%s", rest);
}

int batch_job_work(void *context, size_t index, int answer_fd) {
  const struct batch *batch = context;
  const struct job *job = &batch->jobs[index];
  scoped_text char *captures = memory_format("%s/captures/%.16s", batch->spec->out, job->hash.text);
  scoped_text char *temporary = memory_format("%s/worker-%zu", batch->work, index);
  struct answer answer = {0};
  struct failure failure;
  if (file_make_folder(temporary, &failure) == 0)
    setenv("TMPDIR", temporary, 1);
  answer.fault = batch->spec->grade(batch->spec->context, job->submission->path,
                                    job->submission->file, captures, &answer.document, &failure);
  /* One that was told to end says nothing about its submission. */
  if (batch->spec->stop && *batch->spec->stop) {
    json_decref(answer.document);
    return 1;
  }
  if (answer.fault)
    path_leave_out(&failure, job->submission->path);
  answer.reason = failure.sentence;
  return answer_write(answer_fd, &answer);
}

void batch_tell(struct batch *batch) {
  batch->event.elapsed_s = batch_now_s() - batch->begun_s;
  if (batch->spec->tell)
    batch->spec->tell(batch->spec->context, &batch->event);
  batch->event.file = batch->event.student = NULL;
}

int batch_job_finish(struct batch *batch, const struct job *job,
                     struct gradebook_grading *grading) {
  grading->hash = job->hash.text;
  if (gradebook_put_grading(batch->book, grading, batch->failure))
    return -1;
  batch->event.done++;
  batch->event.unreadable += grading->state == GRADEBOOK_UNREADABLE;
  batch->event.errors += grading->state == GRADEBOOK_ERROR || grading->errors > 0;
  batch->event.state = grading->state;
  batch->event.score = grading->score;
  batch->event.max_score = grading->max_score;
  return 0;
}

static int job_take(void *context, size_t index, const struct pool_outcome *outcome) {
  struct batch *batch = context;
  const struct job *job = &batch->jobs[index];
  const struct source_submission *submission = job->submission;
  struct gradebook_grading grading = {.state = GRADEBOOK_ERROR, .tries = outcome->tries};
  scoped_text char *reason = NULL;
  if (outcome->end == POOL_FAILED) {
    reason = language_sentence("the worker that graded it %s", outcome->reason);
    if (gradebook_put_mishap(batch->book, job->hash.text, outcome->tries, reason, batch->failure))
      return -1;
  } else {
    reason = answer_read(outcome->answer, outcome->length, &grading);
  }
  grading.reason = reason;
  batch->event.retried = !outcome->last;
  if (outcome->last && batch_job_finish(batch, job, &grading))
    return -1;
  batch->event.file = submission->file;
  const struct source_student *student = &submission->students[0];
  batch->event.student = student->name ? student->name : student->key;
  batch->event.reason = reason;
  batch->event.tries = outcome->tries;
  batch_tell(batch);
  return 0;
}

static void pool_tick(void *context, unsigned working) {
  struct batch *batch = context;
  batch->event.working = working;
  batch_tell(batch);
}

static int jobs_do(struct batch *batch) {
  const struct pool_spec pool = {
      .workers = batch->spec->workers,
      .limit_s = batch->spec->limit_s,
      .worker_bytes = batch_worker_bytes,
      .stop = batch->spec->stop,
      .work = batch_job_work,
      .take = job_take,
      .tick = pool_tick,
      .context = batch,
  };
  batch->event.total = batch->job_count;
  return pool_run(&pool, batch->job_count);
}

static int run_begin(struct batch *batch) {
  struct gradebook_run run = *batch->spec->run;
  run.roster_kind = batch->roster.kind;
  run.roster_columns = batch->roster.columns;
  return gradebook_run_begin(batch->book, &run, batch->failure);
}

/* All before the first grading. */
static int batch_prepare(struct batch *batch, enum batch_fault *fault) {
  const struct batch_spec *spec = batch->spec;
  *fault = BATCH_UNREADABLE;
  if (spec->roster && roster_load(spec->roster, &batch->roster, batch->failure))
    return -1;
  *fault = BATCH_IMPOSSIBLE;
  if (clearing_do(batch->work, batch->failure) || sources_read(batch, fault))
    return -1;
  *fault = BATCH_IMPOSSIBLE;
  if (spec->stop && *spec->stop)
    return 1;
  return run_begin(batch) || submissions_put(batch) ? -1 : 0;
}

struct batch batch_begin(const struct batch_spec *spec, struct gradebook *book,
                         struct failure *failure) {
  return (struct batch){.spec = spec,
                        .book = book,
                        .begun_s = batch_now_s(),
                        .failure = failure,
                        .work = memory_format("%s/work", spec->out)};
}

void batch_end(struct batch *batch) {
  source_list_free(&batch->list);
  roster_free(&batch->roster);
  free(batch->jobs);
  free(batch->work);
}

int batch_run(const struct batch_spec *spec, struct gradebook *book, enum batch_fault *fault,
              struct failure *failure) {
  struct batch batch = batch_begin(spec, book, failure);
  int outcome = batch_prepare(&batch, fault);
  if (outcome == 0)
    outcome = jobs_do(&batch);
  if (outcome == 0)
    outcome = gradebook_run_end(book, failure);
  struct failure ignored;
  clearing_do(batch.work, &ignored); /* the next batch would do it */
  batch_end(&batch);
  return outcome;
}

int batch_plan(const struct batch_spec *spec, struct gradebook *book, const char *folder,
               size_t chunk, size_t *tasks, enum batch_fault *fault, struct failure *failure) {
  struct batch batch = batch_begin(spec, book, failure);
  int outcome = batch_prepare(&batch, fault);
  if (outcome == 0)
    outcome = plan_write(&batch, folder, chunk, tasks);
  batch_end(&batch); /* what was unpacked stays until it is graded */
  return outcome;
}
