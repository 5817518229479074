#include "grader/submission/own_commands.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <stdbool.h>
#include <string.h>
#include <yaml.h>

enum { WORDS_MOST = 64, QUOTED_MOST = 40 };

struct reading {
  yaml_document_t document;
  struct own_commands *commands;
  struct failure *failure;
};

static int wrong(const struct reading *reading, const yaml_node_t *node, const char *expected) {
  return failure_set(reading->failure, "wiregrade.yaml:%zu: expected %s", node->start_mark.line + 1,
                     expected);
}

static const char *scalar(const yaml_node_t *node) {
  return (const char *)node->data.scalar.value;
}

/* Words of a command are single, whole texts: a NUL would cut them. */
static bool is_word(const yaml_node_t *node) {
  return node->type == YAML_SCALAR_NODE && strlen(scalar(node)) == node->data.scalar.length;
}

/* ---- a command line ---- */

struct words {
  char **argv;
  size_t count;
};

static void word_add(struct words *words, const char *text, size_t length) {
  words->argv = memory_resize(words->argv, (words->count + 2) * sizeof *words->argv);
  words->argv[words->count++] = memory_format("%.*s", (int)length, text);
  words->argv[words->count] = NULL;
}

static void words_free(char **argv) {
  for (char **word = argv; word && *word; word++)
    free(*word);
  free(argv);
}

/* Appends the characters of one word, which begins at `line`; returns where it ends, or NULL if a
 * quote is not closed. */
static const char *word_unquote(const char *line, char *word, size_t *length) {
  int quote = 0;
  for (; *line && (quote || !strchr(" \t\n", *line)); line++) {
    if (quote ? *line == quote : *line == '\'' || *line == '"') {
      quote = quote ? 0 : *line;
      continue;
    }
    bool escapes = quote == 0 || (quote == '"' && line[1] && strchr("\"\\$`", line[1]));
    if (*line == '\\' && escapes && line[1])
      line++;
    word[(*length)++] = *line;
  }
  return quote ? NULL : line;
}

/* As sh splits it, but that nothing is expanded. NULL if a quote is not closed, or there is no
 * word. */
static char **line_split(const char *line) {
  scoped_text char *word = memory_zeroed(strlen(line) + 1, 1);
  struct words words = {0};
  for (line += strspn(line, " \t\n"); line && *line; line += line ? strspn(line, " \t\n") : 0) {
    size_t length = 0;
    line = word_unquote(line, word, &length);
    if (!line)
      break;
    word_add(&words, word, length);
  }
  if (line)
    return words.argv;
  words_free(words.argv);
  return NULL;
}

/* ---- the file ---- */

static char **sequence_words(struct reading *reading, const yaml_node_t *node) {
  struct words words = {0};
  const yaml_node_item_t *item = node->data.sequence.items.start;
  for (; item < node->data.sequence.items.top; item++) {
    const yaml_node_t *word = yaml_document_get_node(&reading->document, *item);
    if (!is_word(word) || words.count == WORDS_MOST) {
      wrong(reading, word, "one word of a command here (a text, in quotes if need be)");
      words_free(words.argv);
      return NULL;
    }
    word_add(&words, scalar(word), word->data.scalar.length);
  }
  if (!words.argv)
    wrong(reading, node, "a command: at least one word");
  return words.argv;
}

static int command_read(struct reading *reading, const yaml_node_t *name,
                        const yaml_node_t *command) {
  if (!is_word(name) || !*scalar(name))
    return wrong(reading, name, "the name of a program, such as udp-server");
  char **argv;
  if (command->type == YAML_SEQUENCE_NODE) {
    argv = sequence_words(reading, command);
    if (!argv)
      return -1;
  } else if (is_word(command)) {
    argv = line_split(scalar(command));
    if (!argv)
      return wrong(reading, command, "a command line, with each quote closed");
  } else {
    return wrong(reading, command, "a command line, or a list of its words");
  }
  struct own_commands *list = reading->commands;
  list->commands = memory_resize(list->commands, (list->count + 1) * sizeof *list->commands);
  list->commands[list->count++] =
      (struct own_command){.program = memory_text(scalar(name)), .argv = argv};
  return 0;
}

static int programs_read(struct reading *reading, const yaml_node_t *programs) {
  if (is_word(programs) && !*scalar(programs))
    return 0; /* `programs:` with nothing behind it */
  if (programs->type != YAML_MAPPING_NODE)
    return wrong(reading, programs, "lines such as `udp-server: ./server` below `programs:`");
  const yaml_node_pair_t *pair = programs->data.mapping.pairs.start;
  for (; pair < programs->data.mapping.pairs.top; pair++)
    if (command_read(reading, yaml_document_get_node(&reading->document, pair->key),
                     yaml_document_get_node(&reading->document, pair->value)))
      return -1;
  return 0;
}

static int root_read(struct reading *reading) {
  const yaml_node_t *root = yaml_document_get_root_node(&reading->document);
  if (!root)
    return 0; /* an empty file says nothing */
  if (root->type != YAML_MAPPING_NODE)
    return wrong(reading, root, "`programs:`, and below it lines such as `udp-server: ./server`");
  const yaml_node_t *other = NULL;
  bool said = false;
  const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
  for (; pair < root->data.mapping.pairs.top; pair++) {
    const yaml_node_t *key = yaml_document_get_node(&reading->document, pair->key);
    if (!is_word(key) || strcmp(scalar(key), "programs") != 0) {
      other = other ? other : key;
      continue;
    }
    said = true;
    if (programs_read(reading, yaml_document_get_node(&reading->document, pair->value)))
      return -1;
  }
  if (said || !other)
    return 0; /* what else a student writes there, a name for example, is no matter here */
  scoped_text char *seen = is_word(other)
                               ? safe_text(scalar(other), strnlen(scalar(other), QUOTED_MOST))
                               : memory_text(_("something else"));
  scoped_text char *expected = language_sentence("`programs:`, not `%s`", seen);
  return wrong(reading, other, expected);
}

int own_commands_read(const char *text, size_t length, struct own_commands *commands,
                      struct failure *failure) {
  struct reading reading = {.commands = commands, .failure = failure};
  *commands = (struct own_commands){0};
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser))
    return failure_set(failure, "cannot read wiregrade.yaml: no memory");
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
  int outcome;
  if (yaml_parser_load(&parser, &reading.document)) {
    outcome = root_read(&reading);
    yaml_document_delete(&reading.document);
  } else {
    outcome = failure_set(
        failure, "wiregrade.yaml:%zu: expected YAML: %s",
        (parser.problem_mark.line ? parser.problem_mark.line : parser.context_mark.line) + 1,
        parser.problem ? parser.problem : "it cannot be read");
  }
  yaml_parser_delete(&parser);
  if (outcome)
    own_commands_free(commands);
  return outcome;
}

void own_commands_free(struct own_commands *commands) {
  for (size_t i = 0; i < commands->count; i++) {
    free(commands->commands[i].program);
    words_free(commands->commands[i].argv);
  }
  free(commands->commands);
  *commands = (struct own_commands){0};
}
