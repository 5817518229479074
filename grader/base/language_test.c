#include "grader/base/failure.h"
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/wiregrade-language-XXXXXX";

static void folder_remove(void) {
  scoped_text char *command = memory_format("rm -rf '%s'", folder);
  cr_expect_eq(system(command), 0);
}

TestSuite(language, .fini = folder_remove);

/* A folder of languages with zh_CN and de in it. */
static void folder_make(void) {
  cr_assert(mkdtemp(folder));
  for (const char *const *name = (const char *const[]){"zh_CN", "de", "fr", NULL}; *name; name++) {
    scoped_text char *path = memory_format("%s/%s", folder, *name);
    scoped_text char *inner = memory_format("%s/LC_MESSAGES", path);
    scoped_text char *file = memory_format("%s/wiregrade.mo", inner);
    mkdir(path, 0700);
    mkdir(inner, 0700);
    if (strcmp(*name, "fr") == 0) /* another program's */
      continue;
    FILE *written = fopen(file, "w");
    cr_assert(written);
    fclose(written);
  }
}

static void environment_set(const char *lc_all, const char *messages, const char *lang,
                            const char *list) {
  setenv("LC_ALL", lc_all, 1);
  setenv("LC_MESSAGES", messages, 1);
  setenv("LANG", lang, 1);
  setenv("LANGUAGE", list, 1);
}

#define expect_found(asked_, wanted_)                                                              \
  do {                                                                                             \
    scoped_text char *found_ = language_find(folder, asked_);                                      \
    cr_assert_str_eq(found_, wanted_);                                                             \
  } while (0)

Test(language, the_environment_chooses_as_for_gettext) {
  folder_make();
  environment_set("", "", "", "");
  expect_found(NULL, "en");
  environment_set("", "", "zh_CN.UTF-8", "");
  expect_found(NULL, "zh_CN");
  environment_set("", "", "zh_CN.GB18030", "");
  expect_found(NULL, "en");
  environment_set("", "de_DE.UTF-8", "zh_CN.UTF-8", "");
  expect_found(NULL, "de");
  environment_set("", "zh_CN", "de.UTF-8", "");
  expect_found(NULL, "zh_CN");
  environment_set("C.UTF-8", "zh_CN", "zh_CN", "zh_CN");
  expect_found(NULL, "en");
  environment_set("", "", "en_US.UTF-8", "it:zh_CN:de");
  expect_found(NULL, "zh_CN");
  environment_set("", "", "zh_CN.UTF-8", "en");
  expect_found(NULL, "en");
}

Test(language, a_name_may_be_written_in_several_ways) {
  folder_make();
  environment_set("", "", "zh_CN.UTF-8", "");
  expect_found("en", "en");
  expect_found("en_GB", "en");
  expect_found("zh", "zh_CN");
  expect_found("zh-cn", "zh_CN");
  expect_found("zh_CN.UTF-8", "zh_CN");
  cr_assert_null(language_find(folder, "zh_TW"));
  cr_assert_null(language_find(folder, "fr"));
  cr_assert_null(language_find(folder, "../de"));
  cr_assert_null(language_find(folder, ""));
}

/* Writes a file of translations as msgfmt does; the pairs are sorted by the first. */
static const char *file_make(const char *const (*pairs)[2], uint32_t count) {
  static char path[PATH_MAX];
  cr_assert(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/file.mo", folder);
  FILE *file = fopen(path, "w");
  cr_assert(file);
  uint32_t header[7] = {0x950412de, 0, count, 28, 28 + 8 * count, 0, 0}, offset = 28 + 16 * count;
  fwrite(header, sizeof header, 1, file);
  for (int side = 0; side < 2; side++)
    for (uint32_t i = 0; i < count; i++) {
      uint32_t place[2] = {(uint32_t)strlen(pairs[i][side]), offset};
      offset += place[0] + 1;
      fwrite(place, sizeof place, 1, file);
    }
  for (int side = 0; side < 2; side++)
    for (uint32_t i = 0; i < count; i++)
      fwrite(pairs[i][side], strlen(pairs[i][side]) + 1, 1, file);
  fclose(file);
  return path;
}

Test(language, texts_formats_and_literals_are_translated) {
  static const char *const pairs[][2] = {
      {"%s sends %zu bytes to %s after %.1f s", "%4$.1f 秒后 %1$s 向 %3$s 发送 %2$zu 字节"},
      {"No such file or directory", "没有那个文件或目录"},
      {"nobody", "无人"},
      {"padded %*d, 5 %%", "补齐 %*d，5 %%"},
      {"there are %u", "有 %u 个"},
  };
  language_begin(NULL, "zh_CN");
  language_add(file_make(pairs, sizeof pairs / sizeof *pairs));
  cr_assert_str_eq(language_name(), "zh_CN");
  scoped_text char *made = memory_text("nobody"); /* as a program printed it */
  scoped_text char *text =
      language_sentence("%s sends %zu bytes to %s after %.1f s", made, (size_t)3, "nobody", 0.25);
  cr_assert_str_eq(text, "0.2 秒后 nobody 向 无人 发送 3 字节");
  scoped_text char *padded = language_sentence("padded %*d, 5 %%", 4, 7);
  cr_assert_str_eq(padded, "补齐    7，5 %");
  scoped_text char *same = language_sentence("not translated: %d, %s", -1, "x");
  cr_assert_str_eq(same, "not translated: -1, x");
  struct failure failure;
  errno = ENOENT;
  failure_errno(&failure, "there are %u", 4000000000u);
  cr_assert_str_eq(failure.sentence, "有 4000000000 个: 没有那个文件或目录");
  language_begin(NULL, "en");
  cr_assert_str_eq(language_text("nobody"), "nobody");
}

Test(language, a_file_that_is_none_does_no_harm) {
  language_begin(NULL, "zh_CN");
  language_add("/nowhere/wiregrade.mo");
  language_add("/proc/self/exe");
  static const char *const pairs[][2] = {{"a", "b"}};
  const char *path = file_make(pairs, 1);
  cr_assert_eq(truncate(path, 40), 0); /* its texts are gone */
  language_add(path);
  cr_assert_str_eq(language_text("a"), "a");
  scoped_text char *files = language_files();
  cr_assert_str_eq(files, path);
}

Test(language, a_long_sentence_ends_with_a_whole_character) {
  struct failure failure;
  char text[2000] = "";
  for (int i = 0; i < 600; i++)
    strcat(text, "字");
  failure_set(&failure, "x%s", text);
  cr_assert_eq(strlen(failure.sentence), 1 + 3 * ((sizeof failure.sentence - 2) / 3));
}
