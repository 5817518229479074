/* wiregrade explain REQUIREMENT: what is required, and what to do about it. */
#include "grader/cli/cli.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/page.h"

#include <stdlib.h>
#include <string.h>

static const unsigned label_columns = 10;

static void explain_print(const struct lab *lab, const struct requirement *requirement) {
  struct page page = page_for(stdout);
  scoped_text unsigned *points = memory_zeroed(lab->requirement_count, sizeof *points);
  lab_points(lab, points);
  unsigned worth = points[requirement - lab->requirements];
  scoped_text char *heading =
      language_sentence("%s.%u (%s, %u point%s)", lab->name, requirement->number,
                        _(level_name(requirement->level)), worth, worth == 1 ? "" : "s");
  scoped_text char *of_lab = memory_format("%s: %s (%s)", lab->name, lab->title, lab->section);
  page_line(&page, PAGE_STRONG, heading);
  page_paragraph(&page, PAGE_PLAIN, _("lab"), label_columns, of_lab, 0);

  bool own = requirement->program_count > 0;
  scoped_text char *programs = memory_text("");
  for (unsigned i = 0; i < (own ? requirement->program_count : lab->program_count); i++) {
    char *longer = memory_format("%s%s%s", programs, *programs ? ", " : "",
                                 own ? requirement->programs[i] : lab->programs[i]);
    free(programs);
    programs = longer;
  }
  page_paragraph(&page, PAGE_PLAIN, _("programs"), label_columns, programs, 0);
  page_paragraph(&page, PAGE_PLAIN, _("required"), label_columns, requirement->text, 0);
  if (*requirement->hint)
    page_paragraph(&page, PAGE_PLAIN, _("hint"), label_columns, requirement->hint, 0);
  if (*requirement->read)
    page_paragraph(&page, PAGE_PLAIN, _("read"), label_columns, requirement->read, 0);
  scoped_text char *again =
      memory_format("wiregrade grade --check %s.%u SUBMISSION", lab->name, requirement->number);
  page_paragraph(&page, PAGE_PLAIN, _("try it"), label_columns, again, 0);
}

int command_explain(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
  int option;
  while ((option = cli_option(command, argc, argv, options)) != -1)
    return option == CLI_HELP ? cli_printed(CLI_PASSED) : CLI_USAGE;
  if (optind == argc)
    return cli_usage(command, "Name a requirement, such as udp-retry.6");
  struct places places;
  struct catalogue catalogue;
  if (cli_catalogue(NULL, &places, &catalogue))
    return CLI_ERROR;
  int status = CLI_PASSED;
  for (int i = optind; i < argc; i++) {
    struct failure failure;
    const struct lab *lab;
    const struct requirement *requirement;
    if (catalogue_requirement(&catalogue, argv[i], &lab, &requirement, &failure)) {
      cli_complain(failure.sentence);
      status = CLI_USAGE;
      continue;
    }
    if (i > optind)
      putchar('\n');
    explain_print(lab, requirement);
  }
  catalogue_free(&catalogue);
  places_free(&places);
  return cli_printed(status);
}
