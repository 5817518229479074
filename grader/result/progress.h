/* The live line on stderr while it works: redrawn in place, and only if stderr is a terminal.
 * Called by the command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct progress {
  bool shown;       /* stderr is a terminal */
  unsigned columns; /* of the line that stands there now */
  unsigned turns;
  double drawn_s;
};

struct progress progress_begin(void);
/* `what` is being done; `done` of `total` are (total 0: not known). Draws at most ten times a
 * second. */
void progress_show(struct progress *progress, const char *what, size_t done, size_t total);
/* Wipes the line. */
void progress_end(struct progress *progress);
