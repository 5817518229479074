/* What the files of unpack.c know of each other; nobody else includes this. */
#pragma once

#include "grader/submission/unpack.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* What the process that unpacks says at its end. The parent believes none of it: it is one of these
 * words, and names to be printed. */
enum unpack_word {
  UNPACK_WORD_DONE,
  /* the archive as a whole */
  UNPACK_WORD_NO_ARCHIVE,
  UNPACK_WORD_RAR,
  UNPACK_WORD_CUT,
  UNPACK_WORD_EMPTY,
  UNPACK_WORD_MEMORY,
  UNPACK_WORD_DAMAGED, /* detail: libarchive's words */
  UNPACK_WORD_ENCRYPTED,
  /* an entry */
  UNPACK_WORD_OUTSIDE,
  UNPACK_WORD_ABSOLUTE,
  UNPACK_WORD_LONG_NAME,
  UNPACK_WORD_DEPTH,
  UNPACK_WORD_MANY,
  UNPACK_WORD_LARGE,
  UNPACK_WORD_LINK, /* one name for a link and for something else, or below it */
  UNPACK_WORD_FILE_AND_FOLDER,
  UNPACK_WORD_HARD_OUTSIDE, /* detail: where to */
  UNPACK_WORD_HARD_MISSING, /* the same */
  /* this machine; detail: errno in words */
  UNPACK_WORD_UNWRITABLE,
  UNPACK_WORD_UNCONFINED,
  UNPACK_WORDS,
};

enum unpack_note {
  UNPACK_NOTE_LINK,
  UNPACK_NOTE_SPECIAL,
  UNPACK_NOTE_APPLE,
  UNPACK_NOTE_MODE,
  UNPACK_NOTE_TWICE,
  UNPACK_NOTE_NAME,
  UNPACK_NOTES,
};

enum { UNPACK_SHOWN = 200, UNPACK_NAMED = 3 };

/* Written once, whole: shorter than PIPE_BUF (pipe(7)). */
struct unpack_report {
  uint32_t word;
  char name[UNPACK_SHOWN], detail[UNPACK_SHOWN];
  struct {
    uint32_t count;
    char names[UNPACK_NAMED][UNPACK_SHOWN];
  } notes[UNPACK_NOTES];
};

/* ---- unpack_words.c: what the parent makes of it ---- */

enum unpack_fault unpack_explain(const struct unpack_report *report,
                                 const struct unpack_limits *limits, struct failure *failure);
char *unpack_notes(const struct unpack_report *report);

/* ---- in the sandbox; `what` is the report, in which the first fault is kept ---- */

/* unpack_confine.c. After this the process can use descriptors 0 and 1, memory, and files below the
 * working directory, and little else. */
bool unpack_confine(struct unpack_report *report);

/* unpack_tree.c: the new folder, and what is written below it. */
struct unpack_tree {
  int root_fd;
  struct unpack_limits limits;
  uint64_t bytes, files; /* so far */
  struct unpack_link *links;
  size_t link_count, link_room;
  struct unpack_report *report;
};

struct unpack_meta {
  mode_t mode;
  bool has_time;
  struct timespec modified;
};

/* Keeps the word with what it is about (may be NULL), and returns false. */
bool unpack_refuse(struct unpack_report *report, enum unpack_word word, const char *name,
                   const char *detail);
void unpack_note(struct unpack_report *report, enum unpack_note note, const char *name);

/* A name of an archive without empty parts and `.`; "" is the folder itself. False if it must not
 * be written. `word` is for a name that leads out by `..`. */
bool unpack_path(struct unpack_report *report, const char *name, char path[UNPACK_PATH_MOST + 1]);

bool tree_count(struct unpack_tree *tree, const char *path);
/* Whether so many bytes more are within the limits; adds nothing. */
bool tree_has_room(const struct unpack_tree *tree, int64_t bytes, const char *path);
bool tree_folder(struct unpack_tree *tree, const char *path, const struct unpack_meta *meta);
/* A new, empty file, which replaces one of the same name; -1 if that is refused. */
int tree_file(struct unpack_tree *tree, const char *path);
bool tree_file_finish(struct unpack_tree *tree, int fd, const char *path, int64_t bytes,
                      const struct unpack_meta *meta);
bool tree_hard_link(struct unpack_tree *tree, const char *path, const char *target);
/* A link to be made at the end. */
void tree_link(struct unpack_tree *tree, const char *path, const char *target);
bool tree_links_make(struct unpack_tree *tree);

/* unpack_entries.c: all of the archive that descriptor 0 is, into the working directory. */
bool unpack_entries(const struct unpack_limits *limits, struct unpack_report *report);
