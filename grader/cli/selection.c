#include "grader/cli/selection.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdlib.h>
#include <string.h>

/* "udp_retry.6/gaps" by the lab's own name: "udp-retry.6/gaps"; NULL if there is no such
 * requirement. */
static char *name_corrected(const struct catalogue *catalogue, const char *name,
                            struct failure *failure) {
  const struct lab *lab;
  const struct requirement *requirement;
  if (catalogue_requirement(catalogue, name, &lab, &requirement, failure))
    return NULL;
  return memory_format("%s.%u%s", lab->name, requirement->number, name + strcspn(name, "/"));
}

static bool name_is_of_lab(const char *name, const struct lab *lab) {
  size_t length = strlen(lab->name);
  return strncmp(name, lab->name, length) == 0 && name[length] == '.';
}

/* "udp.6" is all its checks, "udp.6/gaps" the one. */
static bool check_is_named(const struct chosen_lab *chosen, const struct check_description *check,
                           const char *name) {
  scoped_text char *requirement = memory_format("%s.%u", chosen->lab->name, check->requirement);
  size_t length = strcspn(name, "/");
  bool of_it = strlen(requirement) == length && strncmp(name, requirement, length) == 0;
  return strcmp(name, check->id) == 0 || (of_it && (chosen->broken || name[length] == '\0'));
}

static char *check_names(const struct chosen_lab *chosen, const char *name) {
  scoped_text char *requirement = memory_format("%.*s", (int)strcspn(name, "/"), name);
  char *names = memory_text("");
  for (size_t i = 0; i < chosen->description.count; i++) {
    const struct check_description *check = &chosen->description.checks[i];
    if (!check_is_named(chosen, check, requirement))
      continue;
    char *longer = memory_format("%s%s%s", names, *names ? ", " : "", check->id);
    free(names);
    names = longer;
  }
  return names;
}

static int check_want(struct chosen_lab *chosen, const char *name, struct failure *failure) {
  bool found = false;
  for (size_t i = 0; i < chosen->description.count; i++)
    if (check_is_named(chosen, &chosen->description.checks[i], name))
      chosen->wanted[i] = found = true;
  if (found)
    return 0;
  scoped_text char *others = check_names(chosen, name);
  return *others ? failure_set(failure, "There is no check '%s'; there are %s", name, others)
                 : failure_set(failure, "Nothing checks %s", name);
}

static void description_of_requirements(const struct lab *lab, struct description *description) {
  *description = (struct description){
      .checks = memory_zeroed(lab->requirement_count, sizeof *description->checks),
      .count = lab->requirement_count};
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    unsigned number = lab->requirements[i].number;
    description->checks[i].id = memory_format("%s.%u", lab->name, number);
    description->checks[i].requirement = number;
  }
}

/* Dashes and underscores are the same. */
static bool program_is_named(const char *program, const char *name) {
  while (*program && (*program == *name || (*program == '-' && *name == '_')))
    program++, name++;
  return !*program && !*name;
}

static bool program_is_wanted(const char *program, const struct cli_words *names) {
  for (size_t i = 0; i < names->count; i++)
    if (program_is_named(program, names->words[i]))
      return true;
  return names->count == 0;
}

static bool lab_has_wanted_program(const struct lab *lab, const struct cli_words *names) {
  for (unsigned i = 0; i < lab->program_count; i++)
    if (program_is_wanted(lab->programs[i], names))
      return true;
  return false;
}

/* A check that could not be described is of any program. */
static bool check_starts_wanted(const struct check_description *check,
                                const struct cli_words *names) {
  for (size_t i = 0; i < json_array_size(check->programs); i++)
    if (program_is_wanted(json_string_value(json_array_get(check->programs, i)), names))
      return true;
  return !check->programs;
}

static int lab_choose(const struct places *places, const struct lab *lab,
                      const struct cli_words *names, const struct cli_words *programs,
                      struct selection *selection, struct failure *failure) {
  selection->labs =
      memory_resize(selection->labs, (selection->count + 1) * sizeof *selection->labs);
  struct chosen_lab *chosen = &selection->labs[selection->count++];
  *chosen = (struct chosen_lab){.lab = lab, .program = place_program(places, lab->name)};
  if (describe(chosen->program, lab, &chosen->description, &chosen->failure)) {
    chosen->broken = true;
    description_of_requirements(lab, &chosen->description);
  }
  size_t count = chosen->description.count;
  chosen->wanted = memory_zeroed(count, sizeof *chosen->wanted);
  bool all = true;
  for (size_t i = 0; i < names->count; i++) {
    if (!name_is_of_lab(names->words[i], lab))
      continue;
    all = false;
    if (check_want(chosen, names->words[i], failure))
      return -1;
  }
  for (size_t i = 0; i < count; i++)
    chosen->wanted_count += chosen->wanted[i] =
        (chosen->wanted[i] || all) && check_starts_wanted(&chosen->description.checks[i], programs);
  return 0;
}

static bool lab_is_chosen(const struct lab *lab, const struct cli_words *labs,
                          const struct cli_words *names) {
  if (cli_words_has(labs, lab->name) || (labs->count == 0 && names->count == 0))
    return true;
  for (size_t i = 0; i < names->count; i++)
    if (name_is_of_lab(names->words[i], lab))
      return true;
  return false;
}

static int programs_check(const struct catalogue *catalogue, const struct cli_words *programs,
                          struct failure *failure) {
  for (size_t i = 0; i < programs->count; i++) {
    const struct cli_words one = {&programs->words[i], 1};
    size_t lab = 0;
    while (lab < catalogue->count && !lab_has_wanted_program(catalogue->labs[lab], &one))
      lab++;
    if (lab == catalogue->count)
      return failure_set(failure, "No lab has a program '%s'; `wiregrade list` shows them",
                         programs->words[i]);
  }
  return 0;
}

int selection_make(const struct places *places, const struct catalogue *catalogue,
                   const struct selection_names *given, struct selection *selection,
                   struct failure *failure) {
  *selection = (struct selection){.is_all = !given->labs.count && !given->checks.count &&
                                            !given->programs.count};
  struct cli_words names = {0};
  int outcome = programs_check(catalogue, &given->programs, failure);
  for (size_t i = 0; !outcome && i < given->checks.count; i++) {
    char *name = name_corrected(catalogue, given->checks.words[i], failure);
    if (name)
      cli_words_add(&names, name);
    else
      outcome = -1;
  }
  for (size_t i = 0; !outcome && i < catalogue->count; i++)
    if (lab_is_chosen(catalogue->labs[i], &given->labs, &names) &&
        lab_has_wanted_program(catalogue->labs[i], &given->programs))
      outcome =
          lab_choose(places, catalogue->labs[i], &names, &given->programs, selection, failure);
  for (size_t i = 0; i < names.count; i++)
    free((char *)names.words[i]);
  free(names.words);
  if (outcome)
    selection_free(selection);
  return outcome;
}

void selection_names_free(struct selection_names *names) {
  free(names->labs.words);
  free(names->checks.words);
  free(names->programs.words);
}

void selection_free(struct selection *selection) {
  for (size_t i = 0; i < selection->count; i++) {
    free(selection->labs[i].program);
    free(selection->labs[i].wanted);
    description_free(&selection->labs[i].description);
  }
  free(selection->labs);
  *selection = (struct selection){0};
}
