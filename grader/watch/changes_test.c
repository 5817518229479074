/* Which changes in a folder are told, and which are not. */
#include "grader/watch/changes.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static struct changes *changes;
static volatile sig_atomic_t stop;

static void shell(const char *commands) {
  scoped_text char *line = memory_format("cd '%s' && %s", folder, commands);
  cr_assert_eq(system(line), 0); // NOLINT(cert-env33-c): commands of our own
}

static void begin(void) {
  snprintf(folder, sizeof folder, "/tmp/changes-test-XXXXXX");
  cr_assert(mkdtemp(folder));
  shell("mkdir -p udp/deep .git && echo a >udp/a.c");
  struct failure failure;
  changes = changes_begin(folder, &failure);
  cr_assert(changes, "%s", failure.sentence);
}

static void end(void) {
  changes_end(changes);
  scoped_text char *line = memory_format("rm -rf '%s'", folder);
  cr_assert_eq(system(line), 0); // NOLINT(cert-env33-c): a path of our own making
}

TestSuite(changes, .init = begin, .fini = end, .timeout = 20);

static void expect_changed(const char *commands, const char *wanted) {
  shell(commands);
  char *const *paths;
  size_t count;
  struct failure failure;
  cr_assert_eq(changes_wait(changes, &stop, &paths, &count, &failure), 1, "%s", failure.sentence);
  scoped_text char *text = memory_text("");
  for (size_t i = 0; i < count; i++) {
    char *longer = memory_format("%s%s ", text, paths[i]);
    free(text);
    text = longer;
  }
  cr_expect_str_eq(text, wanted, "after %s: %s", commands, text);
}

Test(changes, are_told_once_each) {
  expect_changed("echo b >udp/a.c; echo c >>udp/a.c; echo d >Makefile", "udp/a.c Makefile ");
}

Test(changes, by_renaming_and_removing_are_told) {
  expect_changed("echo b >udp/.a.c.swp && mv udp/.a.c.swp udp/a.c", "udp/a.c ");
  expect_changed("echo c >udp/sedXYZ && mv udp/sedXYZ udp/a.c", "udp/a.c ");
  expect_changed("mv udp/a.c udp/b.c && mv udp/b.c udp/a.c", "udp/a.c ");
  expect_changed("rm udp/a.c", "udp/a.c ");
}

Test(changes, of_editors_and_version_control_are_not) {
  expect_changed("echo b >udp/a.c~; echo b >.git/index; echo b >udp/.#a.c; echo b >udp/4913; "
                 "echo b >udp/b.c",
                 "udp/b.c ");
}

Test(changes, in_new_folders_are_told) {
  expect_changed("mkdir -p mtu/deep && echo a >mtu/deep/a.c", "mtu/deep/a.c ");
  expect_changed("echo b >mtu/deep/b.c", "mtu/deep/b.c ");
  expect_changed("echo c >udp/deep/c.c", "udp/deep/c.c ");
}

Test(changes, the_end_of_the_folder_is_an_error) {
  shell("rm -r \"$PWD\"");
  char *const *paths;
  size_t count;
  struct failure failure;
  cr_expect_eq(changes_wait(changes, &stop, &paths, &count, &failure), -1);
  cr_expect(strstr(failure.sentence, "is not there any more"), "%s", failure.sentence);
}

static void *stop_soon(void *context) {
  usleep(100000);
  stop = 1;
  return context;
}

Test(changes, waiting_can_be_stopped) {
  pthread_t thread;
  cr_assert_eq(pthread_create(&thread, NULL, stop_soon, NULL), 0);
  char *const *paths;
  size_t count;
  struct failure failure;
  cr_expect_eq(changes_wait(changes, &stop, &paths, &count, &failure), 0);
  pthread_join(thread, NULL);
}
