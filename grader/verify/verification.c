#include "grader/verify/verification.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/verify/findings.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int work_begin(char *work, struct failure *failure) {
  strcpy(work, "/tmp/wiregrade-verify-XXXXXX");
  if (mkdtemp(work))
    return 0;
  work[0] = '\0';
  return failure_errno(failure, "Cannot make a folder in /tmp");
}

static void work_end(char *work) {
  char *const removing[] = {(char *)"rm", (char *)"-rf", work, NULL};
  if (work[0])
    command_do(removing, "/dev/null");
}

/* Mutants are copies of a reference that is built already: make then builds only what the patch
 * touched. */
static int base_build(const struct verification *verification, const char *reference,
                      const char *work, const char *base, struct failure *failure) {
  scoped_text char *log = memory_format("%s/base.log", work);
  scoped_text char *jobs = memory_format("-j%u", verification->jobs);
  if (folder_copy(reference, base, log))
    return failure_set(failure, "Cannot copy %s", reference);
  char *const building[] = {(char *)"make", (char *)"-s", jobs, (char *)"-C", (char *)base, NULL};
  if (command_do(building, log) == 0)
    return 0;
  if (verification->stop && *verification->stop)
    return failure_set(failure, "Interrupted");
  return failure_set(failure, "The reference in %s does not build; `make -C` there shows why",
                     reference);
}

static json_t *verify_with(const struct verification *verification, const struct material *material,
                           const char *work, struct failure *failure) {
  double begun_s = now_s();
  time_t begun = time(NULL);
  char started[sizeof "2026-11-29T12:00:00Z"];
  strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime(&begun));
  scoped_text char *base = memory_format("%s/base", work);
  if (base_build(verification, material->reference, work, base, failure))
    return NULL;
  struct plan plan = plan_make(material, base, verification->clocks, verification->runs);
  const struct grading_pool pool = {
      .executable = verification->places->executable,
      .suite = verification->places->suite,
      .work = work,
      .jobs = verification->jobs,
      .stop = verification->stop,
      .progress = verification->progress,
      .context = verification->context,
  };
  bool stopped = gradings_do(&pool, plan.gradings, plan.count) != 0;
  const struct findings_about about = {
      .started = started,
      .duration_s = now_s() - begun_s,
      .clocks = verification->clocks,
      .runs = verification->runs,
      .jobs = verification->jobs,
      .mutants_each = verification->part.mutants_each,
      .interrupted = stopped,
  };
  json_t *findings = findings_make(material, &plan, &about);
  plan_free(&plan);
  return findings;
}

json_t *verification_do(const struct verification *verification, struct failure *failure) {
  struct material material = {0};
  char work[64] = "";
  json_t *findings = NULL;
  if (material_read(verification->places, verification->catalogue, verification->labs,
                    verification->lab_count, verification->part, &material, failure) == 0 &&
      work_begin(work, failure) == 0)
    findings = verify_with(verification, &material, work, failure);
  work_end(work);
  material_free(&material);
  return findings;
}
