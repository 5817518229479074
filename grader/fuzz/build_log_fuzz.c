/* submission/build_log.c: what a build printed. */
#include "grader/fuzz/fuzz.h"

#include "grader/base/scope.h"
#include "grader/submission/build_log.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct fuzz_input input = {bytes, length};
  static const char *const argv[] = {"make", "-j1", NULL};
  struct step step = {.argv = argv};
  step.end = (enum step_end)(fuzz_number(&input, 1) % (STEP_NO_COMMAND + 1));
  step.wait_status = (int)fuzz_number(&input, 2);
  size_t log_length;
  scoped_text char *printed = (char *)fuzz_block(&input, input.left, &log_length);
  scoped_text char *whole = strndup(printed, log_length); /* a step's log is a text */
  step.log = whole;
  struct build_log log = {.limit_s = 60};
  build_log_add(&log, &step);
  build_log_add(&log, &step);
  FUZZ_HOLDS(strlen(build_log_text(&log)) == log.length);
  FUZZ_HOLDS(fuzz_is_visible(build_log_text(&log), log.length, true));
  build_log_free(&log);
  scoped_text char *complaint = build_log_complaint(&step);
  FUZZ_HOLDS(fuzz_is_visible(complaint, strlen(complaint), false));
  return 0;
}
