/* wiregrade verify: tests the suite itself. */
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/cli.h"
#include "grader/cli/interrupt.h"
#include "grader/result/file.h"
#include "grader/result/progress.h"
#include "grader/result/safe_text.h"
#include "grader/verify/findings.h"
#include "grader/verify/verification.h"

#include <stdlib.h>
#include <string.h>

/* Gradings wait: for the kernel's own timers, for disks; on the real clock for all else, too. With
 * more at once than this nothing is done sooner, and each takes more of the CPU. */
enum { JOBS_EACH_CPU = 2 };

static const char *const clocks_virtual[] = {"virtual", NULL};
static const char *const clocks_real[] = {"real", NULL};
static const char *const clocks_both[] = {"virtual", "real", NULL};

struct verify_options {
  const char *suite, *json, *html;
  struct cli_words labs;
  const char *const *clocks;
  unsigned jobs, runs;
  struct material_part part;
};

/* ---- while it works ---- */

struct telling {
  struct progress progress;
  double begun_s, told_s;
};

/* Where stderr is no terminal, a line now and then, and ever more seldom: a log of many hours must
 * stay short. */
static void line_tell(struct telling *telling, const char *name, size_t done, size_t total) {
  enum { SECONDS_LEAST = 15, PART = 10 };
  double at_s = cli_now_s(), elapsed_s = at_s - telling->begun_s;
  double pause_s = elapsed_s / PART > SECONDS_LEAST ? elapsed_s / PART : SECONDS_LEAST;
  if (at_s - telling->told_s < pause_s)
    return;
  telling->told_s = at_s;
  scoped_text char *line =
      language_sentence("%zu of %zu gradings in %.0f s, now %s", done, total, elapsed_s, name);
  scoped_text char *safe = safe_text(line, strlen(line));
  fprintf(stderr, "%s\n", safe);
}

static void tell(void *context, const char *name, size_t done, size_t total) {
  struct telling *telling = context;
  if (telling->progress.shown)
    progress_show(&telling->progress, name, done, total);
  else
    line_tell(telling, name, done, total);
}

/* ---- at the end ---- */

static int findings_write(const json_t *findings, const struct verify_options *options) {
  struct failure failure;
  if ((options->json && result_write(findings, options->json, &failure)) ||
      (options->html && report_write(findings, findings_page, options->html, &failure))) {
    cli_complain(failure.sentence);
    return -1;
  }
  return 0;
}

static int status_of(const json_t *findings) {
  return json_is_true(json_object_get(findings, "interrupted"))     ? 128 + interrupt_signal
         : json_array_size(json_object_get(findings, "faults"))     ? CLI_ERROR
         : json_array_size(json_object_get(findings, "deviations")) ? CLI_FAILED
                                                                    : CLI_PASSED;
}

static int verify(const struct places *places, const struct catalogue *catalogue,
                  const struct verify_options *options) {
  struct telling telling = {progress_begin(), cli_now_s(), cli_now_s()};
  const struct verification verification = {
      .places = places,
      .catalogue = catalogue,
      .labs = options->labs.words,
      .lab_count = options->labs.count,
      .part = options->part,
      .clocks = options->clocks,
      .runs = options->runs,
      .jobs = options->jobs,
      .stop = &interrupt_signal,
      .progress = tell,
      .context = &telling,
  };
  struct failure failure;
  interrupt_watch();
  json_t *findings = verification_do(&verification, &failure);
  progress_end(&telling.progress);
  if (!findings) {
    cli_complain(failure.sentence);
    return interrupt_signal ? 128 + interrupt_signal : CLI_ERROR;
  }
  findings_print(findings, stdout);
  int status = status_of(findings);
  if (findings_write(findings, options))
    status = CLI_ERROR;
  json_decref(findings);
  return status;
}

/* ---- options ---- */

static int clocks_read(const struct command *command, const char *word,
                       struct verify_options *options) {
  options->clocks = strcmp(word, "virtual") == 0 ? clocks_virtual
                    : strcmp(word, "real") == 0  ? clocks_real
                    : strcmp(word, "both") == 0  ? clocks_both
                                                 : NULL;
  return options->clocks ? 0
                         : cli_usage(command, "--clock is virtual, real or both, not '%s'", word);
}

static int number_read(const struct command *command, const char *name, unsigned most,
                       unsigned *number) {
  if (cli_number(optarg, 1, most, number))
    return 0;
  return cli_usage(command, "--%s takes a number from 1 to %u, not '%s'", name, most, optarg);
}

static int option_take(const struct command *command, int option, struct verify_options *options) {
  switch (option) {
  case 's':
    options->suite = optarg;
    return 0;
  case 'l':
    cli_words_add(&options->labs, optarg);
    return 0;
  case 'k':
    return clocks_read(command, optarg, options);
  case 'n':
    return number_read(command, "jobs", 1024, &options->jobs);
  case 'm':
    return number_read(command, "mutants", 1000, &options->part.mutants_each);
  case 'S':
    return number_read(command, "styles", 1000, &options->part.styles_each);
  case 'r':
    return number_read(command, "runs", 100000, &options->runs);
  case 'j':
    options->json = optarg;
    return 0;
  case 'H':
    options->html = optarg;
    return 0;
  default:
    return CLI_USAGE;
  }
}

static int verify_options_read(const struct command *command, int argc, char **argv,
                               struct verify_options *options) {
  static const struct option table[] = {{"suite", required_argument, NULL, 's'},
                                        {"lab", required_argument, NULL, 'l'},
                                        {"clock", required_argument, NULL, 'k'},
                                        {"jobs", required_argument, NULL, 'n'},
                                        {"runs", required_argument, NULL, 'r'},
                                        {"json", required_argument, NULL, 'j'},
                                        {"html", required_argument, NULL, 'H'},
                                        {"mutants", required_argument, NULL, 'm'},
                                        {"styles", required_argument, NULL, 'S'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};
  int option, status = 0;
  while (status == 0 && (option = cli_option(command, argc, argv, table)) != -1)
    status = option == CLI_HELP ? CLI_HELP : option_take(command, option, options);
  if (status == 0 && optind < argc)
    status = cli_usage(command, "'%s' is one word too many", argv[optind]);
  return status;
}

int command_verify(const struct command *command, int argc, char **argv) {
  struct verify_options options = {
      .jobs = JOBS_EACH_CPU * cli_cpus(), .runs = 1, .clocks = clocks_virtual};
  int status = verify_options_read(command, argc, argv, &options);
  struct places places = {0};
  struct catalogue catalogue = {0};
  if (status) {
    status = status == CLI_HELP ? CLI_PASSED : status;
  } else if (cli_catalogue(options.suite, &places, &catalogue)) {
    status = CLI_ERROR;
  } else {
    status = cli_labs_check(&catalogue, &options.labs) ? CLI_USAGE
                                                       : verify(&places, &catalogue, &options);
    catalogue_free(&catalogue);
    places_free(&places);
  }
  free(options.labs.words);
  return cli_printed(status);
}
