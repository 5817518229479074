/* run/describe.c: what a suite program says of its checks. */
#include "grader/fuzz/fuzz.h"

#include "grader/base/scope.h"
#include "grader/run/describe.h"

#include <string.h>

static struct requirement requirements[] = {{.number = 1}, {.number = 2}, {.number = 6}};
static char name[] = "udp";
static const struct lab lab = {.name = name, .requirements = requirements, .requirement_count = 3};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct fuzz_input input = {bytes, length};
  size_t taken;
  scoped_text char *block = (char *)fuzz_block(&input, length, &taken);
  scoped_text char *output = strndup(block, taken);
  struct description description = {0};
  struct failure failure = {""};
  if (description_parse(&description, &lab, output, &failure)) {
    FUZZ_HOLDS(*failure.sentence);
  } else {
    FUZZ_HOLDS(description.count > 0);
    for (size_t i = 0; i < description.count; i++) {
      FUZZ_HOLDS(lab_requirement(&lab, description.checks[i].requirement));
      FUZZ_HOLDS(i == 0 ||
                 description.checks[i - 1].requirement <= description.checks[i].requirement);
    }
  }
  description_free(&description);
  return 0;
}
