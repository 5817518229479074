#include "grader/result/page.h"

#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <string.h>

static char *text;
static size_t length;
static struct page page;

static void page_make(void) {
  page = (struct page){.file = open_memstream(&text, &length), .width = 40};
}

static void page_end(void) {
  fclose(page.file);
  free(text);
}

TestSuite(page, .init = page_make, .fini = page_end);

static void expect_printed(const char *wanted) {
  fflush(page.file);
  cr_expect_str_eq(text, wanted, "printed:\n%s\nnot:\n%s", text, wanted);
}

Test(page, a_paragraph_is_wrapped_between_words) {
  page_paragraph(&page, PAGE_PLAIN, "seen", 6, "one two three four five six seven eight nine", 0);
  expect_printed("seen  one two three four five six seven\n"
                 "      eight nine\n");
}

/* What a runner would obey: "::" where a line begins, and "##[" anywhere. */
Test(page, nothing_in_a_log_is_a_command) {
  page.log = true;
  page_line(&page, PAGE_PLAIN, "::error::a");
  page_paragraph(&page, PAGE_PLAIN, "", 4, "::stop-commands::a\n##[error]b std::c", 0);
  page_paragraph(&page, PAGE_PLAIN, "", 0, "0123456789012345678901234567890123456789::error::a", 0);
  page_command(&page, "::d");
  page_cell(&page, PAGE_PLAIN, "::e", 10);
  expect_printed("\\x3a:error::a\n"
                 "    \\x3a:stop-commands::a\n"
                 "    \\x23#[error]b std::c\n"
                 "012345678901234567890123456789012345678\n"
                 "9::error::a\n"
                 "\\x3a:d\n"
                 "\\x3a:e    ");
}

Test(page, is_a_log_where_github_runs_it) {
  unsetenv("GITHUB_ACTIONS");
  cr_expect_not(page_for(page.file).log);
  setenv("GITHUB_ACTIONS", "true", 1);
  cr_expect(page_for(page.file).log);
}

Test(page, a_word_that_is_too_long_is_broken) {
  page_paragraph(&page, PAGE_PLAIN, "", 30, "see 0123456789abcdefghij", 0);
  expect_printed("                              see\n"
                 "                              0123456789\n"
                 "                              abcdefghij\n");
}

/* A line that began with one space and a long word was broken before the word, for ever. */
Test(page, a_space_before_a_word_that_is_too_long, .timeout = 5) {
  page_paragraph(&page, PAGE_PLAIN, "", 30, " 0123456789abc", 0);
  expect_printed("                               012345678\n"
                 "                              9abc\n");
}

Test(page, what_is_too_much_is_left_out) {
  page_paragraph(&page, PAGE_PLAIN, "", 20, "one two three four five six seven eight nine", 2);
  expect_printed("                    one two three four\n"
                 "                    five six seven ei...\n");
}

Test(page, lines_of_a_text_stay_lines) {
  page_paragraph(&page, PAGE_PLAIN, "", 2, "a.c:1: error\n    1 | int x = ;\n\nend\n\n", 0);
  expect_printed("  a.c:1: error\n"
                 "      1 | int x = ;\n"
                 "  \n"
                 "  end\n");
}

Test(page, wide_characters_take_two_columns) {
  cr_expect_eq(text_columns("你好a"), 5);
  cr_expect_eq(text_columns("e\xcc\x81"), 1, "a combining accent takes none");
  page_paragraph(&page, PAGE_PLAIN, "", 35, "你好世界", 0);
  expect_printed("                                   你好\n"
                 "                                   世界\n");
}

/* Chinese has no spaces: a line ends between any two characters, but does not begin with a full
 * stop or end with an opening quote. */
Test(page, chinese_is_wrapped_between_characters) {
  page_paragraph(&page, PAGE_PLAIN, "要求", 6,
                 "当服务器的端口已绑定但没有回应时，客户端发送六个数据报。", 0);
  expect_printed("要求  当服务器的端口已绑定但没有回应时，\n"
                 "      客户端发送六个数据报。\n");
  page_paragraph(
      &page, PAGE_PLAIN, "", 0,
      "一二三四五六七八九十一二三四五六七八九十。一二三四五六七八九十一二三四五六七八九“十”", 0);
  expect_printed("要求  当服务器的端口已绑定但没有回应时，\n"
                 "      客户端发送六个数据报。\n"
                 "一二三四五六七八九十一二三四五六七八九\n"
                 "十。一二三四五六七八九十一二三四五六七八\n"
                 "九“十”\n");
}

Test(page, a_label_that_is_too_long_pushes_the_text) {
  page_paragraph(&page, PAGE_PLAIN, "1234567890.123 |", 4, "some words that are wrapped", 0);
  expect_printed("1234567890.123 |some words that are\n"
                 "    wrapped\n");
}

Test(page, nothing_reaches_the_terminal_as_it_was) {
  page_line(&page, PAGE_PLAIN, "\033[2Ja\rb");
  page_cell(&page, PAGE_PLAIN, "\033c", 6);
  page_paragraph(&page, PAGE_PLAIN, "\a", 6, "\177", 0);
  expect_printed("\\x1b[2Ja\\rb\n"
                 "\\x1bc \\x07  \\x7f\n");
}

Test(page, cells_are_cut_and_padded) {
  page_cell(&page, PAGE_PLAIN, "a", 3);
  page_cell(&page, PAGE_PLAIN, "abcdef", 5);
  page_cell(&page, PAGE_PLAIN, "你好世界", 6);
  page_gap(&page);
  expect_printed("a  ab...你...\n");
}

Test(page, colour_only_where_it_is_wanted) {
  page.colour = true;
  page_paragraph(&page, PAGE_BAD, "FAIL", 5, "it", 0);
  page_paragraph(&page, PAGE_PLAIN, "", 2, "plain", 0);
  expect_printed("\033[31mFAIL\033[0m \033[31mit\033[0m\n  plain\n");
  setenv("TERM", "xterm", 1);
  cr_expect_not(page_for(page.file).colour, "it is no terminal");
}

Test(page, a_page_is_80_columns_wide_where_there_is_no_terminal) {
  cr_expect_eq(page_for(page.file).width, 80);
}

Test(page, drawing_follows_the_locale) {
  unsetenv("LC_ALL");
  unsetenv("LC_CTYPE");
  setenv("LANG", "zh_CN.UTF-8", 1);
  cr_expect(page_for(page.file).drawing);
  setenv("LC_ALL", "C", 1);
  cr_expect_not(page_for(page.file).drawing);
}
