/* Classroom 50's result.json ("classroom50/result/v1"). A reporter: what it cannot know from the
 * result document, the command line tells it. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* What Classroom 50's runner says of a submission, in its environment. Texts that are "" are left
 * out of the document where it may do without them. */
struct classroom50 {
  const char *classroom, *assignment;
  const char *assignment_type; /* individual, group or team */
  const char *owner;
  const char *submission;                /* the tag: "submit/…" */
  const char *commit, *release, *review; /* addresses */
  const char *datetime;                  /* the commit's committer date, "2026-06-01T14:32:01Z" */
  const char *graded_at;                 /* in the same form, or "" */
  const char *username;                  /* who pushed it, or "" */
  long long user_id;                     /* of the same, or 0 */
};

/* A check of the grader's own error is not passed and has no points. Texts of a check have at most
 * `room` bytes. */
json_t *report_classroom50(const json_t *result, const struct classroom50 *about, size_t room);

/* "success", "failure" or "error", as a commit's status is called. */
const char *report_classroom50_status(const json_t *result);
