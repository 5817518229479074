/* wiregrade watch DIR: grades again what changed, whenever a file is saved. */
#include "grader/cli/cli.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/interrupt.h"
#include "grader/result/page.h"
#include "grader/watch/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct watch_options {
  struct cli_words labs; /* asked for; none: all */
  const char *folder;
};

/* ---- which labs a change concerns ---- */

/* Dashes and underscores are the same, as they are where programs are looked for. */
static bool is_named(const char *text, size_t length, const char *name) {
  if (strlen(name) != length)
    return false;
  for (size_t i = 0; i < length; i++)
    if (text[i] != name[i] && !(text[i] == '_' && name[i] == '-'))
      return false;
  return true;
}

/* Whether a folder on the way is named as the lab, or the file as the lab or one of its programs.
 */
static bool path_concerns(const char *path, const struct lab *lab) {
  for (const char *part = path; *part;) {
    size_t length = strcspn(part, "/");
    bool last = part[length] == '\0';
    size_t stem = last ? strcspn(part, "./") : length;
    if (is_named(part, stem, lab->name))
      return true;
    for (unsigned i = 0; last && i < lab->program_count; i++)
      if (is_named(part, stem, lab->programs[i]))
        return true;
    part += length + !last;
  }
  return false;
}

/* The labs that the changes concern; if one change may concern any lab (a Makefile, a header), all
 * that were asked for. */
static struct cli_words labs_concerned(const struct catalogue *catalogue, char *const *paths,
                                       size_t count, const struct cli_words *asked) {
  struct cli_words labs = {0};
  bool any = count == 0;
  for (size_t i = 0; i < count; i++) {
    bool of_one = false;
    for (size_t k = 0; k < catalogue->count; k++) {
      const struct lab *lab = catalogue->labs[k];
      if (!path_concerns(paths[i], lab))
        continue;
      of_one = true;
      if ((asked->count == 0 || cli_words_has(asked, lab->name)) &&
          !cli_words_has(&labs, lab->name))
        cli_words_add(&labs, lab->name);
    }
    any |= !of_one;
  }
  if (!any)
    return labs;
  free(labs.words);
  labs = (struct cli_words){0};
  for (size_t i = 0; i < asked->count; i++)
    cli_words_add(&labs, asked->words[i]);
  return labs;
}

/* ---- grading ---- */

/* As another process, as if it had been typed: it leaves nothing behind, whatever becomes of it. */
static int grade_run(const struct places *places, const char *folder,
                     const struct cli_words *labs) {
  static char command[] = "grade", lab_option[] = "--lab";
  char **argv = memory_zeroed(labs->count * 2 + 4, sizeof *argv);
  size_t count = 0;
  argv[count++] = places->executable;
  argv[count++] = command;
  for (size_t i = 0; i < labs->count; i++) {
    argv[count++] = lab_option;
    argv[count++] = (char *)labs->words[i];
  }
  argv[count++] = (char *)folder;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    execv(places->executable, argv);
    _exit(CLI_ERROR);
  }
  free(argv);
  int status = 0;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
    if (interrupt_signal)
      kill(pid, SIGTERM);
  return pid < 0 || !WIFEXITED(status) ? CLI_ERROR : WEXITSTATUS(status);
}

static void heading_print(const char *what) {
  time_t now = time(NULL);
  struct tm local;
  char clock[16] = "";
  if (localtime_r(&now, &local))
    strftime(clock, sizeof clock, "%H:%M:%S", &local);
  struct page page = page_for(stdout);
  scoped_text char *line = memory_format("%s  %s", clock, what);
  page_gap(&page);
  page_line(&page, PAGE_STRONG, line);
}

static int watch_run(const struct watch_options *options, const struct places *places,
                     const struct catalogue *catalogue) {
  struct failure failure;
  struct changes *changes = changes_begin(options->folder, &failure);
  if (!changes) {
    cli_complain(failure.sentence);
    return CLI_USAGE;
  }
  grade_run(places, options->folder, &options->labs);
  int outcome = 0;
  while (!interrupt_signal) {
    char *const *paths;
    size_t count;
    heading_print(_("waiting for a file to be saved (Ctrl-C ends)"));
    fflush(stdout);
    outcome = changes_wait(changes, &interrupt_signal, &paths, &count, &failure);
    if (outcome <= 0)
      break;
    struct cli_words labs = labs_concerned(catalogue, paths, count, &options->labs);
    bool of_others = labs.count == 0 && options->labs.count > 0;
    scoped_text char *what =
        count == 0 ? memory_text(_("many files changed"))
                   : language_sentence("%s%s changed", paths[0], count > 1 ? " and others" : "");
    heading_print(what);
    if (!of_others)
      grade_run(places, options->folder, &labs);
    free(labs.words);
  }
  if (outcome < 0)
    cli_complain(failure.sentence);
  changes_end(changes);
  return outcome < 0 ? CLI_USAGE : CLI_PASSED;
}

int command_watch(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {
      {"lab", required_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'}, {0}};
  struct watch_options watch = {0};
  int option;
  while ((option = cli_option(command, argc, argv, options)) != -1) {
    if (option != 'l')
      return option == CLI_HELP ? cli_printed(CLI_PASSED) : CLI_USAGE;
    cli_words_add(&watch.labs, optarg);
  }
  if (optind == argc)
    return cli_usage(command, "Name the folder of your programs");
  if (optind + 1 < argc)
    return cli_usage(command, "'%s' is one word too many", argv[optind + 1]);
  watch.folder = argv[optind];
  struct places places;
  struct catalogue catalogue;
  if (cli_catalogue(NULL, &places, &catalogue))
    return CLI_ERROR;
  interrupt_watch();
  int status =
      cli_labs_check(&catalogue, &watch.labs) ? CLI_USAGE : watch_run(&watch, &places, &catalogue);
  free(watch.labs.words);
  catalogue_free(&catalogue);
  places_free(&places);
  return cli_printed(status);
}
