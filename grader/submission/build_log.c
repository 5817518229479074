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

/* The first line that has the word in it. */
static const char *line_with(const char *log, const char *word) {
  const char *found = log ? strcasestr(log, word) : NULL;
  while (found && found > log && found[-1] != '\n')
    found--;
  return found;
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
  static const char *const words[] = {
      "error:", "undefined reference", "No such file or directory", "not found", "***", "error"};
  const char *line = NULL;
  for (size_t i = 0; !line && i < sizeof words / sizeof *words; i++)
    line = line_with(step->log, words[i]);
  if (!line)
    line = line_last(step->log);
  size_t length = strcspn(line, "\r\n");
  if (length == 0)
    return language_sentence("exit status %d", WEXITSTATUS(step->wait_status));
  return safe_text(line, length < COMPLAINT_MOST ? length : COMPLAINT_MOST);
}
