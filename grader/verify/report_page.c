/* What a verification found, as a page that stands alone. */
#include "grader/verify/findings.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/report_html_parts.h"
#include "grader/result/result.h"
#include "grader/verify/report_page.h"
#include "grader/verify/words.h"

#include <string.h>

enum { SLOWEST_SHOWN = 20 };

HTML_TAKE_IN(verify_style, "grader/verify/verify.css");
extern const char verify_style[];

static double number_in(const json_t *object, const char *key) {
  return json_number_value(json_object_get(object, key));
}

static bool is_ok(const json_t *findings) {
  return json_is_true(json_object_get(findings, "ok"));
}

/* ---- head ---- */

static void head_put(const json_t *findings, FILE *file) {
  scoped_text char *shared = html_hash(html_style), *own = html_hash(verify_style);
  scoped_text char *language = html_language(), *summary = findings_summary(findings);
  fprintf(file,
          "<!DOCTYPE html>\n<html lang=\"%s\"><head>\n<meta charset=\"utf-8\"/>\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'%s' '%s'; base-uri 'none'; form-action 'none'\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
          "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>",
          language, shared, own);
  fputs(_("The suite, verified"), file);
  fprintf(file,
          "</title>\n<style>%s</style>\n<style>%s</style>\n</head>\n<body class=\"verify\">\n",
          html_style, verify_style);
  fputs(_("<a class=\"skip\" href=\"#matrix\">To the matrix</a>\n"), file);
  fputs("<header>\n<p class=\"brand\">wiregrade</p>\n<h1>", file);
  fputs(_("The suite, verified"), file);
  fprintf(file, "</h1>\n<p class=\"%s\">", is_ok(findings) ? "good" : "bad");
  html_text(file, summary);
  fputs("</p>\n<p class=\"meta\">", file);
  html_element(file, "time", "when", result_text(findings, "started"));
  size_t index;
  json_t *clock;
  json_array_foreach (json_object_get(findings, "clocks"), index, clock)
    language_print(file, "; %s clock", clock_word(json_string_value(clock)));
  language_print(file, "; runs: %lld</p>\n</header>\n<main id=\"main\">\n",
                 result_number(findings, "runs"));
}

/* ---- what is wrong ---- */

static void sentences_put(const json_t *sentences, const char *id, const char *title, FILE *file) {
  size_t index;
  json_t *sentence;
  if (json_array_size(sentences) == 0)
    return;
  fprintf(file,
          "<section class=\"notice\" aria-labelledby=\"%s\"><h2 id=\"%s\">%s <span "
          "class=\"points\">%zu</span></h2>\n<ul class=\"sentences\">\n",
          id, id, title, json_array_size(sentences));
  json_array_foreach (sentences, index, sentence) {
    fputs("<li>", file);
    html_text(file, json_string_value(sentence));
    fputs("</li>\n", file);
  }
  fputs("</ul></section>\n", file);
}

static void names_put(const json_t *names, const char *title, FILE *file) {
  size_t index;
  json_t *name;
  if (json_array_size(names) == 0)
    return;
  fprintf(file, "<dt>%s</dt><dd>", title);
  json_array_foreach (names, index, name) {
    fputs(index ? ", " : "", file);
    html_text(file, json_string_value(name));
  }
  fputs("</dd>\n", file);
}

static void agreement_put(const json_t *findings, FILE *file) {
  const json_t *flakes = json_object_get(findings, "flakes");
  const json_t *clocks = json_object_get(findings, "between_clocks");
  if (flakes) {
    long long all = result_number(flakes, "verdicts"), changed = result_number(flakes, "changed");
    language_print(file,
                   "<dt>Flake rate</dt><dd>%lld of %lld verdicts changed in %lld runs (%.3f "
                   "%%)</dd>\n",
                   changed, all, result_number(findings, "runs"),
                   all ? (double)changed * 100 / (double)all : 0);
  }
  if (clocks)
    language_print(file, "<dt>Both clocks</dt><dd>%lld of %lld verdicts differ</dd>\n",
                   result_number(clocks, "differ"), result_number(clocks, "compared"));
}

static void coverage_put(const json_t *findings, FILE *file) {
  const json_t *coverage = json_object_get(findings, "coverage");
  const json_t *checks = json_object_get(coverage, "checks"),
               *requirements = json_object_get(coverage, "requirements");
  fputs(_("<section aria-labelledby=\"coverage\"><h2 id=\"coverage\">Coverage and agreement</h2>\n"
          "<dl class=\"fields\">\n"),
        file);
  language_print(file, "<dt>Requirements</dt><dd>%zu, and %zu checks</dd>\n",
                 json_object_size(json_object_get(findings, "requirements")),
                 json_object_size(json_object_get(findings, "checks")));
  if (result_number(findings, "mutants_each") == 0) { /* of a part of them it would say nothing */
    names_put(json_object_get(requirements, "none"), _("No mutant fails"), file);
    names_put(json_object_get(requirements, "one"), _("One mutant fails"), file);
    names_put(json_object_get(checks, "none"), _("No mutant fails the check"), file);
    names_put(json_object_get(checks, "one"), _("One mutant fails the check"), file);
  }
  agreement_put(findings, file);
  fputs("</dl></section>\n", file);
}

/* ---- times ---- */

static void seconds_put(const json_t *seconds, FILE *file) {
  fprintf(file, "<td class=\"number\">%.3f</td><td class=\"number\" title=\"",
          number_in(seconds, "median"));
  html_text(file, result_text(seconds, "most_of"));
  fprintf(file, "\">%.3f</td>", number_in(seconds, "most"));
}

static void check_put(const char *id, const json_t *row, const char *clock, FILE *file) {
  const json_t *times = json_object_get(json_object_get(row, "clocks"), clock);
  if (!times)
    return;
  fputs("<tr><th scope=\"row\" class=\"id\">", file);
  html_text(file, id);
  size_t failed = json_array_size(json_object_get(row, "failed_by"));
  fprintf(file, "</th><td class=\"number%s\">%zu</td><td class=\"number\">%lld</td>",
          failed ? "" : " odd", failed, result_number(times, "judged"));
  seconds_put(json_object_get(times, "real_s"), file);
  seconds_put(json_object_get(times, "judged_s"), file);
  fputs("</tr>\n", file);
}

static void checks_put(const json_t *findings, const char *clock, FILE *file) {
  const char *id;
  json_t *row;
  language_print(
      file,
      "<section aria-labelledby=\"checks-%s\"><h2 id=\"checks-%s\">Each check on the %s clock"
      "</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"checks-%s\">\n",
      clock, clock, clock_word(clock), clock);
  fputs(_("<table class=\"plain\"><thead><tr><th scope=\"col\">Check</th><th scope=\"col\">Mutants "
          "that fail it</th><th scope=\"col\">Verdicts</th><th scope=\"col\">Seconds that passed, "
          "median</th><th scope=\"col\">at most</th><th scope=\"col\">Seconds that were judged, "
          "median</th><th scope=\"col\">at most</th></tr></thead><tbody>\n"),
        file);
  json_object_foreach (json_object_get(findings, "checks"), id, row)
    check_put(id, row, clock, file);
  fputs("</tbody></table></div></section>\n", file);
}

static void slowest_put(const json_t *findings, FILE *file) {
  scoped_text const json_t **sorted = slowest_gradings(findings);
  fputs(_("<section aria-labelledby=\"slowest\"><h2 id=\"slowest\">The slowest gradings</h2>\n"
          "<table class=\"plain\"><thead><tr><th scope=\"col\">Submission</th><th scope=\"col\">"
          "Seconds</th></tr></thead><tbody>\n"),
        file);
  for (size_t i = 0; i < SLOWEST_SHOWN && sorted[i]; i++) {
    scoped_text char *words = grading_words(findings, sorted[i]);
    fputs("<tr><th scope=\"row\">", file);
    html_text(file, words);
    fprintf(file, "</th><td class=\"number\">%.1f</td></tr>\n", number_in(sorted[i], "duration_s"));
  }
  fputs("</tbody></table></section>\n", file);
}

void findings_page(const json_t *findings, FILE *file) {
  size_t index;
  json_t *clock;
  head_put(findings, file);
  sentences_put(json_object_get(findings, "faults"), "faults", _("The grader's own errors"), file);
  sentences_put(json_object_get(findings, "deviations"), "deviations", _("Deviations"), file);
  coverage_put(findings, file);
  page_matrix_put(findings, file);
  json_array_foreach (json_object_get(findings, "clocks"), index, clock)
    checks_put(findings, json_string_value(clock), file);
  slowest_put(findings, file);
  fputs("</main>\n</body></html>\n", file);
}
