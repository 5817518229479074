/* All that a verification found out, as one JSON document, from which each report is made
 * ("wiregrade/verify/v2"):
 *
 *   {"schema", "lang": of its sentences, "ok": nothing is wrong, "interrupted", "started": ISO 8601
 * in UTC, "duration_s", "clocks": ["virtual", "real"], "runs", "jobs", "mutants_each": 0 if all
 * were tried, "styles", "mutants": how many, "styles_found", "mutants_found": of so many,
 * "kills_least": mutants that each requirement must have, "labs": [{"lab", "title"}],
 * "submissions": [{"name": "udp/twice", "kind": "reference" | "style" | "mutant", "lab",
 * "sentence", "fails": of a mutant, "statuses": {"udp.3": "pass" | "fail" | …}}], "requirements":
 * {"udp.3": {"text", "reference", "styles", "styles_passed", "killed_by": […]}}, "checks":
 * {"udp.3/asks_once": {"requirement", "failed_by": […], "clocks": {"virtual":
 * {"judged", "real_s": {"median", "most", "most_of"}, "judged_s": {…}}}}},
 *    "coverage": {"requirements": {"none": […], "one": […]}, "checks": {"none", "one"}}: what no
 * mutant fails, and what only one does,
 *    "flakes", "between_clocks": see agreement.h; not there if each was graded but once, or on one
 * clock,
 *    "hints": see hint.h, "deviations": [sentence, …], "faults": [sentence, …]: the grader's own,
 *    "gradings": [{"name", "submission", "clock", "run", "duration_s", "late_s": see grading.h,
 * "ended"}]}
 *
 * Called by the verification. */
#pragma once

#include "grader/verify/plan.h"

struct findings_about {
  const char *started;
  double duration_s;
  const char *const *clocks; /* ends with NULL */
  unsigned runs, jobs, mutants_each;
  bool interrupted;
};

/* The caller owns it. */
json_t *findings_make(const struct material *material, const struct plan *plan,
                      const struct findings_about *about);

/* The report for a terminal. */
void findings_print(const json_t *findings, FILE *file);
/* A page that stands alone. */
void findings_page(const json_t *findings, FILE *file);
