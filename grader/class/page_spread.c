/* How a class's points spread. */
#include "grader/class/page.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include "grader/base/language.h"
#include <stdlib.h>

enum { BARS = 20, BAR_WIDTH = 20, HEIGHT = 120, FOOT = 18, HEAD = 16 };

/* Percents of the points, in order. */
static double *percents_of(const struct class_book *class, size_t *count) {
  double *percents = memory_zeroed(class->student_count + 1, sizeof *percents);
  *count = 0;
  for (size_t i = 0; i < class->student_count; i++)
    if (class_has_points(&class->students[i]))
      percents[(*count)++] =
          (double)class->students[i].row.points * 100 / (double)class->students[i].row.max_score;
  return percents;
}

static int number_compare(const void *a, const void *b) {
  double first = *(const double *)a, second = *(const double *)b;
  return first < second ? -1 : first > second;
}

/* By linear interpolation between the two that are nearest. */
static double quantile(const double *sorted, size_t count, double part) {
  double at = part * (double)(count - 1);
  size_t below = (size_t)at, above = below + 1 < count ? below + 1 : below;
  return sorted[below] + (sorted[above] - sorted[below]) * (at - (double)below);
}

static void bar_put(unsigned bar, size_t count, size_t most, FILE *file) {
  size_t height = most ? count * HEIGHT / most : 0;
  if (count == 0)
    return;
  height = height ? height : 1;
  fprintf(file,
          "<rect class=\"bin\" x=\"%u\" y=\"%zu\" width=\"%u\" height=\"%zu\"/>"
          "<text class=\"count\" x=\"%u\" y=\"%zu\">%zu</text>\n",
          bar * BAR_WIDTH + 1, HEAD + HEIGHT - height, BAR_WIDTH - 2, height,
          bar * BAR_WIDTH + BAR_WIDTH / 2, HEAD + HEIGHT - height - 3, count);
}

static void histogram_put(const double *percents, size_t count, FILE *file) {
  size_t bars[BARS] = {0}, most = 0;
  for (size_t i = 0; i < count; i++) {
    size_t bar = (size_t)(percents[i] * BARS / 100);
    bar = bar < BARS ? bar : BARS - 1;
    bars[bar]++;
    most = bars[bar] > most ? bars[bar] : most;
  }
  language_print(
      file,
      "<svg class=\"histogram\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Number of "
      "students by percent of the points, in steps of %d:",
      BARS * BAR_WIDTH, HEAD + HEIGHT + FOOT, 100 / BARS);
  for (unsigned i = 0; i < BARS; i++)
    if (bars[i])
      language_print(file, " from %u: %zu;", i * 100 / BARS, bars[i]);
  fputs("\">\n", file);
  for (unsigned i = 0; i < BARS; i++)
    bar_put(i, bars[i], most, file);
  fprintf(file, "<path class=\"axis\" d=\"M0 %d.5H%d\"/>\n", HEAD + HEIGHT, BARS * BAR_WIDTH);
  for (unsigned percent = 0; percent <= 100; percent += 25)
    fprintf(file, "<text class=\"tick%s\" x=\"%u\" y=\"%d\">%u</text>\n",
            percent == 0     ? " first"
            : percent == 100 ? " last"
                             : "",
            percent * BARS * BAR_WIDTH / 100, HEAD + HEIGHT + FOOT - 4, percent);
  fputs("</svg>\n", file);
}

void page_spread_put(const struct class_book *class, FILE *file) {
  size_t count;
  scoped_text double *percents = percents_of(class, &count);
  if (count == 0)
    return;
  qsort(percents, count, sizeof *percents, number_compare);
  double sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += percents[i];
  language_print(
      file,
      "<section aria-labelledby=\"spread\"><h2 id=\"spread\">Percent of the points</h2>\n"
      "<p class=\"meta\">mean %.1f, median %.1f; a quarter below %.1f, a quarter above %.1f; "
      "%zu graded</p>\n",
      sum / (double)count, quantile(percents, count, .5), quantile(percents, count, .25),
      quantile(percents, count, .75), count);
  histogram_put(percents, count, file);
  fputs("</section>\n", file);
}
