/* wiregrade export: what another program needs to run wiregrade. */
#include "grader/cli/export.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int gradescope_write(const struct places *places, const struct cli_words *labs,
                            const char *output) {
  struct failure failure;
  scoped_text char *names = cli_words_join(labs, " --lab ");
  scoped_text char *words = memory_format("%s%s", labs->count ? "--lab " : "", names);
  if (export_gradescope(places->root, words, output, &failure) == 0)
    return CLI_PASSED;
  cli_complain(failure.sentence);
  return CLI_ERROR;
}

static int export(const char *output, struct cli_words *labs) {
  struct places places;
  struct catalogue catalogue;
  if (cli_catalogue(NULL, &places, &catalogue))
    return CLI_ERROR;
  int status =
      cli_labs_check(&catalogue, labs) ? CLI_USAGE : gradescope_write(&places, labs, output);
  catalogue_free(&catalogue);
  places_free(&places);
  return status;
}

int command_export(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {{"lab", required_argument, NULL, 'l'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
  const char *output = "gradescope.zip";
  struct cli_words labs = {0};
  int option, status = CLI_PASSED;
  while (status == CLI_PASSED && (option = cli_option(command, argc, argv, options)) != -1) {
    if (option == 'l')
      cli_words_add(&labs, optarg);
    else if (option == 'o')
      output = optarg;
    else if (option == CLI_HELP)
      status = CLI_HELP;
    else
      status = CLI_USAGE;
  }
  if (status == CLI_PASSED && (optind + 1 != argc || strcmp(argv[optind], "gradescope-zip") != 0))
    status = cli_usage(command, "Name what is to be exported: gradescope-zip");
  if (status == CLI_PASSED && strcmp(output, "-") == 0 && isatty(STDOUT_FILENO))
    status = cli_usage(command, "A zip is nothing for a terminal; use --output FILE");
  if (status == CLI_PASSED)
    status = export(output, &labs);
  free(labs.words);
  return cli_printed(status == CLI_HELP ? CLI_PASSED : status);
}
