/* The grader's own files, where they lie in a folder that programs see (/usr, /opt): the labs with
 * their checks, and whatever a source tree holds beside them. Programs find empty folders there. */
#include "grader/sandbox/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hide(struct plan *plan, char *path) {
  char *whole = realpath(path, NULL);
  free(path);
  if (whole && plan->hidden_count < SANDBOX_HIDDEN_MAX)
    plan->hidden[plan->hidden_count++] = whole;
  else
    free(whole);
}

static void hide_installation(struct plan *plan, const char *prefix, size_t length) {
  hide(plan, memory_format("%.*s/lib/wiregrade", (int)length, prefix));
  hide(plan, memory_format("%.*s/share/wiregrade", (int)length, prefix));
}

/* BUILD/source-root names the source tree. */
static void hide_build(struct plan *plan, const char *folder) {
  scoped_text char *record = memory_format("%s/source-root", folder);
  scoped_file FILE *file = fopen(record, "re");
  char line[PATH_MAX];
  if (!file || !fgets(line, sizeof line, file))
    return;
  line[strcspn(line, "\n")] = '\0';
  hide(plan, memory_text(line));
  hide(plan, memory_text(folder));
}

/* This process is PREFIX/bin/wiregrade, PREFIX/lib/wiregrade/suite/LAB, BUILD/wiregrade or
 * BUILD/suite/LAB. */
void plan_hidden(struct plan *plan) {
  scoped_text char *path = realpath("/proc/self/exe", NULL);
  const char *library = path ? strstr(path, "/lib/wiregrade/") : NULL;
  if (library)
    hide_installation(plan, path, (size_t)(library - path));
  for (int up = 0; path && up < 2; up++) {
    char *slash = strrchr(path, '/');
    if (!slash)
      return;
    if (up == 1 && strcmp(slash, "/bin") == 0)
      hide_installation(plan, path, (size_t)(slash - path));
    *slash = '\0';
    hide_build(plan, path);
  }
}
