#include "grader/sdk/alone.h"

#include "grader/sdk/inner.h"

#include "grader/base/memory.h"
#include "grader/submission/submission.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct check *const __start_wiregrade_checks[];
extern const struct check *const __stop_wiregrade_checks[];

/* The names of all programs that the checks declare; the texts are theirs. */
static const char **programs_of_all(size_t *count) {
  const char **programs = NULL;
  *count = 0;
  for (const struct check *const *check = __start_wiregrade_checks; check < __stop_wiregrade_checks;
       check++)
    for (const char *const *name = (*check)->programs; *name; name++) {
      size_t known = 0;
      while (known < *count && strcmp(programs[known], *name) != 0)
        known++;
      if (known < *count)
        continue;
      programs = memory_resize(programs, (*count + 1) * sizeof *programs);
      programs[(*count)++] = *name;
    }
  return programs;
}

static struct submission *submission_build_alone(const char *folder) {
  struct submission_spec spec = {.folder = folder};
  const char **programs = programs_of_all(&spec.program_count);
  spec.programs = programs;
  struct submission *submission = NULL;
  struct failure failure;
  if (submission_open(&spec, &submission, &failure))
    fprintf(stderr, "%s\n", failure.sentence);
  else if (!submission_build(submission).ok)
    fputs(submission_build(submission).log, stderr);
  free(programs);
  return submission;
}

static int checks_run(int count, char **arguments) {
  struct criterion_test_set *tests = criterion_initialize();
  int result = 0;
  if (criterion_handle_args(count, arguments, true))
    result = !criterion_run_all_tests(tests);
  criterion_finalize(tests);
  return result;
}

void check_run(const struct check *check) {
  bool passed = check_judge(check);
  cr_assert(passed, "%s", the_check.line);
}

int alone_run(int count, char **arguments) {
  /* Before Criterion starts threads: a process with threads cannot enter a user namespace. */
  if (!suite_enter(arguments[0]))
    return 3;
  const char *folder = getenv("WIREGRADE_SUBMISSION");
  if (getenv("WIREGRADE_MANIFEST") || !folder)
    return checks_run(count, arguments);
  struct submission *submission = submission_build_alone(folder);
  if (!submission)
    return 3;
  setenv("WIREGRADE_MANIFEST", submission_manifest(submission), 1);
  char *tap[] = {arguments[0], "--tap=-", NULL};
  int result = count == 1 ? checks_run(2, tap) : checks_run(count, arguments);
  submission_close(submission);
  return result;
}
