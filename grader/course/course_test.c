/* What a course file may say, and what is said of one that is wrong. */
#include "grader/course/course.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct course *load(const char *text, struct failure *failure) {
  char path[] = "/tmp/course-test-XXXXXX";
  int fd = mkstemp(path);
  cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
  struct course *course = course_load(path, failure);
  unlink(path);
  return course;
}

Test(course, says_what_it_limits) {
  struct failure failure;
  struct course *course = load("course: Sockets\nlimits:\n  memory: 512 MB\n  file-size: 3MiB\n"
                               "  processes: 100\n  cpu-time: 2 min\n  build-time: 90 s\n",
                               &failure);
  cr_assert(course, "%s", failure.sentence);
  cr_expect_str_eq(course->name, "Sockets");
  cr_expect_eq(course->limits.memory_bytes, 512ull << 20);
  cr_expect_eq(course->limits.file_bytes, 3ull << 20);
  cr_expect_eq(course->limits.processes, 100);
  cr_expect_eq(course->limits.cpu_seconds, 120);
  cr_expect_eq(course->build_seconds, 90);
  cr_expect_eq(course->limits.scratch_bytes, 0);
  cr_expect_eq(course->limits.descriptors, 0);
  course_free(course);
}

Test(course, needs_no_limits) {
  struct failure failure;
  struct course *course = load("course: Sockets\n", &failure);
  cr_assert(course, "%s", failure.sentence);
  cr_expect_eq(course->limits.memory_bytes, 0);
  course_free(course);
}

static struct catalogue catalogue_of(unsigned requirements) {
  struct catalogue catalogue = {.labs = memory_zeroed(2, sizeof *catalogue.labs), .count = 2};
  static const char *const names[] = {"udp", "udp-retry"};
  for (size_t i = 0; i < 2; i++) {
    scoped_text char *text =
        memory_format("lab: %s\ntitle: t\nsection: '1'\npoints: 100\nprograms: [a]\n"
                      "requirements:\n",
                      names[i]);
    for (unsigned number = 1; number <= requirements; number++) {
      char *longer = memory_format("%s- {number: %u, level: %s, text: x}\n", text, number,
                                   number == requirements ? "stretch" : "core");
      free(text);
      text = longer;
    }
    char path[] = "/tmp/course-test-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    struct failure failure;
    catalogue.labs[i] = lab_load(path, &failure);
    cr_assert(catalogue.labs[i], "%s", failure.sentence);
    unlink(path);
  }
  return catalogue;
}

static struct course *applied(const char *text, struct catalogue *catalogue) {
  struct failure failure;
  struct course *course = load(text, &failure);
  cr_assert(course, "%s", failure.sentence);
  cr_assert_eq(course_apply(course, catalogue, &failure), 0, "%s", failure.sentence);
  return course;
}

Test(course, divides_points) {
  struct catalogue catalogue = catalogue_of(3);
  struct course *course =
      applied("course: a\ncore-to-stretch: 1:1\nlabs:\n- lab: udp_retry\n"
              "  points: 60\n  requirements:\n  - {requirement: 2, points: 40}\n",
              &catalogue);
  unsigned points[3];
  cr_assert_eq(catalogue.count, 1);
  cr_expect_str_eq(catalogue.labs[0]->name, "udp-retry");
  lab_points(catalogue.labs[0], points);
  cr_expect_eq(points[0], 10);
  cr_expect_eq(points[1], 40);
  cr_expect_eq(points[2], 10);
  course_free(course);
  catalogue_free(&catalogue);
}

Test(course, hides_by_requirement_and_by_check) {
  struct catalogue catalogue = catalogue_of(3);
  struct course *course = applied("course: a\nhidden: [udp.2, udp_retry.1/gaps]\n", &catalogue);
  cr_expect(course_hides(course, "udp.2/any", "udp.2"));
  cr_expect(course_hides(course, "udp-retry.1/gaps", "udp-retry.1"));
  cr_expect_not(course_hides(course, "udp-retry.1/other", "udp-retry.1"));
  cr_expect_not(course_hides(course, "udp.20/any", "udp.20"));
  course_free(course);
  catalogue_free(&catalogue);
}

Test(course, knows_what_is_late) {
  struct failure failure;
  struct course *course = load("course: a\nlate:\n  deadline: 2026-11-28 12:00 +01:00\n"
                               "  grace: 10 min\n  per-day: 20\n  most: 50\n",
                               &failure);
  cr_assert(course, "%s", failure.sentence);
  time_t deadline = course->deadline;
  cr_expect_eq(deadline, 1795863600, "2026-11-28T11:00:00Z");
  cr_expect_not(course_lateness(course, true, deadline + 600).late,
                "the time counts, not the mark");
  cr_expect_eq(course_lateness(course, false, deadline + 601).penalty, 20);
  cr_expect_eq(course_lateness(course, false, deadline + 601).late_s, 1);
  cr_expect_eq(course_lateness(course, false, deadline + 600 + 86401).penalty, 40);
  cr_expect_eq(course_lateness(course, false, deadline + 9999999).penalty, 50);
  cr_expect_eq(course_lateness(course, true, -1).penalty, 20);
  cr_expect_eq(course_lateness(course, true, -1).late_s, -1);
  cr_expect_eq(course_lateness(course, false, -1).penalty, 0);
  course_free(course);
}

Test(course, a_result_depends_on_all_but_lateness) {
  struct failure failure;
  struct course *one = load("course: a\ndrop: 1\n", &failure);
  struct course *late = load("course: b\ndrop: 1\nlate: {per-day: 5}\n", &failure);
  struct course *other = load("course: a\ndrop: 2\n", &failure);
  cr_assert(one && late && other, "%s", failure.sentence);
  scoped_text char *essence = course_essence(one), *same = course_essence(late),
                   *different = course_essence(other);
  cr_expect_str_eq(essence, same);
  cr_expect_str_neq(essence, different);
  course_free(one);
  course_free(late);
  course_free(other);
}

static void expect_unfit(const char *text, const char *says) {
  struct catalogue catalogue = catalogue_of(3);
  struct failure failure;
  struct course *course = load(text, &failure);
  cr_assert(course, "%s", failure.sentence);
  cr_assert_neq(course_apply(course, &catalogue, &failure), 0, "'%s' fits", text);
  cr_expect(strstr(failure.sentence, says), "'%s': '%s', not '%s'", text, failure.sentence, says);
  course_free(course);
  catalogue_free(&catalogue);
}

Test(course, must_fit_the_labs) {
  expect_unfit("course: a\nlabs: [{lab: tcp}]\n", "tcp");
  expect_unfit("course: a\nlabs: [{lab: udp}, {lab: udp}]\n", "twice");
  expect_unfit("course: a\nlabs: [{lab: udp, requirements: [{requirement: 9, points: 1}]}]\n",
               "udp.9");
  expect_unfit("course: a\nlabs: [{lab: udp, requirements: [{requirement: 1, points: 101}]}]\n",
               "101 points");
  expect_unfit("course: a\nhidden: [udp.9]\n", "udp.9");
  expect_unfit("course: a\ndrop: 2\n", "drops 2 labs of the 2");
}

struct wrong {
  char text[120], says[120];
};

static struct wrong wrongs[] = {
    {"", "is empty"},
    {"course: [", ":"},
    {"limits:\n  memory: 1 GB\n", "course"},
    {"course: a\nlimits:\n  memories: 1 GB\n", ":3: Unexpected key: memories"},
    {"course: a\nlimits:\n  memory: much\n", "memory must be like '512 MB', not 'much'"},
    {"course: a\nlimits:\n  memory: 512\n", "memory must be like '512 MB', not '512'"},
    {"course: a\nlimits:\n  memory: -1 GB\n", "memory must be like"},
    {"course: a\nlimits:\n  memory: 99999999999999999999 GB\n", "memory must be like"},
    {"course: a\nlimits:\n  memory: 17179869185 GB\n", "memory must be like"},
    {"course: a\nlimits:\n  memory: 1 KB\n", "memory is too little for any program: '1 KB'"},
    {"course: a\nlimits:\n  processes: 1000000\n", "processes is too much"},
    {"course: a\nlimits:\n  cpu-time: 5 days\n", "cpu-time must be like '60 s'"},
    {"course: a\nlabs:\n- points: 5\n", ":3"},
    {"course: a\ncore-to-stretch: 3\n", "core-to-stretch must be like '3:1', not '3'"},
    {"course: a\ncore-to-stretch: 0:0\n", "core-to-stretch must be like"},
    {"course: a\nlanguages: [cobol]\n", "there is no language 'cobol' here; there are c, c++"},
    {"course: a\nlate:\n  deadline: tomorrow\n", "deadline must be like"},
    {"course: a\nlate:\n  per-day: 101\n", "per-day and most are percents"},
    {"course: a\nlate:\n  per-week: 1\n", ":3: Unexpected key: per-week"},
};

ParameterizedTestParameters(course, complains) {
  return cr_make_param_array(struct wrong, wrongs, sizeof wrongs / sizeof *wrongs);
}

ParameterizedTest(struct wrong *wrong, course, complains) {
  struct failure failure;
  struct course *course = load(wrong->text, &failure);
  cr_assert_null(course, "'%s' is taken for a course", wrong->text);
  cr_expect(strstr(failure.sentence, wrong->says), "'%s': '%s', not '%s'", wrong->text,
            failure.sentence, wrong->says);
}
