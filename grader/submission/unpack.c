#include "grader/submission/unpack_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum {
  LOOK_MS = 100,             /* how often to look whether to stop */
  SCRATCH_BYTES = 1 << 20,   /* nothing is to be written there */
  SCRATCH_FILES = 256,       /* what the sandbox itself makes */
  MEMORY_STATUS = 3,         /* with which memory_*() end a process */
  UNPACKING_DESCRIPTORS = 64 /* for a few folders at once */
};

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- in the sandbox ---- */

static int unpack_run(const void *context) {
  const struct unpack_limits *limits = context;
  static struct unpack_report report;
  if (unpack_confine(&report))
    unpack_entries(limits, &report);
  return write(STDOUT_FILENO, &report, sizeof report) == (ssize_t)sizeof report ? 0 : 1;
}

/* ---- outside ---- */

enum waited { WAITED_ENDED, WAITED_STOPPED, WAITED_TOO_LONG };

/* Until the process has ended, which *wait_status then tells. */
static enum waited end_await(const struct unpack_spec *spec, const struct sandbox *sandbox,
                             int *wait_status) {
  double deadline_s = now_s() + spec->limits.seconds;
  for (;;) {
    struct pollfd ended = {.fd = sandbox->status_fd, .events = POLLIN};
    if (poll(&ended, 1, LOOK_MS) > 0) {
      struct sandbox_status status;
      bool told = read(sandbox->status_fd, &status, sizeof status) == (ssize_t)sizeof status;
      *wait_status = told ? status.wait_status : SIGKILL;
      return WAITED_ENDED;
    }
    if (spec->stop && *spec->stop)
      return WAITED_STOPPED;
    if (now_s() > deadline_s)
      return WAITED_TOO_LONG;
  }
}

static enum unpack_fault too_long(const struct unpack_spec *spec, struct failure *failure) {
  failure_set(failure, "it takes too long to unpack: more than %u s", spec->limits.cpu_seconds);
  return UNPACK_REFUSED;
}

/* A process that died did so of what it read. */
static enum unpack_fault death_explain(const struct unpack_spec *spec, int wait_status,
                                       struct failure *failure) {
  if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGXCPU)
    return too_long(spec, failure);
  if (WIFSIGNALED(wait_status))
    failure_set(failure,
                "it cannot be unpacked: what reads it was ended by signal %d (%s), so that it is "
                "damaged, or made to do harm",
                WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
  else if (WEXITSTATUS(wait_status) == MEMORY_STATUS)
    failure_set(failure, "it needs more than %d MiB of memory to be unpacked", UNPACK_MEMORY_MIB);
  else
    failure_set(failure, "it cannot be unpacked: what reads it ended with exit status %d",
                WEXITSTATUS(wait_status));
  return UNPACK_REFUSED;
}

/* Nobody writes to the pipe any more. What came need not be what was agreed. */
static enum unpack_fault report_take(const struct unpack_spec *spec, int report_fd, char **notes,
                                     struct failure *failure) {
  struct unpack_report report;
  if (read(report_fd, &report, sizeof report) != (ssize_t)sizeof report) {
    failure_set(failure, "it cannot be unpacked: what reads it ended without a word");
    return UNPACK_REFUSED;
  }
  enum unpack_fault fault = unpack_explain(&report, &spec->limits, failure);
  if (!fault)
    *notes = unpack_notes(&report);
  return fault;
}

static enum unpack_fault in_sandbox(const struct unpack_spec *spec, const int ends[2], char **notes,
                                    struct failure *failure) {
  static char *const argv[] = {"unpack", NULL};
  const struct sandbox_spec sandbox_spec = {
      .folder = spec->folder,
      .folder_mode = SANDBOX_FOLDER_WRITABLE,
      .argv = argv,
      .function = unpack_run,
      .context = &spec->limits,
      .netns_fd = -1,
      .stdin_fd = spec->archive_fd,
      .stdout_fd = ends[1],
      .stderr_fd = -1,
      .cpu = -1,
      .limits = {.file_bytes = spec->limits.bytes,
                 .scratch_bytes = SCRATCH_BYTES,
                 .scratch_inodes = SCRATCH_FILES,
                 .processes = 1,
                 .descriptors = UNPACKING_DESCRIPTORS,
                 .cpu_seconds = spec->limits.cpu_seconds},
  };
  struct sandbox sandbox;
  if (sandbox_start(&sandbox_spec, &sandbox, failure)) {
    failure_prefix(failure, "it cannot be unpacked");
    return UNPACK_IMPOSSIBLE;
  }
  int wait_status = 0;
  enum waited waited = end_await(spec, &sandbox, &wait_status);
  sandbox_kill(&sandbox);
  if (waited == WAITED_STOPPED) {
    failure_set(failure, "it was not unpacked to its end: stopped");
    return UNPACK_IMPOSSIBLE;
  }
  if (waited == WAITED_TOO_LONG)
    return too_long(spec, failure);
  if (wait_status)
    return death_explain(spec, wait_status, failure);
  return report_take(spec, ends[0], notes, failure);
}

/* The name of the only entry, the caller's to free; NULL if there is none or are more, of which
 * *count tells (at most 2). */
static char *only_entry(const char *folder, unsigned *count, struct failure *failure) {
  DIR *entries = opendir(folder);
  char *name = NULL;
  *count = 0;
  if (!entries)
    failure_errno(failure, "cannot read the unpacked folder");
  for (const struct dirent *entry; entries && *count < 2 && (entry = readdir(entries));)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && (*count)++ == 0)
      name = memory_text(entry->d_name);
  if (entries)
    closedir(entries);
  if (*count != 1) {
    free(name);
    name = NULL;
  }
  return name;
}

enum unpack_fault unpack_archive(const struct unpack_spec *spec, char **notes,
                                 struct failure *failure) {
  *notes = NULL;
  int ends[2];
  if (mkdir(spec->folder, 0755) || pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
    failure_errno(failure, "it cannot be unpacked");
    return UNPACK_IMPOSSIBLE;
  }
  scoped_fd int report_fd = ends[0], other_fd = ends[1];
  (void)!chown(spec->folder, sandbox_user(),
               sandbox_user()); /* refused where there is one user only, whose it is */
  enum unpack_fault fault = in_sandbox(spec, (const int[]){report_fd, other_fd}, notes, failure);
  unsigned count = 0;
  if (fault)
    return fault;
  free(only_entry(spec->folder, &count, failure));
  if (count)
    return UNPACK_DONE;
  free(*notes);
  *notes = NULL;
  failure_set(failure, "it is empty: there is nothing to grade in it");
  return UNPACK_REFUSED;
}

/* ---- what is around ---- */

/* Puts the one folder in the other's place. A name may be anything. */
static int unwrap_once(const char *folder, const char *name, struct failure *failure) {
  scoped_text char *inner = memory_format("%s/%s", folder, name);
  scoped_text char *aside = memory_format("%s.around", folder);
  if (strlen(inner) >= PATH_MAX)
    return failure_set(failure, "it cannot be unpacked: a name is too long");
  scoped_text char *inner_aside = memory_format("%s/%s", aside, name);
  if (rename(folder, aside) || rename(inner_aside, folder) || rmdir(aside))
    return failure_errno(failure, "it cannot be unpacked: a folder cannot be moved");
  return 0;
}

int unpack_unwrap(const char *folder, struct failure *failure) {
  for (;;) {
    unsigned count;
    scoped_text char *name = only_entry(folder, &count, failure);
    if (!name || strcmp(name, "bin") == 0)
      return 0;
    scoped_text char *inner = memory_format("%s/%s", folder, name);
    struct stat status;
    if (lstat(inner, &status) || !S_ISDIR(status.st_mode))
      return 0;
    if (unwrap_once(folder, name, failure))
      return -1;
  }
}
