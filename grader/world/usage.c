/* What a program's processes use: memory, and threads around a connection. From its sandbox's
 * /proc. */
#include "grader/world/inner.h"

#include "grader/base/scope.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static DIR *folder_open(const struct program *program, const char *path) {
  int fd = openat(program->sandbox.proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  if (fd >= 0 && !folder)
    close(fd);
  return folder;
}

/* The next entry that is a number; -1 at the end. */
static int folder_next(DIR *folder) {
  for (struct dirent *entry; folder && (entry = readdir(folder));)
    if (isdigit((unsigned char)entry->d_name[0]))
      return atoi(entry->d_name);
  return -1;
}

static size_t kilobytes(const char *status, const char *field) {
  const char *line = strstr(status, field);
  return line ? strtoul(line + strlen(field), NULL, 10) : 0;
}

size_t program_peak_memory(struct program *program, size_t *of_files) {
  size_t peak = 0, files = 0;
  scoped_text pid_t *members = NULL;
  size_t count = sandbox_processes(program->sandbox.proc_fd, program->sandbox.keeper, &members);
  for (size_t i = 0; i < count; i++) {
    char path[40], status[4096];
    snprintf(path, sizeof path, "%d/status", members[i]);
    scoped_fd int fd = openat(program->sandbox.proc_fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t length =
        fd < 0 || members[i] == program->sandbox.keeper ? -1 : read(fd, status, sizeof status - 1);
    if (length <= 0)
      continue;
    status[length] = '\0';
    peak += kilobytes(status, "\nVmHWM:");
    files += kilobytes(status, "\nRssFile:");
  }
  if (of_files)
    *of_files = files * 1024;
  return peak * 1024;
}

/* Whether one of the process's descriptors is a socket of those. */
static bool holds_one(const struct program *program, int process, const uint64_t *inodes,
                      size_t count) {
  char path[80], target[64];
  snprintf(path, sizeof path, "%d/fd", process);
  DIR *descriptors = folder_open(program, path);
  bool found = false;
  for (int fd; !found && (fd = folder_next(descriptors)) >= 0;) {
    snprintf(path, sizeof path, "%d/fd/%d", process, fd);
    ssize_t length = readlinkat(program->sandbox.proc_fd, path, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    unsigned long inode = strncmp(target, "socket:[", 8) == 0 ? strtoul(target + 8, NULL, 10) : 0;
    for (size_t i = 0; inode && i < count; i++)
      found |= inodes[i] == inode;
  }
  if (descriptors)
    closedir(descriptors);
  return found;
}

static size_t threads_of(const struct program *program, int process) {
  char path[40];
  snprintf(path, sizeof path, "%d/task", process);
  DIR *threads = folder_open(program, path);
  size_t count = 0;
  while (folder_next(threads) >= 0)
    count++;
  if (threads)
    closedir(threads);
  return count;
}

size_t program_threads_connected(struct program *program, const struct sockaddr_in *peer) {
  struct socket_state *states = NULL;
  struct failure ignored;
  int count = host_sockets(program->host, IPPROTO_TCP, &states, &ignored);
  enum { MOST = 64 };
  uint64_t inodes[MOST];
  size_t connected = 0, threads = 0;
  for (int i = 0; i < count && connected < MOST; i++)
    if (states[i].inode && states[i].remote.sin_port == peer->sin_port &&
        states[i].remote.sin_addr.s_addr == peer->sin_addr.s_addr)
      inodes[connected++] = states[i].inode;
  free(states);
  scoped_text pid_t *members = NULL;
  size_t processes = sandbox_processes(program->sandbox.proc_fd, program->sandbox.keeper, &members);
  for (size_t i = 0; i < processes; i++)
    if (members[i] != program->sandbox.keeper && holds_one(program, members[i], inodes, connected))
      threads += threads_of(program, members[i]);
  return threads;
}
