/* What compilers, interpreters and make say of places in the submission's files.
 *
 * Called by reports. Knows only texts; a student can make up any of them, so that names must be
 * made safe before they are shown. */
#pragma once

#include <stdbool.h>

/* A place in a file of the submission. */
struct source_place {
  char *file;    /* relative to the submission's folder; free it */
  unsigned line; /* from 1 */
};

/* A message like "udp.c:12:5: error: ...". */
struct build_message {
  struct source_place place;
  bool is_error; /* or else a warning */
  char *text;    /* what stands behind "error: "; free it */
};

/* A reader of a build's log, which knows in which folder make is. */
struct build_messages {
  const char *at; /* the line that is read next */
  char *folders[8];
  unsigned depth;
};

struct build_messages build_messages_read(const char *text);
/* The next error or warning; false at the end. A message on a file that is not the submission's own
 * has no file (NULL). */
bool build_messages_next(struct build_messages *log, struct build_message *message);
void build_message_free(struct build_message *message);
void build_messages_free(struct build_messages *log);

/* The first place that a text names as Python does ("File "x.py", line 3") or a sanitizer
 * ("x.c:3"), if it is in the submission. */
bool source_place_find(const char *text, struct source_place *place);
