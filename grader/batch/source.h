/* Where submissions come from: what a SOURCE on the command line holds, as a list of submissions
 * with their students.
 *
 * Called by batch.c. Knows how LMSs name what they let one download, and nothing of gradings. Names
 * in a source were chosen by students, and by whoever made the archive: they are texts here, and
 * no path is ever made of one but to open what readdir() has shown.
 *
 * A SOURCE is
 *
 *   a folder or archive of submissions, each a folder or an archive: their names are the students'
 *   Moodle's download        Full Name_12345_assignsubmission_file_/…
 *   Canvas's download        lastfirst[_LATE]_<user id>_<submission id>_<file>
 *   Gradescope's export      submission_N/… and submission_metadata.yml
 *   a folder or archive of one submission, which has programs or a Makefile at its top
 *   a text file that names git repositories on this machine, one in a line, each behind a name and
 *   a tab if the student is not to have the repository's name; # begins a comment
 *
 * An archive is unpacked by submission/unpack.h, in a sandbox; a repository is read by git in a
 * sandbox, without network, where whatever its configuration starts reaches nothing. */
#pragma once

#include "grader/base/failure.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Members are NULL where the source does not say. */
struct source_student {
  char *key; /* of the source's own: a number, an address, the folder's name; never NULL */
  char *name, *email, *number;
};

struct source_submission {
  struct source_student *students; /* one, or a group's */
  size_t student_count;
  char *path;       /* what is to be graded: a folder or an archive; NULL: `reason` */
  char *reason;     /* why there is nothing that could be graded */
  char *source;     /* as on the command line */
  char *file;       /* its name in the source */
  char *submitted;  /* ISO 8601 in UTC; NULL: not known */
  char *note;       /* what was odd, in lines; NULL */
  unsigned attempt; /* 0: not known */
  bool late;
};

struct source_list {
  struct source_submission *submissions;
  size_t count;
};

struct source_spec {
  const char *source;
  const char *work;  /* an empty folder of its own, which what is unpacked stays in */
  bool among_others; /* an archive that cannot be read is then one student's */
  /* Files that are no submissions, should the source hold them; ends with NULL. */
  const char *const *except;
  const volatile sig_atomic_t *stop;
};

/* Appends what the source holds. Fails only if the source as a whole cannot be read. */
int source_read(const struct source_spec *spec, struct source_list *list, struct failure *failure);
void source_list_free(struct source_list *list);
