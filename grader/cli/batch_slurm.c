#include "grader/cli/batch_slurm.h"

#include "grader/base/file.h"
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/batch/slurm.h"
#include "grader/cli/class.h"
#include "grader/cli/interrupt.h"
#include "grader/result/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOBS = 2 }; /* the array, and the one that merges */

static char *folder_of(const struct batch_slurm *slurm) {
  return memory_format("%s/slurm", slurm->out);
}

static int complain(const struct failure *failure) {
  cli_complain(failure->sentence);
  return CLI_ERROR;
}

/* ---- what jobs do ---- */

int batch_slurm_task(const struct batch_slurm *slurm, const struct batch_spec *spec) {
  const char *number = getenv("SLURM_ARRAY_TASK_ID");
  unsigned task;
  struct failure failure;
  if (!number || !cli_number(number, 0, UINT32_MAX, &task)) {
    cli_complain(_("--slurm-task is for Slurm to call: SLURM_ARRAY_TASK_ID is not set"));
    return CLI_USAGE;
  }
  scoped_text char *folder = folder_of(slurm);
  int outcome = batch_task(spec, folder, task, &failure);
  return outcome < 0 ? complain(&failure) : outcome ? CLI_ERROR : CLI_PASSED;
}

/* Nothing is done where another has merged it already. */
static int merge(const struct batch_slurm *slurm, const struct batch_spec *spec,
                 struct failure *failure) {
  scoped_text char *folder = folder_of(slurm), *plan = memory_format("%s/plan.json", folder);
  struct gradebook *book = gradebook_open(slurm->out, GRADEBOOK_WRITE, failure);
  if (!book)
    return -1;
  size_t missing = 0;
  int outcome = access(plan, F_OK) == 0 ? batch_merge(spec, book, folder, &missing, failure) : 0;
  if (outcome == 0 && cli_class_write(book, slurm->out, slurm->assignment))
    outcome = failure_set(failure, "the class's page could not be written");
  gradebook_close(book);
  return outcome;
}

int batch_slurm_merge(const struct batch_slurm *slurm, const struct batch_spec *spec) {
  struct failure failure;
  return merge(slurm, spec, &failure) ? complain(&failure) : CLI_PASSED;
}

/* ---- handing over ---- */

static void word_write(FILE *file, const char *word) {
  fputs(" '", file);
  for (; *word; word++)
    fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, file);
  fputc('\'', file);
}

/* Writes the script of a job; the caller frees its path. */
static char *script_write(const struct batch_slurm *slurm, const char *folder, const char *option,
                          struct failure *failure) {
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  fputs("#!/bin/sh\nexec", file);
  word_write(file, slurm->executable);
  fprintf(file, " batch --%s --jobs %u --time-limit %u --out", option, slurm->jobs, slurm->limit_s);
  word_write(file, slurm->out);
  if (slurm->course) {
    fputs(" --course", file);
    word_write(file, slurm->course);
  }
  fputc('\n', file);
  fclose(file);
  char *path = memory_format("%s/%s.sh", folder, option);
  if (file_replace(path, text, length, failure) == 0)
    return path;
  free(path);
  return NULL;
}

static char *ids_path(const char *folder) {
  return memory_format("%s/jobs", folder);
}

static bool ids_read(const char *folder, long long ids[JOBS]) {
  scoped_text char *path = ids_path(folder);
  scoped_file FILE *file = fopen(path, "re");
  return file && fscanf(file, "%lld %lld", &ids[0], &ids[1]) == JOBS;
}

static int jobs_submit(const struct batch_slurm *slurm, const char *folder, size_t tasks,
                       long long ids[JOBS], struct failure *failure) {
  scoped_text char *task = script_write(slurm, folder, "slurm-task", failure);
  scoped_text char *last = task ? script_write(slurm, folder, "slurm-merge", failure) : NULL;
  scoped_text char *output = memory_format("%s/slurm-%%A-%%a.log", slurm->out);
  scoped_text char *last_output = memory_format("%s/slurm-%%j.log", slurm->out);
  if (!last)
    return -1;
  const struct slurm_job array = {.name = "wiregrade",
                                  .script = task,
                                  .output = output,
                                  .tasks = tasks,
                                  .cpus = slurm->jobs,
                                  .options = slurm->options};
  if (slurm_submit(&array, &ids[0], failure))
    return -1;
  const struct slurm_job merging = {.name = "wiregrade-merge",
                                    .script = last,
                                    .output = last_output,
                                    .after = ids[0],
                                    .options = slurm->options};
  if (slurm_submit(&merging, &ids[1], failure))
    return -1;
  scoped_text char *path = ids_path(folder);
  scoped_text char *text = memory_format("%lld %lld\n", ids[0], ids[1]);
  return file_replace(path, text, strlen(text), failure);
}

/* 1 if there was nothing to be handed over. */
static int hand_over(const struct batch_slurm *slurm, const struct batch_spec *spec,
                     const char *folder, long long ids[JOBS], enum batch_fault *fault,
                     struct failure *failure) {
  struct gradebook *book = gradebook_open(slurm->out, GRADEBOOK_WRITE, failure);
  size_t tasks = 0;
  *fault = BATCH_IMPOSSIBLE;
  if (!book)
    return -1;
  int outcome = batch_plan(spec, book, folder, slurm->chunk, &tasks, fault, failure);
  gradebook_close(book); /* the job that merges wants it */
  if (outcome)
    return outcome;
  return tasks ? jobs_submit(slurm, folder, tasks, ids, failure) : 1;
}

/* ---- following ---- */

static void follow(const char *folder, const long long ids[JOBS]) {
  enum { ASK_EVERY_S = 3 };
  struct progress progress = progress_begin();
  scoped_text char *what = language_sentence("Slurm's job %lld", ids[0]);
  size_t told = 0, wanted = 0;
  for (unsigned seconds = 0; !interrupt_signal; seconds++) {
    size_t done, all;
    batch_plan_progress(folder, &done, &all);
    if (all)
      progress_show(&progress, what, done, all);
    if (!progress.shown && done > told)
      language_print(stdout, "%zu of %zu\n", done, all);
    told = done > told ? done : told;
    wanted = all ? all : wanted; /* none when it has been merged */
    fflush(stdout);
    if (seconds % ASK_EVERY_S == 0 && !slurm_is_live(ids, JOBS))
      break;
    sleep(1);
  }
  progress_end(&progress);
  size_t done, all;
  batch_plan_progress(folder, &done, &all);
  if (!progress.shown && all == 0 && told < wanted)
    language_print(stdout, "%zu of %zu\n", wanted, wanted);
}

int batch_slurm_run(const struct batch_slurm *slurm, const struct batch_spec *spec) {
  scoped_text char *folder = folder_of(slurm);
  struct failure failure;
  enum batch_fault fault;
  long long ids[JOBS];
  bool known = ids_read(folder, ids);
  if (!known || !slurm_is_live(ids, JOBS)) {
    if (known && merge(slurm, spec, &failure)) /* of one that was ended before its time */
      return complain(&failure);
    int outcome = hand_over(slurm, spec, folder, ids, &fault, &failure);
    if (outcome < 0) {
      cli_complain(failure.sentence);
      return fault == BATCH_UNREADABLE ? CLI_USAGE : CLI_ERROR;
    }
    if (outcome > 0)
      return merge(slurm, spec, &failure) ? complain(&failure) : CLI_PASSED;
  }
  language_print(stdout, "Slurm grades: job %lld, and then job %lld, which merges.\n", ids[0],
                 ids[1]);
  fflush(stdout);
  follow(folder, ids);
  if (interrupt_signal) {
    fputs(_("The jobs go on. The same command follows them again.\n"), stdout);
    return 128 + interrupt_signal;
  }
  return merge(slurm, spec, &failure) ? complain(&failure) : CLI_PASSED;
}
