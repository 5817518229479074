/* The main program of all unit tests: Criterion's, but that it first becomes able to make
 * namespaces, as an ordinary user too. A test's own process has threads by then, and could not. A
 * machine that refuses is the business of those tests that need namespaces: their sandbox_enter()
 * then fails with the reason. */
#include "grader/sandbox/sandbox.h"

#include <criterion/criterion.h>

int main(int count, char **arguments) {
  enum sandbox_mode mode;
  struct failure failure;
  sandbox_enter(&mode, &failure);
  struct criterion_test_set *tests = criterion_initialize();
  int result = 0;
  if (criterion_handle_args(count, arguments, true))
    result = !criterion_run_all_tests(tests);
  criterion_finalize(tests);
  return result;
}
