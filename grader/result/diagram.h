/* Where everything of a sequence diagram stands: life lines side by side, moments below each other,
 * and the time between them to one scale, except for long silences, which are compressed.
 *
 * Called by the HTML report, which draws it. Knows the form of events (grader/result/verdict.h);
 * draws nothing itself. All lengths are in pixels. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
  DIAGRAM_LANES_MAX = 6,  /* those that appear later share the last life line */
  DIAGRAM_AXIS = 64,      /* where the line of time stands */
  DIAGRAM_EDGE = 130,     /* from the edges to the outermost life lines */
  DIAGRAM_HEAD = 52,      /* of the names above */
  DIAGRAM_BREAK = 36,     /* of a compressed silence */
  DIAGRAM_WIDTH = 760,    /* with up to four life lines */
  DIAGRAM_LANE_GAP = 170, /* between life lines at least */
};

/* Somebody who sends, receives or prints: one program from its start to its end, or a peer. A
 * program that is started again after its end goes on with the same line. */
struct diagram_lane {
  const char *name;
  long long first_run, run; /* which of its name it was first and is now (verdict.h); 0: not told */
  bool is_program;
  bool is_crowd; /* all that have no line of their own */
  bool has_ended;
  const char *address; /* "127.0.0.1:60000"; NULL: not known */
  bool varies;         /* it has had other addresses, too */
  double x;
  double begin, end; /* between them a program is there; the whole height for others */
};

enum diagram_kind {
  DIAGRAM_START,
  DIAGRAM_LINE,
  DIAGRAM_FRAME,
  DIAGRAM_EXIT,
  DIAGRAM_WORDS,    /* a wait or a call of a program */
  DIAGRAM_NOTE,     /* of the grader */
  DIAGRAM_LEFT_OUT, /* `count` moments are not shown */
  DIAGRAM_SILENCE,  /* nothing happened from here to the end of the check */
};

enum { DIAGRAM_NOBODY = -1, DIAGRAM_EVERYBODY = -2 };

struct diagram_row {
  enum diagram_kind kind;
  const json_t *event; /* NULL where there is none */
  int lane;            /* of the program or sender; DIAGRAM_NOBODY: of none */
  int other;           /* of the receiver; DIAGRAM_EVERYBODY of a broadcast */
  bool repeated;       /* it carries what the frame before it did */
  double t;            /* seconds */
  double pause;        /* seconds since the row before */
  bool compressed;     /* that pause is not to scale: a break is drawn above the row */
  size_t count;
  double y;      /* of its line */
  double height; /* that it takes above it, without the pause */
};

struct diagram {
  struct diagram_lane lanes[DIAGRAM_LANES_MAX];
  size_t lane_count;
  struct diagram_row *rows;
  size_t row_count;
  double scale; /* pixels for a second */
  double width, height;
};

/* Lays out some `most` moments of a check. The events and their texts are borrowed. */
struct diagram diagram_make(const json_t *check, size_t most);
void diagram_free(struct diagram *diagram);
