/* In place of alone.c and Criterion, in the suite program that the grader runs (alone.h). */
#include "grader/sdk/alone.h"
#include "grader/sdk/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int alone_run(int count, char **arguments) {
  (void)count;
  char own[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
  own[length > 0 ? length : 0] = '\0';
  char *name = strrchr(own, '/');
  if (!name)
    return 3;
  *name++ = '\0';
  scoped_text char *program = memory_format("%s/../alone/%s", own, name);
  execv(program, arguments);
  fprintf(stderr, "%s: %s could not be executed: %s\n", arguments[0], program, strerror(errno));
  return 3;
}

/* Criterion's tests of the checks are in this program too, and are never run. */

void check_run(const struct check *check) {
  (void)check;
  abort();
}

void criterion_internal_test_setup(void) {
  abort();
}

void criterion_internal_test_main(void (*test)(void)) {
  (void)test;
  abort();
}

void criterion_internal_test_teardown(void) {
  abort();
}
