/* The command line: one file for each subcommand, and what they share.
 *
 * Called by main.c's table. A subcommand parses its options, calls the folders that do the work,
 * and turns their failures into one sentence on stderr and an exit status. */
#pragma once

#include "grader/base/version.h"
#include "grader/course/course.h"
#include "grader/lab/catalogue.h"
#include "grader/lab/place.h"

#include <getopt.h>
#include <stdbool.h>

enum cli_status {
  CLI_PASSED = 0,
  CLI_FAILED = 1, /* something did not pass */
  CLI_USAGE = 2,  /* usage, or a submission that cannot be read */
  CLI_ERROR = 3,  /* the grader's own */
};

struct command {
  const char *name;
  const char *summary; /* half a line for `wiregrade help` */
  const char *usage;   /* what --help prints */
  int (*run)(const struct command *command, int argc, char **argv);
};

int command_grade(const struct command *command, int argc, char **argv);
int command_batch(const struct command *command, int argc, char **argv);
int command_init(const struct command *command, int argc, char **argv);
int command_list(const struct command *command, int argc, char **argv);
int command_explain(const struct command *command, int argc, char **argv);
int command_doctor(const struct command *command, int argc, char **argv);
int command_verify(const struct command *command, int argc, char **argv);
int command_class(const struct command *command, int argc, char **argv);
int command_compare(const struct command *command, int argc, char **argv);
int command_try(const struct command *command, int argc, char **argv);
int command_watch(const struct command *command, int argc, char **argv);
int command_course(const struct command *command, int argc, char **argv);
int command_report(const struct command *command, int argc, char **argv);
int command_export(const struct command *command, int argc, char **argv);

/* Takes --lang out of the arguments, wherever it stands, and begins with that language or with the
 * environment's. Complains if there is no such language. */
int cli_language_choose(int *argc, char **argv);

/* One sentence on stderr, made safe for a terminal, with "wiregrade: " before it and a full stop
 * behind it. */
void cli_complain(const char *sentence);

/* Complains about how a command was called, says where help is, and returns CLI_USAGE. */
int cli_usage(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next option as getopt_long gives it; -1 at the end. --help prints the usage and gives
 * CLI_HELP; an unknown option or one without its argument is complained about and gives '?'. */
enum { CLI_HELP = 1000 };
int cli_option(const struct command *command, int argc, char **argv, const struct option *options);

/* A whole decimal number within bounds. */
bool cli_number(const char *text, unsigned least, unsigned most, unsigned *number);

/* A list of words that an option may be given several times for. */
struct cli_words {
  const char **words;
  size_t count;
};
void cli_words_add(struct cli_words *list, const char *word);
bool cli_words_has(const struct cli_words *list, const char *word);
char *cli_words_join(const struct cli_words *list, const char *between);

/* How many CPUs this process may use. */
unsigned cli_cpus(void);
/* A clock for durations, in seconds. */
double cli_now_s(void);

/* Finds the labs and loads them all; complains if it cannot. `suite` may be NULL. */
int cli_catalogue(const char *suite, struct places *places, struct catalogue *catalogue);

/* Replaces the names that were given by the labs' own names; complains of one that is not known. */
int cli_labs_check(const struct catalogue *catalogue, struct cli_words *labs);

/* Loads a course, makes its limits those of all sandboxes from now on, and what it says of labs
 * that of the catalogue's. Complains if the file is wrong, and returns NULL; else course_free() it.
 */
struct course *cli_course(const char *path, struct catalogue *catalogue);

/* Flushes stdout and returns `status`, or, if what was printed could not be written, complains and
 * returns CLI_ERROR. A reader who has read enough (`| head`) is no error. */
int cli_printed(int status);
