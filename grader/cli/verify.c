/* wiregrade verify: tests the suite itself. */
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/cli.h"
#include "grader/cli/interrupt.h"
#include "grader/result/file.h"
#include "grader/result/page.h"
#include "grader/result/progress.h"
#include "grader/verify/grading.h"
#include "grader/verify/matrix.h"
#include "grader/verify/mutant.h"
#include "grader/verify/style.h"

#include <stdlib.h>
#include <string.h>

struct verify_options {
  const char *suite, *json;
  struct cli_words labs;
  unsigned jobs, mutants; /* for each requirement; 0: all that there are */
};

/* Everything that one verification needs and makes. */
struct verification {
  struct places places;
  struct catalogue catalogue;
  const struct lab **labs; /* the chosen ones */
  const char **lab_names;  /* the same, ends with NULL */
  size_t lab_count;
  char *reference, *styles_folder, *mutants_folder;
  char *base; /* a built copy of the reference, which mutants are copied from */
  char work[64];
  struct style_list styles;
  struct mutant_list mutants;
  size_t mutants_found;     /* of which `mutants` may be a part */
  struct grading *gradings; /* the reference, the styles, the mutants */
  size_t count;
  struct progress progress;
};

static void verification_free(struct verification *verification) {
  if (verification->work[0]) {
    char *const removing[] = {(char *)"rm", (char *)"-rf", verification->work, NULL};
    command_do(removing, "/dev/null");
  }
  for (size_t i = 0; i < verification->count; i++)
    json_decref(verification->gradings[i].result);
  free(verification->gradings);
  mutants_free(&verification->mutants);
  styles_free(&verification->styles);
  free(verification->labs);
  free(verification->lab_names);
  free(verification->reference);
  free(verification->styles_folder);
  free(verification->mutants_folder);
  free(verification->base);
  catalogue_free(&verification->catalogue);
  places_free(&verification->places);
}

static void labs_choose(struct verification *verification, const struct verify_options *options) {
  size_t count = verification->catalogue.count, used = 0;
  verification->labs = memory_zeroed(count, sizeof *verification->labs);
  verification->lab_names = memory_zeroed(count + 1, sizeof *verification->lab_names);
  for (size_t i = 0; i < count; i++) {
    const struct lab *lab = verification->catalogue.labs[i];
    if (options->labs.count && !cli_words_has(&options->labs, lab->name))
      continue;
    verification->labs[used] = lab;
    verification->lab_names[used++] = lab->name;
  }
  verification->lab_count = used;
}

static int material_read(struct verification *verification, unsigned mutants_each,
                         struct failure *failure) {
  const char *root = verification->places.root;
  verification->reference = memory_format("%s/reference", root);
  verification->styles_folder = memory_format("%s/fixtures/submissions", root);
  verification->mutants_folder = memory_format("%s/fixtures/mutants", root);
  if (access(verification->reference, R_OK))
    return failure_errno(failure,
                         "Verifying needs the source tree, with reference/ and fixtures/ beside "
                         "suite/; cannot read %s",
                         verification->reference);
  if (styles_read(verification->styles_folder, verification->labs, verification->lab_count,
                  &verification->styles, failure))
    return -1;
  for (size_t i = 0; i < verification->lab_count; i++)
    if (mutants_read(verification->mutants_folder, verification->labs[i]->name,
                     &verification->mutants, failure))
      return -1;
  verification->mutants_found = verification->mutants.count;
  if (mutants_each)
    mutants_thin(&verification->mutants, mutants_each);
  return 0;
}

/* Mutants are copies of a reference that is built already: make then builds only what the patch
 * touched. */
static int base_build(struct verification *verification, struct failure *failure) {
  strcpy(verification->work, "/tmp/wiregrade-verify-XXXXXX");
  if (!mkdtemp(verification->work)) {
    verification->work[0] = '\0';
    return failure_errno(failure, "Cannot make a folder in /tmp");
  }
  verification->base = memory_format("%s/base", verification->work);
  scoped_text char *log = memory_format("%s/base.log", verification->work);
  if (folder_copy(verification->reference, verification->base, log))
    return failure_set(failure, "Cannot copy %s", verification->reference);
  char *const building[] = {(char *)"make", (char *)"-s", (char *)"-C", verification->base, NULL};
  if (command_do(building, log))
    return failure_set(failure, "The reference in %s does not build; `make -C` there shows why",
                       verification->reference);
  return 0;
}

static bool is_program(const struct lab *lab, const char *name) {
  for (unsigned i = 0; i < lab->program_count; i++)
    if (strcmp(lab->programs[i], name) == 0)
      return true;
  return false;
}

/* A patch of programs' own sources leaves the others what they are in the reference, which passes:
 * only what starts one of those programs is judged. */
static void grading_narrow(struct grading *grading, const struct mutant *mutant,
                           const struct lab *lab) {
  for (size_t i = 0; i < mutant->source_count; i++)
    if (!is_program(lab, mutant->sources[i]))
      return;
  grading->programs = mutant->sources;
  grading->program_count = mutant->source_count;
}

static const struct lab *lab_named(const struct verification *verification, const char *name) {
  size_t i = 0;
  while (strcmp(verification->labs[i]->name, name) != 0)
    i++;
  return verification->labs[i];
}

static void gradings_plan(struct verification *verification) {
  size_t count = 1 + verification->styles.count + verification->mutants.count, used = 0;
  struct grading *gradings = memory_zeroed(count, sizeof *gradings);
  gradings[used++] = (struct grading){
      .name = "reference", .folder = verification->reference, .labs = verification->lab_names};
  for (size_t i = 0; i < verification->styles.count; i++) {
    const struct style *style = &verification->styles.styles[i];
    gradings[used++] =
        (struct grading){.name = style->name, .folder = style->folder, .labs = style->labs};
  }
  for (size_t i = 0; i < verification->mutants.count; i++) {
    const struct mutant *mutant = &verification->mutants.mutants[i];
    gradings[used] = (struct grading){.name = mutant->key,
                                      .folder = verification->base,
                                      .patch = mutant->path,
                                      .labs = mutant->labs};
    grading_narrow(&gradings[used++], mutant, lab_named(verification, mutant->lab));
  }
  verification->gradings = gradings;
  verification->count = used;
}

static struct matrix matrix_fill(const struct verification *verification, unsigned mutants_each) {
  struct matrix matrix = matrix_new(verification->labs, verification->lab_count);
  if (mutants_each > 0 && mutants_each < matrix.kills_least) /* no more than are tried */
    matrix.kills_least = mutants_each;
  for (size_t i = 0; i < verification->count; i++) {
    const struct grading *grading = &verification->gradings[i];
    size_t style = i - 1, mutant = style - verification->styles.count;
    if (!grading->result)
      matrix_add_fault(&matrix, grading->name, grading->failure.sentence);
    else if (i == 0)
      matrix_add_reference(&matrix, grading->result);
    else if (style < verification->styles.count)
      matrix_add_style(&matrix, grading->name, grading->result, verification->labs,
                       verification->lab_count, verification->styles.styles[style].contained);
    else
      matrix_add_mutant(&matrix, &verification->mutants.mutants[mutant], grading->result);
  }
  matrix_judge(&matrix);
  return matrix;
}

static void progress_draw(void *context, const char *name, size_t done, size_t total) {
  progress_show(context, name, done, total);
}

static int is_slower(const void *one, const void *other) {
  const struct grading *left = one, *right = other;
  return (left->duration_s < right->duration_s) - (left->duration_s > right->duration_s);
}

/* Where the time went: the gradings by duration, the first few in words. */
static json_t *durations(const struct verification *verification, const struct page *page) {
  enum { SHOWN = 5 };
  scoped_text struct grading *sorted = memory_zeroed(verification->count, sizeof *sorted);
  memcpy(sorted, verification->gradings, verification->count * sizeof *sorted);
  qsort(sorted, verification->count, sizeof *sorted, is_slower);
  json_t *all = json_object();
  scoped_text char *slowest = memory_text("");
  for (size_t i = 0; i < verification->count; i++) {
    json_object_set_new(all, sorted[i].name, json_real(sorted[i].duration_s));
    if (i >= SHOWN)
      continue;
    char *longer = memory_format("%s%s%s (%.1f s)", slowest, i ? ", " : "", sorted[i].name,
                                 sorted[i].duration_s);
    free(slowest);
    slowest = longer;
  }
  page_paragraph(page, PAGE_FAINT, _("slowest"), 9, slowest, 0);
  page_gap(page);
  return all;
}

static int verification_report(const struct verification *verification,
                               const struct verify_options *options, double duration_s) {
  struct matrix matrix = matrix_fill(verification, options->mutants);
  struct page page = page_for(stdout);
  matrix_print(&matrix, &page);
  size_t deviations = json_array_size(matrix.deviations), faults = json_array_size(matrix.faults);
  scoped_text char *part = verification->mutants.count == verification->mutants_found
                               ? memory_text("")
                               : language_sentence(" of %zu", verification->mutants_found);
  scoped_text char *summary =
      language_sentence("%zu styles and %zu%s mutants: %zu deviation%s, %zu error%s, in %.1f s",
                        verification->styles.count, verification->mutants.count, part, deviations,
                        deviations == 1 ? "" : "s", faults, faults == 1 ? "" : "s", duration_s);
  json_t *seconds = durations(verification, &page);
  page_line(&page, deviations || faults ? PAGE_BAD : PAGE_GOOD, summary);
  int status = faults ? CLI_ERROR : deviations ? CLI_FAILED : CLI_PASSED;
  if (options->json) {
    struct failure failure;
    json_t *document = matrix_json(&matrix);
    json_object_set_new(document, "duration_s", json_real(duration_s));
    json_object_set(document, "gradings_s", seconds);
    if (result_write(document, options->json, &failure)) {
      cli_complain(failure.sentence);
      status = CLI_ERROR;
    }
    json_decref(document);
  }
  json_decref(seconds);
  matrix_free(&matrix);
  return status;
}

static int verify(struct verification *verification, const struct verify_options *options) {
  struct failure failure;
  double begun_s = cli_now_s();
  interrupt_watch();
  labs_choose(verification, options);
  if (material_read(verification, options->mutants, &failure) ||
      base_build(verification, &failure)) {
    cli_complain(failure.sentence);
    return CLI_ERROR;
  }
  gradings_plan(verification);
  verification->progress = progress_begin();
  struct grading_pool pool = {
      .executable = verification->places.executable,
      .suite = verification->places.suite,
      .work = verification->work,
      .jobs = options->jobs,
      .stop = &interrupt_signal,
      .progress = progress_draw,
      .context = &verification->progress,
  };
  int stopped = gradings_do(&pool, verification->gradings, verification->count);
  progress_end(&verification->progress);
  if (stopped) {
    cli_complain("Interrupted");
    return 128 + interrupt_signal;
  }
  return verification_report(verification, options, cli_now_s() - begun_s);
}

static int verify_options_read(const struct command *command, int argc, char **argv,
                               struct verify_options *options) {
  static const struct option table[] = {{"suite", required_argument, NULL, 's'},
                                        {"lab", required_argument, NULL, 'l'},
                                        {"jobs", required_argument, NULL, 'n'},
                                        {"json", required_argument, NULL, 'j'},
                                        {"mutants", required_argument, NULL, 'm'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};
  int option;
  while ((option = cli_option(command, argc, argv, table)) != -1) {
    switch (option) {
    case CLI_HELP:
      return CLI_HELP;
    case 's':
      options->suite = optarg;
      break;
    case 'l':
      cli_words_add(&options->labs, optarg);
      break;
    case 'n':
      if (!cli_number(optarg, 1, 1024, &options->jobs))
        return cli_usage(command, "--jobs takes a number from 1 to 1024, not '%s'", optarg);
      break;
    case 'm':
      if (!cli_number(optarg, 1, 1000, &options->mutants))
        return cli_usage(command, "--mutants takes a number from 1 to 1000, not '%s'", optarg);
      break;
    case 'j':
      options->json = optarg;
      break;
    default:
      return CLI_USAGE;
    }
  }
  if (optind < argc)
    return cli_usage(command, "'%s' is one word too many", argv[optind]);
  return 0;
}

int command_verify(const struct command *command, int argc, char **argv) {
  struct verify_options options = {.jobs = cli_cpus()};
  int status = verify_options_read(command, argc, argv, &options);
  struct verification verification = {0};
  if (status) {
    status = status == CLI_HELP ? CLI_PASSED : status;
  } else if (cli_catalogue(options.suite, &verification.places, &verification.catalogue)) {
    status = CLI_ERROR;
  } else {
    status = cli_labs_check(&verification.catalogue, &options.labs)
                 ? CLI_USAGE
                 : verify(&verification, &options);
    verification_free(&verification);
  }
  free(options.labs.words);
  return cli_printed(status);
}
