#include "grader/result/safe_text.h"

#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_safe(const char *bytes, const char *wanted) {
  scoped_text char *text = safe_text(bytes, strlen(bytes));
  cr_expect_str_eq(text, wanted, "got '%s', not '%s'", text, wanted);
}

Test(safe_text, leaves_plain_text_alone) {
  expect_safe("", "");
  expect_safe("Hello, I'm a client.", "Hello, I'm a client.");
  expect_safe("你好，世界！ é 👩‍💻 \\x41", "你好，世界！ é 👩‍💻 \\x41");
}

Test(safe_text, shows_what_a_terminal_would_obey) {
  expect_safe("\x1b[2J\x1b]0;title\a", "\\x1b[2J\\x1b]0;title\\x07");
  expect_safe("a\rb\nc\td\x7f", "a\\rb\\nc\\td\\x7f");
  expect_safe("\xc2\x9b"
              "31m",
              "\\u009b31m");
}

Test(safe_text, shows_what_reorders_or_hides_text) {
  expect_safe("pass\u202efail\u2066x\u200f", "pass\\u202efail\\u2066x\\u200f");
  expect_safe("a\u200bb\ufeff\u2028", "a\\u200bb\\ufeff\\u2028");
  expect_safe("\U000e0041", "\\u{e0041}");
}

Test(safe_text, shows_bytes_that_are_not_utf8) {
  expect_safe("\xff\xfe", "\\xff\\xfe");
  expect_safe("\xc0\xaf", "\\xc0\\xaf");                   /* over-long */
  expect_safe("\xe0\x80\xaf", "\\xe0\\x80\\xaf");          /* over-long */
  expect_safe("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* surrogate */
  expect_safe("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
  expect_safe("\xe4\xbd", "\\xe4\\xbd");                   /* cut off */
  expect_safe("\xe4\xbd\xa0\xe4", "你\\xe4");
}

Test(safe_text, zero_bytes) {
  scoped_text char *text = safe_text("a\0b", 3);
  cr_expect_str_eq(text, "a\\x00b");
}
