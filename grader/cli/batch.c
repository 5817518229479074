/* wiregrade batch: grades a class into a gradebook. */
#include "grader/batch/batch.h"

#include "grader/base/file.h"
#include "grader/base/instant.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/batch/hash.h"
#include "grader/cli/batch_slurm.h"
#include "grader/cli/batch_tell.h"
#include "grader/cli/class.h"
#include "grader/cli/grading.h"
#include "grader/cli/interrupt.h"
#include "grader/result/result.h"
#include "grader/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
  LIMIT_S = 1800
}; /* of one submission; the whole reference takes 50 s on a very busy machine */

enum {
  CHUNK = 10
}; /* submissions of one of Slurm's tasks: some 20 s of work, which is what is
      lost at most with a node */

struct batch_options {
  struct cli_words sources;
  const char *out, *course, *roster;
  unsigned jobs, limit_s, chunk;
  bool regrade, json_progress;
  enum { SLURM_NOT, SLURM_RUN, SLURM_TASK, SLURM_MERGE } slurm; /* the last two by Slurm itself */
  struct cli_words slurm_options;
};

struct class_grading {
  const struct batch_options *options;
  struct places places;
  struct catalogue catalogue;
  struct selection selection;
  struct course *course; /* NULL: none */
  struct batch_tell tell;
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
      .course = class->course,
      .clock = "virtual",
      .jobs = 1,
      .seed = 1,
      .build_limit_s = class->course ? class->course->build_seconds : 0,
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
  const struct class_grading *class = context;
  if (!class->course)
    return (struct batch_lateness){.late = marked, .late_s = -1};
  struct course_lateness lateness =
      course_lateness(class->course, marked, submitted ? instant_parse(submitted) : -1);
  return (struct batch_lateness){lateness.late, lateness.late_s, lateness.penalty};
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

static void event_tell(void *context, const struct batch_event *event) {
  struct class_grading *class = context;
  batch_tell_event(&class->tell, event);
}

/* The text of the course file, for who looks at the gradebook later. */
static char *course_text(const char *path) {
  scoped_file FILE *file = path ? fopen(path, "re") : NULL;
  char *text = NULL;
  size_t room = 0;
  return file && getdelim(&text, &room, '\0', file) >= 0 ? text : memory_text("");
}

static int class_status(const struct class_grading *class, struct gradebook *book, const char *out,
                        struct failure *failure) {
  struct batch_totals totals;
  if (batch_tell_summary(&class->tell, book, out, &totals, failure)) {
    cli_complain(failure->sentence);
    return CLI_ERROR;
  }
  return totals.errors || totals.waiting ? CLI_ERROR : totals.unreadable ? CLI_FAILED : CLI_PASSED;
}

/* On this machine. */
static int batch_here(struct class_grading *class, const struct batch_spec *spec,
                      struct failure *failure) {
  struct gradebook *book = gradebook_open(spec->out, GRADEBOOK_WRITE, failure);
  if (!book) {
    cli_complain(failure->sentence);
    return CLI_USAGE;
  }
  enum batch_fault fault;
  class->tell = batch_tell_begin(class->options->json_progress);
  int outcome = batch_run(spec, book, &fault, failure);
  batch_tell_end(&class->tell);
  int status = fault == BATCH_UNREADABLE ? CLI_USAGE : CLI_ERROR;
  if (outcome < 0) {
    cli_complain(failure->sentence);
  } else {
    status = class_status(class, book, spec->out, failure);
    if (cli_class_write(book, spec->out, NULL))
      status = CLI_ERROR;
    else if (!class->options->json_progress)
      cli_class_show(spec->out);
  }
  gradebook_close(book);
  return interrupt_signal && outcome >= 0 ? 128 + interrupt_signal : status;
}

/* By Slurm's nodes: it is other processes that write the gradebook. */
static int batch_by_slurm(struct class_grading *class, const struct batch_spec *spec,
                          struct failure *failure) {
  const struct batch_options *options = class->options;
  scoped_text char *course = options->course ? realpath(options->course, NULL) : NULL;
  const struct batch_slurm slurm = {.executable = class->places.executable,
                                    .out = spec->out,
                                    .course = course,
                                    .chunk = options->chunk,
                                    .jobs = options->jobs,
                                    .limit_s = options->limit_s,
                                    .options = options->slurm_options.words};
  if (options->slurm == SLURM_TASK)
    return batch_slurm_task(&slurm, spec);
  if (options->slurm == SLURM_MERGE)
    return batch_slurm_merge(&slurm, spec);
  int status = batch_slurm_run(&slurm, spec);
  struct gradebook *book = status ? NULL : gradebook_open(spec->out, GRADEBOOK_READ, failure);
  if (!status && !book)
    cli_complain(failure->sentence);
  if (!book)
    return status ? status : CLI_ERROR;
  class->tell = batch_tell_begin(options->json_progress);
  batch_tell_end(&class->tell);
  status = class_status(class, book, spec->out, failure);
  cli_class_show(spec->out);
  gradebook_close(book);
  return status;
}

static int batch_grade(struct class_grading *class, const char *out, struct failure *failure) {
  const struct batch_options *options = class->options;
  struct hash suite, course = {""};
  if (suite_hash(class, &suite, failure)) {
    cli_complain(failure->sentence);
    return CLI_ERROR;
  }
  scoped_text char *essence = class->course ? course_essence(class->course) : NULL;
  if (essence)
    course = hash_bytes(essence, strlen(essence));
  scoped_text char *labs = labs_list(&class->selection);
  scoped_text char *text = course_text(options->course);
  const struct gradebook_run run = {.suite_hash = suite.text,
                                    .wiregrade = WIREGRADE_VERSION,
                                    .labs = labs,
                                    .course_hash = course.text,
                                    .course_name = class->course ? class->course->name : "",
                                    .course_file = text,
                                    .regrade = options->regrade};
  const char *const except[] = {options->out, options->course ? options->course : options->out,
                                options->roster ? options->roster : options->out, NULL};
  const struct batch_spec spec = {
      .out = out,
      .sources = options->sources.words,
      .source_count = options->sources.count,
      .roster = options->roster,
      .except = except,
      .run = &run,
      .workers = options->jobs,
      .limit_s = options->limit_s,
      .stop = &interrupt_signal,
      .grade = submission_grade,
      .lateness = lateness_of,
      .tell = event_tell,
      .context = class,
  };
  return options->slurm ? batch_by_slurm(class, &spec, failure) : batch_here(class, &spec, failure);
}

/* What must be known before anything is done. */
static int class_prepare(struct class_grading *class, char **out, struct failure *failure) {
  const struct batch_options *options = class->options;
  if (options->course && !(class->course = cli_course(options->course, &class->catalogue)))
    return CLI_USAGE;
  if (selection_make(&class->places, &class->catalogue, &(struct selection_names){0},
                     &class->selection, failure) ||
      file_make_folder(options->out, failure)) {
    cli_complain(failure->sentence);
    return CLI_USAGE;
  }
  if (cli_hidden_check(class->course, &class->selection))
    return CLI_USAGE;
  /* It would be an error of the grader in each submission. */
  for (size_t i = 0; i < class->selection.count; i++)
    if (class->selection.labs[i].broken) {
      cli_complain(class->selection.labs[i].failure.sentence);
      return CLI_ERROR;
    }
  *out = realpath(options->out, NULL);
  if (*out)
    return 0;
  failure_errno(failure, "Cannot use the folder %s", options->out);
  cli_complain(failure->sentence);
  return CLI_USAGE;
}

static int batch(const struct batch_options *options) {
  struct class_grading class = {.options = options};
  struct failure failure;
  scoped_text char *out = NULL;
  if (cli_catalogue(NULL, &class.places, &class.catalogue))
    return CLI_ERROR;
  int status = class_prepare(&class, &out, &failure);
  if (!status) {
    interrupt_watch();
    status = batch_grade(&class, out, &failure);
  }
  selection_free(&class.selection);
  course_free(class.course);
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
                                        {"course", required_argument, NULL, 'c'},
                                        {"roster", required_argument, NULL, 's'},
                                        {"json-progress", no_argument, NULL, 'j'},
                                        {"slurm", no_argument, NULL, 'S'},
                                        {"slurm-chunk", required_argument, NULL, 'C'},
                                        {"slurm-option", required_argument, NULL, 'O'},
                                        {"slurm-task", no_argument, NULL, 'T'},
                                        {"slurm-merge", no_argument, NULL, 'M'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};
  int option;
  while ((option = cli_option(command, argc, argv, table)) != -1) {
    if (option == 'o')
      options->out = optarg;
    else if (option == 'r')
      options->regrade = true;
    else if (option == 'c')
      options->course = optarg;
    else if (option == 's')
      options->roster = optarg;
    else if (option == 'j')
      options->json_progress = true;
    else if (option == 'S')
      options->slurm = SLURM_RUN;
    else if (option == 'T')
      options->slurm = SLURM_TASK;
    else if (option == 'M')
      options->slurm = SLURM_MERGE;
    else if (option == 'O')
      cli_words_add(&options->slurm_options, optarg);
    else if (option == 'C' && !cli_number(optarg, 1, 100000, &options->chunk))
      return cli_usage(command, "--slurm-chunk takes a number from 1 to 100000, not '%s'", optarg);
    else if (option == 'n' && !cli_number(optarg, 1, 1024, &options->jobs))
      return cli_usage(command, "--jobs takes a number from 1 to 1024, not '%s'", optarg);
    else if (option == 't' && !cli_number(optarg, 1, 86400, &options->limit_s))
      return cli_usage(command, "--time-limit takes seconds, from 1 to 86400, not '%s'", optarg);
    else if (!strchr("ntC", option))
      return option == CLI_HELP ? CLI_HELP : CLI_USAGE;
  }
  cli_words_add(&options->slurm_options, NULL); /* ends it */
  if (optind == argc && (options->slurm == SLURM_NOT || options->slurm == SLURM_RUN))
    return cli_usage(command, "Name what holds the submissions: a folder, or an archive");
  for (; optind < argc; optind++)
    cli_words_add(&options->sources, argv[optind]);
  return 0;
}

int command_batch(const struct command *command, int argc, char **argv) {
  unsigned cpus = cli_cpus();
  struct batch_options options = {
      .out = "batch", .jobs = cpus + (cpus + 1) / 2, .limit_s = LIMIT_S, .chunk = CHUNK};
  int status = options_read(command, argc, argv, &options);
  if (!status)
    status = batch(&options);
  free(options.sources.words);
  free(options.slurm_options.words);
  return cli_printed(status == CLI_HELP ? CLI_PASSED : status);
}
