#include "grader/result/result.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char *no_programs[] = {(char *)"udp-server"};
static struct requirement requirements[] = {
    {1, LEVEL_CORE, NULL, 0, (char *)"It binds.", (char *)"INADDR_ANY", (char *)"ip(7)"},
    {2, LEVEL_CORE, NULL, 0, (char *)"It prints.", (char *)"", (char *)""},
    {3, LEVEL_STRETCH, NULL, 0, (char *)"It lives.", (char *)"", (char *)""},
};
static const struct lab lab = {
    (char *)"udp", (char *)"a title", (char *)"1", 20, no_programs, 1, requirements, 3};

static json_t *result_with(const char *first, const char *second, const char *third) {
  json_t *result = result_new("/home/student", "virtual", 1);
  struct judged_check checks[] = {
      {(char *)"udp.1/a", 1, json_pack("{s:s,s:s}", "status", first, "cause", "")},
      {(char *)"udp.1/b", 1, json_pack("{s:s,s:s}", "status", second, "cause", "You forgot.")},
      {(char *)"udp.2/c", 2, NULL},
      {(char *)"udp.3/d", 3, json_pack("{s:s,s:s}", "status", third, "message", "Oh")},
  };
  result_add_lab(result, &lab, checks, 4, true);
  for (size_t i = 0; i < 4; i++)
    json_decref(checks[i].verdict);
  result_finish(result, 1.5, false);
  return result;
}

static const json_t *check_at(const json_t *result, size_t index) {
  const json_t *first = json_array_get(json_object_get(result, "labs"), 0);
  return json_array_get(json_object_get(first, "checks"), index);
}

Test(result, points_are_whole_and_add_up) {
  json_t *result = result_with("pass", "fail", "pass");
  cr_expect_eq(result_number(check_at(result, 0), "score"),
               4); /* 15 core points: 8 and 7; 8: 4 and 4 */
  cr_expect_eq(result_number(check_at(result, 1), "score"), 0);
  cr_expect_eq(result_number(check_at(result, 2), "score"), 5);
  cr_expect_eq(result_number(result, "score"), 9);
  cr_expect_eq(result_number(result, "max_score"), 13, "udp.2 was not asked for");
  cr_expect_eq(result_count(result, "pass"), 2);
  json_decref(result);
}

Test(result, an_error_costs_nothing) {
  json_t *result = result_with("pass", "error", "pass");
  cr_expect_eq(result_number(result, "score"), 9);
  cr_expect_eq(result_number(result, "max_score"), 9);
  json_decref(result);
}

Test(result, the_cause_seen_goes_before_the_labs_hint) {
  json_t *result = result_with("fail", "fail", "pass");
  cr_expect_str_eq(result_text(check_at(result, 0), "hint"), "INADDR_ANY");
  cr_expect_str_eq(result_text(check_at(result, 1), "hint"), "You forgot.");
  cr_expect_str_eq(result_text(check_at(result, 2), "hint"), "");
  cr_expect_str_eq(result_text(check_at(result, 1), "requirement"), "udp.1");
  json_decref(result);
}

static char folder[64];
static void folder_make(void) {
  strcpy(folder, "/tmp/wiregrade-test-XXXXXX");
  cr_assert(mkdtemp(folder));
}
static void folder_remove(void) {
  scoped_text char *command = memory_format("rm -r %s", folder);
  cr_assert(system(command) == 0);
}
TestSuite(file, .init = folder_make, .fini = folder_remove);

Test(file, is_read_as_it_was_written) {
  struct failure failure;
  scoped_text char *path = memory_format("%s/result.json", folder);
  json_t *result = result_with("pass", "fail", "error");
  cr_assert(result_write(result, path, &failure) == 0, "%s", failure.sentence);
  cr_assert(result_write(result, path, &failure) == 0, "%s", failure.sentence);
  json_t *again = result_read(path, &failure);
  cr_assert(again, "%s", failure.sentence);
  cr_expect(json_equal(result, again));
  json_decref(result);
  json_decref(again);

  struct dirent **entries;
  int count = scandir(folder, &entries, NULL, NULL);
  cr_expect_eq(count, 3, "nothing but the file is left (and . and ..)");
  for (int i = 0; i < count; i++)
    free(entries[i]);
  free(entries);
}

Test(file, that_cannot_be_written) {
  struct failure failure;
  json_t *result = result_with("pass", "pass", "pass");
  cr_expect(result_write(result, "/nonexistent/result.json", &failure) == -1);
  cr_expect(strstr(failure.sentence, "No such file"), "%s", failure.sentence);
  json_decref(result);
}

Test(file, that_is_appended_to) {
  struct failure failure;
  scoped_text char *path = memory_format("%s/outputs", folder);
  cr_assert(file_append(path, "a=1\n", 4, &failure) == 0, "%s", failure.sentence);
  cr_assert(file_append(path, "b=2\n", 4, &failure) == 0, "%s", failure.sentence);
  scoped_file FILE *file = fopen(path, "re");
  char text[16] = "";
  cr_expect_eq(fread(text, 1, sizeof text - 1, file), 8);
  cr_expect_str_eq(text, "a=1\nb=2\n");
  cr_expect(file_append("/dev/full", "x", 1, &failure) == -1);
  cr_expect(strstr(failure.sentence, "No space left"), "%s", failure.sentence);
}

/* A disk that has room for a part of a text, as a limit on the size of files makes it up. */
Test(file, that_cannot_take_all_keeps_what_it_had) {
  struct failure failure;
  scoped_text char *path = memory_format("%s/outputs", folder);
  cr_assert(file_append(path, "a=1\n", 4, &failure) == 0, "%s", failure.sentence);
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit before, limit;
  getrlimit(RLIMIT_FSIZE, &before);
  limit = (struct rlimit){10, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  int outcome = file_append(path, "0123456789", 10, &failure);
  setrlimit(RLIMIT_FSIZE, &before);
  cr_expect(outcome == -1);
  struct stat status;
  cr_assert(stat(path, &status) == 0);
  cr_expect_eq(status.st_size, 4);
}

static void expect_refused(const char *contents, const char *why) {
  struct failure failure;
  scoped_text char *path = memory_format("%s/result.json", folder);
  cr_assert(file_replace(path, contents, strlen(contents), &failure) == 0);
  cr_assert_null(result_read(path, &failure));
  cr_expect(strstr(failure.sentence, why), "no '%s' in: %s", why, failure.sentence);
}

Test(file, that_is_no_result) {
  struct failure failure;
  expect_refused("", "is empty");
  expect_refused("{\"schema\": \"wiregrade/result/v1\",\n \"labs\": [", "ends in line 2");
  expect_refused("hello\n", "result.json:1 is not JSON");
  expect_refused("[]", "not a result of wiregrade");
  expect_refused("{\"schema\": \"wiregrade/result/v2\"}", "later wiregrade");
  expect_refused("{\"schema\": \"wiregrade/result/v1\"}", "no \"submission\"");
  cr_expect_null(result_read("/nonexistent", &failure));
  cr_expect_null(result_read("/", &failure));
  cr_expect_null(result_read("/dev/zero", &failure));
  cr_expect(strstr(failure.sentence, "more than 64 MB"), "%s", failure.sentence);

  json_t *result = result_with("pass", "pass", "pass");
  json_t *first = json_array_get(json_object_get(result, "labs"), 0);
  json_object_set_new(first, "checks", json_pack("[{s:i}]", "id", 1));
  scoped_text char *text = json_dumps(result, 0);
  expect_refused(text, "\"id\" of a check has the wrong type");
  json_decref(result);
}

Test(result, a_record_of_wrong_types_makes_a_document_that_can_be_read) {
  json_t *verdict = json_pack("{s:s,s:i,s:s,s:[],s:i}", "status", "fail", "message", 7, "events",
                              "none", "capture", "virtual_s", 3);
  struct judged_check checks[] = {{(char *)"udp.1/a", 1, verdict}};
  json_t *result = result_new("/home/student", "virtual", 1);
  result_add_lab(result, &lab, checks, 1, true);
  json_decref(verdict);
  const json_t *check = check_at(result, 0);
  cr_expect_str_eq(result_text(check, "message"), "");
  cr_expect(json_is_array(json_object_get(check, "events")));
  cr_expect(json_is_null(json_object_get(check, "capture")));
  cr_expect_eq(result_number(check, "virtual_s"), 3, "a number without a point is a number");
  json_decref(result);
}
