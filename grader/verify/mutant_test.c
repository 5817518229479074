#include "grader/verify/mutant.h"
#include "grader/verify/style.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <string.h>

static char folder[64];

static void shell(const char *commands) {
  scoped_text char *command = memory_format("cd %s && { %s; }", folder, commands);
  cr_assert(system(command) == 0, "%s", commands);
}

static void folder_make(void) {
  strcpy(folder, "/tmp/wiregrade-test-XXXXXX");
  cr_assert(mkdtemp(folder));
  shell("mkdir udp");
}

static void folder_remove(void) {
  scoped_text char *command = memory_format("rm -r %s", folder);
  cr_assert(system(command) == 0);
}

TestSuite(mutant, .init = folder_make, .fini = folder_remove);
TestSuite(style, .init = folder_make, .fini = folder_remove);

Test(mutant, is_read) {
  shell("printf '# It sends twice.\\nFails: udp.3 udp.11\\n\\n--- a/x\\n' > udp/twice.patch");
  shell("touch udp/notes.txt udp/.hidden.patch");
  struct mutant_list list = {0};
  struct failure failure;
  cr_assert(mutants_read(folder, "udp", &list, &failure) == 0, "%s", failure.sentence);
  cr_assert_eq(list.count, 1);
  cr_expect_str_eq(list.mutants[0].name, "twice");
  cr_expect_str_eq(list.mutants[0].key, "udp-twice");
  cr_expect_str_eq(list.mutants[0].sentence, "It sends twice.");
  cr_expect(mutant_names(&list.mutants[0], "udp.11"));
  cr_expect_not(mutant_names(&list.mutants[0], "udp.1"));
  mutants_free(&list);
}

Test(mutant, tells_which_sources_it_changes) {
  shell(
      "printf '# Both.\nFails: udp.3\n\n--- a/udp/udp-client.c\n+++ b/udp/udp-client.c\n@@ -1 +1 @@\n"
      "-a\n+++ b\n--- a/x.c\n+++ b/x.c\t2026-01-01\n--- a/y.h\n+++ b/y.h\n' > udp/both.patch");
  struct mutant_list list = {0};
  struct failure failure;
  cr_assert(mutants_read(folder, "udp", &list, &failure) == 0, "%s", failure.sentence);
  cr_assert(list.mutants[0].source_count >= 3);
  cr_expect_str_eq(list.mutants[0].sources[0], "udp-client");
  cr_expect_str_eq(list.mutants[0].sources[list.mutants[0].source_count - 2], "x");
  cr_expect_str_eq(list.mutants[0].sources[list.mutants[0].source_count - 1], "y.h");
  mutants_free(&list);
}

Test(mutant, tells_which_cause_is_to_be_shown) {
  shell("printf '# It sends twice.\nFails: udp.3 udp.11\nHint: sent  twice\nHint udp.11: again\n"
        "\nHint: of the patch itself\n--- a/x\n' > udp/twice.patch");
  shell("printf '# It sends never.\nFails: udp.3\n--- a/x\n' > udp/never.patch");
  struct mutant_list list = {0};
  struct failure failure;
  cr_assert(mutants_read(folder, "udp", &list, &failure) == 0, "%s", failure.sentence);
  cr_expect(list.mutants[0].lacks_hint);
  const struct mutant *twice = &list.mutants[1];
  cr_expect_not(twice->lacks_hint);
  cr_assert_eq(twice->hint_count, 2);
  cr_expect_null(twice->hints[0].requirement);
  cr_expect_str_eq(twice->hints[0].words, "sent  twice");
  cr_expect_str_eq(twice->hints[1].requirement, "udp.11");
  cr_expect_str_eq(twice->hints[1].words, "again");
  mutants_free(&list);
}

Test(mutant, that_only_shows_on_the_virtual_clock) {
  shell("printf '# A bug.\nFails: udp.3\nHint: a\nClock: virtual\nHint: b\n\n--- a/x\n' "
        "> udp/date.patch");
  shell("printf '# A bug.\nFails: udp.3\nHint: a\n\nClock: virtual\n--- a/x\n' > udp/patch.patch");
  struct mutant_list list = {0};
  struct failure failure;
  cr_assert(mutants_read(folder, "udp", &list, &failure) == 0, "%s", failure.sentence);
  cr_expect(list.mutants[0].virtual_only);
  cr_expect_eq(list.mutants[0].hint_count, 2);
  cr_expect_not(list.mutants[1].virtual_only);
  mutants_free(&list);
}

Test(mutant, need_not_say_the_cause_where_no_other_does) {
  shell("printf '# It sends twice.\nFails: udp.3\n--- a/x\n' > udp/twice.patch");
  struct mutant_list list = {0};
  struct failure failure;
  cr_assert(mutants_read(folder, "udp", &list, &failure) == 0, "%s", failure.sentence);
  cr_expect_not(list.mutants[0].lacks_hint);
  mutants_free(&list);
}

static void expect_refused(const char *first_lines, const char *why) {
  scoped_text char *command = memory_format("printf -- '%s' > udp/bad.patch", first_lines);
  shell(command);
  struct mutant_list list = {0};
  struct failure failure;
  cr_assert(mutants_read(folder, "udp", &list, &failure) == -1);
  cr_expect(strstr(failure.sentence, why), "no '%s' in: %s", why, failure.sentence);
  mutants_free(&list);
}

Test(mutant, that_does_not_say_what_it_is) {
  expect_refused("", "bad.patch:1:");
  expect_refused("--- a/x\\n", "bad.patch:1:");
  expect_refused("# It sends twice.\\n--- a/x\\n", "bad.patch:2:");
  expect_refused("# It sends twice.\\nFails:\\n", "names no requirement");
  expect_refused("# It sends twice.\\nFails: udp-retry.3\\n", "'udp-retry.3' is no requirement");
  expect_refused("# It sends twice.\\nFails: udp.\\n", "'udp.' is no requirement");
  expect_refused("# It sends twice.\\nFails: udp.3\\nHint: \\n", "bad.patch:3:");
  expect_refused("# It sends twice.\\nFails: udp.3\\nHint: a\\nHints: b\\n", "bad.patch:4:");
  expect_refused("# It sends twice.\\nFails: udp.3\\nHint udp.3\\n", "bad.patch:3:");
  expect_refused("# It sends twice.\\nFails: udp.3\\nClock: real\\n", "can only be 'virtual'");
  expect_refused("# It sends twice.\\nFails: udp.3\\nHint udp.4: twice\\n",
                 "'udp.4' is not among those that must fail");
}

/* What is kept of mutants with these requirements, as their names in a row. */
static void expect_thinned(unsigned each, const char *expected, const char *const (*all)[2]) {
  shell("rm -rf udp && mkdir udp");
  for (; (*all)[0]; all++) {
    scoped_text char *command = memory_format(
        "printf '# A bug.\\nFails: %s\\n--- a/x\\n' > udp/%s.patch", (*all)[1], (*all)[0]);
    shell(command);
  }
  struct mutant_list list = {0};
  struct failure failure;
  cr_assert(mutants_read(folder, "udp", &list, &failure) == 0, "%s", failure.sentence);
  mutants_thin(&list, each);
  scoped_text char *kept = memory_zeroed(list.count + 1, 1);
  for (size_t i = 0; i < list.count; i++)
    kept[i] = list.mutants[i].name[0];
  cr_expect_str_eq(kept, expected);
  mutants_free(&list);
}

Test(mutant, only_so_many_for_each_requirement) {
  static const char *const all[][2] = {{"a", "udp.1 udp.2"}, {"b", "udp.1"}, {"c", "udp.1"},
                                       {"d", "udp.1"},       {"e", "udp.3"}, {NULL, NULL}};
  expect_thinned(1, "abe", all);
  expect_thinned(2, "abce", all);
  expect_thinned(3, "abcde", all);
  expect_thinned(9, "abcde", all);
}

Test(mutant, a_lab_without_any) {
  struct mutant_list list = {0};
  struct failure failure;
  cr_expect(mutants_read(folder, "tcp", &list, &failure) == 0);
  cr_expect_eq(list.count, 0);
}

static void expect_styles_thinned(unsigned each, const char *expected) {
  static const char *udp[] = {"udp", NULL}, *tcp[] = {"tcp", NULL}, *both[] = {"udp", "tcp", NULL};
  const struct {
    const char *name;
    const char *const *labs;
  } all[] = {{"c-1", udp}, {"c-2", udp}, {"c-3", tcp}, {"go", udp}, {"python-1", both}};
  enum { COUNT = sizeof all / sizeof *all };
  struct style_list list = {memory_zeroed(COUNT, sizeof *list.styles), COUNT};
  for (size_t i = 0; i < COUNT; i++) {
    list.styles[i].name = memory_text(all[i].name);
    list.styles[i].labs = memory_zeroed(3, sizeof *list.styles[i].labs);
    for (size_t k = 0; all[i].labs[k]; k++)
      list.styles[i].labs[k] = all[i].labs[k];
  }
  styles_thin(&list, each);
  scoped_text char *kept = memory_text("");
  for (size_t i = 0; i < list.count; i++) {
    char *longer = memory_format("%s%s ", kept, list.styles[i].name);
    free(kept);
    kept = longer;
  }
  cr_expect_str_eq(kept, expected);
  styles_free(&list);
}

Test(style, only_so_many_for_each_lab_in_many_languages) {
  expect_styles_thinned(1, "c-1 python-1 ");
  expect_styles_thinned(2, "c-1 c-3 go python-1 ");
  expect_styles_thinned(9, "c-1 c-2 c-3 go python-1 ");
}

Test(style, has_the_programs_that_its_files_name) {
  static char *programs[] = {(char *)"udp-server", (char *)"udp-client", (char *)"tcp-client"};
  static struct requirement none;
  const struct lab udp = {(char *)"udp", (char *)"", (char *)"1", 1, programs, 2, &none, 0};
  const struct lab tcp = {(char *)"tcp", (char *)"", (char *)"2", 1, programs + 2, 1, &none, 0};
  const struct lab *const labs[] = {&udp, &tcp};
  shell("mkdir -p python/src yaml other && touch python/src/udp_client.py other/README.md && "
        "printf 'programs:\\n  tcp-client: [perl, x.pl]\\n' > yaml/wiregrade.yaml");
  struct style_list list = {0};
  struct failure failure;
  cr_assert(styles_read(folder, labs, 2, &list, &failure) == 0, "%s", failure.sentence);
  cr_assert_eq(list.count, 2);
  cr_expect_str_eq(list.styles[0].name, "python");
  cr_expect_str_eq(list.styles[0].labs[0], "udp");
  cr_expect_null(list.styles[0].labs[1]);
  cr_expect(json_object_get(list.styles[0].contained, "udp-client"));
  cr_expect_not(json_object_get(list.styles[0].contained, "udp-server"));
  cr_expect_str_eq(list.styles[1].labs[0], "tcp");
  styles_free(&list);
}
