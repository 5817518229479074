#include "grader/lab/place.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool place_is_folder(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static char *place_parent(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash)
    return memory_text(".");
  return slash == path ? memory_text("/") : memory_format("%.*s", (int)(slash - path), path);
}

/* The source tree of a build tree: named by BUILD/source-root, or the folder that BUILD lies in. */
static char *place_source_root(const char *build) {
  scoped_text char *record = memory_format("%s/source-root", build);
  scoped_file FILE *file = fopen(record, "re");
  char line[PATH_MAX];
  if (file && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    scoped_text char *suite = memory_format("%s/suite", line);
    if (place_is_folder(suite))
      return memory_text(line);
  }
  return place_parent(build);
}

int places_find_for(const char *executable, const char *suite, struct places *places,
                    struct failure *failure) {
  *places = (struct places){.executable = memory_text(executable)};
  scoped_text char *folder = place_parent(executable);
  scoped_text char *prefix = place_parent(folder);
  scoped_text char *shared = memory_format("%s/share/wiregrade/suite", prefix);
  if (place_is_folder(shared)) {
    places->root = memory_format("%s/share/wiregrade", prefix);
    places->programs = memory_format("%s/lib/wiregrade/suite", prefix);
  } else {
    places->root = place_source_root(folder);
    places->programs = memory_format("%s/suite", folder);
  }
  if (suite && *suite) {
    char *whole = realpath(suite, NULL);
    if (!whole || !place_is_folder(whole)) {
      free(whole);
      places_free(places);
      return failure_set(failure, "The suite folder %s does not exist", suite);
    }
    free(places->root);
    places->suite = whole;
    places->root = place_parent(whole);
    return 0;
  }
  places->suite = memory_format("%s/suite", places->root);
  if (!place_is_folder(places->suite)) {
    failure_set(
        failure,
        "No labs were found: there is neither %s nor %s; build wiregrade again with make, or "
        "name a folder of labs in WIREGRADE_SUITE",
        places->suite, shared);
    places_free(places);
    return -1;
  }
  return 0;
}

int places_find(const char *suite, struct places *places, struct failure *failure) {
  scoped_text char *executable = realpath("/proc/self/exe", NULL);
  if (!executable)
    return failure_errno(failure, "Cannot find this program's own place in /proc/self/exe");
  return places_find_for(executable, suite ? suite : getenv("WIREGRADE_SUITE"), places, failure);
}

void places_free(struct places *places) {
  free(places->executable);
  free(places->suite);
  free(places->programs);
  free(places->root);
  *places = (struct places){0};
}

char *place_program(const struct places *places, const char *lab) {
  scoped_text char *own = memory_format("%s/%s/checks", places->suite, lab);
  if (access(own, X_OK) == 0)
    return steal_pointer(&own);
  return memory_format("%s/%s", places->programs, lab);
}

char *place_starter(const struct places *places) {
  scoped_text char *folder = place_parent(places->executable);
  scoped_text char *prefix = place_parent(folder);
  scoped_text char *installed = memory_format("%s/share/wiregrade/starter", prefix);
  if (place_is_folder(installed))
    return steal_pointer(&installed);
  scoped_text char *source = place_source_root(folder);
  return memory_format("%s/grader/starter/files", source);
}

char *place_languages(const char *executable) {
  scoped_text char *folder = place_parent(executable);
  scoped_text char *built = memory_format("%s/locale", folder);
  if (place_is_folder(built))
    return steal_pointer(&built);
  scoped_text char *prefix = place_parent(folder);
  /* Not in the system's folder for these: no program may see what the checks say. */
  return memory_format("%s/share/wiregrade/locale", prefix);
}
