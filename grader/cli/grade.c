/* wiregrade grade: builds a submission, runs the labs' checks, reports. */
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/cli.h"
#include "grader/cli/grading.h"
#include "grader/cli/interrupt.h"
#include "grader/result/file.h"
#include "grader/result/hidden.h"
#include "grader/result/progress.h"
#include "grader/result/report_html.h"
#include "grader/result/report_junit.h"
#include "grader/result/report_tap.h"
#include "grader/result/report_text.h"
#include "grader/result/result.h"
#include "grader/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

struct grade_options {
  struct selection_names names;
  const char *clock, *course, *json, *junit, *html, *submission;
  const char *captures; /* as given; NULL: the default folder */
  bool captures_of_all;
  unsigned jobs, seed, build_limit_s;
  bool no_build_cache;
  bool tap, show_hidden, trusting;
};

struct grade {
  const struct grade_options *options;
  struct places places;
  struct catalogue catalogue;
  struct selection selection;
  struct course *course; /* NULL: none */
  json_t *result;        /* as it is to be shown */
  char *captures;        /* the folder for them; NULL: none */
  struct progress progress;
};

static void grade_free(struct grade *grade) {
  json_decref(grade->result);
  free(grade->captures);
  selection_free(&grade->selection);
  course_free(grade->course);
  catalogue_free(&grade->catalogue);
  places_free(&grade->places);
}

/* ---- judging ---- */

static void progress_note(void *context, const char *doing, size_t done, size_t total) {
  struct grade *grade = context;
  progress_show(&grade->progress, doing, done, total);
}

/* A folder without any program is most often the wrong folder. */
static void programs_complain_if_none(const struct grade *grade,
                                      const struct grading_outcome *outcome) {
  if (outcome->begun)
    return;
  scoped_text char *names = grading_programs(&grade->selection);
  const char *submission = grade->options->submission;
  scoped_text char *sentence =
      outcome->built
          ? language_sentence("No program was found in %s; looked for %s (for each NAME: in "
                              "wiregrade.yaml, bin/NAME, NAME, NAME.c and NAME.py)",
                              submission, names)
          : language_sentence("The build of %s failed and left no program; looked for %s",
                              submission, names);
  cli_complain(sentence);
}

/* Where captures go: absolute, since suites need not run here; NULL if none are wanted. The default
 * is a folder for each submission in the user's cache. */
static char *captures_folder(const struct grade_options *options) {
  if (options->captures && strcmp(options->captures, "none") == 0)
    return NULL;
  scoped_text char *here = getcwd(NULL, 0);
  if (options->captures)
    return *options->captures == '/' ? memory_text(options->captures)
                                     : memory_format("%s/%s", here ? here : ".", options->captures);
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  scoped_text char *whole = realpath(options->submission, NULL);
  const char *name = whole ? strrchr(whole, '/') + 1 : "submission";
  if (cache && *cache == '/')
    return memory_format("%s/wiregrade/captures/%s", cache, *name ? name : "root");
  return home && *home == '/'
             ? memory_format("%s/.cache/wiregrade/captures/%s", home, *name ? name : "root")
             : NULL;
}

/* ---- what comes out ---- */

static bool is_stdout(const char *path) {
  return path && file_is_stdout(path);
}

/* Whoever has the result document on the standard output reads it with a program: nothing else may
 * stand there then. */
static int outputs_check(const struct command *command, const struct grade_options *options) {
  if (is_stdout(options->json) + is_stdout(options->junit) + options->tap > 1)
    return cli_usage(command, "Only one of --json, --junit and --tap can have the standard output");
  struct failure failure;
  const char *const paths[] = {options->json, options->junit};
  for (size_t i = 0; i < 2; i++)
    if (paths[i] && file_check_place(paths[i], &failure)) {
      cli_complain(failure.sentence);
      return CLI_USAGE;
    }
  if (options->html && report_html_check_place(options->html, &failure)) {
    cli_complain(failure.sentence);
    return CLI_USAGE;
  }
  return 0;
}

static int outputs_write(const struct grade *grade) {
  const struct grade_options *options = grade->options;
  struct failure failure;
  int outcome = 0;
  struct page page = page_for(stdout);
  bool text = !options->tap && !is_stdout(options->json) && !is_stdout(options->junit);
  if (options->tap)
    report_tap(grade->result, stdout);
  else if (text)
    report_text(grade->result, &page);
  if (options->json && result_write(grade->result, options->json, &failure)) {
    cli_complain(failure.sentence);
    outcome = -1;
  }
  if (options->junit && report_write(grade->result, report_junit, options->junit, &failure)) {
    cli_complain(failure.sentence);
    outcome = -1;
  }
  if (options->html && report_html_write(grade->result, options->html, &failure)) {
    cli_complain(failure.sentence);
    outcome = -1;
  } else if (options->html && text) {
    scoped_text char *line = language_sentence("As a page:         %s/index.html", options->html);
    page_command(&page, line);
  }
  return outcome;
}

static int result_status(const json_t *result) {
  if (result_count(result, "error") || json_array_size(json_object_get(result, "faults")))
    return CLI_ERROR;
  return result_count(result, "pass") == result_count(result, NULL) ? CLI_PASSED : CLI_FAILED;
}

/* What may be shown of it; takes it. */
static json_t *result_shown(const struct grade_options *options, json_t *result) {
  if (options->show_hidden)
    return result;
  json_t *shown = result_for_students(result);
  result_remove_hidden_captures(result);
  json_decref(result);
  return shown;
}

static int grade_do(struct grade *grade) {
  const struct grade_options *options = grade->options;
  grade->captures = captures_folder(options);
  const struct grading_spec spec = {
      .folder = options->submission,
      .name = options->submission,
      .catalogue = &grade->catalogue,
      .selection = &grade->selection,
      .course = grade->course,
      .clock = options->clock,
      .jobs = options->jobs,
      .seed = options->seed,
      .build_limit_s = options->build_limit_s || !grade->course ? options->build_limit_s
                                                                : grade->course->build_seconds,
      .reuse_builds = !options->no_build_cache && !sandbox_is_open(),
      .captures = grade->captures,
      .captures_of_all = options->captures_of_all,
      .progress = progress_note,
      .context = grade,
  };
  struct grading_outcome outcome;
  struct failure failure;
  grade->progress = progress_begin();
  enum submission_fault fault = grading_do(&spec, &outcome, &failure);
  progress_end(&grade->progress);
  if (outcome.result)
    grade->result = result_shown(options, outcome.result);
  if (!grade->result) {
    cli_complain(failure.sentence);
    return fault == SUBMISSION_UNREADABLE ? CLI_USAGE : CLI_ERROR;
  }
  int written = outputs_write(grade);
  if (!fault)
    programs_complain_if_none(grade, &outcome);
  if (interrupt_signal)
    return 128 + interrupt_signal;
  return written ? CLI_ERROR : result_status(grade->result);
}

/* ---- the command line ---- */

static int option_take(const struct command *command, struct grade_options *options, int option) {
  switch (option) {
  case 'l':
    cli_words_add(&options->names.labs, optarg);
    return 0;
  case 'c':
    cli_words_add(&options->names.checks, optarg);
    return 0;
  case 'p':
    cli_words_add(&options->names.programs, optarg);
    return 0;
  case 'k':
    options->clock = optarg;
    if (strcmp(optarg, "virtual") != 0 && strcmp(optarg, "real") != 0)
      return cli_usage(command, "--clock is virtual or real, not '%s'", optarg);
    return 0;
  case 'n':
    if (!cli_number(optarg, 1, 1024, &options->jobs))
      return cli_usage(command, "--jobs takes a number from 1 to 1024, not '%s'", optarg);
    return 0;
  case 's':
    if (!cli_number(optarg, 0, UINT32_MAX, &options->seed))
      return cli_usage(command, "--seed takes a number from 0 to %u, not '%s'", UINT32_MAX, optarg);
    return 0;
  case 'b':
    if (!cli_number(optarg, 1, 86400, &options->build_limit_s))
      return cli_usage(command, "--build-limit takes seconds, from 1 to 86400, not '%s'", optarg);
    return 0;
  case 'B':
    options->no_build_cache = true;
    return 0;
  case 'o':
    options->course = optarg;
    return 0;
  case 'j':
    options->json = optarg;
    return 0;
  case 'u':
    options->junit = optarg;
    return 0;
  case 'm':
    options->html = optarg;
    return 0;
  case 'w':
    options->captures = optarg;
    return 0;
  case 'a':
    options->captures_of_all = true;
    return 0;
  case 'r':
    options->trusting = true;
    return 0;
  case 't':
    options->tap = true;
    return 0;
  case 'i':
    options->show_hidden = true;
    return 0;
  default:
    return option == CLI_HELP ? CLI_HELP : CLI_USAGE;
  }
}

static int grade_options_read(const struct command *command, int argc, char **argv,
                              struct grade_options *options) {
  static const struct option table[] = {{"lab", required_argument, NULL, 'l'},
                                        {"check", required_argument, NULL, 'c'},
                                        {"program", required_argument, NULL, 'p'},
                                        {"clock", required_argument, NULL, 'k'},
                                        {"jobs", required_argument, NULL, 'n'},
                                        {"seed", required_argument, NULL, 's'},
                                        {"build-limit", required_argument, NULL, 'b'},
                                        {"no-build-cache", no_argument, NULL, 'B'},
                                        {"course", required_argument, NULL, 'o'},
                                        {"json", required_argument, NULL, 'j'},
                                        {"junit", required_argument, NULL, 'u'},
                                        {"html", required_argument, NULL, 'm'},
                                        {"captures", required_argument, NULL, 'w'},
                                        {"all-captures", no_argument, NULL, 'a'},
                                        {"trust-me", no_argument, NULL, 'r'},
                                        {"tap", no_argument, NULL, 't'},
                                        {"show-hidden", no_argument, NULL, 'i'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};
  int option, status;
  while ((option = cli_option(command, argc, argv, table)) != -1)
    if ((status = option_take(command, options, option)))
      return status;
  if (optind == argc)
    return cli_usage(command, "Name the folder of the submission, as in `wiregrade grade .`");
  if (optind + 1 < argc)
    return cli_usage(command, "'%s' is one word too many: one submission is graded at a time",
                     argv[optind + 1]);
  options->submission = argv[optind];
  return outputs_check(command, options);
}

static int grade(const struct grade_options *given) {
  struct grade_options options = *given;
  struct grade grade = {.options = &options};
  struct failure failure;
  enum sandbox_mode mode;
  if (cli_catalogue(NULL, &grade.places, &grade.catalogue))
    return CLI_ERROR;
  if (options.trusting)
    sandbox_trust();
  int status;
  if ((options.course && !(grade.course = cli_course(options.course, &grade.catalogue))) ||
      cli_labs_check(&grade.catalogue, &options.names.labs)) {
    status = CLI_USAGE;
  } else if (selection_make(&grade.places, &grade.catalogue, &options.names, &grade.selection,
                            &failure)) {
    cli_complain(failure.sentence);
    status = CLI_USAGE;
  } else if (cli_hidden_check(grade.course, &grade.selection)) {
    status = CLI_USAGE;
  } else if (sandbox_enter(&mode, &failure)) {
    cli_complain(failure.sentence);
    status = CLI_ERROR;
  } else {
    interrupt_watch();
    status = grade_do(&grade);
  }
  grade_free(&grade);
  return status;
}

int command_grade(const struct command *command, int argc, char **argv) {
  struct grade_options options = {.clock = "virtual", .jobs = cli_cpus(), .seed = 1};
  int status = grade_options_read(command, argc, argv, &options);
  if (!status)
    status = grade(&options);
  selection_names_free(&options.names);
  return cli_printed(status == CLI_HELP ? CLI_PASSED : status);
}
