/* wiregrade course check FILE; and what `--course FILE` does. */
#include "grader/cli/cli.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/course/course.h"
#include "grader/result/page.h"

#include <string.h>

int cli_course_apply(const char *path, unsigned *build_seconds) {
  struct failure failure;
  struct course *course = course_load(path, &failure);
  if (!course) {
    cli_complain(failure.sentence);
    return -1;
  }
  sandbox_set_default_limits(course->limits);
  *build_seconds = course->build_seconds;
  course_free(course);
  return 0;
}

static void line_print(const struct page *page, const char *what, char *value) {
  enum { INDENT = 16 };
  page_paragraph(page, PAGE_PLAIN, what, INDENT, value, 0);
  free(value);
}

static char *bytes_text(uint64_t bytes) {
  return language_sentence("%llu MB", (unsigned long long)(bytes >> 20));
}

static void course_print(const struct course *course) {
  enum { BUILD_SECONDS = 120 };
  struct page page = page_for(stdout);
  sandbox_set_default_limits(course->limits);
  struct sandbox_limits limits = sandbox_default_limits();
  page_line(&page, PAGE_STRONG, course->name);
  line_print(&page, _("memory"), bytes_text(limits.memory_bytes));
  line_print(&page, _("file size"), bytes_text(limits.file_bytes));
  line_print(&page, _("scratch"), bytes_text(limits.scratch_bytes));
  line_print(&page, _("scratch files"),
             memory_format("%llu", (unsigned long long)limits.scratch_inodes));
  line_print(&page, _("processes"), memory_format("%u", limits.processes));
  line_print(&page, _("descriptors"), memory_format("%u", limits.descriptors));
  line_print(&page, _("CPU time"), memory_format("%u s", limits.cpu_seconds));
  line_print(&page, _("build time"),
             memory_format("%u s", course->build_seconds ? course->build_seconds : BUILD_SECONDS));
}

int command_course(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
  int option;
  while ((option = cli_option(command, argc, argv, options)) != -1)
    return option == CLI_HELP ? cli_printed(CLI_PASSED) : CLI_USAGE;
  if (argc - optind != 2 || strcmp(argv[optind], "check") != 0)
    return cli_usage(command, "Say `wiregrade course check FILE`");
  struct failure failure;
  struct course *course = course_load(argv[optind + 1], &failure);
  if (!course) {
    cli_complain(failure.sentence);
    return CLI_USAGE;
  }
  course_print(course);
  course_free(course);
  return cli_printed(CLI_PASSED);
}
