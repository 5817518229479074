/* The page, made of what a hostile submission could have written; and the folder it is written to.
 */
#include "grader/base/file.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/report_html.h"
#include "grader/result/report_html_parts.h"
#include "grader/result/result.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static json_t *check_new(const char *status, const char *words) {
  json_t *event =
      json_pack("{s:f, s:s, s:s, s:s, s:s, s:s, s:s}", "t", 0.0, "kind", "frame", "protocol", words,
                "from", words, "to", words, "text", words, "sender", words);
  json_t *line =
      json_pack("{s:f, s:s, s:s, s:s}", "t", 0.5, "kind", "line", "program", words, "text", words);
  json_t *note = json_pack("{s:f, s:s, s:s}", "t", 0.5, "kind", words, "text", words);
  return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:[s], s:s, "
                   "s:[o, o, o], s:f}",
                   "id", words, "requirement", words, "level", words, "status", status, "score", 0,
                   "max_score", 2, "message", words, "expected", words, "actual", words, "hint",
                   words, "text", words, "read", words, "findings", words, "capture", words,
                   "events", event, line, note, "end_t", 3.0);
}

static json_t *document_new(const char *words) {
  return json_pack("{s:s, s:s, s:f, s:s, s:i, s:i, s:i, s:{s:b, s:s}, s:[s], s:b, "
                   "s:[{s:s, s:s, s:i, s:i, s:b, s:[o, o, o, o, o, o]}]}",
                   "submission", words, "started", words, "duration_s", 1.5, "clock", words, "seed",
                   1, "score", 3, "max_score", 12, "build", "ok", 0, "log", words, "faults", words,
                   "interrupted", 1, "labs", "lab", words, "title", words, "score", 3, "max_score",
                   12, "begun", 1, "checks", check_new("pass", words), check_new("fail", words),
                   check_new("missing", words), check_new("skipped", words),
                   check_new("error", words), check_new(words, words));
}

static char *page_make(const json_t *result) {
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  report_html(result, file);
  fclose(file);
  return text;
}

/* The names of all elements, and of all their attributes, in order. */
static char *skeleton(const char *page) {
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  bool within = false, quoted = false;
  for (const char *c = page; *c; c++) {
    quoted ^= within && *c == '"';
    if (*c == '<' && !quoted) {
      within = true;
    } else if (*c == '>' && !quoted) {
      within = false;
      fputc('\n', file);
      if (strncmp(c - 5, "<style>", 6) == 0 || strncmp(c - 7, "<script>", 7) == 0)
        c = strstr(c, "</") - 1;
    }
    if (within && !quoted)
      fputc(*c, file);
  }
  fclose(file);
  return text;
}

static const char *const fragments[] = {
    "<script>document.title='owned'</script>",
    "\"><img src=x onerror=\"owned=1\">",
    "'><svg/onload=owned=1>",
    "javascript:owned=1",
    "</title></style></script></textarea><script>owned=1</script>",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[",
    "&lt;b&gt;",
    "&#60;",
    "<a href=\"javascript:owned=1\">",
    "`",
    "\x01\x02\x1b[31m",
    "\xe2\x80\xae",
    "你好",
    " ",
    "/",
    "\\x3cscript>",
    "<base href=//owned>",
    "<meta http-equiv=refresh content=0>",
    "<details open ontoggle=owned=1>",
};

/* A sentence of such pieces that is not empty, and as long as it may be. */
static char *hostile_words(unsigned *state) {
  char *text = memory_text("x");
  for (int i = 0; i < 12; i++) {
    *state = *state * 1664525 + 1013904223;
    const char *piece = fragments[(*state >> 8) % (sizeof fragments / sizeof *fragments)];
    char *longer = memory_format("%s%s", text, piece);
    free(text);
    text = longer;
  }
  return text;
}

Test(report_html, what_is_hostile_is_text_and_nothing_else) {
  json_t *plain = document_new("words");
  scoped_text char *plain_page = page_make(plain);
  scoped_text char *wanted = skeleton(plain_page);
  cr_assert(strstr(wanted, "<svg") && strstr(wanted, "<details") && strstr(wanted, "</html"));
  unsigned state = 1;
  for (int i = 0; i < 100; i++) {
    scoped_text char *words = hostile_words(&state);
    json_t *result = document_new(words);
    cr_assert(result, "%s", words);
    scoped_text char *page = page_make(result);
    scoped_text char *bones = skeleton(page);
    cr_assert_str_eq(bones, wanted, "made of %s", words);
    json_decref(result);
  }
  json_decref(plain);
}

Test(report_html, it_is_well_formed) {
  unsigned state = 7;
  scoped_text char *words = hostile_words(&state);
  json_t *result = document_new(words);
  scoped_text char *page = page_make(result);
  FILE *pipe = popen("python3 -c 'import sys, xml.etree.ElementTree as tree; "
                     "tree.fromstring(sys.stdin.buffer.read())'",
                     "w");
  fputs(page, pipe);
  cr_expect_eq(pclose(pipe), 0);
  json_decref(result);
}

static char *between(const char *text, const char *begin, const char *end) {
  const char *from = strstr(text, begin);
  cr_assert(from, "no %s", begin);
  from += strlen(begin);
  return memory_format("%.*s", (int)(strstr(from, end) - from), from);
}

Test(report_html, its_policy_names_what_is_in_it) {
  json_t *result = document_new("words");
  scoped_text char *page = page_make(result);
  scoped_text char *style = between(page, "<style>", "</style>");
  scoped_text char *script = between(page, "<script>", "</script>");
  scoped_text char *style_hash = html_hash(style), *script_hash = html_hash(script);
  scoped_text char *policy = memory_format("default-src 'none'; style-src '%s'; script-src '%s'; "
                                           "base-uri 'none'; form-action 'none'",
                                           style_hash, script_hash);
  cr_expect(strstr(page, policy), "no %s", policy);
  scoped_text char *known = html_hash("abc");
  cr_expect_str_eq(known, "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  json_decref(result);
}

static void expect_in_page(const char *expected, const char *actual, const char *wanted) {
  json_t *result = document_new("words");
  json_t *lab = json_array_get(json_object_get(result, "labs"), 0);
  json_t *check = json_array_get(json_object_get(lab, "checks"), 1);
  json_object_set_new(check, "expected", json_string(expected));
  json_object_set_new(check, "actual", json_string(actual));
  scoped_text char *page = page_make(result);
  cr_expect(strstr(page, wanted), "no %s for %s and %s", wanted, expected, actual);
  json_decref(result);
}

static void expect_not_in_page(const char *expected, const char *actual, const char *unwanted) {
  json_t *result = document_new("words");
  json_t *lab = json_array_get(json_object_get(result, "labs"), 0);
  json_t *check = json_array_get(json_object_get(lab, "checks"), 1);
  json_object_set_new(check, "expected", json_string(expected));
  json_object_set_new(check, "actual", json_string(actual));
  scoped_text char *page = page_make(result);
  cr_expect_not(strstr(page, unwanted), "%s for %s and %s", unwanted, expected, actual);
  json_decref(result);
}

Test(report_html, words_that_differ_are_marked) {
  const char *expected = "Waiting up to 0.2 seconds for a reply";
  expect_in_page(expected, "Waiting up to 0.1 seconds for a reply",
                 "Waiting up to <mark>0.2</mark> seconds for a reply");
  expect_in_page(expected, "Waiting up to 0.1 seconds for a reply",
                 "Waiting up to <mark>0.1</mark> seconds for a reply");
  expect_not_in_page(expected, "on stderr: bind: Address already in use", "<mark>");
}

Test(report_html, bytes_are_shown_in_hexadecimal) {
  const char *expected = "\"H\\x00\\\"\\n\" (4 bytes)";
  expect_in_page(expected, "\"\\x00H\\\"\\n\" (4 bytes)", "<mark>48</mark> <mark>00</mark> 22 0a ");
  expect_in_page(expected, "\"H\" (1 byte)", "48 <mark>00</mark> <mark>22</mark> <mark>0a</mark> ");
  expect_in_page("\"\" (0 bytes)", "\"a\" (1 byte)", "<mark>61</mark> ");
  const char *const others[] = {"",
                                "\"",
                                "\"a",
                                "\"a\"",
                                "\"a\" (x)",
                                "\"\\x0\" (1 byte)",
                                "\"a\" (2 bytes)",
                                "\"a\" (1 byte",
                                "\"a\" (1 byte) and more",
                                "\"\\q\" (1 byte)"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    expect_not_in_page(expected, others[i], "class=\"bytes\"");
}

Test(report_html, gaps_are_drawn_to_one_scale) {
  const char *expected = "3 datagrams, with gaps of 0.1, 0.3 s";
  /* 650 pixels for 0.4 s. */
  expect_in_page(expected, "with gaps of 0.100, 0.100 s", "cx=\"252.5\"");
  expect_in_page(expected, "with gaps of 0.100, 0.100 s", "cx=\"415.0\"");
  expect_in_page(expected, "with gaps of 0.100, 0.100 s", "cx=\"740.0\"");
  const char *const others[] = {"gaps of",          "gaps of 1, 2",   "gaps of x s",
                                "gaps of 1, , 2 s", "gaps of 0, 0 s", "gaps of 1e99 s",
                                "gaps of -1 s"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    expect_not_in_page(expected, others[i], "The gaps in seconds");
}

Test(report_html, a_deadlock_is_a_picture) {
  const char *seen =
      "a deadlock: a and b\n"
      "→ a sleeps in sendto on descriptor 3, TCP 127.0.0.1:1 to 127.0.0.1:2 (6 bytes "
      "to be read, 14.3 kB not delivered)\n"
      "→ b sleeps in recvfrom on descriptor 4, TCP 127.0.0.1:2 to 127.0.0.1:1 "
      "(nothing to be read)\nand more";
  expect_in_page("", seen, "<title>a and b wait for each other</title>");
  expect_in_page("", seen, ">waits until this one reads<");
  expect_in_page("", seen, ">waits for bytes from this one<");
  expect_in_page("", seen, ">14.3 kB not delivered<");
  expect_in_page("", seen, ">nothing to be read<");
  expect_not_in_page("", "→ a sleeps in sendto on descriptor 3", "wait for each other");
  const char *const ragged[] = {"→ \n→ ", "→ a sleeps in \n→ b (",
                                "→ a sleeps in x on descriptor 1, 2 to (\n→ ) to ("};
  for (size_t i = 0; i < sizeof ragged / sizeof *ragged; i++)
    expect_in_page("", ragged[i], "wait for each other</title>");
}

/* ---- the folder ---- */

static char *folder_new(void) {
  char *folder = memory_text("/tmp/wiregrade-html-XXXXXX");
  cr_assert(mkdtemp(folder));
  return folder;
}

static void folder_remove(const char *folder) {
  scoped_text char *command = memory_format("rm -r '%s'", folder);
  cr_assert_eq(system(command), 0);
}

static void file_make(const char *folder, const char *name, const char *contents) {
  scoped_text char *path = memory_format("%s/%s", folder, name);
  struct failure failure;
  cr_assert_eq(file_replace(path, contents, strlen(contents), &failure), 0);
}

static char *file_text(const char *folder, const char *name) {
  scoped_text char *path = memory_format("%s/%s", folder, name);
  scoped_file FILE *file = fopen(path, "re");
  if (!file)
    return memory_text("(it is not there)");
  char *text = memory_zeroed(1 << 20, 1);
  cr_assert(fread(text, 1, (1 << 20) - 1, file) > 0);
  return text;
}

static json_t *with_captures(const char *folder, const char *const *names, size_t count) {
  json_t *result = document_new("words");
  json_t *checks = json_object_get(json_array_get(json_object_get(result, "labs"), 0), "checks");
  for (size_t i = 0; i < count; i++) {
    scoped_text char *path = memory_format("%s/%s", folder, names[i]);
    json_object_set_new(json_array_get(checks, i), "capture", json_string(path));
  }
  return result;
}

Test(report_html, captures_stand_beside_the_page) {
  scoped_text char *folder = folder_new();
  scoped_text char *pages = memory_format("%s/new/pages", folder);
  file_make(folder, "udp.1-a.pcapng", "frames");
  static const char *const names[] = {"udp.1-a.pcapng", "gone.pcapng"};
  json_t *result = with_captures(folder, names, 2);
  struct failure failure;
  cr_assert_eq(report_html_write(result, pages, &failure), 0, "%s", failure.sentence);
  scoped_text char *copy = file_text(pages, "udp.1-a.pcapng"),
                   *page = file_text(pages, "index.html");
  cr_expect_str_eq(copy, "frames");
  cr_expect(strstr(page, "href=\"udp.1-a.pcapng\""));
  cr_expect_not(strstr(page, "gone"), "what is not there is not offered");
  /* Once more, and with the captures in that folder already. */
  json_t *again = with_captures(pages, names, 1);
  cr_assert_eq(report_html_write(again, pages, &failure), 0, "%s", failure.sentence);
  scoped_text char *kept = file_text(pages, "udp.1-a.pcapng");
  cr_expect_str_eq(kept, "frames");
  json_decref(again);
  json_decref(result);
  folder_remove(folder);
}

Test(report_html, no_address_is_made_of_an_odd_name) {
  scoped_text char *folder = folder_new();
  static const char *const names[] = {"javascript:owned=1//x.pcapng",
                                      "a b.pcapng",
                                      ".pcapng",
                                      "a\"b.pcapng",
                                      "udp.pcap",
                                      ".hidden.pcapng"};
  for (size_t i = 0; i < 6; i++) {
    json_t *result = with_captures(folder, &names[i], 1);
    struct failure failure;
    if (!strchr(names[i], '/'))
      file_make(folder, names[i], "frames");
    scoped_text char *pages = memory_format("%s/pages", folder);
    cr_assert_eq(report_html_write(result, pages, &failure), 0);
    scoped_text char *page = file_text(pages, "index.html");
    cr_expect_not(strstr(page, "download="), "%s", names[i]);
    json_decref(result);
  }
  folder_remove(folder);
}

Test(report_html, what_cannot_be_written_leaves_the_page_that_was_there) {
  scoped_text char *folder = folder_new();
  json_t *result = document_new("words");
  struct failure failure;
  cr_assert_eq(report_html_write(result, folder, &failure), 0);
  scoped_text char *before = file_text(folder, "index.html");
  json_object_set_new(result, "submission", json_string("another"));
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit, none;
  getrlimit(RLIMIT_FSIZE, &none);
  limit = (struct rlimit){1000, none.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  int outcome = report_html_write(result, folder, &failure);
  setrlimit(RLIMIT_FSIZE, &none);
  cr_expect_eq(outcome, -1);
  scoped_text char *wanted = memory_format("Cannot write %s/index.html: File too large", folder);
  cr_expect_str_eq(failure.sentence, wanted);
  scoped_text char *after = file_text(folder, "index.html");
  cr_expect_str_eq(after, before);
  scoped_text char *command = memory_format("[ \"$(ls -A '%s')\" = index.html ]", folder);
  cr_expect_eq(system(command), 0, "nothing else is left there");
  json_decref(result);
  folder_remove(folder);
}

Test(report_html, a_file_is_no_folder) {
  scoped_text char *folder = folder_new();
  file_make(folder, "file", "x");
  scoped_text char *path = memory_format("%s/file", folder), *below = memory_format("%s/a", path);
  scoped_text char *wanted = memory_format("Cannot write a page into %s: it is not a folder", path);
  struct failure failure;
  cr_expect_eq(report_html_check_place(path, &failure), -1);
  cr_expect_str_eq(failure.sentence, wanted);
  cr_expect_eq(report_html_check_place(below, &failure), -1);
  cr_expect(strstr(failure.sentence, "Not a directory"), "%s", failure.sentence);
  folder_remove(folder);
}
