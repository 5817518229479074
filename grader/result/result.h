/* The result document: everything that one grading found out, as JSON ("wiregrade/result/v1"). All
 * reports are made from it, and any report can be made again later from it.
 *
 *   {"schema", "lang": of its texts ("en", "zh_CN"), "submission", "started": ISO 8601 in UTC,
 * "duration_s", "clock", "seed", "score", "max_score", "build": {"ok", "log", "duration_s"},
 * "labs": [{"lab", "title", "section", "score", "max_score", "begun", "checks": [{"id",
 * "requirement", "level", "status", "score", "max_score", "message", "expected", "actual", "hint",
 * "clock", "virtual_s", "end_t", "real_s", "capture", "events": […], "text": what is required,
 * "read": where to read on, "findings": [sentence, …]}]}], "remarks": [sentence, …]: what is to be
 * known of the whole, "faults": [sentence, …]: what went wrong
 * in the grader itself, and "interrupted": true if it was stopped}
 *
 * Points are whole numbers. A check with the status "error" is the grader's own fault and costs the
 * student nothing: its score and its max_score are 0, so that its points are in no sum. A lab of
 * which the submission has no program at all is not "begun". A course adds "extra" or "dropped" to
 * labs whose points are in no sum, and "hidden" to checks (hidden.h).
 *
 * Called by the command line. Takes its verdicts from run, its titles and points from lab; knows
 * nothing of worlds. */
#pragma once

#include "grader/base/failure.h"
#include "grader/lab/lab.h"

#include <jansson.h>
#include <stdbool.h>

#define RESULT_SCHEMA "wiregrade/result/v1"

/* One check that a lab's suite program has, and what became of it. */
struct judged_check {
  char *id; /* "udp-retry.6/gaps_double" */
  unsigned requirement;
  json_t *verdict; /* as grader/result/verdict.h says; NULL: was not asked for */
};

json_t *result_new(const char *submission, const char *clock, unsigned seed);
void result_set_build(json_t *result, bool ok, const char *log, double duration_s);
/* `checks` are all checks of the lab: a check's points do not depend on which of them were asked
 * for. */
void result_add_lab(json_t *result, const struct lab *lab, const struct judged_check *checks,
                    size_t count, bool begun);
void result_add_fault(json_t *result, const char *sentence);
/* "uncontained": what did not hold of the sandbox, where that was done without (--trust-me). */
void result_set_uncontained(json_t *result, const char *sentence);
/* So many labs, those with the smallest share of their points, are not to count. */
void result_set_drop(json_t *result, unsigned labs);
/* Adds up the points, and how long it took. Points of labs that are "extra" make up for others'. */
void result_finish(json_t *result, double duration_s, bool interrupted);

/* How many checks of the whole document have this status (NULL: any). */
size_t result_count(const json_t *result, const char *status);

/* The text of a member, or "": no reporter stumbles over what is not there. */
const char *result_text(const json_t *object, const char *key);
/* The whole number of a member, or 0. */
long long result_number(const json_t *object, const char *key);
