/* The likely cause is the right one for what was seen, and none is claimed where nothing tells it.
 */
#include "grader/sdk/inner.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

/* `words`: that the cause must have; "": there must be none. */
struct compared {
  char expected[80], actual[80], words[120];
};

static void expect_cause(const char *cause, const char *words) {
  if (*words)
    cr_expect(cause && strstr(cause, words), "no '%s' in: %s", words, cause);
  else
    cr_expect_null(cause, "a cause: %s", cause);
}

static struct compared texts[] = {
    {"Listening at 127.0.0.1:60000", "Listening on 127.0.0.1:60000", "\"on\" where \"at\""},
    {"Socket closed.", "socket Closed.", "upper and lower case differ"},
    {"The server replied Hello", "Hello there, I am", ""},
    {"The server replied Good day to you", "Good day to you", "\"The server replied \" is missing"},
    {"Socket closed.", "Socket closed", "\".\" is missing at its end"},
    {"Socket closed.", "Socket was closed.", "too much stands in the middle"},
    {"Hello World!", "Hello, World!", "there is \"Hello,\" where \"Hello\""},
    {"Socket closed.", "1: Socket closed.", "\"1: \" too much stands in front"},
    {"Socket closed.", "Socket closed. Bye", "\" Bye\" too much stands at its end"},
    {"Socket closed.", "1: Socket closed. Bye", "in front of it and behind it"},
    {"Socket closed.", "Socket closed.", ""},
    {"Socket closed.", "", ""},
    {"Socket closed.", "Listening", ""},
};

ParameterizedTestParameters(causes, of_other_words) {
  return cr_make_param_array(struct compared, texts, sizeof texts / sizeof *texts);
}
ParameterizedTest(struct compared *both, causes, of_other_words) {
  expect_cause(words_cause(both->expected, both->actual), both->words);
}

static const struct {
  const char *expected;
  size_t expected_length;
  const char *actual;
  size_t actual_length;
  const char *words;
} bytes[] = {
    {"Hello", 5, "Hello", 6, "6 bytes came, and the last is 0"},
    {"Hello", 5, "Hello\0\0\0", 8, "3 zero bytes follow"},
    {"Hello", 5, "Hello\n", 6, "newline is sent"},
    {"Hello", 5, "Hello\r\n", 7, "newline is sent"},
    {"Hello", 5, "Hel", 3, "only the first 3 bytes of 5"},
    {"Hello", 5, "H\0llo", 5, "a 0 byte in it"},
    {"Hello", 5, "hello", 5, "upper and lower case"},
    {"Hello, you", 10, "Hello, yes", 10, "\"yes\" where \"you\""},
    {"Hello", 5, "xyz", 3, ""},
};

Test(causes, of_other_bytes) {
  for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
    expect_cause(bytes_cause(bytes[i].expected, bytes[i].expected_length, bytes[i].actual,
                             bytes[i].actual_length),
                 bytes[i].words);
}

Test(causes, of_other_addresses) {
  const struct address any = {0, 60000}, own = {0x7f000001, 60000}, client = {0x7f000002, 40000};
  expect_cause(address_cause(own, (struct address){own.ip, 24810}), "24810 is 60000 with its two");
  expect_cause(address_cause(own, (struct address){own.ip, 0}), "port 0 is none");
  expect_cause(address_cause(own, (struct address){0x0100007f, 60000}),
               "1.0.0.127 is 127.0.0.1 backwards");
  expect_cause(address_cause(own, any), "0.0.0.0, which means every interface");
  expect_cause(address_cause(any, own), "is the socket connected");
  expect_cause(address_cause(own, (struct address){own.ip, 60001}), "60001 and should be 60000");
  expect_cause(address_cause(own, client), "127.0.0.2:40000 and should be 127.0.0.1:60000");
}
