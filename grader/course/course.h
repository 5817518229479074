/* A course: what its teacher has decided for all submissions, in one YAML file.
 *
 *   course: Network programming, autumn
 *   labs:                         # those that count; left out: all, as they are
 *   - lab: udp
 *     points: 50                  # in place of the lab's own
 *   - lab: udp-retry
 *     core-to-stretch: 1:1        # in place of the course's
 *     requirements:               # points of single ones, out of the lab's
 *     - requirement: 6
 *       points: 40
 *   - lab: halfopen
 *     extra: yes                  # its points make up for points lost elsewhere
 *   core-to-stretch: 3:1          # how a lab's points are divided
 *   hidden: [udp.6, udp-retry.2]  # graded, shown to students as a number only
 *   release-hidden: no            # yes: shown like all others
 *   drop: 1                       # so many labs, the worst ones, do not count
 *   languages: [c, python]        # programs in others count as missing
 *   late:
 *     deadline: 2026-11-28 23:59:59 +01:00
 *     grace: 10 min
 *     per-day: 10                 # percent of the points, for each day begun
 *     most: 50                    # percent at most
 *   limits:                       # of a build, and of each program; what is left out keeps its
 *     memory: 2 GB                # default. Of all its processes together
 *     file-size: 256 MB           # the largest file
 *     scratch: 256 MB             # of /tmp, and of what is written over the submission
 *     scratch-files: 20000
 *     processes: 512              # and threads
 *     descriptors: 1024
 *     cpu-time: 300 s             # of one process
 *     build-time: 2 min           # real time, of the whole build
 *
 * Called by the command line. Knows labs by what catalogue.h says of them, and nothing of
 * submissions and results. */
#pragma once

#include "grader/base/failure.h"
#include "grader/lab/catalogue.h"
#include "grader/sandbox/sandbox.h"

#include <stdbool.h>
#include <time.h>

struct course_points {
  unsigned requirement, points;
};

struct course_lab {
  char *lab;
  unsigned *points;      /* NULL: the lab's own */
  char *core_to_stretch; /* NULL: the course's */
  bool extra;
  struct course_points *requirements;
  unsigned requirement_count;
};

struct course {
  char *name;
  struct course_lab *labs; /* none: all labs */
  unsigned lab_count;
  unsigned core, stretch; /* how points are divided; 3 and 1 if the file does not say */
  char **hidden;          /* names of requirements or checks */
  unsigned hidden_count;
  bool release_hidden;
  unsigned drop;
  char **languages; /* as written_in.h names them; none: all */
  unsigned language_count;
  bool has_deadline;
  time_t deadline;
  unsigned grace_s, per_day, most; /* percent */
  struct sandbox_limits limits;    /* 0 where the course says nothing */
  unsigned build_seconds;          /* likewise */
  void *file;                      /* of course.c */
};

/* NULL on failure, with the line if it is the YAML's fault. */
struct course *course_load(const char *path, struct failure *failure);
void course_free(struct course *course);

/* ---- course_labs.c ---- */

/* Gives the catalogue's labs the points that the course says, and takes out of it the labs that do
 * not count. Fails if the course names a lab or a requirement that there is not, or gives more
 * points than there are. */
int course_apply(const struct course *course, struct catalogue *catalogue, struct failure *failure);

/* Whether a check is hidden by its own or its requirement's name: "udp.6/NAME", "udp.6". */
bool course_hides(const struct course *course, const char *check, const char *requirement);

/* All that a result depends on, as one text: what it says of lateness is not in it. The caller
 * frees it. */
char *course_essence(const struct course *course);

/* ---- course_late.c ---- */

struct course_lateness {
  bool late;
  long long late_s; /* -1: not known */
  unsigned penalty; /* percent of the points */
};
/* `submitted` is -1 if it is not known: then `marked`, the word of where it was handed in, counts,
 * as for one day. */
struct course_lateness course_lateness(const struct course *course, bool marked, time_t submitted);
