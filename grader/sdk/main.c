/* The main program of every suite: `--describe`, or Criterion's own command line. */
#include "grader/sdk/inner.h"

#include "grader/sandbox/sandbox.h"

#include <criterion/criterion.h>
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
  json_t *line = json_pack("{s:s, s:s, s:s, s:o}", "check", id, "requirement", check->requirement, "test", test,
                           "programs", programs);
  json_dumpf(line, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(line);
}

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "--describe") == 0) {
    for (const struct check *const *check = __start_wiregrade_checks; check < __stop_wiregrade_checks; check++)
      describe(*check);
    return 0;
  }
  /* Before Criterion starts threads: a process with threads cannot enter a user namespace. */
  enum sandbox_mode mode;
  struct failure failure;
  if (sandbox_enter(&mode, &failure) < 0) {
    fprintf(stderr, "%s: %s\n", arguments[0], failure.sentence);
    return 3;
  }
  struct criterion_test_set *tests = criterion_initialize();
  int result = 0;
  if (criterion_handle_args(count, arguments, true))
    result = !criterion_run_all_tests(tests);
  criterion_finalize(tests);
  return result;
}
