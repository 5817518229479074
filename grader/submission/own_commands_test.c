#include "grader/submission/own_commands.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

struct good {
  char text[160], program[16], words[100]; /* words joined by | */
};

static struct good good[] = {
    {"programs:\n  udp-server: ./server\n", "udp-server", "./server"},
    {"programs: {a: 'python3  x.py\t-v'}", "a", "python3|x.py|-v"},
    {"programs:\n  a: [python3, 'a b.py', '']", "a", "python3|a b.py|"},
    {"programs:\n  a: sh -c 'exec \"./x y\"' \"it's\" \\'z\\ z", "a",
     "sh|-c|exec \"./x y\"|it's|'z z"},
    {"programs:\n  a: |\n    ./x\n    y\n", "a", "./x|y"},
    {"programs:\n  a: ./x 10 0.5 null ~", "a", "./x|10|0.5|null|~"},
    {"author: Bob\nprograms:\n  a: ./x\nlate: [1, {b: c}]\n", "a", "./x"},
};

ParameterizedTestParameters(own_commands, are_read) {
  return cr_make_param_array(struct good, good, sizeof good / sizeof *good);
}
ParameterizedTest(struct good *good_one, own_commands, are_read) {
  struct failure failure;
  struct own_commands commands;
  cr_assert_eq(own_commands_read(good_one->text, strlen(good_one->text), &commands, &failure), 0,
               "%s", failure.sentence);
  cr_assert_eq(commands.count, 1);
  cr_assert_str_eq(commands.commands[0].program, good_one->program);
  char words[200] = "";
  for (char **word = commands.commands[0].argv; *word; word++)
    snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s",
             word == commands.commands[0].argv ? "" : "|", *word);
  cr_assert_str_eq(words, good_one->words);
  own_commands_free(&commands);
}

static struct good bad[] = {
    {"", "", ""}, /* not bad: says nothing */
    {"programs:\n", "", ""},
    {"programs:\n  a: 'x", "", ":2: expected YAML"},
    {"programs:\n  a: x 'y", "", ":2: expected a command line, with each quote closed"},
    {"programs:\n  a: ''", "", ":2: expected a command line"},
    {"programs:\n  a: []", "", ":2: expected a command"},
    {"programs:\n  a: [x, [y]]", "", ":2: expected one word"},
    {"programs:\n  a: {x: y}", "", ":2: expected a command line, or a list"},
    {"programs: hello", "", ":1: expected lines such as"},
    {"\n\nprogram: {a: b}", "", ":3: expected `programs:`, not `program`"},
    {"- a\n- b\n", "", ":1: expected `programs:`"},
    {"programs:\n\ta: b", "", "expected YAML"},
    {"programs:\n  a: \"x\\0y\"", "", ":2: expected"},
    {"\xff\xfe\xff", "", "expected YAML"},
    {"a: &x [*x]", "", ":1: expected"},
};

ParameterizedTestParameters(own_commands, complain_with_the_line) {
  return cr_make_param_array(struct good, bad, sizeof bad / sizeof *bad);
}
ParameterizedTest(struct good *bad_one, own_commands, complain_with_the_line) {
  struct failure failure = {""};
  struct own_commands commands;
  int outcome = own_commands_read(bad_one->text, strlen(bad_one->text), &commands, &failure);
  cr_assert_eq(outcome, *bad_one->words ? -1 : 0, "%s", failure.sentence);
  cr_assert(strstr(failure.sentence, bad_one->words), "%s", failure.sentence);
  cr_assert_eq(commands.count, 0);
}

Test(own_commands, many_words_are_too_many) {
  char text[4096] = "programs: {a: [x";
  for (int i = 0; i < 200; i++)
    strncat(text, ", x", sizeof text - strlen(text) - 1);
  strncat(text, "]}", sizeof text - strlen(text) - 1);
  struct failure failure;
  struct own_commands commands;
  cr_assert_eq(own_commands_read(text, strlen(text), &commands, &failure), -1);
}
