#include "grader/result/report_parts.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"

#include <string.h>

enum { LOG_LINES = 6, LINES_BEFORE = 3 };

static const char *line_end(const char *line) {
  return line + strcspn(line, "\n");
}

static const char *line_next(const char *line) {
  const char *end = line_end(line);
  return *end ? end + 1 : end;
}

/* "udp.c:12:5: error: …": what a compiler says of a place in a file. The file's name and the line
 * are given, if wanted. */
static bool line_is_error(const char *line, int *file_length, unsigned *number) {
  const char *end = line_end(line), *word = strstr(line, "error: ");
  const char *colon = memchr(line, ':', (size_t)(end - line));
  unsigned found;
  if (!word || word > end || !colon || colon == line || sscanf(colon, ":%u:", &found) != 1)
    return false;
  *file_length = (int)(colon - line);
  *number = found;
  return true;
}

static size_t errors_count(const char *log) {
  size_t count = 0;
  int file_length;
  unsigned number;
  for (; *log; log = line_next(log))
    count += line_is_error(log, &file_length, &number);
  return count;
}

/* make says "***" of a command that failed; what the command itself said stands before it. */
static const char *reason_of(const char *log, const char *line) {
  if (strncmp(line, "make", 4) != 0)
    return line;
  for (int lines = 0; lines < LINES_BEFORE && line > log; lines++) {
    const char *before = line - 1;
    while (before > log && before[-1] != '\n')
      before--;
    if (*before == '$')
      break;
    line = before;
  }
  return line;
}

/* The first line that has one of the words, the first word being looked for first; else the last
 * lines. The command lines that were run begin with "$". */
static const char *log_heart(const char *log) {
  static const char *const words[] = {"error: ", "undefined reference", "Error", "error", "***"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    for (const char *line = log; *line; line = line_next(line)) {
      const char *found = *line == '$' ? NULL : strstr(line, words[i]);
      if (found && found < line_end(line))
        return reason_of(log, line);
    }
  const char *from = log + strlen(log);
  for (int lines = 0; from > log; from--)
    if (from[-1] == '\n' && ++lines > LOG_LINES)
      break;
  return from;
}

/* An error and the lines that draw its place: those that begin with a space. */
static char *error_text(const char *line) {
  const char *end = line_next(line);
  for (int lines = 1; lines < LOG_LINES && *end == ' '; lines++)
    end = line_next(end);
  return memory_format("%.*s", (int)(end - line), line);
}

static void error_report(const struct page *page, const char *log, const char *line,
                         int file_length, unsigned number) {
  scoped_text char *heading = language_sentence(
      "failed in %.*s, line %u; the rest is graded all the same.", file_length, line, number);
  scoped_text char *text = error_text(line);
  page_paragraph(page, PAGE_BAD, _("BUILD"), text_columns(_("BUILD")) + 1, heading, 3);
  page_paragraph(page, PAGE_PLAIN, "", 2, text, LOG_LINES);
  size_t more = errors_count(log) - 1;
  if (more) {
    scoped_text char *rest =
        language_sentence("and %zu more error%s: mend this first, and some may be gone", more,
                          report_plural((long long)more));
    page_paragraph(page, PAGE_FAINT, "", 2, rest, 0);
  }
}

void report_build(const struct page *page, const json_t *build) {
  if (!json_is_false(json_object_get(build, "ok")))
    return;
  const char *log = result_text(build, "log");
  int file_length;
  unsigned number;
  page_gap(page);
  for (const char *line = log; *line; line = line_next(line))
    if (line_is_error(line, &file_length, &number)) {
      error_report(page, log, line, file_length, number);
      return;
    }
  page_paragraph(page, PAGE_BAD, _("BUILD"), text_columns(_("BUILD")) + 1,
                 _("failed; what it left is graded all the same."), 0);
  page_paragraph(page, PAGE_PLAIN, "", 2, log_heart(log), LOG_LINES);
}
