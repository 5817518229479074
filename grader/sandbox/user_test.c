/* Each grading has a user of its own, as root. */
#include "grader/sandbox/sandbox.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct grading {
  pid_t process;
  uid_t user;
};

/* A process that takes a user, tells it, and keeps it until it is killed. */
static struct grading grading_begin(void) {
  int ends[2];
  cr_assert_eq(pipe(ends), 0);
  struct grading grading = {.process = fork()};
  if (grading.process == 0) {
    sandbox_user_take();
    uid_t user = sandbox_user();
    (void)!write(ends[1], &user, sizeof user);
    pause();
  }
  cr_assert_eq(read(ends[0], &grading.user, sizeof grading.user), (ssize_t)sizeof grading.user);
  close(ends[0]);
  close(ends[1]);
  return grading;
}

/* Its lock file stays, until the next that takes this user removes it. */
static void grading_kill(const struct grading *grading) {
  kill(grading->process, SIGKILL);
  waitpid(grading->process, NULL, 0);
}

static void grading_end(const struct grading *grading) {
  char path[64];
  grading_kill(grading);
  snprintf(path, sizeof path, "/run/wiregrade/user-%u", grading->user);
  unlink(path);
  rmdir("/run/wiregrade");
}

Test(user, is_nobody_elses_meanwhile) {
  struct grading one = grading_begin(), other = grading_begin();
  enum sandbox_mode mode;
  struct failure failure;
  if (sandbox_enter(&mode, &failure) == 0 && mode == SANDBOX_ROOT)
    cr_expect_neq(one.user, other.user, "both are %u", one.user);
  grading_end(&one);
  grading_end(&other);
}

Test(user, is_given_back) {
  sandbox_user_take();
  uid_t user = sandbox_user();
  cr_expect(user >= SANDBOX_FIRST_UID && user < SANDBOX_FIRST_UID + SANDBOX_UIDS);
  sandbox_user_give_back();
  cr_expect(getenv(SANDBOX_USER_VARIABLE) == NULL);
}

/* Whoever is killed leaves a file, but no lock: the next one takes both. */
Test(user, of_a_killed_grading_can_be_taken_again) {
  struct grading killed = grading_begin();
  grading_kill(&killed);
  enum { TRIES = 16 }; /* others may grade on this machine meanwhile */
  struct grading next[TRIES];
  bool again = false;
  size_t count = 0;
  while (!again && count < TRIES) {
    next[count] = grading_begin();
    again = next[count++].user == killed.user;
  }
  for (size_t i = 0; i < count; i++)
    grading_end(&next[i]);
  cr_expect(again);
}
