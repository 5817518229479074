/* What the files of source.c know of each other; nobody else includes this. */
#pragma once

#include "grader/batch/source.h"

struct source_reading {
  const struct source_spec *spec;
  struct source_list *list;
  unsigned places; /* folders and files in spec->work, each of which has a number */
};

/* ---- source_list.c ---- */

/* A new submission at the end of the list, of one student without a name; `key` may be NULL if the
 * students are set by the caller. */
struct source_submission *source_add(struct source_reading *reading, const char *file,
                                     const char *key);
/* Another line of its note. */
void source_note(struct source_submission *submission, const char *line);
/* It cannot be graded; takes the sentence. */
void source_give_up(struct source_submission *submission, char *reason);

/* The names in a folder that could be submissions, sorted: without those that begin with a dot,
 * without what macOS adds, and without spec->except. */
struct source_names {
  char **names;
  size_t count;
};
int source_names_read(const struct source_reading *reading, const char *folder,
                      struct source_names *names, struct failure *failure);
void source_names_free(struct source_names *names);

/* A new name in spec->work: "unpacked-3"; the caller frees it. */
char *source_place(struct source_reading *reading, const char *what);

/* ---- source_contents.c ---- */

bool source_is_folder(const char *path); /* no link to one */
bool source_is_file(const char *path);
/* By the name: ".zip", ".tar.gz", … */
bool source_is_archive(const char *name);
/* The name without an archive's ending; the caller frees it. */
char *source_stem(const char *name);
/* Whether programs, or what makes them, are at the top of the folder. */
bool source_is_submission(const char *folder);

/* What a submission is, that a student has handed in as this folder or file: what is in folders
 * that hold nothing else, or the only archive in it. Takes the path. */
void source_settle(const struct source_reading *reading, struct source_submission *submission,
                   char *path);

/* ---- source_lms.c ---- */

/* Reads what is named as Moodle's or Canvas's downloads are, and takes these names out of the list.
 * false: none is. */
bool source_moodle(struct source_reading *reading, const char *folder, struct source_names *names);
bool source_canvas(struct source_reading *reading, const char *folder, struct source_names *names);

/* What such a name says; texts belong to the caller. */
struct source_lms_name {
  char *name;   /* the student's, as far as the download tells it; NULL */
  char *number; /* the participant's, or the user's */
  char *file;   /* what is behind all that, "" for a folder */
  bool late, is_file;
};
bool source_moodle_name(const char *text, struct source_lms_name *name);
bool source_canvas_name(const char *text, struct source_lms_name *name);
void source_lms_name_free(struct source_lms_name *name);

/* ---- source_gradescope.c ---- */

#define SOURCE_GRADESCOPE "submission_metadata.yml"
int source_gradescope(struct source_reading *reading, const char *folder,
                      struct source_names *names, struct failure *failure);
/* "2026-11-28 23:59:58.123 -08:00" as ISO 8601 in UTC, the caller's; NULL if it is no such time. */
char *source_time(const char *text);

/* ---- source_git.c ---- */

bool source_is_list(const char *path);
int source_git(struct source_reading *reading, const char *path, struct failure *failure);

/* ---- source_process.c ---- */

/* Does something that needs sandboxes in a process of its own, which alone enters them. Its text
 * (the caller's) or its sentence come back. */
int source_process(int (*function)(const void *context, char **text, struct failure *failure),
                   const void *context, char **text, struct failure *failure);
