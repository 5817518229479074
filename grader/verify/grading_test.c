#include "grader/verify/grading.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];

static void shell(const char *commands) {
  scoped_text char *command = memory_format("cd %s && { %s; }", folder, commands);
  cr_assert(system(command) == 0, "%s", commands);
}

static void folder_make(void) {
  strcpy(folder, "/tmp/wiregrade-test-XXXXXX");
  cr_assert(mkdtemp(folder));
  shell("mkdir real outside && echo right > real/a.c && echo right > outside/b.c");
}

static void folder_remove(void) {
  scoped_text char *command = memory_format("rm -r %s", folder);
  cr_assert(system(command) == 0);
}

TestSuite(grading, .init = folder_make, .fini = folder_remove, .timeout = 30);

static void expect_copy_is_apart(const char *from) {
  scoped_text char *source = memory_format("%s/%s", folder, from);
  scoped_text char *copy = memory_format("%s/copy", folder);
  cr_assert(folder_copy(source, copy, "/dev/null") == 0);
  shell("test ! -L copy && echo wrong > copy/a.c && echo wrong > copy/sub/b.c");
  shell("grep -q right real/a.c && grep -q right outside/b.c");
}

Test(grading, a_change_of_the_copy_never_reaches_the_original) {
  shell("ln -s ../outside real/sub");
  expect_copy_is_apart("real");
}

/* A patch on a copy of a link would have changed what it points to. */
Test(grading, nor_if_the_folder_itself_is_a_link) {
  shell("ln -s ../outside real/sub && ln -s real link");
  expect_copy_is_apart("link");
}

/* Instead of wiregrade: the result names as its submission what stands in a.c. */
static const char fake[] =
    "#!/usr/bin/env python3\n"
    "import json, os, sys\n"
    "text = open(sys.argv[-1] + '/a.c').read().strip()\n"
    "if text == 'crash': os.abort()\n"
    "with open(sys.argv[sys.argv.index('--json') + 1], 'w') as file:\n"
    "    json.dump({'schema': 'wiregrade/result/v1', 'submission': text, 'started': '',\n"
    "               'clock': '', 'score': 0, 'max_score': 0, 'build': {}, 'labs': []}, file)\n"
    "sys.exit(1)\n";

static char *path_of(const char *name) {
  return memory_format("%s/%s", folder, name);
}

static void file_write(const char *name, const char *contents) {
  scoped_text char *path = path_of(name);
  scoped_file FILE *file = fopen(path, "we");
  cr_assert(file && fputs(contents, file) >= 0);
}

static struct grading grading_of(const char *name, const char *of) {
  static const char *labs[] = {"udp", NULL};
  return (struct grading){.name = name, .folder = of, .labs = labs, .clock = "real", .seed = 7};
}

static void patch_write(const char *name, const char *before, const char *after) {
  scoped_text char *patch = memory_format("# A sentence.\nFails: udp.1\n\n--- a/a.c\n+++ b/a.c\n"
                                          "@@ -1 +1 @@\n-%s\n+%s\n",
                                          before, after);
  file_write(name, patch);
}

Test(grading, each_has_a_copy_of_its_own) {
  file_write("fake", fake);
  shell("chmod +x fake && mkdir work");
  patch_write("one.patch", "right", "one");
  patch_write("crash.patch", "right", "crash");
  patch_write("misfit.patch", "something else", "misfit");
  scoped_text char *real = path_of("real"), *work = path_of("work"), *program = path_of("fake");
  scoped_text char *one = path_of("one.patch"), *crash = path_of("crash.patch");
  scoped_text char *misfit = path_of("misfit.patch");
  struct grading gradings[] = {grading_of("reference", real), grading_of("one", real),
                               grading_of("crash", real), grading_of("misfit", real)};
  gradings[1].patch = one;
  gradings[2].patch = crash;
  gradings[3].patch = misfit;
  const struct grading_pool pool = {.executable = program, .work = work, .jobs = 2};
  cr_assert(gradings_do(&pool, gradings, 4) == 0);
  cr_expect_str_eq(result_text(gradings[0].result, "submission"), "right");
  cr_expect_str_eq(result_text(gradings[1].result, "submission"), "one");
  cr_expect_null(gradings[2].result);
  cr_expect(strstr(gradings[2].failure.sentence, "cannot be graded"));
  cr_expect_null(gradings[3].result);
  cr_expect(strstr(gradings[3].failure.sentence, "does not apply"));
  for (size_t i = 0; i < 4; i++)
    json_decref(gradings[i].result);
  shell("grep -q right real/a.c && test -z \"$(ls work)\"");
}

/* Instead of wiregrade: it writes down which came when, and what it was told. */
static const char noting[] =
    "#!/bin/sh\n"
    "while [ $# -gt 1 ]; do case $1 in --json) out=$2 ;; --clock) clock=$2 ;; --seed) seed=$2 ;; esac\n"
    "shift; done\n"
    "name=${out##*/}; echo \"${name%.json} $clock $seed\" >>\"$(dirname \"$0\")/noted\"\n"
    "case $name in slow*) sleep 0.4 ;; stuck*) exec sleep 60 ;; esac\n"
    "printf '%s' '{\"schema\": \"wiregrade/result/v1\", \"submission\": \"x\", \"started\": \"\",' \\\n"
    "  '\"clock\": \"\", \"score\": 0, \"max_score\": 0, \"build\": {}, \"labs\": []}' >\"$out\"\n";

static void expect_noted(const char *expected) {
  scoped_text char *path = path_of("noted");
  scoped_file FILE *file = fopen(path, "re");
  char noted[1000] = "";
  cr_assert(file && fread(noted, 1, sizeof noted - 1, file) > 0);
  cr_expect_str_eq(noted, expected);
}

Test(grading, begins_with_each_kind_and_then_with_the_slowest) {
  file_write("fake", noting);
  shell("chmod +x fake && mkdir work");
  scoped_text char *real = path_of("real"), *work = path_of("work"), *program = path_of("fake");
  struct grading gradings[] = {grading_of("fast-1", real), grading_of("fast-2", real),
                               grading_of("slow-1", real), grading_of("slow-2", real),
                               grading_of("again", real)};
  gradings[2].kind = gradings[3].kind = 1;
  gradings[4].turn = 1;
  gradings[4].kind = 2;
  gradings[4].clock = "virtual";
  const struct grading_pool pool = {.executable = program, .work = work, .jobs = 1};
  cr_assert(gradings_do(&pool, gradings, 5) == 0);
  expect_noted("fast-1 real 7\nslow-1 real 7\nslow-2 real 7\nfast-2 real 7\nagain virtual 7\n");
  for (size_t i = 0; i < 5; i++) {
    cr_expect(gradings[i].ended);
    json_decref(gradings[i].result);
  }
}

Test(grading, a_stage_waits_for_the_end_of_the_one_before) {
  file_write("fake", noting);
  shell("chmod +x fake && mkdir work");
  scoped_text char *real = path_of("real"), *work = path_of("work"), *program = path_of("fake");
  struct grading gradings[] = {grading_of("later", real), grading_of("slow-1", real),
                               grading_of("fast-1", real)};
  gradings[0].stage = 1;
  const struct grading_pool pool = {.executable = program, .work = work, .jobs = 3};
  cr_assert(gradings_do(&pool, gradings, 3) == 0);
  shell("test \"$(tail -n 1 noted)\" = 'later real 7'");
  for (size_t i = 0; i < 3; i++)
    json_decref(gradings[i].result);
}

static volatile sig_atomic_t stop;

static void stop_when_one_has_ended(void *context, const char *name, size_t done, size_t total) {
  (void)context, (void)name, (void)total;
  stop = done > 0;
}

Test(grading, what_was_stopped_has_not_ended) {
  file_write("fake", noting);
  shell("chmod +x fake && mkdir work");
  scoped_text char *real = path_of("real"), *work = path_of("work"), *program = path_of("fake");
  struct grading gradings[] = {grading_of("slow-1", real), grading_of("stuck-1", real),
                               grading_of("stuck-2", real)};
  for (size_t i = 0; i < 3; i++)
    gradings[i].kind = i;
  const struct grading_pool pool = {.executable = program,
                                    .work = work,
                                    .jobs = 2,
                                    .stop = &stop,
                                    .progress = stop_when_one_has_ended};
  cr_assert(gradings_do(&pool, gradings, 3) == -1);
  cr_expect(gradings[0].ended);
  cr_expect(gradings[0].result);
  cr_expect_not(gradings[1].ended);
  cr_expect_not(gradings[2].ended);
  json_decref(gradings[0].result);
}
