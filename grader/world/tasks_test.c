/* Who sleeps in a sandbox, when tasks come and go while one looks. */
#include "grader/world/tasks.h"

#include "grader/sandbox/sandbox.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAIN = 100, TRIES = 200, PAUSE_US = 10000 };

static struct sandbox sandbox;
static struct tasks tasks;
static int input, output;

static void start(char *const argv[]) {
  enum sandbox_mode mode;
  struct failure failure;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  int ends[2], out[2];
  cr_assert_eq(pipe2(ends, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
  struct sandbox_spec spec = {
      .folder = "/usr",
      .argv = argv,
      .netns_fd = -1,
      .stdin_fd = ends[0],
      .stdout_fd = out[1],
      .stderr_fd = -1,
      .main_pid = MAIN,
      .cpu = -1,
  };
  cr_assert_eq(sandbox_start(&spec, &sandbox, &failure), 0, "%s", failure.sentence);
  close(ends[0]);
  close(out[1]);
  input = ends[1];
  output = out[0];
  tasks_begin(&tasks, sandbox.proc_fd, SANDBOX_KEEPER, MAIN);
}

/* A shell that waits for a line, starts a child that never sleeps, and waits again. */
static void begin(void) {
  start((char *[]){"sh", "-c", "read a; while :; do :; done & read b", NULL});
}

static void end(void) {
  tasks_end(&tasks);
  close(input);
  close(output);
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

static void begin_reader(void) {
  start((char *[]){"sh", "-c", "while read a; do :; done", NULL});
}

/* Who sleeps at both looks may have run between them. */
Test(tasks, who_ran_meanwhile_has_not_slept_since, .init = begin_reader) {
  cr_assert(becomes(true), "the shell does not come to wait");
  for (int i = 0; i < 20; i++)
    cr_assert(tasks_asleep(&tasks)); /* who is looked at so often is counted */
  cr_expect(tasks_still_asleep(&tasks), "a sleeper seems to have run");
  cr_expect(tasks_still_asleep(&tasks), "to be looked at seems to be to run");
  cr_assert_eq(write(input, "\n", 1), 1);
  usleep(20 * PAUSE_US); /* it reads the line, and waits for the next */
  cr_expect_not(tasks_still_asleep(&tasks), "it ran, and seems to have slept");
  cr_assert(becomes(true), "the shell does not wait again");
  cr_expect(tasks_still_asleep(&tasks), "a sleeper seems to have run");
}

/* As when a batch system stops all of a job, and lets the grader go on first. */
Test(tasks, who_was_stopped_from_outside_does_not_sleep) {
  cr_assert(becomes(true), "the shell does not come to wait");
  kill(sandbox.init_pid, SIGSTOP);
  kill(-sandbox.main_pid, SIGSTOP);
  cr_assert(becomes(false), "a stopped sandbox seems to sleep");
  for (int i = 0; i < 50; i++, usleep(PAUSE_US))
    cr_assert_not(tasks_asleep(&tasks), "a stopped sandbox seems to sleep after a while");
  kill(sandbox.init_pid, SIGCONT);
  cr_expect_not(tasks_asleep(&tasks), "what will go on in a moment seems to sleep");
  cr_expect(becomes(true), "who is stopped by himself does not come to sleep");
  kill(-sandbox.main_pid, SIGCONT);
  cr_expect(becomes(true), "the shell does not wait again");
  tasks_signalled(&tasks, SIGSTOP);
  kill(-sandbox.main_pid, SIGSTOP);
  usleep(PAUSE_US);
  cr_expect(tasks_asleep(&tasks), "a stop that is wanted does not count at once");
}

/* A process that can't be dumped belongs to the machine's root, as does one that ends: it only
 * shows its state to an ordinary user. */
static void begin_closed(void) {
  char script[80];
  snprintf(script, sizeof script,
           "$| = 1; syscall(%d, %d, 0, 0, 0, 0); print '.'; <STDIN>; 1 while 1;", SYS_prctl,
           PR_SET_DUMPABLE);
  start((char *[]){"perl", "-e", script, NULL});
  char dot;
  cr_assert_eq(read(output, &dot, 1), 1);
}

Test(tasks, a_task_that_shows_only_its_state_is_seen, .init = begin_closed) {
  cr_assert(becomes(true), "it does not come to wait");
  cr_assert_eq(write(input, "\n", 1), 1);
  cr_assert(becomes(false), "a task that never sleeps is overlooked");
}
