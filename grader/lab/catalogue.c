#include "grader/lab/catalogue.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int lab_order(const void *left, const void *right) {
  const struct lab *a = *(struct lab *const *)left, *b = *(struct lab *const *)right;
  int order = strverscmp(a->section, b->section);
  return order ? order : strcmp(a->name, b->name);
}

static int catalogue_add(struct catalogue *catalogue, const char *suite, const char *name,
                         struct failure *failure) {
  scoped_text char *path = memory_format("%s/%s/lab.yaml", suite, name);
  if (access(path, F_OK))
    return 0;
  /* A teacher's own lab has its translation beside it. */
  scoped_text char *domain = memory_format("wiregrade-%s", name);
  scoped_text char *own = memory_format("%s/%s/%s.mo", suite, name, language_name());
  language_add(own);
  language_add_domain(domain);
  struct lab *lab = lab_load(path, failure);
  if (!lab)
    return -1;
  catalogue->labs =
      memory_resize(catalogue->labs, (catalogue->count + 1) * sizeof *catalogue->labs);
  catalogue->labs[catalogue->count++] = lab;
  if (strcmp(lab->name, name) != 0)
    return failure_set(failure, "%s: the lab is called '%s' here, but its folder '%s'", path,
                       lab->name, name);
  return 0;
}

int catalogue_load(const char *suite, struct catalogue *catalogue, struct failure *failure) {
  *catalogue = (struct catalogue){0};
  DIR *folder = opendir(suite);
  if (!folder)
    return failure_errno(failure, "Cannot read the folder of labs %s", suite);
  int outcome = 0;
  const struct dirent *entry;
  while (!outcome && (entry = readdir(folder)))
    if (entry->d_name[0] != '.')
      outcome = catalogue_add(catalogue, suite, entry->d_name, failure);
  closedir(folder);
  if (!outcome && catalogue->count == 0)
    outcome = failure_set(failure, "There is no lab in %s: no folder in it has a lab.yaml", suite);
  if (outcome)
    catalogue_free(catalogue);
  else
    qsort(catalogue->labs, catalogue->count, sizeof *catalogue->labs, lab_order);
  return outcome;
}

void catalogue_free(struct catalogue *catalogue) {
  for (size_t i = 0; i < catalogue->count; i++)
    lab_free(catalogue->labs[i]);
  free(catalogue->labs);
  *catalogue = (struct catalogue){0};
}

static int name_character(char c) {
  return c == '_' ? '-' : c;
}

/* Edits (insert, delete, replace) that turn one name into the other. */
static unsigned name_distance(const char *a, const char *b) {
  size_t columns = strlen(b) + 1;
  scoped_text unsigned *row = memory_zeroed(columns, sizeof *row);
  for (size_t j = 0; j < columns; j++)
    row[j] = (unsigned)j;
  for (size_t i = 0; a[i]; i++) {
    unsigned diagonal = row[0]++;
    for (size_t j = 1; j < columns; j++) {
      unsigned replaced = diagonal + (name_character(a[i]) != name_character(b[j - 1]));
      diagonal = row[j];
      unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
      row[j] = replaced < other ? replaced : other;
    }
  }
  return row[columns - 1];
}

static bool name_is_near(const char *name, const char *candidate) {
  size_t most = 1 + strlen(candidate) / 3; /* two for "udp": so many are two letters exchanged */
  return name_distance(name, candidate) <= most || (strlen(name) >= 3 && strstr(candidate, name));
}

const struct lab *catalogue_lab(const struct catalogue *catalogue, const char *name,
                                struct failure *failure) {
  for (size_t i = 0; i < catalogue->count; i++)
    if (name_distance(name, catalogue->labs[i]->name) == 0)
      return catalogue->labs[i];
  char near[256] = "";
  size_t used = 0;
  for (size_t i = 0; i < catalogue->count; i++)
    if (name_is_near(name, catalogue->labs[i]->name) && used < sizeof near - 1)
      used += (size_t)snprintf(near + used, sizeof near - used, "%s%s", used ? ", " : "",
                               catalogue->labs[i]->name);
  if (used)
    failure_set(failure, "There is no lab '%s'; did you mean %s?", name, near);
  else
    failure_set(failure, "There is no lab '%s'; `wiregrade list` shows them all", name);
  return NULL;
}

int catalogue_requirement(const struct catalogue *catalogue, const char *name,
                          const struct lab **lab, const struct requirement **requirement,
                          struct failure *failure) {
  const char *dot = strrchr(name, '.');
  scoped_text char *lab_name =
      dot ? memory_format("%.*s", (int)(dot - name), name) : memory_text(name);
  *lab = catalogue_lab(catalogue, lab_name, failure);
  if (!*lab)
    return -1;
  char *end = NULL;
  unsigned long number = dot && dot[1] >= '0' && dot[1] <= '9' ? strtoul(dot + 1, &end, 10) : 0;
  *requirement = end && (*end == '\0' || *end == '/') && number <= 100000
                     ? lab_requirement(*lab, (unsigned)number)
                     : NULL;
  if (*requirement)
    return 0;
  const struct requirement *first = &(*lab)->requirements[0];
  const struct requirement *last = &(*lab)->requirements[(*lab)->requirement_count - 1];
  return failure_set(failure,
                     "There is no requirement '%s'; those of the lab %s are %s.%u to %s.%u", name,
                     (*lab)->name, (*lab)->name, first->number, (*lab)->name, last->number);
}
