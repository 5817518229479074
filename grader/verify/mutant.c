#include "grader/verify/mutant.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static const char hint_key[] = "Hint";

static void words_add(char ***words, size_t *count, char *word) {
  *words = memory_resize(*words, (*count + 1) * sizeof **words);
  (*words)[(*count)++] = word;
}

static void fails_add(struct mutant *mutant, char *words) {
  char *rest = words, *word;
  while ((word = strsep(&rest, " \t\n")))
    if (*word)
      words_add(&mutant->fails, &mutant->fail_count, memory_text(word));
}

/* From a patch's "+++ b/udp/udp-client.c"; of a header, which several programs may share, with its
 * extension: no program is named after it. */
static void source_add(struct mutant *mutant, char *line) {
  line[strcspn(line, "\t\n")] = '\0';
  const char *slash = strrchr(line, '/');
  const char *name = slash ? slash + 1 : line + strlen("+++ ");
  bool header = strcmp(name + strcspn(name, "."), ".h") == 0;
  words_add(&mutant->sources, &mutant->source_count,
            memory_format("%.*s", (int)(header ? strlen(name) : strcspn(name, ".")), name));
}

/* A requirement of this lab is "LAB.NUMBER". */
static bool is_of_lab(const char *requirement, const char *lab) {
  size_t length = strlen(lab);
  return strncmp(requirement, lab, length) == 0 && requirement[length] == '.' &&
         requirement[length + 1] &&
         strspn(requirement + length + 1, "0123456789") == strlen(requirement + length + 1);
}

/* "Hint: words" or "Hint LAB.NUMBER: words". */
static int hint_add(struct mutant *mutant, char *line, size_t number, struct failure *failure) {
  line[strcspn(line, "\n")] = '\0';
  char *words = line + strlen(hint_key), *requirement = NULL;
  if (*words == ' ') {
    requirement = words + 1;
    words = requirement + strcspn(requirement, ":");
  }
  if (*words != ':' || !words[1 + strspn(words + 1, " \t")])
    return failure_set(failure,
                       "%s:%zu: must be 'Hint: ' or 'Hint REQUIREMENT: ', and words of the cause "
                       "that is shown",
                       mutant->path, number);
  *words++ = '\0';
  if (requirement && !mutant_names(mutant, requirement))
    return failure_set(failure, "%s:%zu: '%s' is not among those that must fail", mutant->path,
                       number, requirement);
  mutant->hints = memory_resize(mutant->hints, (mutant->hint_count + 1) * sizeof *mutant->hints);
  mutant->hints[mutant->hint_count++] = (struct mutant_hint){
      requirement ? memory_text(requirement) : NULL, memory_text(words + strspn(words, " \t"))};
  return 0;
}

/* A line between "Fails:" and the patch: 1 if it is none. */
static int header_line_read(struct mutant *mutant, char *line, size_t number,
                            struct failure *failure) {
  static const char clock[] = "Clock: ";
  if (strncmp(line, hint_key, strlen(hint_key)) == 0)
    return hint_add(mutant, line, number, failure);
  if (strncmp(line, clock, strlen(clock)) != 0)
    return 1;
  line[strcspn(line, "\n")] = '\0';
  mutant->virtual_only = strcmp(line + strlen(clock), "virtual") == 0;
  return mutant->virtual_only ? 0
                              : failure_set(failure, "%s:%zu: the clock can only be 'virtual'",
                                            mutant->path, number);
}

static int mutant_read(struct mutant *mutant, struct failure *failure) {
  scoped_file FILE *file = fopen(mutant->path, "re");
  if (!file)
    return failure_errno(failure, "Cannot read %s", mutant->path);
  static const char key[] = "Fails:";
  scoped_text char *line = NULL;
  size_t size = 0;
  if (getline(&line, &size, file) < 3 || line[0] != '#')
    return failure_set(failure, "%s:1: must be '# ' and a sentence that says what is wrong",
                       mutant->path);
  line[strcspn(line, "\n")] = '\0';
  mutant->sentence = memory_text(line + 1 + strspn(line + 1, " "));
  if (getline(&line, &size, file) < 0 || strncmp(line, key, strlen(key)) != 0)
    return failure_set(failure, "%s:2: must be 'Fails: ' and the requirements that must fail",
                       mutant->path);
  fails_add(mutant, line + strlen(key));
  if (mutant->fail_count == 0)
    return failure_set(failure, "%s:2: names no requirement", mutant->path);
  for (size_t i = 0; i < mutant->fail_count; i++)
    if (!is_of_lab(mutant->fails[i], mutant->lab))
      return failure_set(failure, "%s:2: '%s' is no requirement of the lab %s", mutant->path,
                         mutant->fails[i], mutant->lab);
  int beyond_header = 0;
  for (size_t number = 3; getline(&line, &size, file) >= 0; number++) {
    if (!beyond_header)
      beyond_header = header_line_read(mutant, line, number, failure);
    if (beyond_header < 0)
      return -1;
    if (strncmp(line, "+++ ", 4) == 0)
      source_add(mutant, line);
  }
  return 0;
}

static int is_patch(const struct dirent *entry) {
  const char *dot = strrchr(entry->d_name, '.');
  return entry->d_name[0] != '.' && dot && strcmp(dot, ".patch") == 0;
}

/* Of a lab where some say what is shown, all must. */
static void hints_demand(struct mutant *mutants, size_t count) {
  bool some = false;
  for (size_t i = 0; i < count; i++)
    some |= mutants[i].hint_count > 0;
  for (size_t i = 0; i < count; i++)
    mutants[i].lacks_hint = some && mutants[i].hint_count == 0;
}

int mutants_read(const char *mutants_folder, const char *lab, struct mutant_list *list,
                 struct failure *failure) {
  scoped_text char *folder = memory_format("%s/%s", mutants_folder, lab);
  struct dirent **entries;
  int count = scandir(folder, &entries, is_patch, alphasort);
  if (count < 0)
    return errno == ENOENT ? 0 : failure_errno(failure, "Cannot read %s", folder);
  int outcome = 0;
  size_t before = list->count;
  for (int i = 0; i < count; i++) {
    const char *name = entries[i]->d_name;
    if (!outcome) {
      list->mutants = memory_resize(list->mutants, (list->count + 1) * sizeof *list->mutants);
      struct mutant *mutant = &list->mutants[list->count++];
      *mutant = (struct mutant){
          .path = memory_format("%s/%s", folder, name),
          .name = memory_format("%.*s", (int)(strrchr(name, '.') - name), name),
          .lab = memory_text(lab),
      };
      mutant->key = memory_format("%s-%s", lab, mutant->name);
      mutant->labs[0] = mutant->lab;
      outcome = mutant_read(mutant, failure);
    }
    free(entries[i]);
  }
  free(entries);
  hints_demand(list->mutants + before, list->count - before);
  return outcome;
}

static void mutant_free(struct mutant *mutant) {
  free(mutant->path);
  free(mutant->name);
  free(mutant->lab);
  free(mutant->key);
  free(mutant->sentence);
  for (size_t i = 0; i < mutant->fail_count; i++)
    free(mutant->fails[i]);
  free(mutant->fails);
  for (size_t i = 0; i < mutant->hint_count; i++) {
    free(mutant->hints[i].requirement);
    free(mutant->hints[i].words);
  }
  free(mutant->hints);
  for (size_t i = 0; i < mutant->source_count; i++)
    free(mutant->sources[i]);
  free(mutant->sources);
}

void mutants_free(struct mutant_list *list) {
  for (size_t i = 0; i < list->count; i++)
    mutant_free(&list->mutants[i]);
  free(list->mutants);
  *list = (struct mutant_list){0};
}

/* Whether one of its requirements is named by fewer than `each` of the kept mutants. */
static bool is_needed(const struct mutant_list *list, const bool *kept, const struct mutant *mutant,
                      unsigned each) {
  for (size_t i = 0; i < mutant->fail_count; i++) {
    unsigned have = 0;
    for (size_t j = 0; j < list->count; j++)
      have += kept[j] && mutant_names(&list->mutants[j], mutant->fails[i]);
    if (have < each)
      return true;
  }
  return false;
}

void mutants_thin(struct mutant_list *list, unsigned each) {
  scoped_text bool *kept = memory_zeroed(list->count + 1, sizeof *kept);
  size_t most = 0, used = 0;
  for (size_t i = 0; i < list->count; i++)
    if (list->mutants[i].fail_count > most)
      most = list->mutants[i].fail_count;
  for (size_t fails = 1; fails <= most; fails++)
    for (size_t i = 0; i < list->count; i++)
      if (list->mutants[i].fail_count == fails)
        kept[i] = is_needed(list, kept, &list->mutants[i], each);
  for (size_t i = 0; i < list->count; i++)
    if (kept[i])
      list->mutants[used++] = list->mutants[i];
    else
      mutant_free(&list->mutants[i]);
  list->count = used;
}

bool mutant_names(const struct mutant *mutant, const char *requirement) {
  for (size_t i = 0; i < mutant->fail_count; i++)
    if (strcmp(mutant->fails[i], requirement) == 0)
      return true;
  return false;
}
