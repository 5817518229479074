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

/* ---- destinations: each is fed the same ---- */

static const char *const nasty[] = {
    "\x1b]0;owned\a\x1b[2J\x1b[31m",
    ("\xc2\x9b"
     "31m \xff\xc0\xaf \xef\xbf\xbf pass\u202eliaf \ufeff\u200b\U000e0041"),
    "<script>alert(1)</script><img src=x onerror='a()'>&amp;&#60;\" x=\"",
    "]]> --> <![CDATA[ <?php <!ENTITY a SYSTEM \"file:///etc/passwd\">",
    "=cmd|'/C calc'!A0",
    "  @SUM(1+1)",
    "+1",
    "-2\"\",\"x",
    "\t=1",
    "\r\n=1",
    "＝1",
    "::set-env name=PATH::/tmp",
    "  ::add-mask::a",
    "a ::error file=a,line=1::b%0A::c",
    "##[set-env name=A]b ##[command]",
    "std::string ::bind(1) :::",
    "@everyone #1 https://example.com www.example.com a@example.com GH-1 0123456789abcdef",
    "`code` ``` *a* _b_ | c | [d](javascript:e) ![f](g) # h\n---\n1. i\n    j ~~k~~ \\",
    "100 % 25%25 %0D%0A",
};
enum { NASTY_COUNT = sizeof nasty / sizeof *nasty };

static bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (unsigned char)c >= 0x80;
}

/* "&#39;" and the like; returns its length, 0 if it is none. */
static size_t entity_length(const char *text) {
  size_t digits = strncmp(text, "&#", 2) == 0 ? strspn(text + 2, "0123456789") : 0;
  return digits && text[2 + digits] == ';' ? digits + 3 : 0;
}

static void expect_visible(const char *text) {
  for (const char *c = text; *c;) {
    unsigned character;
    size_t size = safe_text_decode(c, strlen(c), &character);
    cr_expect(size > 0 && character >= 0x20 && character != 0x7f &&
                  !(character >= 0x80 && character < 0xa0) && character != 0x202e &&
                  character != 0xfeff && character != 0x200b && character < 0xe0000,
              "not visible: %s", c);
    c += size ? size : 1;
  }
}

static void expect_no_command(const char *text) {
  for (const char *c = text; (c = strstr(c, "::")); c++)
    cr_expect(c > text && (is_alphanumeric(c[-1]) || c[-1] == ':' || c[-1] == '_'), "obeyed: %s",
              text);
  cr_expect_not(strstr(text, "##["), "obeyed: %s", text);
}

static void expect_no_markup(const char *text) {
  for (const char *c = text; *c; c++) {
    if (*c == '&')
      cr_expect(entity_length(c) > 0, "a bare &: %s", c);
    cr_expect_not(strchr("<>\"'", *c), "markup: %s", c);
  }
}

static void expect_no_tag(const char *text) {
  for (const char *c = text; (c = strchr(c, '<')); c++)
    cr_expect(!is_alphanumeric(c[1]) && (c[1] == '\0' || !strchr("/!?", c[1])), "a tag: %s", c);
}

static void expect_code(const char *text) {
  size_t length = strlen(text);
  cr_assert(length >= 13 && strncmp(text, "<code>", 6) == 0 &&
            strcmp(text + length - 7, "</code>") == 0);
  for (size_t i = 6; i < length - 7;) {
    size_t entity = entity_length(text + i);
    cr_expect(entity || is_alphanumeric(text[i]) || text[i] == ' ', "Markdown: %s", text + i);
    i += entity ? entity : 1;
  }
}

static void expect_cell(const char *text) {
  size_t length = strlen(text);
  cr_assert(length >= 2 && text[0] == '"' && text[length - 1] == '"', "no cell: %s", text);
  for (size_t i = 1; i < length - 1; i++)
    if (text[i] == '"')
      cr_expect(text[++i] == '"' && i < length - 1, "the cell ends early: %s", text);
  cr_expect_not(strchr("=+-@", text[1 + strspn(text + 1, " ")]) && length > 2, "a formula: %s",
                text);
  cr_expect(strncmp(text + 1, "＝", 3) != 0, "a formula: %s", text);
}

static void expect_data(const char *text) {
  cr_expect_not(strstr(text, "##["), "obeyed: %s", text);
  for (const char *c = text; (c = strchr(c, '%')); c++)
    cr_expect(strncmp(c, "%25", 3) == 0, "not as it is: %s", text);
}

static void expect_value(const char *text) {
  for (const char *c = text; (c = strchr(c, '%')); c++)
    cr_expect(!strncmp(c, "%25", 3) || !strncmp(c, "%3A", 3) || !strncmp(c, "%2C", 3));
  cr_expect_not(strpbrk(text, ":,"), "the value ends early: %s", text);
}

Test(safe_text, nothing_nasty_reaches_any_destination) {
  static void (*const expectations[])(const char *) = {
      [SAFE_TERMINAL] = expect_visible,  [SAFE_LOG] = expect_no_command,
      [SAFE_MARKUP] = expect_no_markup,  [SAFE_TEXT_OR_MARKUP] = expect_no_tag,
      [SAFE_MARKDOWN] = expect_code,     [SAFE_CSV] = expect_cell,
      [SAFE_COMMAND_TEXT] = expect_data, [SAFE_COMMAND_VALUE] = expect_value,
  };
  for (unsigned destination = SAFE_TERMINAL; destination <= SAFE_COMMAND_VALUE; destination++)
    for (size_t i = 0; i < NASTY_COUNT; i++) {
      scoped_text char *text = safe_for(destination, nasty[i], strlen(nasty[i]));
      expect_visible(text);
      expectations[destination](text);
    }
}

static void expect_for(enum safe_destination destination, const char *bytes, const char *wanted) {
  scoped_text char *text = safe_for(destination, bytes, strlen(bytes));
  cr_expect_str_eq(text, wanted, "got '%s', not '%s'", text, wanted);
}

Test(safe_text, what_is_harmless_stays_readable) {
  expect_for(SAFE_LOG, "std::string: 你好 # a", "std::string: 你好 # a");
  expect_for(SAFE_MARKUP, "Hello, 你好.", "Hello, 你好.");
  expect_for(SAFE_TEXT_OR_MARKUP, "a < b, 1 <2 & <", "a < b, 1 <2 & <");
  expect_for(SAFE_MARKDOWN, "Hello world", "<code>Hello world</code>");
  expect_for(SAFE_CSV, "Hello, world - 1", "\"Hello, world - 1\"");
  expect_for(SAFE_COMMAND_TEXT, "udp.1: 10 bytes, not 11", "udp.1: 10 bytes, not 11");
}

Test(safe_text, what_is_not_is_shown_for_what_it_is) {
  expect_for(SAFE_LOG, " ::a:: ##[b]", " \\x3a:a:: \\x23#[b]");
  expect_for(SAFE_MARKUP, "<a b='c'>\n&", "&#60;a b=&#39;c&#39;&#62;\\n&#38;");
  expect_for(SAFE_TEXT_OR_MARKUP, "<b></b><!--<?", "\\x3cb>\\x3c/b>\\x3c!--\\x3c?");
  expect_for(SAFE_MARKDOWN, "*a*  @b", "<code>&#42;a&#42; &#32;&#64;b</code>");
  expect_for(SAFE_CSV, "=1+\"a\"", "\"'=1+\"\"a\"\"\"");
  expect_for(SAFE_COMMAND_TEXT, "5 %\na", "5 %25\\na");
  expect_for(SAFE_COMMAND_VALUE, "a,b:c%", "a%2Cb%3Ac%25");
}
