/* What each of the other programs' formats makes of passes, failures, errors and interruptions, and
 * of more than its reader takes. That the formats are what they should be is tested by schemas
 * (.ci/parts/formats). */
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/report_classroom50.h"
#include "grader/result/report_github.h"
#include "grader/result/report_json.h"
#include "grader/result/report_markdown.h"
#include "grader/result/result.h"
#include "grader/result/source_places.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *check_new(const char *id, const char *status, int score, int most) {
  return json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:[], s:[]}", "id", id,
                   "requirement", "udp.1", "status", status, "score", score, "max_score", most,
                   "message", "it is wrong", "expected", "one\ntwo", "actual", "three", "hint",
                   "a <b> cause", "text", "what is required", "events", "findings");
}

/* A pass, a failure, a missing program, and an error of the grader. */
static json_t *document_new(void) {
  return json_pack("{s:s, s:s, s:s, s:f, s:i, s:i, s:{s:b, s:s}, s:[], s:b, s:[{s:s, s:i, s:i, "
                   "s:[o, o]}, {s:s, s:i, s:i, s:[o, o]}]}",
                   "schema", RESULT_SCHEMA, "submission", "labs", "started", "2026-01-01T00:00:00Z",
                   "duration_s", 1.5, "score", 3, "max_score", 12, "build", "ok", 1, "log", "",
                   "faults", "interrupted", 0, "labs", "lab", "udp", "score", 3, "max_score", 8,
                   "checks", check_new("udp.1/a", "pass", 3, 3), check_new("udp.1/b", "fail", 0, 5),
                   "lab", "mtu", "score", 0, "max_score", 4, "checks",
                   check_new("mtu.1/a", "missing", 0, 4), check_new("mtu.1/b", "error", 0, 0));
}

static void document_set(json_t *result, const char *key, json_t *value) {
  json_object_set_new(result, key, value);
}

static json_t *at(json_t *array, size_t index) {
  return json_array_get(array, index);
}

static json_t *tests_of(const json_t *document) {
  return json_object_get(document, "tests");
}

static void expect_text(const json_t *object, const char *key, const char *wanted) {
  const char *text = result_text(object, key);
  cr_expect(strstr(text, wanted), "no '%s' in \"%s\": %s", wanted, key, text);
}

static void expect_json(const json_t *value, const char *wanted) {
  scoped_text char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
  cr_expect_str_eq(text ? text : "nothing", wanted);
}

static void expect_contained(const char *text, const char *wanted) {
  cr_expect(strstr(text, wanted), "no '%s' in:\n%s", wanted, text);
}

static size_t count_of(const char *text, const char *part) {
  size_t count = 0;
  while ((text = strstr(text, part))) {
    count++;
    text += strlen(part);
  }
  return count;
}

/* ---- learning platforms ---- */

Test(formats, gradescope_tells_of_errors_and_does_not_pass_them) {
  json_t *result = document_new(), *document = report_gradescope(result, 1000);
  expect_json(json_object_get(document, "score"), "3");
  expect_text(document, "output", "Score: 3 of 12 points; 1 of 4 checks passed.");
  expect_text(document, "output", "ATTENTION: the grader itself went wrong (1 time)");
  expect_text(at(tests_of(document), 0), "status", "passed");
  expect_json(json_object_get(at(tests_of(document), 1), "max_score"), "5");
  expect_text(at(tests_of(document), 1), "output", "expected  one\n          two\n");
  expect_text(at(tests_of(document), 3), "status", "failed");
  expect_text(at(tests_of(document), 3), "name", "mtu.1/b (error of the grader: costs nothing)");
  json_decref(document);
  json_decref(result);
}

Test(formats, prairielearn_gives_a_share_of_what_was_judged) {
  json_t *result = document_new(), *document = report_prairielearn(result, 1000);
  expect_json(json_object_get(document, "score"), "0.25");
  expect_json(json_object_get(document, "gradable"), "true");
  json_decref(document);

  document_set(result, "interrupted", json_true());
  document = report_prairielearn(result, 1000);
  expect_json(json_object_get(document, "gradable"), "false");
  expect_json(json_object_get(document, "score"), "0.0");
  cr_expect(
      strstr(json_string_value(at(json_object_get(document, "format_errors"), 0)), "interrupted"));
  json_decref(document);

  document_set(result, "interrupted", json_false());
  document_set(result, "score", json_integer(0));
  document_set(result, "max_score", json_integer(0));
  document = report_prairielearn(result, 1000);
  expect_json(json_object_get(document, "gradable"), "false");
  json_decref(document);
  json_decref(result);
}

Test(formats, autolab_scores_no_lab_with_an_error) {
  json_t *result = document_new(), *document = report_autolab(result, 1000);
  expect_json(at(document, 1), "{\"scores\":{\"udp\":3},\"scoreboard\":[3]}");
  json_t *presentation = at(document, 0);
  expect_json(json_object_get(presentation, "stages"), "[\"Grading\",\"Build\",\"udp\",\"mtu\"]");
  json_t *test = json_object_get(json_object_get(presentation, "udp"), "udp.1/b");
  expect_json(json_object_get(test, "passed"), "false");
  expect_text(test, "hint", "it is wrong");
  json_decref(document);
  document_set(result, "interrupted", json_true());
  document = report_autolab(result, 1000);
  expect_json(at(document, 1), "{\"scores\":{}}");
  json_decref(document);
  json_decref(result);
}

/* A lab's name must not take the place of what Autolab looks for. */
Test(formats, autolab_has_a_stage_for_each_lab_of_one_name) {
  json_t *result = document_new(), *labs = json_object_get(result, "labs");
  json_object_set_new(at(labs, 0), "lab", json_string("_presentation"));
  json_object_set_new(at(labs, 1), "lab", json_string("Build"));
  json_t *document = report_autolab(result, 1000);
  expect_text(at(document, 0), "_presentation", "semantic");
  expect_json(json_object_get(at(document, 0), "stages"),
              "[\"Grading\",\"Build\",\"_presentation (2)\",\"Build (2)\"]");
  json_decref(document);
  json_decref(result);
}

Test(formats, check50_knows_three_outcomes_and_takes_texts_for_html) {
  json_t *result = document_new();
  document_set(result, "build", json_pack("{s:b, s:s}", "ok", 0, "log", "<script>"));
  json_t *document = report_check50(result, 1000);
  json_t *results = json_object_get(document, "results");
  cr_assert_eq(json_array_size(results), 6);
  static const char *const passed[] = {"null", "null", "true", "false", "false", "null"};
  for (size_t i = 0; i < 6; i++)
    expect_json(json_object_get(at(results, i), "passed"), passed[i]);
  expect_text(json_object_get(at(results, 3), "cause"), "help", "a \\x3cb> cause");
  expect_json(json_object_get(at(results, 2), "cause"), "null");
  scoped_text char *text = json_dumps(document, 0);
  cr_expect_not(strstr(text, "<script"));
  json_decref(document);
  json_decref(result);
}

Test(formats, classroom_always_has_a_score) {
  json_t *result = document_new(), *document = report_classroom(result, 1000);
  expect_text(document, "status", "error");
  expect_json(json_object_get(document, "max_score"), "12");
  json_t *tests = tests_of(document), *test;
  size_t index;
  long long sum = 0;
  cr_expect_eq(json_array_size(tests), 5);
  json_array_foreach (tests, index, test) {
    cr_expect(json_is_integer(json_object_get(test, "score")));
    sum += result_number(test, "score");
  }
  cr_expect_eq(sum, 3);
  expect_text(at(tests, 0), "name", "the grading itself");
  expect_text(at(tests, 1), "status", "pass");
  expect_text(at(tests, 4), "status", "error");
  json_decref(document);
  json_decref(result);
}

Test(formats, classroom50_has_nothing_but_what_is_known) {
  static const struct classroom50 about = {.classroom = "c",
                                           .assignment = "a",
                                           .assignment_type = "group",
                                           .owner = "o",
                                           .submission = "submit/1",
                                           .commit = "x",
                                           .release = "y",
                                           .review = "z",
                                           .datetime = "2026-06-01T14:32:01Z",
                                           .graded_at = "",
                                           .username = "",
                                           .user_id = 0};
  json_t *result = document_new(), *document = report_classroom50(result, &about, 0);
  cr_expect_eq(json_object_size(document), 13, "no graded_at, no submitted_by");
  expect_json(json_object_get(document, "max-score"), "12");
  expect_json(json_object_get(at(tests_of(document), 3), "passed"), "false");
  cr_expect_str_eq(report_classroom50_status(result), "error");
  json_decref(document);
  json_decref(result);
}

/* ---- sizes ---- */

static json_t *document_large(void) {
  json_t *result = document_new(),
         *checks = json_object_get(at(json_object_get(result, "labs"), 0), "checks");
  scoped_text char *text = memory_zeroed(30001, 1);
  memset(text, 'x', 30000);
  for (size_t i = 0; i < 30000; i += 100)
    text[i] = '\n';
  for (int i = 0; i < 200; i++) {
    json_t *check = check_new("udp.2/a", "fail", 0, 1);
    json_object_set_new(check, "actual", json_string(text));
    json_array_append_new(checks, check);
  }
  return result;
}

Test(formats, are_cut_to_what_their_readers_take) {
  struct failure failure;
  json_t *result = document_large();
  scoped_text char *all = report_json(result, report_prairielearn, 0, &failure);
  cr_assert(strlen(all) > 2000 * 1000);
  scoped_text char *cut = report_json(result, report_prairielearn, 1000 * 1000, &failure);
  cr_assert(cut, "%s", failure.sentence);
  cr_expect(strlen(cut) <= 1000 * 1000 && strlen(cut) > 100 * 1000, "%zu bytes", strlen(cut));
  expect_contained(cut, "(cut here; the result document has all)");
  scoped_text char *base64 = report_json_base64(result, report_classroom, 127 * 1024, &failure);
  cr_assert(base64, "%s", failure.sentence);
  cr_expect(strlen(base64) <= 127 * 1024);
  cr_expect_null(report_json(result, report_gradescope, 1000, &failure));
  expect_contained(failure.sentence, "1000 bytes");
  scoped_text char *markdown = report_markdown(result, 100 * 1000);
  cr_expect(strlen(markdown) <= 100 * 1000);
  expect_contained(markdown, "more pieces of this report would not fit here");
  json_decref(result);
}

Test(formats, a_line_is_cut_between_characters) {
  scoped_text char *text = feedback_line(SAFE_TERMINAL, "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü", 61);
  cr_expect(strlen(text) <= 61);
  json_t *string = json_string(text);
  cr_expect(string, "not UTF-8: %s", text);
  json_decref(string);
}

/* ---- GitHub ---- */

static char *annotations_make(const json_t *result, const char *folder) {
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  report_github_annotations(result, folder, file);
  fclose(file);
  return text;
}

Test(github, annotates_the_lines_that_the_compiler_names) {
  json_t *result = document_new();
  static const char log[] = "$ make -k\n"
                            "make[1]: Entering directory '/submission/sub'\n"
                            "../a.c:3:1: warning: 50 % of it, really: no\n"
                            "x.c:2:10: error: expected ';'\n"
                            "/usr/include/stdio.h:1:1: error: ours\n"
                            "../../etc/passwd:1:1: error: outside\n"
                            "make[1]: Leaving directory '/submission/sub'\n"
                            "b.c:7: error: another\n";
  document_set(result, "build", json_pack("{s:b, s:s}", "ok", 0, "log", log));
  scoped_text char *text = annotations_make(result, "labs");
  expect_contained(text, "::error file=labs/sub/x.c,line=2,title=build::expected ';'\n");
  expect_contained(text, "::warning file=labs/a.c,line=3,title=build::50 %25 of it, really: no\n");
  expect_contained(text, "::error title=build::ours\n");
  expect_contained(text, "::error title=build::outside\n");
  expect_contained(text, "::error file=labs/b.c,line=7,title=build::another\n");
  expect_contained(text, "::error title=udp.1/b::it is wrong%0Aexpected: one%0Atwo%0Aseen: three");
  expect_contained(text, "::warning title=mtu.1/b (error of the grader%3A costs nothing)::");
  scoped_text char *elsewhere = annotations_make(result, NULL);
  cr_expect_not(strstr(elsewhere, "file="), "%s", elsewhere);
  json_decref(result);
}

Test(github, annotates_the_line_that_a_program_complains_of) {
  json_t *result = document_new();
  json_t *check = at(json_object_get(at(json_object_get(result, "labs"), 0), "checks"), 1);
  json_object_set_new(
      check, "events",
      json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "kind", "line", "stream", "stderr", "text",
                "  File \"/submission/udp_client.py\", line 5, in <module>", "kind", "line",
                "stream", "stderr", "text", "  File \"/usr/lib/python3/socket.py\", line 9"));
  scoped_text char *text = annotations_make(result, "");
  expect_contained(text, "::error file=udp_client.py,line=5,title=udp.1/b::");
  json_decref(result);
}

Test(github, shows_ten_of_each_kind) {
  json_t *result = document_large();
  scoped_text char *text = annotations_make(result, "");
  cr_expect_eq(count_of(text, "::error "), 10);
  expect_contained(text, "::error title=wiregrade::and 193 more; ");
  json_decref(result);
}

Test(github, obeys_nothing_between_stop_commands) {
  json_t *result = document_new();
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  report_github_log(result, "0123", file);
  fclose(file);
  cr_expect(strncmp(text, "::stop-commands::0123\n", 22) == 0);
  cr_expect(strcmp(text + length - 9, "::0123::\n") == 0);
  free(text);
  json_decref(result);
}

Test(github, folds_details_and_lets_nothing_out_of_them) {
  json_t *result = document_new();
  json_t *check = at(json_object_get(at(json_object_get(result, "labs"), 0), "checks"), 1);
  json_object_set_new(check, "actual", json_string("</pre></details>\n\n# @everyone [a](b)"));
  scoped_text char *text = report_markdown(result, 100 * 1000);
  expect_contained(text, "## wiregrade: 3 of 12 points\n");
  expect_contained(text, "| ❌ | <code>udp</code> | 3 of 8 | 1 of 2 |\n");
  cr_expect_eq(count_of(text, "`wiregrade grade --check udp.1 .`"), 1);
  expect_contained(text, "&#60;/pre&#62;");
  cr_expect_eq(count_of(text, "<details>"), count_of(text, "</details>"));
  cr_expect_eq(count_of(text, "<pre>"), count_of(text, "</pre>"));
  json_decref(result);
}

/* ---- places ---- */

static void expect_place(const char *text, const char *file, unsigned line) {
  struct source_place place = {0};
  cr_assert(source_place_find(text, &place), "nothing found in %s", text);
  cr_expect_str_eq(place.file, file);
  cr_expect_eq(place.line, line);
  free(place.file);
}

Test(places, that_programs_name) {
  expect_place("  File \"./a/b.py\", line 12, in main", "a/b.py", 12);
  expect_place("    #1 0x4f in main /submission/udp/udp.c:33:5", "udp/udp.c", 33);
  expect_place("/usr/lib/x.c:1 then y.c:2", "y.c", 2);
  struct source_place place = {0};
  cr_expect_not(source_place_find("127.0.0.1:60000 is no place", &place));
  cr_expect_not(source_place_find("../x.c:5", &place));
  cr_expect_not(source_place_find("x.c:0", &place));
}
