/* wiregrade class: the outputs of a batch, made again from its gradebook; wiregrade compare. */
#include "grader/cli/class.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/class/class.h"
#include "grader/class/compare.h"
#include "grader/result/file.h"
#include "grader/result/page.h"
#include "grader/result/progress.h"

#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>

static void page_note(void *context, size_t done, size_t total) {
  progress_show(context, "pages", done, total);
}

int cli_class_write(struct gradebook *book, const char *out, const char *assignment) {
  struct progress progress = progress_begin();
  const struct class_reading reading = {.tell = page_note, .context = &progress};
  struct failure failure;
  int outcome = class_write_all(book, out, assignment, &reading, &failure);
  progress_end(&progress);
  if (outcome) {
    cli_complain(failure.sentence);
    return CLI_ERROR;
  }
  return CLI_PASSED;
}

void cli_class_show(const char *out) {
  struct page page = page_for(stdout);
  scoped_text char *line = language_sentence("The class's page:  %s/index.html", out);
  page_command(&page, line);
}

static int class_run(const char *out, const char *assignment) {
  struct failure failure;
  struct gradebook *book = gradebook_open(out, GRADEBOOK_READ, &failure);
  if (!book) {
    cli_complain(failure.sentence);
    return CLI_USAGE;
  }
  int status = cli_class_write(book, out, assignment);
  gradebook_close(book);
  if (status == CLI_PASSED)
    cli_class_show(out);
  return status;
}

int command_class(const struct command *command, int argc, char **argv) {
  static const struct option table[] = {
      {"assignment", required_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'}, {0}};
  const char *assignment = NULL;
  int option;
  while ((option = cli_option(command, argc, argv, table)) != -1) {
    if (option != 'a')
      return cli_printed(option == CLI_HELP ? CLI_PASSED : CLI_USAGE);
    assignment = optarg;
  }
  if (optind + 1 != argc)
    return cli_usage(command, "Name the folder of one batch, as in `wiregrade class batch`");
  setlocale(LC_COLLATE, "");
  return cli_printed(class_run(argv[optind], assignment));
}

/* ---- compare ---- */

/* A batch's folder, or a result document. */
static json_t *side_read(const char *path, struct failure *failure) {
  struct stat status;
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
    struct gradebook *book = gradebook_open(path, GRADEBOOK_READ, failure);
    json_t *side = book ? compare_side_of_gradebook(book, failure) : NULL;
    gradebook_close(book);
    return side;
  }
  json_t *result = result_read(path, failure);
  json_t *side = result ? compare_side_of_result(result) : NULL;
  json_decref(result);
  return side;
}

static int compare_show(const json_t *comparison, bool json) {
  if (json) {
    json_dumpf(comparison, stdout, JSON_INDENT(1));
    putchar('\n');
  } else {
    compare_print(comparison, stdout);
  }
  return compare_is_empty(comparison) ? CLI_PASSED : CLI_FAILED;
}

static int compare_run(const char *old_path, const char *new_path, bool json) {
  struct failure failure;
  json_t *old_side = side_read(old_path, &failure);
  json_t *new_side = old_side ? side_read(new_path, &failure) : NULL;
  int status = CLI_USAGE;
  if (!new_side) {
    cli_complain(failure.sentence);
  } else {
    json_t *comparison = compare_sides(old_side, new_side);
    status = compare_show(comparison, json);
    json_decref(comparison);
  }
  json_decref(old_side);
  json_decref(new_side);
  return status;
}

int command_compare(const struct command *command, int argc, char **argv) {
  static const struct option table[] = {
      {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
  bool json = false;
  int option;
  while ((option = cli_option(command, argc, argv, table)) != -1) {
    if (option != 'j')
      return cli_printed(option == CLI_HELP ? CLI_PASSED : CLI_USAGE);
    json = true;
  }
  if (optind + 2 != argc)
    return cli_usage(command, "Name two batches' folders, or two result documents: the old and the "
                              "new");
  setlocale(LC_COLLATE, "");
  return cli_printed(compare_run(argv[optind], argv[optind + 1], json));
}
