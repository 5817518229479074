/* The frames of a check's world as a file for Wireshark. */
#include "grader/sdk/inner.h"

#include "grader/base/file.h"
#include "grader/base/scope.h"
#include "grader/world/pcapng.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_wanted(void) {
  const char *all = getenv("WIREGRADE_CAPTURES_OF_ALL");
  return the_check.world && (the_check.status == VERDICT_FAIL || (all && *all));
}

void capture_keep(void) {
  const char *folder = getenv("WIREGRADE_CAPTURES");
  if (!folder || !*folder)
    return;
  const struct check *check = the_check.check;
  const char *path = say("%s/%s-%s.pcapng", folder, check->requirement, check->name);
  scoped_text char *bytes = NULL;
  size_t length = 0;
  int frames = 0;
  if (is_wanted()) {
    FILE *file = open_memstream(&bytes, &length);
    const char *message = the_check.report.message ? the_check.report.message : "passed";
    frames = pcapng_write(file, the_check.world, say("%s: %s", check->requirement, message));
    fclose(file);
  }
  struct failure failure;
  if (frames <= 0)
    unlink(path); /* of an earlier run */
  else if (file_make_folder(folder, &failure) < 0 ||
           file_replace(path, bytes, length, &failure) < 0)
    fprintf(stderr, "%s\n", failure.sentence); /* the verdict stands without it */
  else
    the_check.capture = path;
}
