/* submission/manifest.c: what is read is what was written. */
#include "grader/fuzz/fuzz.h"

#include "grader/submission/manifest.h"

#include <jansson.h>
#include <string.h>

static void check_program(const struct manifest *manifest, const char *program) {
  const char *missing = NULL;
  char *const *argv = manifest_find(manifest, program, &missing);
  FUZZ_HOLDS(argv ? argv[0] != NULL : missing != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct failure failure = {""};
  struct manifest *manifest = manifest_load(fuzz_file(bytes, length), &failure);
  if (!manifest) {
    FUZZ_HOLDS(*failure.sentence);
    return 0;
  }
  FUZZ_HOLDS(manifest_folder(manifest));
  check_program(manifest, "udp-server");
  check_program(manifest, "");
  const char *path = fuzz_file("", 0);
  FUZZ_HOLDS(manifest_save(manifest, path, &failure) == 0);
  struct manifest *again = manifest_load(path, &failure);
  FUZZ_HOLDS(again);
  FUZZ_HOLDS(strcmp(manifest_folder(manifest), manifest_folder(again)) == 0);
  manifest_free(again);
  manifest_free(manifest);
  return 0;
}
