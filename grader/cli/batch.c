/* wiregrade batch: grades a class into a gradebook. */
#include "grader/batch/batch.h"

#include "grader/base/file.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/batch/hash.h"
#include "grader/cli/grading.h"
#include "grader/cli/interrupt.h"
#include "grader/result/page.h"
#include "grader/result/result.h"
#include "grader/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
  LIMIT_S = 1800
}; /* of one submission; the whole reference takes 50 s on a very busy machine */

struct batch_options {
  struct cli_words sources;
  const char *out;
  unsigned jobs, limit_s;
  bool regrade;
};

struct class_grading {
  const struct batch_options *options;
  struct places places;
  struct catalogue catalogue;
  struct selection selection;
  unsigned build_limit_s;
};

/* ---- in a worker ---- */

static enum batch_fault submission_grade(void *context, const char *path, const char *name,
                                         const char *captures, json_t **document,
                                         struct failure *failure) {
  const struct class_grading *class = context;
  enum sandbox_mode mode;
  if (sandbox_enter(&mode, failure))
    return BATCH_IMPOSSIBLE;
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* which a change of credentials takes away */
  const struct grading_spec spec = {
      .folder = path,
      .name = name,
      .catalogue = &class->catalogue,
      .selection = &class->selection,
      .clock = "virtual",
      .jobs = 1,
      .seed = 1,
      .build_limit_s = class->build_limit_s,
      .captures = captures,
  };
  struct grading_outcome outcome;
  enum submission_fault fault = grading_do(&spec, &outcome, failure);
  if (interrupt_signal) {
    failure_set(failure, "it was interrupted");
    return BATCH_IMPOSSIBLE;
  }
  *document = outcome.result;
  return fault == SUBMISSION_READY        ? BATCH_GRADED
         : fault == SUBMISSION_UNREADABLE ? BATCH_UNREADABLE
                                          : BATCH_IMPOSSIBLE;
}

static struct batch_lateness lateness_of(void *context, bool marked, const char *submitted) {
  (void)context, (void)submitted;
  return (struct batch_lateness){.late = marked, .late_s = -1};
}

/* ---- what a grading depends on ---- */

static int suite_hash(const struct class_grading *class, struct hash *hash,
                      struct failure *failure) {
  size_t count = class->selection.count;
  const char **paths = memory_zeroed(2 * count, sizeof *paths);
  for (size_t i = 0; i < count; i++) {
    paths[2 * i] = class->selection.labs[i].program;
    paths[2 * i + 1] =
        memory_format("%s/%s/lab.yaml", class->places.suite, class->selection.labs[i].lab->name);
  }
  int outcome = hash_files(paths, 2 * count, hash, failure);
  for (size_t i = 0; i < count; i++)
    free((char *)paths[2 * i + 1]);
  free(paths);
  return outcome;
}

static char *labs_list(const struct selection *selection) {
  json_t *labs = json_array();
  for (size_t i = 0; i < selection->count; i++)
    json_array_append_new(labs, json_string(selection->labs[i].lab->name));
  char *text = json_dumps(labs, JSON_COMPACT);
  json_decref(labs);
  return text;
}

/* ---- the batch ---- */

static void event_print(void *context, const struct batch_event *event) {
  (void)context;
  if (!event->file)
    return;
  struct page page = page_for(stdout);
  scoped_text char *line =
      event->state == GRADEBOOK_GRADED && !event->retried
          ? memory_format("%zu/%zu  %s  %lld of %lld points", event->done, event->total,
                          event->student, event->score, event->max_score)
          : memory_format("%zu/%zu  %s  %s: %s", event->done, event->total, event->student,
                          event->retried ? "again" : gradebook_state_name(event->state),
                          event->reason);
  page_line(&page, PAGE_PLAIN, line);
  fflush(stdout);
}

static int batch_grade(struct class_grading *class, struct gradebook *book, const char *out,
                       struct failure *failure) {
  struct hash suite;
  if (suite_hash(class, &suite, failure)) {
    cli_complain(failure->sentence);
    return CLI_ERROR;
  }
  scoped_text char *labs = labs_list(&class->selection);
  const struct gradebook_run run = {.suite_hash = suite.text,
                                    .wiregrade = WIREGRADE_VERSION,
                                    .labs = labs,
                                    .regrade = class->options->regrade};
  const char *const except[] = {class->options->out, NULL};
  const struct batch_spec spec = {
      .out = out,
      .sources = class->options->sources.words,
      .source_count = class->options->sources.count,
      .except = except,
      .run = &run,
      .workers = class->options->jobs,
      .limit_s = class->options->limit_s,
      .stop = &interrupt_signal,
      .grade = submission_grade,
      .lateness = lateness_of,
      .tell = event_print,
      .context = class,
  };
  enum batch_fault fault;
  int outcome = batch_run(&spec, book, &fault, failure);
  if (outcome < 0)
    cli_complain(failure->sentence);
  if (interrupt_signal)
    return 128 + interrupt_signal;
  return outcome == 0 ? CLI_PASSED : fault == BATCH_UNREADABLE ? CLI_USAGE : CLI_ERROR;
}

static int batch(const struct batch_options *options) {
  struct class_grading class = {.options = options};
  struct failure failure;
  if (cli_catalogue(NULL, &class.places, &class.catalogue))
    return CLI_ERROR;
  int status = CLI_USAGE;
  struct gradebook *book = NULL;
  scoped_text char *out = NULL;
  if (file_make_folder(options->out, &failure) == 0 && (out = realpath(options->out, NULL)) &&
      selection_make(&class.places, &class.catalogue, &(struct selection_names){0},
                     &class.selection, &failure) == 0 &&
      (book = gradebook_open(out, GRADEBOOK_WRITE, &failure))) {
    interrupt_watch();
    status = batch_grade(&class, book, out, &failure);
  } else {
    cli_complain(failure.sentence);
  }
  gradebook_close(book);
  selection_free(&class.selection);
  catalogue_free(&class.catalogue);
  places_free(&class.places);
  return status;
}

static int options_read(const struct command *command, int argc, char **argv,
                        struct batch_options *options) {
  static const struct option table[] = {{"out", required_argument, NULL, 'o'},
                                        {"jobs", required_argument, NULL, 'n'},
                                        {"time-limit", required_argument, NULL, 't'},
                                        {"regrade", no_argument, NULL, 'r'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};
  int option;
  while ((option = cli_option(command, argc, argv, table)) != -1) {
    if (option == 'o')
      options->out = optarg;
    else if (option == 'r')
      options->regrade = true;
    else if (option == 'n' && !cli_number(optarg, 1, 1024, &options->jobs))
      return cli_usage(command, "--jobs takes a number from 1 to 1024, not '%s'", optarg);
    else if (option == 't' && !cli_number(optarg, 1, 86400, &options->limit_s))
      return cli_usage(command, "--time-limit takes seconds, from 1 to 86400, not '%s'", optarg);
    else if (option != 'n' && option != 't')
      return option == CLI_HELP ? CLI_HELP : CLI_USAGE;
  }
  if (optind == argc)
    return cli_usage(command, "Name what holds the submissions: a folder, or an archive");
  for (; optind < argc; optind++)
    cli_words_add(&options->sources, argv[optind]);
  return 0;
}

int command_batch(const struct command *command, int argc, char **argv) {
  unsigned cpus = cli_cpus();
  struct batch_options options = {
      .out = "batch", .jobs = cpus + (cpus + 1) / 2, .limit_s = LIMIT_S};
  int status = options_read(command, argc, argv, &options);
  if (!status)
    status = batch(&options);
  free(options.sources.words);
  return cli_printed(status == CLI_HELP ? CLI_PASSED : status);
}
