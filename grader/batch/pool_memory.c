/* How much memory there is for one more worker. */
#include "grader/batch/pool.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The number behind `key` in a file of lines "key number", or of the file that holds nothing but
 * one ("" as key); -1 if there is none ("max"). */
static long long number_read(const char *path, const char *key) {
  scoped_file FILE *file = fopen(path, "re");
  char line[256];
  size_t length = strlen(key);
  long long number;
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, key, length) == 0 && sscanf(line + length, "%lld", &number) == 1)
      return number;
  return -1;
}

struct group_files {
  const char *root, *most, *used, *cache;
};
static const struct group_files files_of_2 = {"/sys/fs/cgroup", "memory.max", "memory.current",
                                              "inactive_file "};
static const struct group_files files_of_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                              "memory.usage_in_bytes", "total_inactive_file "};

static long long group_number(const struct group_files *files, const char *group, const char *name,
                              const char *key) {
  scoped_text char *path = memory_format("%s%s/%s", files->root, group, name);
  return number_read(path, key);
}

/* Of the group and all above it: what each may have, and has not, files that are only kept in
 * memory not being counted. */
static long long group_available(const struct group_files *files, char *group) {
  long long least = INT64_MAX;
  for (;;) {
    long long most = group_number(files, group, files->most, "");
    long long used = group_number(files, group, files->used, "");
    long long cache = group_number(files, group, "memory.stat", files->cache);
    if (most >= 0 && used >= 0) {
      long long left = most - used + (cache > 0 ? cache : 0);
      if (left < least)
        least = left > 0 ? left : 0;
    }
    char *slash = strrchr(group, '/');
    if (!slash)
      return least;
    *slash = '\0';
  }
}

static long long groups_available(void) {
  scoped_file FILE *file = fopen("/proc/self/cgroup", "re");
  long long least = INT64_MAX;
  char line[4096];
  while (file && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
      continue;
    *group++ = '\0';
    bool of_2 = strcmp(controllers, ":") == 0;
    if (!of_2 && !strstr(controllers, "memory"))
      continue;
    long long available = group_available(of_2 ? &files_of_2 : &files_of_1, group);
    if (available < least)
      least = available;
  }
  return least;
}

size_t pool_memory_available(void) {
  long long kilobytes = number_read("/proc/meminfo", "MemAvailable:");
  long long machine = kilobytes < 0 ? INT64_MAX : kilobytes * 1024;
  long long groups = groups_available();
  return (size_t)(machine < groups ? machine : groups);
}
