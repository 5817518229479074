/* verify/mutant.c: patches. */
#include "grader/fuzz/fuzz.h"

#include "grader/verify/mutant.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static const char *folder;
  static int folder_fd;
  if (!folder) {
    folder = fuzz_folder();
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mkdirat(folder_fd, "udp", 0700);
  }
  fuzz_write(folder_fd, "udp/a.patch", bytes, length);
  struct mutant_list list = {0};
  struct failure failure = {""};
  if (mutants_read(folder, "udp", &list, &failure)) {
    FUZZ_HOLDS(*failure.sentence);
  } else {
    FUZZ_HOLDS(list.count == 1 && list.mutants[0].fail_count > 0);
    for (size_t i = 0; i < list.mutants[0].source_count; i++)
      FUZZ_HOLDS(!strchr(list.mutants[0].sources[i], '/'));
    for (size_t i = 0; i < list.mutants[0].hint_count; i++) {
      const struct mutant_hint *hint = &list.mutants[0].hints[i];
      FUZZ_HOLDS(*hint->words && !strchr(hint->words, '\n'));
      FUZZ_HOLDS(!hint->requirement || mutant_names(&list.mutants[0], hint->requirement));
    }
    mutants_thin(&list, 1);
    FUZZ_HOLDS(list.count == 1);
  }
  mutants_free(&list);
  return 0;
}
