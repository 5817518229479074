/* submission/own_commands.c: wiregrade.yaml. */
#include "grader/fuzz/fuzz.h"

#include "grader/submission/own_commands.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct own_commands commands;
  struct failure failure = {""};
  if (own_commands_read((const char *)bytes, length, &commands, &failure)) {
    FUZZ_HOLDS(commands.count == 0);
    FUZZ_HOLDS(strncmp(failure.sentence, "wiregrade.yaml:", strlen("wiregrade.yaml:")) == 0);
    FUZZ_HOLDS(fuzz_is_visible(failure.sentence, strlen(failure.sentence), false));
    return 0;
  }
  for (size_t i = 0; i < commands.count; i++) {
    FUZZ_HOLDS(*commands.commands[i].program);
    FUZZ_HOLDS(commands.commands[i].argv && commands.commands[i].argv[0]);
  }
  own_commands_free(&commands);
  return 0;
}
