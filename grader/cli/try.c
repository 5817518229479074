/* wiregrade try LAB: a shell in a world of the lab, with the peers running. */
#include "grader/cli/cli.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/interrupt.h"
#include "grader/result/progress.h"
#include "grader/sandbox/sandbox.h"
#include "grader/submission/submission.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct try_options {
  const char *scene, *course, *captures, *lab, *submission;
  char *command; /* NULL: a shell for a person */
  bool list, quiet;
};

/* The suite's program becomes what this process is; it finds the submission's copy, which lives in
 * a mount namespace of its parent. */
static _Noreturn void suite_become(const struct try_options *options, const char *program,
                                   const struct lab *lab, const char *manifest) {
  enum { FIXED = 6 };
  char **argv = memory_zeroed(FIXED + lab->program_count + 1, sizeof *argv);
  const char *const fixed[FIXED] = {
      program,
      "--try",
      lab->name,
      options->scene ? options->scene : "",
      options->quiet ? "quiet" : "loud",
      options->command ? options->command : "",
  };
  memcpy(argv, fixed, sizeof fixed);
  memcpy(argv + FIXED, lab->programs, lab->program_count * sizeof *argv);
  scoped_text char *files = language_files();
  setenv("WIREGRADE_MANIFEST", manifest, 1);
  setenv("WIREGRADE_LANG", language_name(), 1);
  setenv("WIREGRADE_MESSAGES", files, 1);
  if (options->captures) {
    setenv("WIREGRADE_CAPTURES", options->captures, 1);
    setenv("WIREGRADE_CAPTURES_OF_ALL", "1", 1);
  }
  execv(program, argv);
  scoped_text char *sentence = language_sentence("Cannot run %s: %s", program, _(strerror(errno)));
  cli_complain(sentence);
  _exit(CLI_ERROR);
}

/* In a raw terminal Ctrl-C is the shell's affair; without one, or before, it ends the scene. */
static int scene_wait(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    if (interrupt_signal)
      kill(pid, SIGKILL);
  return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_ERROR;
}

static int scene_open(const struct try_options *options, const char *program, const struct lab *lab,
                      const char *manifest) {
  struct termios settings;
  bool terminal = tcgetattr(STDIN_FILENO, &settings) == 0;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0)
    suite_become(options, program, lab, manifest);
  if (pid < 0)
    return CLI_ERROR;
  int status = scene_wait(pid);
  if (terminal)
    tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
  return status;
}

static void building_note(void *context, const char *doing) {
  progress_show(context, doing, 0, 0);
}

static int try_run(const struct try_options *options, const struct places *places,
                   const struct lab *lab) {
  struct failure failure;
  enum sandbox_mode mode;
  if (sandbox_enter(&mode, &failure)) {
    cli_complain(failure.sentence);
    return CLI_ERROR;
  }
  interrupt_watch();
  struct progress progress = progress_begin();
  const struct submission_spec spec = {.folder = options->submission,
                                       .programs = (const char *const *)lab->programs,
                                       .program_count = lab->program_count,
                                       .limits = sandbox_default_limits(),
                                       .jobs = cli_cpus(),
                                       .stop = &interrupt_signal,
                                       .progress = building_note,
                                       .context = &progress};
  struct submission *submission = NULL;
  enum submission_fault fault = submission_open(&spec, &submission, &failure);
  progress_end(&progress);
  if (fault) {
    cli_complain(failure.sentence);
    return fault == SUBMISSION_UNREADABLE ? CLI_USAGE : CLI_ERROR;
  }
  if (!submission_build(submission).ok)
    cli_complain(
        "The build failed; what it left can be tried all the same. `wiregrade grade` shows "
        "what it said");
  scoped_text char *program = place_program(places, lab->name);
  int status = scene_open(options, program, lab, submission_manifest(submission));
  submission_close(submission);
  return status;
}

static int scenes_show(const struct places *places, const struct lab *lab) {
  scoped_text char *program = place_program(places, lab->name);
  execl(program, program, "--scenes", (char *)NULL);
  scoped_text char *sentence = language_sentence("Cannot run %s: %s", program, _(strerror(errno)));
  cli_complain(sentence);
  return CLI_ERROR;
}

/* What stands behind `--`, as a line for the shell; argc is what stands before. */
static char *command_take(int *argc, char **argv) {
  for (int i = 1; i < *argc; i++) {
    if (strcmp(argv[i], "--") != 0)
      continue;
    struct cli_words words = {0};
    for (int k = i + 1; k < *argc; k++)
      cli_words_add(&words, argv[k]);
    char *command = cli_words_join(&words, " ");
    free(words.words);
    *argc = i;
    argv[i] = NULL;
    return command;
  }
  return NULL;
}

static int options_read(const struct command *command, int argc, char **argv,
                        struct try_options *options) {
  static const struct option table[] = {{"scene", required_argument, NULL, 's'},
                                        {"list", no_argument, NULL, 'l'},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"course", required_argument, NULL, 'c'},
                                        {"captures", required_argument, NULL, 'C'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};
  int option;
  while ((option = cli_option(command, argc, argv, table)) != -1)
    switch (option) {
    case 's':
      options->scene = optarg;
      break;
    case 'l':
      options->list = true;
      break;
    case 'q':
      options->quiet = true;
      break;
    case 'c':
      options->course = optarg;
      break;
    case 'C':
      options->captures = optarg;
      break;
    default:
      return option == CLI_HELP ? CLI_HELP : CLI_USAGE;
    }
  if (optind == argc)
    return cli_usage(command, "Name a lab, as in `wiregrade try udp-retry .`");
  options->lab = argv[optind];
  options->submission = optind + 1 < argc ? argv[optind + 1] : ".";
  if (optind + 2 < argc)
    return cli_usage(command, "'%s' is one word too many; a command stands behind --",
                     argv[optind + 2]);
  return 0;
}

int command_try(const struct command *command, int argc, char **argv) {
  struct try_options options = {0};
  scoped_text char *behind = command_take(&argc, argv);
  options.command = behind;
  int status = options_read(command, argc, argv, &options);
  if (status)
    return cli_printed(status == CLI_HELP ? CLI_PASSED : status);
  if (!options.list && !options.command && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
    return cli_usage(command, "A shell needs a terminal; without one, give it a command behind --");
  scoped_text char *here = getcwd(NULL, 0);
  scoped_text char *captures = options.captures && *options.captures != '/'
                                   ? memory_format("%s/%s", here ? here : ".", options.captures)
                                   : NULL;
  options.captures = captures ? captures : options.captures;
  struct places places;
  struct catalogue catalogue;
  if (cli_catalogue(NULL, &places, &catalogue))
    return CLI_ERROR;
  struct failure failure;
  struct course *course = options.course ? cli_course(options.course, &catalogue) : NULL;
  bool usable = !options.course || course;
  const struct lab *lab = usable ? catalogue_lab(&catalogue, options.lab, &failure) : NULL;
  if (usable && !lab)
    cli_complain(failure.sentence);
  if (lab)
    status = options.list ? scenes_show(&places, lab) : try_run(&options, &places, lab);
  else
    status = CLI_USAGE;
  course_free(course);
  catalogue_free(&catalogue);
  places_free(&places);
  return cli_printed(status);
}
