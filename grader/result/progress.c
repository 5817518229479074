#include "grader/result/progress.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/page.h"
#include "grader/result/safe_text.h"

#include <string.h>
#include <time.h>

static const double redraw_s = 0.1;

struct progress progress_begin(void) {
  return (struct progress){.shown = isatty(STDERR_FILENO)};
}

/* Spaces, not an escape sequence: every terminal understands them. */
static void line_draw(struct progress *progress, const char *line) {
  unsigned columns = text_columns(line);
  unsigned left = progress->columns > columns ? progress->columns - columns : 0;
  fprintf(stderr, "\r%s%*s\r", line, (int)left, "");
  fflush(stderr);
  progress->columns = columns;
}

void progress_show(struct progress *progress, const char *what, size_t done, size_t total) {
  if (!progress->shown)
    return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double now_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
  if (now_s < progress->drawn_s + redraw_s)
    return;
  progress->drawn_s = now_s;
  scoped_text char *safe = safe_text(what, strlen(what));
  scoped_text char *count = total ? memory_format("%zu/%zu  ", done, total) : memory_text("");
  scoped_text char *line = memory_format("%c %s%s", "|/-\\"[progress->turns++ % 4], count, safe);
  scoped_text char *fitted = text_fitted(line, page_for(stderr).width - 1, false);
  line_draw(progress, fitted);
}

void progress_end(struct progress *progress) {
  if (progress->shown && progress->columns)
    line_draw(progress, "");
}
