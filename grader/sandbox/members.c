/* Which processes are in a sandbox. */
#include "grader/sandbox/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
  pid_t id, parent;
  bool is_member;
};

/* The fields behind a process's name in the line that /proc has of it (proc(5): pid (name) state
 * ppid …), in `line`; "" if it is gone. */
static const char *fields_of(int proc_fd, pid_t id, char *line, size_t size) {
  char path[40];
  snprintf(path, sizeof path, "%d/stat", id);
  scoped_fd int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, line, size - 1);
  if (length <= 0)
    return "";
  line[length] = '\0';
  const char *name_end = strrchr(line, ')'); /* a name may hold anything */
  return name_end ? name_end + 1 : "";
}

static pid_t parent_of(int proc_fd, pid_t id) {
  char line[512];
  int parent;
  return sscanf(fields_of(proc_fd, id, line, sizeof line), " %*c %d", &parent) == 1 ? parent : -1;
}

static size_t all_processes(int proc_fd, bool with_parents, struct process **list) {
  int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  if (fd >= 0 && !folder)
    close(fd);
  size_t count = 0, capacity = 0;
  for (const struct dirent *entry; folder && (entry = readdir(folder));) {
    if (!isdigit((unsigned char)entry->d_name[0]))
      continue;
    if (count == capacity) {
      capacity = capacity ? capacity * 2 : 16;
      *list = memory_resize(*list, capacity * sizeof **list);
    }
    pid_t id = atoi(entry->d_name);
    (*list)[count++] = (struct process){id, with_parents ? parent_of(proc_fd, id) : 0, false};
  }
  if (folder)
    closedir(folder);
  return count;
}

static bool is_member(const struct process *list, size_t count, pid_t id) {
  for (size_t i = 0; i < count; i++)
    if (list[i].id == id)
      return list[i].is_member;
  return false;
}

size_t sandbox_processes(int proc_fd, pid_t keeper, pid_t **members) {
  scoped_text struct process *list = NULL;
  bool open = keeper != SANDBOX_KEEPER;
  size_t count = all_processes(proc_fd, open, &list), found = 0;
  for (size_t i = 0; i < count; i++)
    list[i].is_member = !open || list[i].id == keeper;
  for (bool more = open; more;) { /* as often as the family has generations */
    more = false;
    for (size_t i = 0; i < count; i++)
      if (!list[i].is_member && is_member(list, count, list[i].parent))
        more = list[i].is_member = true;
  }
  *members = memory_zeroed(count + 1, sizeof **members);
  for (size_t i = 0; i < count; i++)
    if (list[i].is_member)
      (*members)[found++] = list[i].id;
  return found;
}

double sandbox_processor_time(const struct sandbox *sandbox) {
  scoped_text pid_t *members = NULL;
  size_t count = sandbox_processes(sandbox->proc_fd, sandbox->keeper, &members);
  unsigned long long ticks = 0;
  for (size_t i = 0; i < count; i++) {
    char line[512];
    unsigned long long user, system, children_user, children_system;
    if (sscanf(fields_of(sandbox->proc_fd, members[i], line, sizeof line),
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &user, &system,
               &children_user, &children_system) == 4)
      ticks += user + system + children_user + children_system;
  }
  return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

bool sandbox_lives_on(int proc_fd, pid_t keeper) {
  scoped_text pid_t *members = NULL;
  size_t count = sandbox_processes(proc_fd, keeper, &members);
  for (size_t i = 0; i < count; i++) {
    char line[512], state;
    if (members[i] != keeper &&
        sscanf(fields_of(proc_fd, members[i], line, sizeof line), " %c", &state) == 1 &&
        state != 'Z' && state != 'X')
      return true;
  }
  return false;
}
