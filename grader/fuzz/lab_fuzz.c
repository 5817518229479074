/* lab/lab.c: lab.yaml. */
#include "grader/fuzz/fuzz.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/lab/lab.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct failure failure = {""};
  struct lab *lab = lab_load(fuzz_file(bytes, length), &failure);
  if (!lab) {
    FUZZ_HOLDS(*failure.sentence);
    return 0;
  }
  scoped_text unsigned *points = memory_zeroed(lab->requirement_count, sizeof *points);
  lab_points(lab, points);
  uint64_t sum = 0;
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    sum += points[i];
    FUZZ_HOLDS(lab_requirement(lab, lab->requirements[i].number) == &lab->requirements[i]);
    FUZZ_HOLDS(lab->requirements[i].text && lab->requirements[i].hint && lab->requirements[i].read);
  }
  FUZZ_HOLDS(sum == lab->points);
  lab_free(lab);
  return 0;
}
