/* The gradebook: what became of a class's submissions, in one SQLite file that outlives every run.
 *
 * Called by batch.c, which writes it, and by whoever makes something of it (class page, CSV files,
 * comparisons), who only read. Knows nothing of folders, archives and processes: a submission is a
 * hash of its contents here, and a grading is a result document.
 *
 * What there is, and what holds at any moment, also after a kill or a power cut, since each change
 * is one transaction (schema.h has the tables, with a word on each column):
 *
 *   student     whoever handed in, or stands on the roster; found again by `key`
 *   submission  one student's one attempt: which contents, when, how late. The one that counts is
 *               the last attempt
 *   grading     what became of some contents: a document, or the reason why there is none. It
 *               belongs to the hash, not to the student: the same contents are graded once for all
 *               who handed them in, and again only with another suite or course, or if a run asks
 *               for it. Of several the last one counts; none is ever changed or removed
 *   mishap      one worker that crashed or hung while grading some contents
 *   suite, course, run    with what, and in which run, all this was done
 *
 * Points of a grading are those of its document. What a student gets is less where the submission
 * was late: `penalty` percent. That stands with the submission and in no document. */
#pragma once

#include "grader/base/failure.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define GRADEBOOK_FILE "gradebook.sqlite" /* in the batch's folder */

struct gradebook;

/* Opens OUT/gradebook.sqlite of the batch's folder `out`. For writing it is made if it is not
 * there, and belongs to this process alone until it is closed; fails, and says so, if another
 * process writes it now. Fails if it is of a later wiregrade, or no gradebook. */
enum gradebook_access { GRADEBOOK_READ, GRADEBOOK_WRITE };
struct gradebook *gradebook_open(const char *out, enum gradebook_access access,
                                 struct failure *failure);
void gradebook_close(struct gradebook *book);

/* ---- reading ---- */

enum gradebook_state {
  GRADEBOOK_NO_SUBMISSION, /* on the roster, nothing handed in */
  GRADEBOOK_WAITING,       /* not graded yet: the batch was ended before it */
  GRADEBOOK_UNREADABLE,    /* the student's fault; `reason` says what is wrong with it */
  GRADEBOOK_ERROR,         /* the grader's fault, `reason`: no score, neither 0 */
  GRADEBOOK_GRADED,
};
/* "no submission", "waiting", "unreadable", "error", "graded". */
const char *gradebook_state_name(enum gradebook_state state);

/* One student: the submission that counts, and its last grading. Texts are never NULL, and belong
 * to the gradebook until the next row. All that a student or an archive could have chosen (name,
 * file, reason, note) is still to be made safe for where it goes (safe_text.h). */
struct gradebook_row {
  /* the student */
  long long student;
  const char *key;    /* what the student is found again by */
  const char *name;   /* "" if neither roster nor source say it: show the key */
  const char *email;  /* "" if not known, as the next three */
  const char *number; /* Moodle's participant, Canvas's user id, Gradescope's sid */
  const char *login;
  const char *section;
  bool rostered;
  const char *roster; /* the student's row of the roster, a JSON object of text by column; "" */
  /* the submission; 0 and "" if there is none */
  long long submission;
  const char *hash; /* of its contents, in hexadecimal */
  const char *source, *file;
  unsigned attempt;      /* of the student's, from 1; as the source counts them, if it does */
  unsigned attempts;     /* that are in the gradebook */
  bool late;             /* marked so by the source, or handed in after the course's deadline */
  long long late_s;      /* -1: not known */
  const char *submitted; /* ISO 8601 in UTC; "" if not known */
  unsigned penalty;      /* percent */
  const char *note;      /* what was odd about it, in lines; "" */
  /* its grading; 0 and "" if there is none */
  enum gradebook_state state;
  const char *reason;
  long long grading;
  bool fresh;                 /* graded by the last run */
  bool outdated;              /* graded with another suite or course than the last run's */
  long long score, max_score; /* of the document */
  long long points;           /* that the student gets: the score without the penalty's share */
  unsigned passed, failed, missing, skipped, errors; /* checks */
  unsigned tries;     /* workers that were started for it: 2 if the first crashed */
  const char *graded; /* when, ISO 8601 in UTC */
  double duration_s;
};

/* Calls `take` for each student, by name and then key; stops if it returns something other than 0,
 * and returns that; -1 on failure. */
int gradebook_rows(struct gradebook *book,
                   int (*take)(void *context, const struct gradebook_row *row), void *context,
                   struct failure *failure);

/* What is left of a score after a penalty in percent, rounded to the nearest whole point. */
long long gradebook_points(long long score, unsigned penalty);

/* The result document of a grading, whole (hidden checks included: see result_for_students() before
 * it is shown to a student). NULL with a reason if there is none. The caller's. */
json_t *gradebook_document(struct gradebook *book, long long grading, struct failure *failure);

/* The grading that counted before this one, of the same student's submission: of the same contents
 * (graded again), or of the attempt before. 0 if there is none. */
long long gradebook_grading_before(struct gradebook *book, long long student, long long grading);

/* The grading of the same contents that counted before this one; 0 if there is none. */
long long gradebook_same_before(struct gradebook *book, long long grading);

/* What the last run was done with. Texts belong to the gradebook until the next call; "" where
 * there is nothing. */
struct gradebook_about {
  const char *course;      /* its name */
  const char *course_file; /* the text of the course file */
  const char *course_hash, *suite_hash;
  const char *wiregrade;     /* version */
  const char *labs;          /* JSON: names in order */
  const char *begun, *ended; /* of the last run; ended "": it was killed, or goes on */
  long long run;
  const char *roster_columns; /* JSON: the roster's columns in order; "": no roster */
  const char *roster_kind;    /* "moodle", "canvas", "plain"; "": no roster */
};
int gradebook_about(struct gradebook *book, struct gradebook_about *about, struct failure *failure);

/* ---- writing: batch.c ---- */

struct gradebook_run {
  const char *suite_hash, *wiregrade, *labs;           /* as in gradebook_about */
  const char *course_hash, *course_name, *course_file; /* "" without a course */
  const char *roster_kind, *roster_columns;            /* "": no roster */
  bool regrade; /* everything once more. One that was killed goes on where it was. */
};
/* Begins a run, or goes on with a regrading that was interrupted. */
int gradebook_run_begin(struct gradebook *book, const struct gradebook_run *run,
                        struct failure *failure);
int gradebook_run_end(struct gradebook *book, struct failure *failure);

/* Adds the student, or adds to what is known of one; NULL members add nothing. *id is the student's
 * from now on. */
struct gradebook_student {
  const char *key, *name, *email, *number, *login, *section;
  const char *roster;     /* not NULL: stands on it */
  const char *former_key; /* by which the student may be there already; NULL */
};
int gradebook_put_student(struct gradebook *book, const struct gradebook_student *student,
                          long long *id, struct failure *failure);

/* Adds an attempt of the student's, or finds it again by its contents. It counts if it is the last
 * one. */
struct gradebook_submission {
  long long student;
  const char *hash, *source, *file, *submitted, *note;
  unsigned attempt; /* 0: one more than the student has */
  bool late;
  long long late_s;
  unsigned penalty;
};
int gradebook_put_submission(struct gradebook *book, const struct gradebook_submission *submission,
                             struct failure *failure);

/* Whether these contents have to be graded in this run: they have no grading by its suite and
 * course yet, or one that the grader erred in, or the run grades everything once more. */
int gradebook_needs_grading(struct gradebook *book, const char *hash, bool *needs,
                            struct failure *failure);

struct gradebook_grading {
  const char *hash;
  enum gradebook_state state; /* GRADED, UNREADABLE or ERROR */
  const char *reason;         /* of the latter two */
  const void *document;       /* of GRADED, packed by gradebook_pack() */
  size_t document_length;
  long long score, max_score;
  unsigned passed, failed, missing, skipped, errors, tries;
  const char *graded;
  double duration_s;
};
int gradebook_put_grading(struct gradebook *book, const struct gradebook_grading *grading,
                          struct failure *failure);
int gradebook_put_mishap(struct gradebook *book, const char *hash, unsigned try, const char *reason,
                         struct failure *failure);

/* All puts between these two are one transaction, which is quick. Each other put is one alone. */
int gradebook_begin(struct gradebook *book, struct failure *failure);
int gradebook_commit(struct gradebook *book, struct failure *failure);

/* A document as the gradebook keeps it: its JSON, compressed (zlib). The caller frees it. */
void *gradebook_pack(const json_t *document, size_t *length);
