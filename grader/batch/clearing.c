#include "grader/batch/clearing.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MOST = 200 }; /* what is unpacked is less deep; one descriptor each */

static int entries_remove(int folder_fd, unsigned depth);

static int entry_remove(int folder_fd, const char *name, unsigned depth) {
  if (unlinkat(folder_fd, name, 0) == 0)
    return 0;
  if (errno != EISDIR && errno != EPERM)
    return -1;
  scoped_fd int inner = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (inner < 0 || depth == DEPTH_MOST || entries_remove(inner, depth + 1))
    return -1;
  return unlinkat(folder_fd, name, AT_REMOVEDIR);
}

static int entries_remove(int folder_fd, unsigned depth) {
  DIR *entries = fdopendir(dup(folder_fd));
  int outcome = entries ? 0 : -1;
  for (const struct dirent *entry; outcome == 0 && (entry = readdir(entries));)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      outcome = entry_remove(folder_fd, entry->d_name, depth);
  if (entries)
    closedir(entries);
  return outcome;
}

int clearing_do(const char *folder, struct failure *failure) {
  struct stat status;
  if (lstat(folder, &status) && errno == ENOENT)
    return 0;
  if (entry_remove(AT_FDCWD, folder, 0))
    return failure_errno(failure, "Cannot remove %s", folder);
  return 0;
}
