/* What counts as the line that a requirement asks for, and what does not. */
#include "grader/base/memory.h"
#include "grader/result/verdict.h"
#include "grader/sdk/inner.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

struct printed_line {
  char printed[160];
  bool right;
};

static bool matches(const char *printed, const char *pattern, const void *argument) {
  return line_matches(line_normalise((const uint8_t *)printed, strlen(printed)), pattern, argument);
}

/* ---- addresses ---- */

static struct printed_line addresses[] = {
    {"Listening at 127.0.0.1:60000", true},
    {"Listening at ('127.0.0.1', 60000)", true},
    {"Listening at (\"127.0.0.1\", 60000)", true},
    {"Listening at ('127.0.0.1',60000)", true},
    {"  \tListening at 127.0.0.1:60000  \r", true},
    {"Starting...\rListening at 127.0.0.1:60000", true},
    {"Listening at 127.0.0.1:60001", false},
    {"Listening at 127.0.0.1:600000", false},
    {"Listening at 127.0.0.10:60000", false},
    {"Listening at 0.0.0.0:60000", false},
    {"Listening at 127.0.0.1", false},
    {"Listening on 127.0.0.1:60000", false},
    {"listening at 127.0.0.1:60000", false},
    {"Listening at 127.0.0.1:60000 now", false},
    {"Listening at 127.0.0.1:060000", false},
    {"Listening at", false},
    {"", false},
};

ParameterizedTestParameters(text, addresses_in_both_forms) {
  return cr_make_param_array(struct printed_line, addresses, sizeof addresses / sizeof *addresses);
}
ParameterizedTest(struct printed_line *line, text, addresses_in_both_forms) {
  struct address wanted = {.ip = 0x7f000001, .port = 60000};
  cr_assert_eq(matches(line->printed, "Listening at %a", &wanted), line->right, "%s",
               line->printed);
}

/* ---- texts ---- */

static struct printed_line texts[] = {
    {"says Hello, I'm a client.", true},      {"says 'Hello, I'm a client.'", true},
    {"says \"Hello, I'm a client.\"", true},  {"says b\"Hello, I'm a client.\"", true},
    {"says b'Hello, I\\'m a client.'", true}, {"says 'Hello, I\\'m a client.'", true},
    {"says Hello, I'm a client", false},      {"says Hello, I'm a client..", false},
    {"says 'Hello, I'm a client.", false},    {"says Hello", false},
    {"says hello, i'm a client.", false},
};

ParameterizedTestParameters(text, texts_in_quotes_or_none) {
  return cr_make_param_array(struct printed_line, texts, sizeof texts / sizeof *texts);
}
ParameterizedTest(struct printed_line *line, text, texts_in_quotes_or_none) {
  cr_assert_eq(matches(line->printed, "says %t", "Hello, I'm a client."), line->right, "%s",
               line->printed);
}

/* Bytes that do not print may be raw, or escaped as C, Python, Rust or JavaScript do. */
static struct printed_line escapes[] = {
    {"says \xe4\xbd\xa0\\z", true},
    {"says \\xe4\\xbd\\xa0\\z", true},
    {"says \\xE4\\xBD\\xA0\\\\z", true},
    {"says \\344\\275\\240\\z", true},
    {"says \\u4f60\\z", true},
    {"says b'\\xe4\\xbd\\xa0\\\\z'", true},
    {"says \\xe4\\xbd\\xa1\\z", false},
    {"says z", false},
    {"says \\u{4f60}\\z", true},
    {"says \\u{4f61}\\z", false},
    {"says \\u{}\\z", false},
};

ParameterizedTestParameters(text, escapes_of_bytes) {
  return cr_make_param_array(struct printed_line, escapes, sizeof escapes / sizeof *escapes);
}
ParameterizedTest(struct printed_line *line, text, escapes_of_bytes) {
  cr_assert_eq(matches(line->printed, "says %t", "\xe4\xbd\xa0\\z"), line->right, "%s",
               line->printed);
}

/* Whoever escapes all that is sent, and says one byte less: that is found at once. */
Test(text, escapes_of_everything) {
  char printed[500] = "says ", expected[101] = "";
  for (size_t i = 0; i < 100; i++) {
    expected[i] = '.';
    strcat(printed, i < 99 ? "\\x2e" : "");
  }
  cr_assert_not(matches(printed, "says %t", expected));
  cr_assert_not(matches("says \\x48\\x69", "says %t", "Hi"), "letters print");
}

/* ---- numbers ---- */

static struct printed_line numbers[] = {
    {"Waiting up to 0.1 seconds for a reply", true},
    {"Waiting up to 0.10 seconds for a reply", true},
    {"Waiting up to .1 seconds for a reply", true},
    {"Waiting up to 0.100000 seconds for a reply", true},
    {"Waiting up to 1e-1 seconds for a reply", true},
    {"Waiting up to x seconds for a reply", false},
    {"Waiting up to  seconds for a reply", false},
    {"Waiting up to 0x1 seconds for a reply", false},
    {"Waiting up to 0.1s seconds for a reply", false},
    {"Waiting up to nan seconds for a reply", false},
};

ParameterizedTestParameters(text, numbers_as_numbers) {
  return cr_make_param_array(struct printed_line, numbers, sizeof numbers / sizeof *numbers);
}
ParameterizedTest(struct printed_line *line, text, numbers_as_numbers) {
  double number = -1;
  bool matched = line_matches(line_normalise((const uint8_t *)line->printed, strlen(line->printed)),
                              "Waiting up to %n seconds for a reply", &number);
  cr_assert_eq(matched, line->right, "%s", line->printed);
  cr_assert(!matched || (number > 0.0999 && number < 0.1001));
}

/* A record that is too large cannot be sent: the check would have no verdict. */
Test(text, a_record_fits_whatever_a_check_says) {
  enum { LENGTH = 300000 };
  static const struct check check = {.requirement = "udp.1", .name = "works"};
  char *text = memory_zeroed(LENGTH + 1, 1);
  memset(text, '\\', LENGTH);
  for (size_t i = 0; i < LENGTH; i += 100)
    text[i] = '\n';
  the_check.check = &check;
  the_check.report =
      (struct failure_report){.message = text, .expected = text, .actual = text, .cause = text};
  char *record = verdict_record();
  cr_expect(strlen(record) <= VERDICT_MAX, "%zu bytes", strlen(record));
  free(record);
  free(text);
}
