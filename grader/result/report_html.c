#include "grader/result/report_html.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/report_html_parts.h"
#include "grader/result/report_parts.h"
#include "grader/result/result.h"

#include <string.h>

#define foreach_lab(result_, index_, lab_)                                                         \
  json_array_foreach (json_object_get(result_, "labs"), index_, lab_)

struct tally {
  size_t all, passed, failed, errors;
};

static struct tally tally_of(const json_t *lab) {
  struct tally tally = {0};
  size_t index;
  json_t *check;
  json_array_foreach (json_object_get(lab, "checks"), index, check) {
    tally.all++;
    tally.passed += report_status_is(check, "pass");
    tally.failed += report_status_is(check, "fail");
    tally.errors += report_status_is(check, "error");
  }
  return tally;
}

static bool lab_is_begun(const json_t *lab) {
  return !json_is_false(json_object_get(lab, "begun"));
}

/* ---- head ---- */

static void head_put(FILE *file, const json_t *result) {
  scoped_text char *style = html_hash(html_style), *script = html_hash(html_script);
  scoped_text char *language = html_language();
  fprintf(file,
          "<!DOCTYPE html>\n<html lang=\"%s\"><head>\n<meta charset=\"utf-8\"/>\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'%s'; script-src '%s'; base-uri 'none'; form-action 'none'\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
          "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>",
          language, style, script);
  language_print(file, "%lld of %lld points: ", result_number(result, "score"),
                 result_number(result, "max_score"));
  html_text(file, result_text(result, "submission"));
  fprintf(file, "</title>\n<style>%s</style>\n</head>\n<body>\n", html_style);
  fputs(_("<a class=\"skip\" href=\"#main\">To the checks</a>\n"), file);
}

/* Full only if nothing is lost, and empty only if there is nothing. */
static void bar_put(FILE *file, long long score, long long most) {
  long long full = most > 0 && score > 0 ? (long long)((double)score * 100 / (double)most) : 0;
  full = score > 0 && full == 0 ? 1 : full > 100 ? 100 : full;
  fprintf(file,
          "<svg class=\"bar\" aria-hidden=\"true\" viewBox=\"0 0 100 8\" "
          "preserveAspectRatio=\"none\"><rect class=\"rest\" width=\"100\" height=\"8\"/>"
          "<rect class=\"%s\" width=\"%lld\" height=\"8\"/></svg>",
          full == 100 ? "full" : "part", full);
}

static void header_put(FILE *file, const json_t *result) {
  fputs("<header>\n<p class=\"brand\">wiregrade</p>\n<h1>", file);
  html_text(file, result_text(result, "submission"));
  language_print(file, "</h1>\n<p class=\"score\"><strong>%lld</strong> of %lld point%s</p>\n",
                 result_number(result, "score"), result_number(result, "max_score"),
                 report_plural(result_number(result, "max_score")));
  bar_put(file, result_number(result, "score"), result_number(result, "max_score"));
  fputs("<p class=\"meta\">", file);
  language_print(file, "%zu of %zu checks passed; ", result_count(result, "pass"),
                 result_count(result, NULL));
  scoped_text char *terms =
      language_sentence("%s clock, seed %lld", report_word(result_text(result, "clock")),
                        result_number(result, "seed"));
  html_text(file, terms);
  fputs(_("; graded "), file);
  html_element(file, "time", "when", result_text(result, "started"));
  language_print(file, " in %.1f s", json_number_value(json_object_get(result, "duration_s")));
  fputs("</p>\n</header>\n", file);
}

/* ---- table of contents ---- */

static void contents_row(FILE *file, const json_t *lab, size_t number) {
  struct tally tally = tally_of(lab);
  long long score = result_number(lab, "score"), most = result_number(lab, "max_score");
  fprintf(file, "<tr><th scope=\"row\"><a href=\"#lab-%zu\">", number);
  html_text(file, *result_text(lab, "lab") ? result_text(lab, "lab") : _("a lab without a name"));
  fputs("</a></th><td class=\"wide\">", file);
  bar_put(file, score, most);
  fprintf(file, "</td><td class=\"number\">%lld/%lld</td><td class=\"%s\">", score, most,
          tally.errors                ? "odd"
          : tally.passed == tally.all ? "good"
                                      : "bad");
  if (!lab_is_begun(lab))
    fputs(_("no program yet"), file);
  else if (tally.all == 0)
    fputs(_("nothing judged"), file);
  else if (tally.passed == tally.all)
    fputs(_("all passed"), file);
  else
    language_print(file, "%zu of %zu passed", tally.passed, tally.all);
  fputs("</td></tr>\n", file);
}

static void contents_put(FILE *file, const json_t *result) {
  size_t index;
  json_t *lab;
  fputs(_("<nav aria-label=\"Labs\">\n<table class=\"labs\"><thead><tr><th scope=\"col\">Lab</th>"
          "<td class=\"wide\"></td><th scope=\"col\">Points</th><th scope=\"col\">Checks</th></tr>"
          "</thead><tbody>\n"),
        file);
  foreach_lab (result, index, lab)
    contents_row(file, lab, index);
  fputs(_("</tbody></table>\n<p id=\"tools\" hidden=\"hidden\"><button type=\"button\" "
          "id=\"open-all\">Open all</button> <button type=\"button\" id=\"close-all\">Close all"
          "</button></p>\n</nav>\n"),
        file);
}

/* ---- what must be known before anything else ---- */

static void notices_put(FILE *file, const json_t *result) {
  size_t index, errors = result_count(result, "error");
  json_t *fault;
  json_t *remark;
  json_array_foreach (json_object_get(result, "remarks"), index, remark)
    html_element(file, "p", "notice", json_string_value(remark) ? json_string_value(remark) : "");
  if (*result_text(result, "uncontained"))
    html_element(file, "p", "notice", result_text(result, "uncontained"));
  json_array_foreach (json_object_get(result, "faults"), index, fault)
    html_element(file, "p", "notice",
                 json_string_value(fault) ? json_string_value(fault) : _("a fault of the grader"));
  if (errors)
    language_print(
        file,
        "<p class=\"notice\">%zu check%s could not be judged, by a fault of the grader; the "
        "points of %s are left out of the sum. <code>wiregrade doctor</code> shows what the "
        "machine lacks.</p>\n",
        errors, report_plural((long long)errors), errors == 1 ? "it" : "them");
  if (json_is_true(json_object_get(result, "interrupted")))
    fputs(_("<p class=\"notice\">Interrupted: only what had been judged before that is shown and "
            "counted.</p>\n"),
          file);
}

static void failures_put(FILE *file, const json_t *result) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  if (result_count(result, "fail") == 0)
    return;
  fputs(
      _("<section aria-labelledby=\"mend\"><h2 id=\"mend\">What to mend</h2>\n<ol class=\"mend\">\n"),
      file);
  foreach_lab (result, lab_index, lab)
    json_array_foreach (json_object_get(lab, "checks"), check_index, check) {
      if (!report_status_is(check, "fail"))
        continue;
      const char *message = result_text(check, "message");
      fprintf(file, "<li><a href=\"#check-%zu-%zu\">", lab_index, check_index);
      html_text(file, result_text(check, "id"));
      fputs("</a> ", file);
      html_text(file, *message ? message : _("failed"));
      fputs("</li>\n", file);
    }
  fputs("</ol></section>\n", file);
}

/* ---- labs and build ---- */

static void lab_put(const struct html *html, const json_t *lab, size_t number) {
  FILE *file = html->file;
  const json_t *checks = json_object_get(lab, "checks");
  fprintf(file, "<section id=\"lab-%zu\" aria-labelledby=\"title-%zu\">\n<h2 id=\"title-%zu\">",
          number, number, number);
  html_text(file, *result_text(lab, "lab") ? result_text(lab, "lab") : _("a lab without a name"));
  fputs(" ", file);
  html_element(file, "span", "title", result_text(lab, "title"));
  language_print(file, "<span class=\"points\">%lld of %lld points</span></h2>\n",
                 result_number(lab, "score"), result_number(lab, "max_score"));
  /* What is to be mended comes first. */
  for (int passed = 0; passed < 2; passed++)
    for (size_t i = 0; i < json_array_size(checks); i++)
      if (report_status_is(json_array_get(checks, i), "pass") == (passed != 0))
        html_check(html, checks, number, i);
  fputs("</section>\n", file);
}

static void build_put(FILE *file, const json_t *build) {
  const char *log = result_text(build, "log");
  bool failed = json_is_false(json_object_get(build, "ok"));
  if (!*log && !failed)
    return;
  language_print(file,
                 "<section id=\"build\" aria-labelledby=\"build-title\">\n"
                 "<h2 id=\"build-title\">Build</h2>\n<details class=\"check %s\"%s>\n<summary><h3>",
                 failed ? "fail" : "pass", failed ? " open=\"open\"" : "");
  language_print(
      file,
      "<span class=\"sign\" aria-hidden=\"true\">%s</span> <span class=\"outcome\">%s</span> "
      "in %.1f s</h3>",
      failed ? "✗" : "✓", failed ? _("failed") : _("built"),
      json_number_value(json_object_get(build, "duration_s")));
  if (failed)
    fputs(_("<span class=\"message\">What it left is graded all the same.</span>"), file);
  fputs("</summary>\n<div class=\"body\">", file);
  if (*log) {
    fputs(_("<pre tabindex=\"0\" role=\"group\" aria-label=\"Build log\">"), file);
    html_text(file, log);
    fputs("</pre>", file);
  } else {
    fputs(_("<p>It printed nothing.</p>"), file);
  }
  fputs("</div></details></section>\n", file);
}

static void report_put(const struct html *html, const json_t *result) {
  FILE *file = html->file;
  const json_t *build = json_object_get(result, "build");
  bool build_first = json_is_false(json_object_get(build, "ok"));
  size_t index;
  json_t *lab;
  head_put(file, result);
  header_put(file, result);
  contents_put(file, result);
  fputs("<main id=\"main\">\n", file);
  notices_put(file, result);
  if (build_first)
    build_put(file, build);
  failures_put(file, result);
  foreach_lab (result, index, lab)
    lab_put(html, lab, index);
  if (!build_first)
    build_put(file, build);
  fprintf(file, "</main>\n<script>%s</script>\n</body></html>\n", html_script);
}

void report_html(const json_t *result, FILE *file) {
  const struct html html = {
      .file = file, .has_captures = false, .submission = result_text(result, "submission")};
  report_put(&html, result);
}

void report_html_beside_captures(const json_t *result, FILE *file) {
  const struct html html = {
      .file = file, .has_captures = true, .submission = result_text(result, "submission")};
  report_put(&html, result);
}
