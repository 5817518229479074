/* The descriptors that programs have, as /proc shows them: also of sockets that the kernel's tables
 * do not list any more, since their connection is gone. */
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/world/inner.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct inodes {
  uint64_t *list;
  size_t count, capacity;
};

static DIR *folder_open(int at_fd, const char *path) {
  scoped_fd int fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  if (folder)
    steal_fd(&fd);
  return folder;
}

static void add_target(struct inodes *inodes, int folder_fd, const char *name) {
  static const char before[] = "socket:[";
  char target[64];
  ssize_t length = readlinkat(folder_fd, name, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = '\0';
  if (strncmp(target, before, strlen(before)) != 0)
    return;
  if (inodes->count == inodes->capacity) {
    inodes->capacity = inodes->capacity ? inodes->capacity * 2 : 64;
    inodes->list = memory_resize(inodes->list, inodes->capacity * sizeof *inodes->list);
  }
  inodes->list[inodes->count++] = strtoull(target + strlen(before), NULL, 10);
}

static void add_sockets(struct inodes *inodes, int proc_fd, pid_t process) {
  scoped_text char *path = memory_format("%d/fd", process);
  DIR *folder = folder_open(proc_fd, path);
  for (const struct dirent *entry; folder && (entry = readdir(folder));)
    add_target(inodes, dirfd(folder), entry->d_name);
  if (folder)
    closedir(folder);
}

size_t program_sockets(struct program *program, uint64_t **list) {
  struct inodes inodes = {0};
  scoped_text pid_t *members = NULL;
  size_t count = sandbox_processes(program->sandbox.proc_fd, program->sandbox.keeper, &members);
  for (size_t i = 0; i < count; i++)
    add_sockets(&inodes, program->sandbox.proc_fd, members[i]);
  *list = inodes.list;
  return inodes.count;
}
