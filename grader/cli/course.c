/* wiregrade course check FILE; and what `--course FILE` does. */
#include "grader/cli/selection.h"

#include "grader/base/instant.h"
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/course/course.h"
#include "grader/result/page.h"

#include <string.h>

struct course *cli_course(const char *path, struct catalogue *catalogue) {
  struct failure failure;
  struct course *course = course_load(path, &failure);
  if (course && course_apply(course, catalogue, &failure)) {
    failure_prefix(&failure, "%s", path);
    course_free(course);
    course = NULL;
  }
  if (!course)
    cli_complain(failure.sentence);
  else
    sandbox_set_default_limits(course->limits);
  return course;
}

int cli_hidden_check(const struct course *course, const struct selection *selection) {
  for (unsigned i = 0; course && i < course->hidden_count; i++) {
    if (!strchr(course->hidden[i], '/'))
      continue;
    bool is_there = false, is_looked_for = false;
    for (size_t k = 0; k < selection->count; k++) {
      const struct chosen_lab *chosen = &selection->labs[k];
      size_t length = strlen(chosen->lab->name);
      is_looked_for |= strncmp(course->hidden[i], chosen->lab->name, length) == 0 &&
                       course->hidden[i][length] == '.' && !chosen->broken;
      for (size_t c = 0; c < chosen->description.count; c++)
        is_there |= course_hides(&(struct course){.hidden = &course->hidden[i], .hidden_count = 1},
                                 chosen->description.checks[c].id, "");
    }
    if (!is_there && is_looked_for) {
      scoped_text char *sentence = language_sentence(
          "The course hides %s, and there is no such check; `wiregrade grade` names them all",
          course->hidden[i]);
      cli_complain(sentence);
      return -1;
    }
  }
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

static char *words_list(char *const *words, unsigned count, const char *none) {
  struct cli_words list = {0};
  for (unsigned i = 0; i < count; i++)
    cli_words_add(&list, words[i]);
  char *text = count ? cli_words_join(&list, ", ") : memory_text(none);
  free(list.words);
  return text;
}

static void limits_print(const struct page *page, const struct course *course) {
  enum { BUILD_SECONDS = 120 };
  struct sandbox_limits limits = sandbox_default_limits();
  line_print(page, _("memory"), bytes_text(limits.memory_bytes));
  line_print(page, _("file size"), bytes_text(limits.file_bytes));
  line_print(page, _("scratch"), bytes_text(limits.scratch_bytes));
  line_print(page, _("scratch files"),
             memory_format("%llu", (unsigned long long)limits.scratch_inodes));
  line_print(page, _("processes"), memory_format("%u", limits.processes));
  line_print(page, _("descriptors"), memory_format("%u", limits.descriptors));
  line_print(page, _("CPU time"), memory_format("%u s", limits.cpu_seconds));
  line_print(page, _("build time"),
             memory_format("%u s", course->build_seconds ? course->build_seconds : BUILD_SECONDS));
}

/* The points of each requirement, as they come out of all that the course says. */
static char *lab_words(const struct lab *lab) {
  unsigned *points = memory_zeroed(lab->requirement_count, sizeof *points);
  lab_points(lab, points);
  char *words = lab->extra ? language_sentence("%u points, which make up for others':", lab->points)
                           : language_sentence("%u points:", lab->points);
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    char *longer = memory_format("%s %u (%s) %u%s", words, lab->requirements[i].number,
                                 _(level_name(lab->requirements[i].level)), points[i],
                                 i + 1 < lab->requirement_count ? "," : "");
    free(words);
    words = longer;
  }
  free(points);
  return words;
}

static char *late_words(const struct course *course) {
  if (!course->per_day)
    return language_sentence("costs nothing");
  if (!course->has_deadline)
    return language_sentence("if it is marked so where it was handed in, costs %u percent, %u at "
                             "most",
                             course->per_day, course->most);
  return language_sentence("after %s and %u s of grace, costs %u percent for each day begun, %u at "
                           "most",
                           instant_format(course->deadline).text, course->grace_s, course->per_day,
                           course->most);
}

static void course_print(const struct course *course, const struct catalogue *catalogue) {
  struct page page = page_for(stdout);
  page_line(&page, PAGE_STRONG, course->name);
  for (size_t i = 0; i < catalogue->count; i++)
    line_print(&page, catalogue->labs[i]->name, lab_words(catalogue->labs[i]));
  line_print(&page, _("hidden"), words_list(course->hidden, course->hidden_count, _("nothing")));
  if (course->hidden_count)
    line_print(&page, _("released"),
               course->release_hidden ? language_sentence("yes") : language_sentence("no"));
  line_print(&page, _("dropped"), language_sentence("%u of the labs", course->drop));
  line_print(&page, _("languages"),
             words_list(course->languages, course->language_count, _("any")));
  line_print(&page, _("late"), late_words(course));
  limits_print(&page, course);
}

int command_course(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
  int option;
  while ((option = cli_option(command, argc, argv, options)) != -1)
    return option == CLI_HELP ? cli_printed(CLI_PASSED) : CLI_USAGE;
  if (argc - optind != 2 || strcmp(argv[optind], "check") != 0)
    return cli_usage(command, "Say `wiregrade course check FILE`");
  struct places places;
  struct catalogue catalogue;
  if (cli_catalogue(NULL, &places, &catalogue))
    return CLI_ERROR;
  struct course *course = cli_course(argv[optind + 1], &catalogue);
  struct selection selection = {0};
  struct failure failure;
  int status = CLI_USAGE;
  if (course &&
      selection_make(&places, &catalogue, &(struct selection_names){0}, &selection, &failure) ==
          0 &&
      cli_hidden_check(course, &selection) == 0) {
    course_print(course, &catalogue);
    status = CLI_PASSED;
  }
  selection_free(&selection);
  course_free(course);
  catalogue_free(&catalogue);
  places_free(&places);
  return cli_printed(status);
}
