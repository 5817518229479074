/* Submissions as they are found, and the names among which they are looked for. */
#include "grader/batch/source_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct source_submission *source_add(struct source_reading *reading, const char *file,
                                     const char *key) {
  struct source_list *list = reading->list;
  list->submissions =
      memory_resize(list->submissions, (list->count + 1) * sizeof *list->submissions);
  struct source_submission *submission = &list->submissions[list->count++];
  *submission = (struct source_submission){
      .source = memory_text(reading->spec->source),
      .file = memory_text(file),
  };
  if (key) {
    submission->students = memory_zeroed(1, sizeof *submission->students);
    submission->student_count = 1;
    submission->students[0].key = memory_text(key);
  }
  return submission;
}

void source_note(struct source_submission *submission, const char *line) {
  char *longer = memory_format("%s%s%s", submission->note ? submission->note : "",
                               submission->note ? "\n" : "", line);
  free(submission->note);
  submission->note = longer;
}

void source_give_up(struct source_submission *submission, char *reason) {
  free(submission->path);
  free(submission->reason);
  submission->path = NULL;
  submission->reason = reason;
}

static void submission_free(struct source_submission *submission) {
  for (size_t i = 0; i < submission->student_count; i++) {
    free(submission->students[i].key);
    free(submission->students[i].name);
    free(submission->students[i].email);
    free(submission->students[i].number);
  }
  free(submission->students);
  free(submission->path);
  free(submission->reason);
  free(submission->source);
  free(submission->file);
  free(submission->submitted);
  free(submission->note);
}

void source_list_free(struct source_list *list) {
  for (size_t i = 0; i < list->count; i++)
    submission_free(&list->submissions[i]);
  free(list->submissions);
  *list = (struct source_list){0};
}

/* ---- names ---- */

static bool is_excepted(const struct source_reading *reading, const char *path) {
  struct stat status, other;
  if (stat(path, &status))
    return false;
  for (const char *const *except = reading->spec->except; except && *except; except++)
    if (stat(*except, &other) == 0 && other.st_dev == status.st_dev &&
        other.st_ino == status.st_ino)
      return true;
  return false;
}

static int name_compare(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

int source_names_read(const struct source_reading *reading, const char *folder,
                      struct source_names *names, struct failure *failure) {
  *names = (struct source_names){0};
  size_t room = 0;
  DIR *entries = opendir(folder);
  if (!entries)
    return failure_errno(failure, "Cannot read the folder %s", folder);
  for (const struct dirent *entry; (entry = readdir(entries));) {
    scoped_text char *path = memory_format("%s/%s", folder, entry->d_name);
    if (*entry->d_name == '.' || strcmp(entry->d_name, "__MACOSX") == 0 ||
        is_excepted(reading, path))
      continue;
    if (names->count == room) {
      room = room ? 2 * room : 64;
      names->names = memory_resize(names->names, room * sizeof *names->names);
    }
    names->names[names->count++] = memory_text(entry->d_name);
  }
  closedir(entries);
  if (names->count > 0)
    qsort(names->names, names->count, sizeof *names->names, name_compare);
  return 0;
}

void source_names_free(struct source_names *names) {
  for (size_t i = 0; i < names->count; i++)
    free(names->names[i]);
  free(names->names);
  *names = (struct source_names){0};
}

char *source_place(struct source_reading *reading, const char *what) {
  return memory_format("%s/%s-%u", reading->spec->work, what, ++reading->places);
}
