/* world/tasks.c, descriptors.c, usage.c and diagnosis.c: the texts of /proc, among which are names
 * that programs give themselves. A folder stands for /proc of a sandbox with one process. */
#include "grader/fuzz/fuzz.h"

#include "grader/base/scope.h"
#include "grader/world/diagnosis.h"
#include "grader/world/inner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int proc_begin(void) {
  static const char *const folders[] = {"2", "2/task", "2/task/2", "2/fd", "2/fdinfo"};
  int fd = open(fuzz_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
    mkdirat(fd, folders[i], 0700);
  return fd;
}

/* The next pieces of the input become the process's files. */
static void proc_fill(int proc_fd, struct fuzz_input *input) {
  static const char *const files[] = {"2/task/2/syscall", "2/task/2/stat", "2/task/2/schedstat",
                                      "2/status",         "2/fdinfo/3",    "2/mem"};
  size_t length;
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    scoped_text char *text = fuzz_piece(input, &length);
    fuzz_write(proc_fd, files[i], text, length);
  }
  scoped_text char *target = fuzz_piece(input, &length);
  unlinkat(proc_fd, "2/fd/3", 0);
  if (*target && symlinkat(target, proc_fd, "2/fd/3"))
    return; /* longer than a link can be */
}

static void check_blocked(struct program *program) {
  struct blocked *list = NULL;
  size_t count = program_blocked(program, &list);
  for (size_t i = 0; i < count; i++) {
    scoped_text char *text = blocked_text(&list[i]);
    FUZZ_HOLDS(fuzz_is_visible(text, strlen(text), false));
  }
  free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static int proc_fd = -1;
  if (proc_fd < 0)
    proc_fd = proc_begin();
  struct fuzz_input input = {bytes, length};
  proc_fill(proc_fd, &input);
  struct world world = {0};
  struct host host = {.world = &world, .netns_fd = -1, .diag_fd = -1};
  struct program program = {
      .host = &host, .sandbox.proc_fd = proc_fd, .sandbox.keeper = SANDBOX_KEEPER};
  tasks_begin(&program.tasks, proc_fd, SANDBOX_KEEPER, 2);
  tasks_asleep(&program.tasks);
  FUZZ_HOLDS(program.tasks.count <= 1);
  tasks_cpu_ns(&program.tasks);
  tasks_waited_ns(&program.tasks);
  check_blocked(&program);
  uint64_t *sockets = NULL;
  FUZZ_HOLDS(program_sockets(&program, &sockets) <= 1);
  free(sockets);
  size_t of_files = 0;
  program_peak_memory(&program, &of_files);
  tasks_end(&program.tasks);
  return 0;
}
