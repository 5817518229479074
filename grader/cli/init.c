/* wiregrade init DIR: a repository to begin with. */
#include "grader/cli/cli.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/page.h"
#include "grader/starter/starter.h"

#include <stdlib.h>

/* The labs that are named, or all; the caller frees it. */
static const struct lab **labs_choose(const struct catalogue *catalogue,
                                      const struct cli_words *names, size_t *count) {
  const struct lab **labs = memory_zeroed(catalogue->count + 1, sizeof *labs);
  *count = 0;
  for (size_t i = 0; i < catalogue->count; i++)
    if (names->count == 0 || cli_words_has(names, catalogue->labs[i]->name))
      labs[(*count)++] = catalogue->labs[i];
  return labs;
}

static int init_run(const char *folder, const struct places *places,
                    const struct catalogue *catalogue, const struct cli_words *names) {
  size_t count;
  const struct lab **labs = labs_choose(catalogue, names, &count);
  scoped_text char *files = place_starter(places);
  struct failure failure;
  int outcome = starter_create(folder, labs, count, files, &failure);
  free(labs);
  if (outcome < 0) {
    cli_complain(failure.sentence);
    return CLI_USAGE;
  }
  struct page page = page_for(stdout);
  scoped_text char *words = language_sentence(
      "%s has a skeleton for each program of %zu lab%s. Begin with its README.md; then: make -C %s "
      "grade",
      folder, count, count == 1 ? "" : "s", folder);
  page_paragraph(&page, PAGE_PLAIN, "", 0, words, 0);
  return CLI_PASSED;
}

int command_init(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {
      {"lab", required_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'}, {0}};
  struct cli_words names = {0};
  int option;
  while ((option = cli_option(command, argc, argv, options)) != -1) {
    if (option != 'l')
      return option == CLI_HELP ? cli_printed(CLI_PASSED) : CLI_USAGE;
    cli_words_add(&names, optarg);
  }
  if (optind == argc)
    return cli_usage(command, "Name the folder that is to be made");
  if (optind + 1 < argc)
    return cli_usage(command, "'%s' is one word too many", argv[optind + 1]);
  struct places places;
  struct catalogue catalogue;
  if (cli_catalogue(NULL, &places, &catalogue))
    return CLI_ERROR;
  int status = cli_labs_check(&catalogue, &names)
                   ? CLI_USAGE
                   : init_run(argv[optind], &places, &catalogue, &names);
  free(names.words);
  catalogue_free(&catalogue);
  places_free(&places);
  return cli_printed(status);
}
