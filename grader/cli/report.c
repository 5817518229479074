/* wiregrade report: any report, made again from a result document. */
#include "grader/cli/cli.h"

#include "grader/result/file.h"
#include "grader/result/report_html.h"
#include "grader/result/report_junit.h"
#include "grader/result/report_tap.h"
#include "grader/result/report_text.h"

#include <stdlib.h>
#include <string.h>

static void text_plain(const json_t *result, FILE *file) {
  struct page page = page_for(file);
  report_text(result, &page);
}

static const struct format {
  const char *name;
  void (*write)(const json_t *result, FILE *file);
} formats[] = {
    {"text", text_plain}, {"tap", report_tap}, {"junit", report_junit}, {"html", report_html}};

static const struct format *format_find(const char *name) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (strcmp(formats[i].name, name) == 0)
      return &formats[i];
  return NULL;
}

int command_report(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
  const struct format *format = &formats[0];
  const char *output = NULL;
  int option;
  while ((option = cli_option(command, argc, argv, options)) != -1) {
    switch (option) {
    case CLI_HELP:
      return cli_printed(CLI_PASSED);
    case 'f':
      if (!(format = format_find(optarg)))
        return cli_usage(command, "There is no format '%s'; there are text, tap, junit and html",
                         optarg);
      break;
    case 'o':
      output = optarg;
      break;
    default:
      return CLI_USAGE;
    }
  }
  if (optind + 1 != argc)
    return cli_usage(command, "Name one result file, as `wiregrade grade --json FILE` writes it");
  struct failure failure;
  json_t *result = result_read(argv[optind], &failure);
  if (!result) {
    cli_complain(failure.sentence);
    return CLI_USAGE;
  }
  int status = CLI_PASSED;
  if (!output) {
    format->write(result, stdout);
  } else if (report_write(result, format->write, output, &failure)) {
    cli_complain(failure.sentence);
    status = CLI_ERROR;
  }
  json_decref(result);
  return cli_printed(status);
}
