/* What a build printed, as text for people: valid UTF-8 without control characters. Called by
 * submission.c. */
#pragma once

#include "grader/submission/step.h"

struct build_log {
  char *text;
  size_t length;
  double limit_s; /* of the whole build, for the words about it */
};

/* Appends a step: its command line, what it printed, and how it ended if not well. */
void build_log_add(struct build_log *log, const struct step *step);
/* Appends what is to be known of something that went well: `doing`, and below it lines of safe
 * text; nothing if there are none. */
void build_log_note(struct build_log *log, const char *doing, const char *lines);
/* Appends what another log, or an earlier part of one, had for the same steps. */
void build_log_again(struct build_log *log, const char *text);
const char *build_log_text(const struct build_log *log);
void build_log_free(struct build_log *log);

/* The one line that says most about why a step failed: the compiler's first error, if there is one.
 * The caller frees it. */
char *build_log_complaint(const struct step *step);
