#include "grader/submission/build_log.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { COMPLAINT_MOST = 200 };

static void text_add(struct build_log *log, const char *text) {
  size_t length = strlen(text);
  log->text = memory_resize(log->text, log->length + length + 1);
  memcpy(log->text + log->length, text, length + 1);
  log->length += length;
}

/* Why the step did not do it, beyond what it printed; NULL if it did. Whatever the language, it
 * begins with "error: ", as compilers say it. */
static char *end_words(const struct step *step, double limit_s) {
  const char *command = step->argv[0];
  switch (step->end) {
  case STEP_DONE:
    return NULL;
  case STEP_NOT_RUN:
    return language_sentence("error: %s was not run: there was no time left", command);
  case STEP_TOO_LONG:
    return language_sentence("error: %s did not end within %g s", command, limit_s);
  case STEP_TOO_LARGE:
    return language_sentence("error: %s used more memory than a build may", command);
  case STEP_NO_COMMAND:
    return language_sentence("error: %s is not on this machine", command);
  case STEP_FAILED:
    break;
  }
  if (WIFSIGNALED(step->wait_status))
    return language_sentence("error: %s was killed by signal %d (%s)", command,
                             WTERMSIG(step->wait_status),
                             _(strsignal(WTERMSIG(step->wait_status))));
  return language_sentence("[%s ended with exit status %d]", command,
                           WEXITSTATUS(step->wait_status));
}

void build_log_add(struct build_log *log, const struct step *step) {
  text_add(log, "$");
  for (const char *const *word = step->argv; *word; word++) {
    text_add(log, " ");
    text_add(log, *word);
  }
  text_add(log, "\n");
  for (const char *line = step->log; line && *line;) {
    size_t length = strcspn(line, "\n");
    size_t shown = length && line[length - 1] == '\r' ? length - 1 : length;
    scoped_text char *safe = safe_text(line, shown);
    text_add(log, safe);
    text_add(log, "\n");
    line += length + (line[length] == '\n');
  }
  scoped_text char *end = end_words(step, log->limit_s);
  if (end) {
    text_add(log, end);
    text_add(log, "\n");
  }
}

void build_log_note(struct build_log *log, const char *doing, const char *lines) {
  if (!*lines)
    return;
  text_add(log, "$ ");
  text_add(log, doing);
  text_add(log, "\n");
  text_add(log, lines);
}

void build_log_again(struct build_log *log, const char *text) {
  text_add(log, text);
}

const char *build_log_text(const struct build_log *log) {
  return log->text ? log->text : "";
}

void build_log_free(struct build_log *log) {
  free(log->text);
  *log = (struct build_log){0};
}

static const char *line_begin(const char *log, const char *place) {
  while (place > log && place[-1] != '\n')
    place--;
  return place;
}

static bool line_has(const char *line, const char *word) {
  const char *found = strcasestr(line, word);
  return found && found < line + strcspn(line, "\n");
}

/* The first line that has the word in it. */
static const char *line_with(const char *log, const char *word) {
  const char *found = log ? strcasestr(log, word) : NULL;
  return found ? line_begin(log, found) : NULL;
}

/* That the linker has failed, which it has said more about in the lines before. */
static bool is_of_linker(const char *line) {
  return line_has(line, "ld returned") || line_has(line, "linker command failed");
}

static const char *line_with_error(const char *log) {
  const char *line = line_with(log, "error:");
  while (line && is_of_linker(line)) {
    const char *end = line + strcspn(line, "\n");
    const char *next = strcasestr(end, "error:");
    line = next ? line_begin(log, next) : NULL;
  }
  return line;
}

/* The last line before that one which is not the rest of another; NULL if it is the first. */
static const char *line_before(const char *log, const char *line) {
  while (line && line > log) {
    line = line_begin(log, line - 1);
    if (!strchr(" \t\r\n", *line))
      return line;
  }
  return NULL;
}

/* What was said last before the linker, or what make ran, ended. */
static const char *last_words(const char *log) {
  const char *line = line_with(log, "error:"); /* the linker's, if there is one still */
  if (!line) {
    line = line_with(log, ": *** [");
    if (line && !line_has(line, "] Error "))
      line = NULL;
  }
  return line_before(log, line);
}

static const char *line_last(const char *log) {
  size_t end = log ? strlen(log) : 0;
  while (end > 0 && strchr(" \t\r\n", log[end - 1]))
    end--;
  while (end > 0 && log[end - 1] != '\n')
    end--;
  return log ? log + end : "";
}

char *build_log_complaint(const struct step *step) {
  if (step->end != STEP_FAILED || WIFSIGNALED(step->wait_status)) {
    scoped_text char *words = end_words(step, 0);
    const char *prefix = "error: ";
    if (step->end == STEP_TOO_LONG) /* the limit is in the log */
      return language_sentence("%s did not end in time", step->argv[0]);
    return memory_text(words ? words + strlen(prefix) : "");
  }
  static const char *const words[] = {"undefined reference", "file format not recognized",
                                      "No such file or directory", "not found"};
  static const char *const more_words[] = {"***", "error"};
  const char *line = line_with_error(step->log);
  for (size_t i = 0; !line && i < sizeof words / sizeof *words; i++)
    line = line_with(step->log, words[i]);
  if (!line)
    line = last_words(step->log);
  for (size_t i = 0; !line && i < sizeof more_words / sizeof *more_words; i++)
    line = line_with(step->log, more_words[i]);
  if (!line)
    line = line_last(step->log);
  size_t length = strcspn(line, "\r\n");
  if (length == 0)
    return language_sentence("exit status %d", WEXITSTATUS(step->wait_status));
  return safe_text(line, length < COMPLAINT_MOST ? length : COMPLAINT_MOST);
}
