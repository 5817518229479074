/* Two worlds at the same time have a CPU each, as long as there are enough. */
#include "grader/world/processor.h"

#include "grader/sandbox/sandbox.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const FOLDER = "/sys/devices/system/cpu";

static cpu_set_t usable;

/* The claims of whatever else this machine grades now are not seen here: a folder of our own. */
static void begin(void) {
  enum sandbox_mode mode;
  struct failure failure;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  cr_assert_eq(unshare(CLONE_NEWNS), 0);
  cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
  cr_assert_eq(mount("tmpfs", FOLDER, "tmpfs", 0, NULL), 0);
  cr_assert_eq(sched_getaffinity(0, sizeof usable, &usable), 0);
}

static void folders_make(void) {
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    char path[64];
    snprintf(path, sizeof path, "%s/cpu%d", FOLDER, cpu);
    if (CPU_ISSET((size_t)cpu, &usable))
      cr_assert_eq(mkdir(path, 0755), 0);
  }
}

TestSuite(processor, .init = begin);

struct taken {
  pid_t pid;
  int cpu;
  bool claimed, pinned;
};

static _Noreturn void taker_be(int out, bool shares) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct processor processor;
  struct taken taken = {.pid = getpid()};
  if (processor_take(&processor, true) == 0) {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    taken.cpu = processor.number;
    taken.claimed = processor.claim_fd >= 0;
    taken.pinned = CPU_COUNT(&set) == 1 && CPU_ISSET((size_t)processor.number, &set);
  }
  if (shares)
    processor_share(&processor);
  if (write(out, &taken, sizeof taken) != sizeof taken)
    _exit(1);
  for (;;)
    pause();
}

/* A process that has taken a CPU, and keeps it until it is ended. */
static struct taken take(bool shares) {
  int ends[2];
  cr_assert_eq(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0)
    taker_be(ends[1], shares);
  struct taken taken;
  cr_assert_eq(read(ends[0], &taken, sizeof taken), (ssize_t)sizeof taken);
  cr_assert(taken.pinned);
  close(ends[0]);
  close(ends[1]);
  return taken;
}

static void end(struct taken taken) {
  kill(taken.pid, SIGKILL);
  waitpid(taken.pid, NULL, 0);
}

Test(processor, of_its_own_for_each_as_long_as_there_are_enough) {
  folders_make();
  int count = CPU_COUNT(&usable);
  cpu_set_t seen;
  CPU_ZERO(&seen);
  struct taken first = take(false);
  CPU_SET((size_t)first.cpu, &seen);
  for (int i = 1; i < count; i++) {
    struct taken another = take(false);
    cr_assert(another.claimed);
    cr_assert(!CPU_ISSET((size_t)another.cpu, &seen), "two worlds have CPU %d", another.cpu);
    CPU_SET((size_t)another.cpu, &seen);
  }
  cr_assert(CPU_EQUAL(&seen, &usable));
  cr_assert(!take(false).claimed);
  end(first); /* however it ends, its CPU is free */
  struct taken last = take(false);
  cr_assert(last.claimed);
  cr_assert_eq(last.cpu, first.cpu);
}

Test(processor, is_left_to_others_by_who_shares_it) {
  folders_make();
  for (int i = 0; i < CPU_COUNT(&usable) + 1; i++)
    cr_assert(take(true).claimed);
}

Test(processor, is_the_same_where_nothing_can_be_claimed) {
  struct taken taken = take(false);
  cr_assert(!taken.claimed);
  cr_assert(CPU_ISSET((size_t)taken.cpu, &usable));
}

Test(processor, is_given_back) {
  folders_make();
  struct processor processor;
  cr_assert_eq(processor_take(&processor, true), 0);
  processor_leave(&processor);
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  cr_assert(CPU_EQUAL(&set, &usable));
  cr_assert(take(false).claimed);
}
