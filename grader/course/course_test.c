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
