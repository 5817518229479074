/* The main program of every suite: `--describe`, `--checks`, `--scenes` and `--try` for the grader,
 * or Criterion's own command line (alone.h). */
#include "grader/sdk/alone.h"
#include "grader/sdk/inner.h"
#include "grader/sdk/runner.h"
#include "grader/sdk/scene_inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
  const char *wanted = count > 1 ? arguments[1] : "";
  if (count == 2 && strcmp(wanted, "--describe") == 0) {
    for (const struct check *const *check = __start_wiregrade_checks;
         check < __stop_wiregrade_checks; check++)
      describe(*check);
    return 0;
  }
  if (count == 2 && strcmp(wanted, "--scenes") == 0) {
    scenes_list(stdout);
    return 0;
  }
  bool checks = strcmp(wanted, "--checks") == 0, try = strcmp(wanted, "--try") == 0;
  if (!checks && !try)
    return alone_run(count, arguments);
  if (!suite_enter(arguments[0]))
    return 3;
  return checks ? checks_of_grader(count, arguments) : scene_play(count, arguments);
}
