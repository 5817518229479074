/* wiregrade list: the labs of the suite. */
#include "grader/cli/cli.h"

#include "grader/base/language.h"
#include "grader/base/scope.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *lab_json(const struct lab *lab) {
  json_t *programs = json_array(), *requirements = json_array();
  for (unsigned i = 0; i < lab->program_count; i++)
    json_array_append_new(programs, json_string(lab->programs[i]));
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    const struct requirement *requirement = &lab->requirements[i];
    json_array_append_new(requirements,
                          json_pack("{s:o, s:s, s:s, s:s, s:s}", "requirement",
                                    json_sprintf("%s.%u", lab->name, requirement->number), "level",
                                    level_name(requirement->level), "text", requirement->text,
                                    "hint", requirement->hint, "read", requirement->read));
  }
  return json_pack("{s:s, s:s, s:s, s:i, s:o, s:o}", "lab", lab->name, "title", lab->title,
                   "section", lab->section, "points", lab->points, "programs", programs,
                   "requirements", requirements);
}

static void list_json(const struct catalogue *catalogue) {
  json_t *labs = json_array();
  for (size_t i = 0; i < catalogue->count; i++)
    json_array_append_new(labs, lab_json(catalogue->labs[i]));
  json_dumpf(labs, stdout, JSON_INDENT(1));
  putchar('\n');
  json_decref(labs);
}

static void list_plain(const struct catalogue *catalogue) {
  for (size_t i = 0; i < catalogue->count; i++) {
    const struct lab *lab = catalogue->labs[i];
    language_print(stdout, "%s\t%u requirement%s\t%u point%s\t%s: %s\n", lab->name,
                   lab->requirement_count, lab->requirement_count == 1 ? "" : "s", lab->points,
                   lab->points == 1 ? "" : "s", lab->section, lab->title);
  }
}

int command_list(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {
      {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
  bool as_json = false;
  int option;
  while ((option = cli_option(command, argc, argv, options)) != -1) {
    if (option == CLI_HELP)
      return cli_printed(CLI_PASSED);
    if (option == '?')
      return CLI_USAGE;
    as_json = true;
  }
  if (optind < argc)
    return cli_usage(command, "'%s' is one word too many", argv[optind]);
  struct places places;
  struct catalogue catalogue;
  if (cli_catalogue(NULL, &places, &catalogue))
    return CLI_ERROR;
  if (as_json)
    list_json(&catalogue);
  else
    list_plain(&catalogue);
  catalogue_free(&catalogue);
  places_free(&places);
  return cli_printed(CLI_PASSED);
}
