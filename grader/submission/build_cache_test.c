/* A build prints a random number into its log: one that was taken from the cache has the same. */
#include "grader/submission/submission.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64], *place;

static void file_make(const char *name, const char *contents) {
  scoped_text char *path = memory_format("%s/submission/%s", folder, name);
  scoped_file FILE *file = fopen(path, "we");
  cr_assert(file);
  fputs(contents, file);
}

static void begin(void) {
  strcpy(folder, "/tmp/cache-test-XXXXXX");
  cr_assert(mkdtemp(folder));
  scoped_text char *submission = memory_format("%s/submission", folder);
  cr_assert_eq(mkdir(submission, 0755), 0);
  setenv("XDG_CACHE_HOME", folder, 1);
  place = memory_format("%s/wiregrade/builds", folder);
  file_make("Makefile", "all:\n\t@cat /proc/sys/kernel/random/uuid | tee made\n");
  file_make("source", "1");
  struct failure failure;
  enum sandbox_mode mode;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
}

static void end(void) {
  scoped_text char *command = memory_format("rm -rf '%s'", folder);
  cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c): a path of our own making
  free(place);
}

TestSuite(build_cache, .init = begin, .fini = end, .timeout = 60);

/* What the build said; the caller frees it. */
static char *build(bool reuse) {
  static const char *const programs[] = {"udp-server"};
  scoped_text char *path = memory_format("%s/submission", folder);
  const struct submission_spec spec = {.folder = path,
                                       .programs = programs,
                                       .program_count = 1,
                                       .build_limit_s = 20,
                                       .reuse = reuse};
  struct submission *submission;
  struct failure failure;
  cr_assert_eq(submission_open(&spec, &submission, &failure), SUBMISSION_READY, "%s",
               failure.sentence);
  char *log = memory_text(submission_build(submission).log);
  submission_close(submission);
  return log;
}

static void expect_built(bool anew) {
  scoped_text char *one = build(true), *other = build(true);
  cr_expect((strcmp(one, other) != 0) == anew, "%s%s", one, other);
}

/* The path of what is kept of the only build; the caller frees it. */
static char *kept(const char *name) {
  scoped_text char *pattern = memory_format("%s/*/%s", place, name);
  glob_t found = {0};
  cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
  cr_assert_eq(found.gl_pathc, 1);
  char *path = memory_text(found.gl_pathv[0]);
  globfree(&found);
  return path;
}

Test(build_cache, the_very_same_is_built_once) {
  expect_built(false);
}

Test(build_cache, another_content_of_the_same_length_is_built) {
  scoped_text char *one = build(true);
  file_make("source", "2");
  scoped_text char *other = build(true);
  cr_expect_str_neq(one, other);
}

Test(build_cache, who_does_not_want_it_neither_takes_nor_leaves_anything) {
  scoped_text char *first = build(false), *second = build(true), *third = build(false);
  cr_expect_str_neq(first, second);
  cr_expect_str_neq(second, third);
}

Test(build_cache, a_build_that_failed_is_tried_anew) {
  file_make("Makefile", "all:\n\t@cat /proc/sys/kernel/random/uuid\n\t@false\n");
  expect_built(true);
}

Test(build_cache, what_was_changed_there_is_not_used) {
  scoped_text char *one = build(true), *made = kept("tree/made");
  scoped_file FILE *file = fopen(made, "we");
  cr_assert(file);
  fputs("not what was built", file);
  fflush(file);
  scoped_text char *other = build(true);
  cr_expect_str_neq(one, other);
  expect_built(false); /* it was replaced */
}

Test(build_cache, a_place_that_others_can_enter_is_not_used) {
  scoped_text char *one = build(true);
  cr_assert_eq(chmod(place, 0755), 0);
  scoped_text char *other = build(true);
  cr_expect_str_neq(one, other);
}

Test(build_cache, what_a_copy_would_lack_is_not_kept) {
  file_make("Makefile", "all:\n\t@cat /proc/sys/kernel/random/uuid\n\t@mkfifo pipe\n");
  expect_built(true);
}
