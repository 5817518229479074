/* batch/source_lms.c and batch/source_gradescope.c: names and the metadata of an LMS's download. */
#include "grader/fuzz/fuzz.h"

#include "grader/base/instant.h"
#include "grader/base/scope.h"
#include "grader/batch/source_inner.h"

#include <fcntl.h>
#include <string.h>

static void name_check(bool is, struct source_lms_name *name, const char *text) {
  if (!is)
    return;
  FUZZ_HOLDS(*name->number && strstr(text, name->number));
  FUZZ_HOLDS(!name->name || (*name->name && strncmp(text, name->name, strlen(name->name)) == 0));
  size_t length = strlen(text), size = strlen(name->file);
  FUZZ_HOLDS(size <= length && strcmp(text + length - size, name->file) == 0);
  source_lms_name_free(name);
}

static void metadata_check(const char *text, size_t length) {
  const struct source_spec spec = {.source = "download"};
  struct source_list list = {0};
  struct source_reading reading = {.spec = &spec, .list = &list};
  struct source_names names = {0};
  struct failure failure;
  static const char *folder;
  if (!folder)
    folder = fuzz_folder();
  scoped_fd int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  fuzz_write(folder_fd, SOURCE_GRADESCOPE, text, length);
  source_gradescope(&reading, folder, &names, &failure);
  for (size_t i = 0; i < list.count; i++) {
    FUZZ_HOLDS(list.submissions[i].reason && !list.submissions[i].path);
    FUZZ_HOLDS(list.submissions[i].student_count > 0);
    for (size_t k = 0; k < list.submissions[i].student_count; k++)
      FUZZ_HOLDS(list.submissions[i].students[k].key);
  }
  source_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct fuzz_input input = {bytes, length};
  size_t size;
  scoped_text char *text = fuzz_piece(&input, &size);
  struct source_lms_name name;
  name_check(source_moodle_name(text, &name), &name, text);
  name_check(source_canvas_name(text, &name), &name, text);
  time_t instant = instant_parse(text);
  if (instant >= 0)
    FUZZ_HOLDS(instant_parse(instant_format(instant).text) == instant);
  if (input.left)
    metadata_check((const char *)input.bytes, input.left);
  return 0;
}
