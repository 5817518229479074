/* The main program of every suite: `--describe`, `--checks` (both for the grader), or Criterion's
 * own command line. By itself, without the grader, it builds the submission that
 * WIREGRADE_SUBMISSION names, and speaks TAP. */
#include "grader/sdk/inner.h"
#include "grader/sdk/runner.h"
#include "grader/sdk/scene_inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"
#include "grader/submission/submission.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

extern const struct check *const __start_wiregrade_checks[];
extern const struct check *const __stop_wiregrade_checks[];

static void describe(const struct check *check) {
  json_t *programs = json_array();
  for (const char *const *name = check->programs; *name; name++)
    json_array_append_new(programs, json_string(*name));
  char id[200], test[200];
  snprintf(id, sizeof id, "%s/%s", check->requirement, check->name);
  snprintf(test, sizeof test, "%s/%s", check->suite, check->name);
  json_t *line = json_pack("{s:s, s:s, s:s, s:o}", "check", id, "requirement", check->requirement,
                           "test", test, "programs", programs);
  json_dumpf(line, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(line);
}

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

static const struct check *check_find(const char *test) {
  for (const struct check *const *check = __start_wiregrade_checks; check < __stop_wiregrade_checks;
       check++) {
    size_t suite = strlen((*check)->suite);
    if (strncmp(test, (*check)->suite, suite) == 0 && test[suite] == '/' &&
        strcmp(test + suite + 1, (*check)->name) == 0)
      return *check;
  }
  return NULL;
}

/* `--checks NUMBER [SUITE/NAME…]`: those, or all, so many of them at the same time. */
static int checks_of_grader(int count, char **arguments) {
  int at_once = count > 2 ? atoi(arguments[2]) : 0;
  if (at_once < 1) {
    fprintf(stderr, "%s: --checks takes how many may run at the same time\n", arguments[0]);
    return 2;
  }
  if (count == 3)
    return runner_run(__start_wiregrade_checks,
                      (size_t)(__stop_wiregrade_checks - __start_wiregrade_checks),
                      (unsigned)at_once) > 0;
  scoped_text const struct check **chosen = memory_zeroed((size_t)count, sizeof *chosen);
  size_t chosen_count = 0;
  for (int i = 3; i < count; i++) {
    const struct check *check = check_find(arguments[i]);
    if (!check) {
      fprintf(stderr, "%s: there is no check %s\n", arguments[0], arguments[i]);
      return 2;
    }
    chosen[chosen_count++] = check;
  }
  return runner_run(chosen, chosen_count, (unsigned)at_once) > 0;
}

static int checks_run(int count, char **arguments) {
  struct criterion_test_set *tests = criterion_initialize();
  int result = 0;
  if (criterion_handle_args(count, arguments, true))
    result = !criterion_run_all_tests(tests);
  criterion_finalize(tests);
  return result;
}

/* For all programs of all checks that run at the same time, above what each may have: the last
 * resort where something is not seen by the limits that each sandbox has. */
static void group_share(void) {
  enum { PROGRAMS_AT_ONCE = 4, GRADER_TASKS = 1000 };
  struct sandbox_limits limits = sandbox_default_limits();
  uint64_t most = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 4 * 3;
  uint64_t wanted = PROGRAMS_AT_ONCE * (limits.memory_bytes + limits.scratch_bytes);
  cgroup_share(wanted < most ? wanted : most, PROGRAMS_AT_ONCE * limits.processes + GRADER_TASKS);
}

/* A world has some descriptors open for each of a program's tasks, and for each that one waits for:
 * more than the 1024 that processes begin with. A program's own limit does not depend on it. */
static void descriptors_raise(void) {
  enum { MOST = 1 << 16 };
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= MOST)
    return;
  struct rlimit wanted = {MOST, limit.rlim_max < MOST ? MOST : limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
    return;
  limit.rlim_cur = limit.rlim_max; /* only root may have more */
  setrlimit(RLIMIT_NOFILE, &limit);
}

/* SUITE --try LAB SCENE quiet|loud COMMAND PROGRAM... ("": none) */
static int scene_play(int count, char **arguments) {
  enum { LAB_AT = 2, SCENE_AT, QUIET_AT, COMMAND_AT, PROGRAMS_AT };
  if (count < PROGRAMS_AT)
    return 2;
  const struct scene_options options = {
      .lab = arguments[LAB_AT],
      .scene = arguments[SCENE_AT],
      .quiet = strcmp(arguments[QUIET_AT], "quiet") == 0,
      .command = *arguments[COMMAND_AT] ? arguments[COMMAND_AT] : NULL,
      .programs = (const char *const *)arguments + PROGRAMS_AT,
      .program_count = (size_t)(count - PROGRAMS_AT),
  };
  return scene_run(&options);
}

int main(int count, char **arguments) {
  language_inherit();
  if (count == 2 && strcmp(arguments[1], "--describe") == 0) {
    for (const struct check *const *check = __start_wiregrade_checks;
         check < __stop_wiregrade_checks; check++)
      describe(*check);
    return 0;
  }
  if (count == 2 && strcmp(arguments[1], "--scenes") == 0) {
    scenes_list(stdout);
    return 0;
  }
  /* Before Criterion starts threads: a process with threads cannot enter a user namespace. */
  enum sandbox_mode mode;
  struct failure failure;
  if (sandbox_enter(&mode, &failure) < 0) {
    fprintf(stderr, "%s: %s\n", arguments[0], failure.sentence);
    return 3;
  }
  group_share();
  descriptors_raise();
  if (count > 1 && strcmp(arguments[1], "--checks") == 0)
    return checks_of_grader(count, arguments);
  if (count > 1 && strcmp(arguments[1], "--try") == 0)
    return scene_play(count, arguments);
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
