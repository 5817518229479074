/* batch/roster.c and batch/csv.c: a CSV file from wherever. */
#include "grader/fuzz/fuzz.h"

#include "grader/batch/roster.h"

#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct roster roster;
  struct failure failure;
  if (roster_read((const char *)bytes, length, "roster.csv", &roster, &failure))
    return 0;
  for (size_t i = 0; i < roster.count; i++) {
    const struct roster_student *student = &roster.students[i];
    FUZZ_HOLDS(*student->key);
    json_t *row = json_loads(student->row, 0, NULL);
    FUZZ_HOLDS(json_is_object(row));
    json_decref(row);
    for (size_t k = 0; k < i; k++)
      FUZZ_HOLDS(strcmp(roster.students[k].key, student->key) != 0);
    FUZZ_HOLDS(roster_find(&roster, student->key, NULL, NULL, NULL));
  }
  roster_free(&roster);
  return 0;
}
