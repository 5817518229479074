#include "grader/result/source_places.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* Where a submission lies while it is built and run (SANDBOX_FOLDER of grader/sandbox/sandbox.h).
 */
static const char root[] = "/submission/";

enum { FOLDERS_MOST = 8, GROUPS = 5 };

/* "sub/../udp.c" as "udp.c"; NULL if it leads out of the submission. */
static char *path_plain(const char *folder, const char *name) {
  const char *beginning = *name == '/' ? "" : *folder ? folder : root;
  scoped_text char *whole = memory_format("%s%s%s", beginning, *beginning ? "/" : "", name);
  if (strncmp(whole, root, sizeof root - 1) != 0)
    return NULL;
  char *plain = memory_text("");
  for (char *save = NULL, *part = strtok_r(whole + sizeof root - 1, "/", &save); part;
       part = strtok_r(NULL, "/", &save)) {
    char *slash = strrchr(plain, '/'), *longer;
    if (strcmp(part, ".") == 0)
      continue;
    if (strcmp(part, "..") == 0) {
      if (!*plain) {
        free(plain);
        return NULL;
      }
      *(slash ? slash : plain) = '\0';
      continue;
    }
    longer = memory_format("%s%s%s", plain, *plain ? "/" : "", part);
    free(plain);
    plain = longer;
  }
  return plain;
}

/* The text that a group of a pattern matched. */
static char *group_text(const char *text, const regmatch_t *group) {
  return memory_format("%.*s", (int)(group->rm_eo - group->rm_so), text + group->rm_so);
}

static bool pattern_matches(const char *pattern, const char *text, regmatch_t groups[GROUPS]) {
  regex_t compiled;
  if (regcomp(&compiled, pattern, REG_EXTENDED))
    return false;
  bool found = regexec(&compiled, text, GROUPS, groups, 0) == 0;
  regfree(&compiled);
  return found;
}

/* ---- the build's log ---- */

struct build_messages build_messages_read(const char *text) {
  return (struct build_messages){.at = text};
}

void build_messages_free(struct build_messages *log) {
  while (log->depth > 0)
    free(log->folders[--log->depth]);
}

static const char *build_messages_folder(const struct build_messages *log) {
  return log->depth > 0 ? log->folders[log->depth - 1] : "";
}

/* "make[1]: Entering directory '/submission/udp'" */
static bool folder_note(struct build_messages *log, const char *line) {
  regmatch_t groups[GROUPS];
  if (pattern_matches("^make[^:]*: Entering directory ['`\"]([^'\"]*)['\"]", line, groups)) {
    if (log->depth == FOLDERS_MOST)
      free(log->folders[--log->depth]);
    log->folders[log->depth++] = group_text(line, &groups[1]);
    return true;
  }
  if (strncmp(line, "make", 4) != 0 || !strstr(line, ": Leaving directory "))
    return false;
  if (log->depth > 0)
    free(log->folders[--log->depth]);
  return true;
}

static bool message_take(const struct build_messages *log, const char *line,
                         struct build_message *message) {
  regmatch_t groups[GROUPS];
  static const char pattern[] = "^([^: ]+):([0-9]+):([0-9]+:)? (error|fatal error|warning): ";
  if (!pattern_matches(pattern, line, groups))
    return false;
  scoped_text char *file = group_text(line, &groups[1]);
  scoped_text char *number = group_text(line, &groups[2]);
  message->place.file = path_plain(build_messages_folder(log), file);
  message->place.line = (unsigned)strtoul(number, NULL, 10);
  message->is_error = line[groups[4].rm_so] != 'w';
  message->text = memory_text(line + groups[0].rm_eo);
  return true;
}

bool build_messages_next(struct build_messages *log, struct build_message *message) {
  while (*log->at) {
    size_t length = strcspn(log->at, "\n");
    scoped_text char *line = memory_format("%.*s", (int)length, log->at);
    log->at += length + (log->at[length] == '\n');
    /* The command lines that were run begin with "$". */
    if (*line != '$' && !folder_note(log, line) && message_take(log, line, message))
      return true;
  }
  return false;
}

void build_message_free(struct build_message *message) {
  free(message->place.file);
  free(message->text);
}

/* ---- what a program says of itself ---- */

bool source_place_find(const char *text, struct source_place *place) {
  static const char *const patterns[] = {
      "File [\\]?\"([^\"\\]+)[\\]?\", line ([0-9]+)",
      "([A-Za-z0-9_./-]+\\.(c|h|cc|cpp|py|rs|go|java|js|ts)):([0-9]+)",
  };
  for (size_t i = 0; i < 2; i++) {
    regmatch_t groups[GROUPS];
    for (const char *from = text; pattern_matches(patterns[i], from, groups);
         from += groups[0].rm_eo) {
      scoped_text char *file = group_text(from, &groups[1]);
      scoped_text char *line = group_text(from, &groups[i + 2]);
      place->line = (unsigned)strtoul(line, NULL, 10);
      place->file = path_plain("", file);
      if (place->file && *place->file && place->line > 0)
        return true;
      free(place->file);
    }
  }
  return false;
}
