/* wiregrade report: any report, made again from a result document. */
#include "grader/cli/cli.h"
#include "grader/cli/deliver.h"

#include "grader/base/language.h"
#include "grader/base/scope.h"
#include "grader/result/file.h"
#include "grader/result/hidden.h"
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
  delivery *deliver; /* of one that has more to write than one file, or limits to keep */
} formats[] = {
    {"text", text_plain},
    {"html", report_html},
    {"tap", report_tap},
    {"junit", report_junit},
    {"classroom50", .deliver = deliver_classroom50},
    {"classroom", .deliver = deliver_classroom},
    {"gradescope", .deliver = deliver_gradescope},
    {"prairielearn", .deliver = deliver_prairielearn},
    {"autolab", .deliver = deliver_autolab},
    {"check50", .deliver = deliver_check50},
    {"github", .deliver = deliver_github},
};
enum { FORMAT_COUNT = sizeof formats / sizeof *formats };

static const struct format *format_find(const char *name) {
  for (size_t i = 0; i < FORMAT_COUNT; i++)
    if (strcmp(formats[i].name, name) == 0)
      return &formats[i];
  return NULL;
}

static int format_complain(const struct command *command, const char *name) {
  struct cli_words names = {0};
  for (size_t i = 0; i < FORMAT_COUNT; i++)
    cli_words_add(&names, formats[i].name);
  scoped_text char *all = cli_words_join(&names, ", ");
  free(names.words);
  return cli_usage(command, "There is no format '%s'; there are %s", name, all);
}

/* Where only the standard output is written to, cli_printed looks whether it could be. */
static int report_deliver(const json_t *result, const struct format *format, const char *output,
                          struct failure *failure) {
  if (format->deliver)
    return format->deliver(result, output, failure);
  if (output)
    return report_write(result, format->write, output, failure);
  format->write(result, stdout);
  return 0;
}

static void text_translate(json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  const char *translation = text ? _(text) : NULL;
  if (translation != text)
    json_object_set_new(object, key, json_string(translation));
}

/* A result keeps the language that it was graded in. What comes from the labs (titles,
 * requirements, hints, where to read on) can be had in the reader's, if they are here. */
static void result_translate(json_t *result) {
  static const char *const keys[] = {"text", "hint", "read", "message", "expected", "actual"};
  struct places places;
  struct catalogue catalogue;
  struct failure ignored;
  if (language_is_english() || places_find(NULL, &places, &ignored))
    return;
  if (catalogue_load(places.suite, &catalogue, &ignored) == 0)
    catalogue_free(&catalogue); /* the labs' translations stay */
  places_free(&places);
  size_t lab_index, check_index;
  json_t *lab, *check;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab) {
    text_translate(lab, "title");
    json_array_foreach (json_object_get(lab, "checks"), check_index, check)
      for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        text_translate(check, keys[i]);
  }
}

int command_report(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"show-hidden", no_argument, NULL, 'i'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
  const struct format *format = &formats[0];
  const char *output = NULL;
  bool show_hidden = false;
  int option;
  while ((option = cli_option(command, argc, argv, options)) != -1) {
    switch (option) {
    case CLI_HELP:
      return cli_printed(CLI_PASSED);
    case 'f':
      if (!(format = format_find(optarg)))
        return format_complain(command, optarg);
      break;
    case 'o':
      output = optarg;
      break;
    case 'i':
      show_hidden = true;
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
  result_translate(result);
  int status = CLI_PASSED;
  json_t *shown = show_hidden ? json_incref(result) : result_for_students(result);
  if (report_deliver(shown, format, output, &failure)) {
    cli_complain(failure.sentence);
    status = CLI_ERROR;
  }
  json_decref(shown);
  json_decref(result);
  return cli_printed(status);
}
