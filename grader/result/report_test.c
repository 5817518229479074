/* The reports, made of one document that has everything in it, and of what is left of it when any
 * member is gone. */
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/report_classroom50.h"
#include "grader/result/report_github.h"
#include "grader/result/report_html.h"
#include "grader/result/report_json.h"
#include "grader/result/report_junit.h"
#include "grader/result/report_markdown.h"
#include "grader/result/report_tap.h"
#include "grader/result/report_text.h"
#include "grader/result/result.h"
#include "grader/result/timeline.h"

#include <criterion/criterion.h>
#include <string.h>

/* Texts as a hostile program could have made them. */
static const char nasty[] =
    "\033]0;owned\a # SKIP \\ <b>&\"' ]]> \xef\xbf\xbf 你好你好你好你好你好你好你好你好你好你好你好"
    "你好你好你好 1..2\nnot ok 1 pass\xe2\x80\xaelliaf "
    "wordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordword\r\n"
    "\n::set-env name=A::b\n  ::add-mask::c ##[error]d\n  ...\n";

static json_t *check_new(const char *id, const char *status, const char *message) {
  json_t *start = json_pack("{s:f, s:s, s:s, s:s}", "t", 0.0, "kind", "start", "program",
                            "udp-client", "text", message);
  json_t *frame = json_pack("{s:f, s:s, s:s, s:s, s:s, s:i, s:s}", "t", 0.001, "kind", "frame",
                            "protocol", "UDP", "from", "127.0.0.1:4000", "to", "127.0.0.1:60000",
                            "length", 20, "text", message);
  json_t *exit = json_pack("{s:f, s:s, s:s, s:s}", "t", 12345678.9, "kind", "exit", "program",
                           "udp-client", "text", message);
  return json_pack(
      "{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:[s], s:[o, o, o]}", "id",
      id, "requirement", "udp.1", "level", "core", "status", status, "score", 0, "max_score", 2,
      "message", message, "expected", message, "actual", message, "hint", message, "text", message,
      "read", "udp(7)", "real_s", 0.25, "findings", message, "events", start, frame, exit);
}

static json_t *document_new(const char *words) {
  return json_pack(
      "{s:s, s:s, s:s, s:f, s:s, s:i, s:i, s:i, s:{s:b, s:s}, s:[s], s:b, s:[{s:s, s:s, s:i, s:i, "
      "s:b, s:[o, o, o, o, o]}, {s:s, s:s, s:i, s:i, s:b, s:[]}]}",
      "schema", RESULT_SCHEMA, "submission", words, "started", "2026-01-01T00:00:00Z", "duration_s",
      1.5, "clock", "virtual", "seed", 1, "score", 3, "max_score", 12, "build", "ok", 0, "log",
      words, "faults", words, "interrupted", 1, "labs", "lab", "udp", "title", words, "score", 3,
      "max_score", 12, "begun", 1, "checks", check_new("udp.1/a", "pass", ""),
      check_new("udp.1/b", "fail", words), check_new("udp.1/c", "missing", words),
      check_new("udp.1/d", "skipped", words), check_new("udp.1/e", "error", words), "lab", "mtu",
      "title", "a lab", "score", 0, "max_score", 20, "begun", 0, "checks");
}

static void text_80(const json_t *result, FILE *file) {
  report_text(result, &(struct page){.file = file, .width = 80, .drawing = true});
}

static void text_40(const json_t *result, FILE *file) {
  report_text(result, &(struct page){.file = file, .width = 40, .log = true});
}

static void json_write(const json_t *result, FILE *file, json_reporter *make) {
  struct failure failure;
  scoped_text char *text = report_json(result, make, 100 * 1000, &failure);
  cr_assert(text, "%s", failure.sentence);
  fputs(text, file);
}

static void gradescope(const json_t *result, FILE *file) {
  json_write(result, file, report_gradescope);
}

static void prairielearn(const json_t *result, FILE *file) {
  json_write(result, file, report_prairielearn);
}

static void autolab(const json_t *result, FILE *file) {
  json_write(result, file, report_autolab);
}

static void check50(const json_t *result, FILE *file) {
  json_write(result, file, report_check50);
}

static void classroom(const json_t *result, FILE *file) {
  json_write(result, file, report_classroom);
}

static json_t *classroom50_make(const void *result, size_t room) {
  static const struct classroom50 about = {"a", "b", "individual", "c", "submit/d", "e",
                                           "f", "g", "h",          "i", "j",        1};
  return report_classroom50(result, &about, room);
}

static void classroom50(const json_t *result, FILE *file) {
  struct failure failure;
  scoped_text char *text = report_json_made(classroom50_make, result, 100 * 1000, &failure);
  cr_assert(text, "%s", failure.sentence);
  fputs(text, file);
}

static void markdown(const json_t *result, FILE *file) {
  scoped_text char *text = report_markdown(result, 100 * 1000);
  fputs(text, file);
}

static void annotations(const json_t *result, FILE *file) {
  report_github_annotations(result, "labs", file);
}

typedef void reporter(const json_t *result, FILE *file);
static reporter *const reports[] = {text_80,    text_40,   report_tap, report_junit, report_html,
                                    gradescope, autolab,   check50,    prairielearn, classroom50,
                                    markdown,   classroom, annotations};

static char *report_make(reporter *make, const json_t *result) {
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  make(result, file);
  fclose(file);
  cr_assert_eq(strlen(text), length, "no byte of it is 0");
  return text;
}

static void expect_contained(const char *text, const char *wanted) {
  cr_expect(strstr(text, wanted), "no '%s' in:\n%s", wanted, text);
}

static void expect_width(const char *text, unsigned width) {
  while (*text) {
    size_t length = strcspn(text, "\n");
    scoped_text char *line = memory_format("%.*s", (int)length, text);
    cr_expect(text_columns(line) <= width, "%u columns: %s", text_columns(line), line);
    text += length + (text[length] == '\n');
  }
}

static void expect_no_controls(const char *text) {
  for (const char *c = text; *c; c++)
    cr_assert((unsigned char)*c >= ' ' || *c == '\n', "\\x%02x in:\n%s", *c, text);
  cr_expect_not(strstr(text, "\u202e"));
}

/* As GitHub's runners look for commands in what a job prints. */
static void expect_no_command(const char *text) {
  for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
    cr_expect(strncmp(line + strspn(line, " "), "::", 2) != 0, "obeyed: %s", line);
  cr_expect_not(strstr(text, "##["), "obeyed: %s", text);
}

Test(report, nasty_texts_do_no_harm) {
  json_t *result = document_new(nasty);
  cr_assert(result);
  for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
    scoped_text char *text = report_make(reports[i], result);
    expect_no_controls(text);
    if (reports[i] != text_80 && reports[i] != report_junit && reports[i] != report_html &&
        reports[i] != markdown && reports[i] != annotations)
      expect_no_command(text);
    if (i < 2)
      expect_width(text, i == 0 ? 80 : 40);
  }
  json_decref(result);
}

/* Removes each member of each object in turn, and puts it back. */
static void without_each_member(json_t *root, json_t *value) {
  if (json_is_array(value)) {
    size_t index;
    json_t *element;
    json_array_foreach (value, index, element)
      without_each_member(root, element);
  }
  if (!json_is_object(value))
    return;
  json_t *members = json_copy(value), *member;
  const char *key;
  json_object_foreach (members, key, member) {
    json_t *const others[] = {NULL, json_null(), json_integer(-7), json_string("x"), json_array()};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
      json_object_del(value, key);
      if (others[i])
        json_object_set_new(value, key, others[i]);
      for (size_t j = 0; j < sizeof reports / sizeof *reports; j++)
        free(report_make(reports[j], root));
    }
    json_object_set(value, key, member);
    without_each_member(root, member);
  }
  json_decref(members);
}

Test(report, no_member_is_needed, .timeout = 60) {
  json_t *result = document_new("some words");
  without_each_member(result, result);
  json_decref(result);
  json_t *empty = json_object();
  for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
    free(report_make(reports[i], empty));
  json_decref(empty);
}

Test(report, text_says_what_to_do_next) {
  json_t *result = document_new("some words");
  json_object_set_new(result, "submission", json_string("it's mine"));
  scoped_text char *text = report_make(text_80, result);
  expect_contained(text, "FAIL udp.1/b  (core, 2 points)");
  expect_contained(text, "wiregrade explain udp.1");
  expect_contained(text, "wiregrade grade --check udp.1 'it'\\''s mine'");
  expect_contained(text, "no program yet: mtu (20 points)");
  expect_contained(text, "1 of 5 passed, 1 error");
  json_decref(result);
}

Test(report, the_compilers_first_error_with_its_place) {
  json_t *result = document_new("");
  static const char log[] = "$ make -k\n"
                            "cc -Werror -o bin/error-client error-client.c\n"
                            "a.c: In function 'main':\n"
                            "a.c:30:11: error: expected expression\n"
                            "   30 |   int x = ;\n"
                            "      |           ^\n"
                            "a.c:31:1: error: another\n"
                            "make: *** [Makefile:2: all] Error 1\n";
  json_object_set_new(json_object_get(result, "build"), "log", json_string(log));
  scoped_text char *text = report_make(text_80, result);
  expect_contained(text, "BUILD failed in a.c, line 30; ");
  expect_contained(text, "  a.c:30:11: error: expected expression\n     30 |   int x = ;\n");
  expect_contained(text, "and 1 more error:");
  cr_expect_not(strstr(text, "error-client"), "%s", text);

  json_object_set_new(json_object_get(result, "build"), "log",
                      json_string("$ cc a.c\n/usr/bin/ld: a.o: undefined reference to `f'\n"));
  scoped_text char *linker = report_make(text_80, result);
  expect_contained(linker, "BUILD failed; ");
  expect_contained(linker, "  /usr/bin/ld: a.o: undefined reference to `f'\n");

  json_object_set_new(json_object_get(result, "build"), "log",
                      json_string("$ make -k\nrustc a.rs\nmake: rustc: No such file or directory\n"
                                  "make: *** [Makefile:2: a] Error 127\n"));
  scoped_text char *absent = report_make(text_80, result);
  expect_contained(absent, "  rustc a.rs\n  make: rustc: No such file or directory\n  make: ***");
  json_decref(result);
}

Test(report, tap_is_what_it_says) {
  json_t *result = document_new("some # words");
  json_object_set_new(result, "interrupted", json_false());
  scoped_text char *text = report_make(report_tap, result);
  expect_contained(text, "1..5\nok 1 - udp.1/a\nnot ok 2 - udp.1/b\n  ---\n");
  expect_contained(text, "  message: \"some # words\"\n");
  expect_contained(text, "ok 4 - udp.1/d # SKIP some \\# words\n");
  json_decref(result);
}

/* What other programs say of it, where they are installed. */
static void expect_accepted(reporter *make, const char *program, const char *command) {
  scoped_text char *known = memory_format("command -v %s >/dev/null 2>&1", program);
  if (system(known) != 0)
    cr_skip("%s is not installed", program);
  const char *const words[] = {nasty, "plain"};
  for (size_t i = 0; i < 2; i++) {
    json_t *result = document_new(words[i]);
    json_object_set_new(result, "interrupted", json_false());
    scoped_text char *text = report_make(make, result);
    FILE *pipe = popen(command, "w");
    fputs(text, pipe);
    cr_expect_eq(pclose(pipe), 0, "%s does not accept:\n%s", program, text);
    json_decref(result);
  }
}

Test(report, prove_counts_the_same) {
  expect_accepted(report_tap, "prove",
                  "f=$(mktemp) && cat >$f && prove --merge -e cat $f 2>&1 | tee $f.out | grep -q "
                  "'Failed 3/5 subtests' && ! grep -i 'parse error' $f.out; s=$?; rm -f $f $f.out; "
                  "exit $s");
}

Test(report, junit_is_well_formed) {
  expect_accepted(report_junit, "xmllint", "xmllint --noout - 2>/dev/null");
  json_t *result = document_new("a < b");
  scoped_text char *text = report_make(report_junit, result);
  expect_contained(text, "tests=\"8\" failures=\"3\" errors=\"3\" skipped=\"1\"");
  expect_contained(text, "message=\"a &#60; b\"");
  json_decref(result);
}

/* ---- the time line ---- */

static json_t *frame_new(double time, const char *text) {
  return json_pack("{s:f, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "t", time, "kind", "frame",
                   "protocol", "UDP", "from", "127.0.0.1:4000", "to", "127.0.0.1:60000", "length",
                   2, "text", text, "sender", "client", "receiver", "server");
}

static char *timeline_make(json_t *events, size_t most) {
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  timeline_draw(&(struct page){.file = file, .width = 80}, events, most);
  fclose(file);
  json_decref(events);
  return text;
}

Test(timeline, of_one_program_needs_no_name) {
  json_t *events = json_pack("[{s:f, s:s, s:s, s:s}, o, o]", "t", 0.0, "kind", "line", "program",
                             "client", "text", "Hello", frame_new(0.1, "hi"), frame_new(0.3, "hi"));
  scoped_text char *text = timeline_make(events, 14);
  cr_expect_str_eq(text, "    0.000 | prints: Hello\n"
                         "    0.100 * client:4000 --> server:60000  UDP, 2 bytes: hi\n"
                         "    0.300 * client:4000 --> server:60000  the same 2 bytes\n");
}

Test(timeline, leaves_out_waits_before_anything_else) {
  json_t *events = json_array();
  for (int i = 0; i < 10; i++) {
    json_array_append_new(events, frame_new(i, i % 2 ? "b" : "a"));
    json_array_append_new(events, json_pack("{s:f, s:s, s:s, s:s}", "t", i + 0.5, "kind", "wait",
                                            "program", "client", "text", i < 9 ? "poll" : "hangs"));
  }
  scoped_text char *text = timeline_make(json_incref(events), 12);
  cr_expect_not(strstr(text, "poll"), "%s", text);
  expect_contained(text, "hangs");
  cr_expect_not(strstr(text, "more moments"), "%s", text);
  scoped_text char *shorter = timeline_make(events, 5);
  expect_contained(shorter, "          : 7 more moments\n");
  expect_contained(shorter, "hangs");
}

static json_t *segment_new(double t, const char *flags, const char *text) {
  json_t *frame = frame_new(t, text);
  json_object_set_new(frame, "protocol", json_string("TCP"));
  json_object_set_new(frame, "flags", json_string(flags));
  json_object_set_new(frame, "length", json_integer((json_int_t)strlen(text)));
  return frame;
}

Test(timeline, shows_handshakes_and_ends_of_tcp) {
  json_t *events =
      json_pack("[o, o, o, o, o, o, o]", segment_new(0, "SYN", ""), segment_new(0, "SYN ACK", ""),
                segment_new(0, "ACK", ""), segment_new(1, "ACK", "hi"), segment_new(1, "ACK", ""),
                segment_new(2, "FIN ACK", "bye"), segment_new(2, "ACK", ""));
  scoped_text char *text = timeline_make(events, 14);
  cr_expect_str_eq(text, "    0.000 * client:4000 --> server:60000  TCP SYN\n"
                         "    0.000 * client:4000 --> server:60000  TCP SYN ACK\n"
                         "    0.000 * client:4000 --> server:60000  TCP ACK\n"
                         "    1.000 * client:4000 --> server:60000  TCP, 2 bytes: hi\n"
                         "    2.000 * client:4000 --> server:60000  TCP FIN ACK, 3 bytes: bye\n"
                         "    2.000 * client:4000 --> server:60000  TCP ACK\n");
}
