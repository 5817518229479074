/* Who sleeps in a sandbox, when tasks come and go while one looks. */
#include "grader/world/tasks.h"

#include "grader/sandbox/sandbox.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

enum { MAIN = 100, TRIES = 200, PAUSE_US = 10000 };

static struct sandbox sandbox;
static struct tasks tasks;
static int input;

/* A shell that waits for a line, starts a child that never sleeps, and waits again. */
static void begin(void) {
  enum sandbox_mode mode;
  struct failure failure;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  int ends[2];
  cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
  struct sandbox_spec spec = {
      .folder = "/usr",
      .argv = (char *[]){"sh", "-c", "read a; while :; do :; done & read b", NULL},
      .netns_fd = -1,
      .stdin_fd = ends[0],
      .stdout_fd = -1,
      .stderr_fd = -1,
      .main_pid = MAIN,
      .cpu = -1,
  };
  cr_assert_eq(sandbox_start(&spec, &sandbox, &failure), 0, "%s", failure.sentence);
  close(ends[0]);
  input = ends[1];
  tasks_begin(&tasks, sandbox.proc_fd, MAIN);
}

static void end(void) {
  tasks_end(&tasks);
  close(input);
  sandbox_kill(&sandbox);
}

TestSuite(tasks, .init = begin, .fini = end);

static bool becomes(bool asleep) {
  for (int i = 0; i < TRIES; i++) {
    if (tasks_asleep(&tasks) == asleep)
      return true;
    usleep(PAUSE_US);
  }
  return false;
}

/* As when this thread was switched away during the first look, and the fork happened meanwhile. */
Test(tasks, born_while_one_looked_are_seen) {
  cr_assert(becomes(true), "the shell does not come to wait");
  cr_assert_eq(write(input, "\n", 1), 1);
  cr_assert(becomes(false), "the shell does not go on");
  usleep(20 * PAUSE_US); /* it waits again, and its child never does */
  cr_expect_not(tasks_asleep(&tasks), "a child that never sleeps is overlooked");
}
