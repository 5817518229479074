#include "grader/verify/style.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MOST = 3 };

/* "udp_client.py" is the program udp-client. */
static void file_add(json_t *names, const char *file) {
  scoped_text char *name = memory_text(file);
  name[strcspn(name, ".")] = '\0';
  for (char *c = name; *c; c++)
    if (*c == '_')
      *c = '-';
  if (*name)
    json_object_set_new(names, name, json_true());
}

/* Keys of a wiregrade.yaml: words before a colon. */
static void manifest_add(json_t *names, const char *path) {
  scoped_file FILE *file = fopen(path, "re");
  scoped_text char *line = NULL;
  size_t size = 0;
  while (file && getline(&line, &size, file) >= 0) {
    char *word = line + strspn(line, " \t");
    char *colon = strchr(word, ':');
    if (colon) {
      *colon = '\0';
      file_add(names, word);
    }
  }
}

static void files_add(json_t *names, const char *folder, int depth) {
  DIR *directory = opendir(folder);
  const struct dirent *entry;
  while (directory && (entry = readdir(directory))) {
    if (entry->d_name[0] == '.')
      continue;
    scoped_text char *path = memory_format("%s/%s", folder, entry->d_name);
    struct stat status;
    if (stat(path, &status))
      continue;
    if (S_ISDIR(status.st_mode) && depth < DEPTH_MOST)
      files_add(names, path, depth + 1);
    else if (strcmp(entry->d_name, "wiregrade.yaml") == 0)
      manifest_add(names, path);
    else
      file_add(names, entry->d_name);
  }
  if (directory)
    closedir(directory);
}

static bool lab_is_contained(const struct lab *lab, const json_t *names) {
  for (unsigned i = 0; i < lab->program_count; i++)
    if (json_object_get(names, lab->programs[i]))
      return true;
  return false;
}

static void style_free(struct style *style) {
  free(style->name);
  free(style->folder);
  free(style->labs);
  json_decref(style->contained);
}

static void style_add(struct style_list *list, const char *folder, const char *name,
                      const struct lab *const *labs, size_t count) {
  struct style style = {
      .name = memory_text(name),
      .folder = memory_format("%s/%s", folder, name),
      .contained = json_object(),
      .labs = memory_zeroed(count + 1, sizeof *style.labs),
  };
  files_add(style.contained, style.folder, 0);
  size_t used = 0;
  for (size_t i = 0; i < count; i++)
    if (lab_is_contained(labs[i], style.contained))
      style.labs[used++] = labs[i]->name;
  if (used == 0) {
    style_free(&style);
    return;
  }
  list->styles = memory_resize(list->styles, (list->count + 1) * sizeof *list->styles);
  list->styles[list->count++] = style;
}

static int is_style(const struct dirent *entry) {
  return entry->d_name[0] != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

int styles_read(const char *folder, const struct lab *const *labs, size_t count,
                struct style_list *list, struct failure *failure) {
  struct dirent **entries;
  int found = scandir(folder, &entries, is_style, alphasort);
  if (found < 0)
    return errno == ENOENT ? 0 : failure_errno(failure, "Cannot read %s", folder);
  for (int i = 0; i < found; i++) {
    style_add(list, folder, entries[i]->d_name, labs, count);
    free(entries[i]);
  }
  free(entries);
  return 0;
}

/* ---- some of them ---- */

static bool has_lab(const struct style *style, const char *lab) {
  for (size_t i = 0; style->labs[i]; i++)
    if (strcmp(style->labs[i], lab) == 0)
      return true;
  return false;
}

static bool is_of_one_language(const struct style *one, const struct style *other) {
  size_t length = strcspn(one->name, "-");
  return length == strcspn(other->name, "-") && strncmp(one->name, other->name, length) == 0;
}

/* Whether one of its labs has fewer than `each` of the chosen ones. */
static bool is_wanted(const struct style_list *list, const bool *chosen, const struct style *style,
                      unsigned each) {
  for (size_t i = 0; style->labs[i]; i++) {
    unsigned have = 0;
    for (size_t k = 0; k < list->count; k++)
      have += chosen[k] && has_lab(&list->styles[k], style->labs[i]);
    if (have < each)
      return true;
  }
  return false;
}

/* Of those that are wanted the first in the language that was chosen least; list->count: none. */
static size_t next_choice(const struct style_list *list, const bool *chosen, unsigned each) {
  size_t best = list->count, least = SIZE_MAX;
  for (size_t i = 0; i < list->count; i++) {
    if (chosen[i] || !is_wanted(list, chosen, &list->styles[i], each))
      continue;
    size_t of_language = 0;
    for (size_t k = 0; k < list->count; k++)
      of_language += chosen[k] && is_of_one_language(&list->styles[k], &list->styles[i]);
    if (of_language < least) {
      best = i;
      least = of_language;
    }
  }
  return best;
}

void styles_thin(struct style_list *list, unsigned each) {
  scoped_text bool *chosen = memory_zeroed(list->count + 1, sizeof *chosen);
  for (size_t next; (next = next_choice(list, chosen, each)) < list->count;)
    chosen[next] = true;
  size_t kept = 0;
  for (size_t i = 0; i < list->count; i++)
    if (chosen[i])
      list->styles[kept++] = list->styles[i];
    else
      style_free(&list->styles[i]);
  list->count = kept;
}

void styles_free(struct style_list *list) {
  for (size_t i = 0; i < list->count; i++)
    style_free(&list->styles[i]);
  free(list->styles);
  *list = (struct style_list){0};
}
