#include "grader/cli/cli.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void cli_complain(const char *sentence) {
  sentence = language_literal(sentence);
  size_t length = strlen(sentence);
  while (length > 0 && strchr(".\n ", sentence[length - 1]))
    length--;
  scoped_text char *safe = safe_for(SAFE_LOG, sentence, length);
  bool question = length > 0 && sentence[length - 1] == '?';
  fprintf(stderr, "wiregrade: %s%s\n", safe, question ? "" : _("."));
}

int cli_usage(const struct command *command, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  scoped_text char *sentence = language_format(format, arguments);
  va_end(arguments);
  cli_complain(sentence);
  language_print(stderr, "Try `wiregrade %s --help`.\n", command->name);
  return CLI_USAGE;
}

/* `word`: the last one that getopt_long has looked at. */
static void option_complain(const struct command *command, int option, const char *word) {
  if (option == ':')
    cli_usage(command, "The option '%s' wants an argument", word);
  else if (strncmp(word, "--", 2) != 0 && isprint(optopt))
    cli_usage(command, "There is no option '-%c'", optopt);
  else if (optopt)
    cli_usage(command, "The option '%s' wants no argument", word);
  else
    cli_usage(command, "There is no option '%s', or it is short for more than one", word);
}

int cli_option(const struct command *command, int argc, char **argv, const struct option *options) {
  opterr = 0; /* its own messages are English */
  int option = getopt_long(argc, argv, ":h", options, NULL);
  if (option == 'h') {
    fputs(_(command->usage), stdout);
    return CLI_HELP;
  }
  if (option == '?' || option == ':')
    option_complain(command, option, argv[optind - 1]);
  return option == ':' ? '?' : option;
}

bool cli_number(const char *text, unsigned least, unsigned most, unsigned *number) {
  char *end;
  errno = 0;
  unsigned long value = strtoul(text, &end, 10);
  if (errno || *text < '0' || *text > '9' || *end || value < least || value > most)
    return false;
  *number = (unsigned)value;
  return true;
}

void cli_words_add(struct cli_words *list, const char *word) {
  list->words = memory_resize(list->words, (list->count + 1) * sizeof *list->words);
  list->words[list->count++] = word;
}

bool cli_words_has(const struct cli_words *list, const char *word) {
  for (size_t i = 0; i < list->count; i++)
    if (strcmp(list->words[i], word) == 0)
      return true;
  return false;
}

char *cli_words_join(const struct cli_words *list, const char *between) {
  char *text = memory_text("");
  for (size_t i = 0; i < list->count; i++) {
    char *longer = memory_format("%s%s%s", text, i ? between : "", list->words[i]);
    free(text);
    text = longer;
  }
  return text;
}

unsigned cli_cpus(void) {
  cpu_set_t cpus;
  int count = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
  return count > 0 ? (unsigned)count : 1;
}

double cli_now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int cli_catalogue(const char *suite, struct places *places, struct catalogue *catalogue) {
  struct failure failure;
  if (places_find(suite, places, &failure)) {
    cli_complain(failure.sentence);
    return -1;
  }
  if (catalogue_load(places->suite, catalogue, &failure)) {
    places_free(places);
    cli_complain(failure.sentence);
    return -1;
  }
  return 0;
}

int cli_labs_check(const struct catalogue *catalogue, struct cli_words *labs) {
  struct failure failure;
  for (size_t i = 0; i < labs->count; i++) {
    const struct lab *lab = catalogue_lab(catalogue, labs->words[i], &failure);
    if (!lab) {
      cli_complain(failure.sentence);
      return -1;
    }
    labs->words[i] = lab->name;
  }
  return 0;
}

int cli_printed(int status) {
  if (fflush(stdout) == 0 && !ferror(stdout))
    return status;
  struct pollfd reader = {STDOUT_FILENO, 0, 0};
  if (poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR))
    return status;
  cli_complain("Cannot write to the standard output");
  return CLI_ERROR;
}
