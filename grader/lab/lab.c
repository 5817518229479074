#include "grader/lab/lab.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/base/yaml.h"
#include "grader/lab/points.h"

#include <stdio.h>
#include <string.h>

static const cyaml_strval_t level_names[] = {
    {"core", LEVEL_CORE},
    {"stretch", LEVEL_STRETCH},
};

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

static const cyaml_schema_field_t requirement_fields[] = {
    CYAML_FIELD_UINT("number", CYAML_FLAG_DEFAULT, struct requirement, number),
    CYAML_FIELD_ENUM("level", CYAML_FLAG_STRICT, struct requirement, level, level_names,
                     CYAML_ARRAY_LEN(level_names)),
    CYAML_FIELD_SEQUENCE_COUNT("programs", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct requirement, programs, program_count, &text_entry, 0,
                               CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("text", CYAML_FLAG_POINTER, struct requirement, text, 1,
                           CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("hint", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct requirement,
                           hint, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("read", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct requirement,
                           read, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t requirement_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct requirement, requirement_fields)};

static const cyaml_schema_field_t lab_fields[] = {
    CYAML_FIELD_STRING_PTR("lab", CYAML_FLAG_POINTER, struct lab, name, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER, struct lab, title, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("section", CYAML_FLAG_POINTER, struct lab, section, 1, CYAML_UNLIMITED),
    CYAML_FIELD_UINT("points", CYAML_FLAG_DEFAULT, struct lab, points),
    CYAML_FIELD_UINT("at-once", CYAML_FLAG_OPTIONAL, struct lab, at_once),
    CYAML_FIELD_SEQUENCE_COUNT("programs", CYAML_FLAG_POINTER, struct lab, programs, program_count,
                               &text_entry, 1, CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE_COUNT("requirements", CYAML_FLAG_POINTER, struct lab, requirements,
                               requirement_count, &requirement_entry, 1, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t lab_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct lab, lab_fields)};

static char *text_trimmed(char *text) {
  if (!text)
    return memory_text("");
  size_t length = strlen(text);
  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' '))
    text[--length] = '\0';
  return text;
}

/* In the reader's language. */
static void text_translate(char **text) {
  const char *translation = language_text(*text);
  if (translation == *text)
    return;
  free(*text);
  *text = memory_text(translation);
}

static int lab_has_program(const struct lab *lab, const char *name) {
  for (unsigned i = 0; i < lab->program_count; i++)
    if (strcmp(lab->programs[i], name) == 0)
      return 1;
  return 0;
}

/* What the schema cannot say. */
static int lab_check(const struct lab *lab, const char *path, struct failure *failure) {
  enum { AT_ONCE_MOST = 16 };
  if (lab->at_once > AT_ONCE_MOST)
    return failure_set(failure, "%s: at-once is %u, but at most %d checks for a CPU pay off", path,
                       lab->at_once, AT_ONCE_MOST);
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    const struct requirement *requirement = &lab->requirements[i];
    if (requirement->number == 0)
      return failure_set(failure, "%s: a requirement has the number 0; numbers begin at 1", path);
    if (lab_requirement(lab, requirement->number) != requirement)
      return failure_set(failure, "%s: there are two requirements with the number %u", path,
                         requirement->number);
    for (unsigned j = 0; j < requirement->program_count; j++)
      if (!lab_has_program(lab, requirement->programs[j]))
        return failure_set(
            failure,
            "%s: requirement %u names the program '%s', which is not among the lab's programs",
            path, requirement->number, requirement->programs[j]);
  }
  return 0;
}

struct lab *lab_load(const char *path, struct failure *failure) {
  struct lab *lab = yaml_file_load(path, &lab_schema, "a lab", failure);
  if (!lab)
    return NULL;
  text_translate(&lab->title);
  if (lab->at_once == 0)
    lab->at_once = 1;
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    struct requirement *requirement = &lab->requirements[i];
    requirement->text = text_trimmed(requirement->text);
    requirement->hint = text_trimmed(requirement->hint);
    requirement->read = text_trimmed(requirement->read);
    text_translate(&requirement->text);
    text_translate(&requirement->hint);
    text_translate(&requirement->read);
  }
  if (lab_check(lab, path, failure)) {
    lab_free(lab);
    return NULL;
  }
  return lab;
}

void lab_free(struct lab *lab) {
  yaml_file_free(&lab_schema, lab);
}

const struct requirement *lab_requirement(const struct lab *lab, unsigned number) {
  for (unsigned i = 0; i < lab->requirement_count; i++)
    if (lab->requirements[i].number == number)
      return &lab->requirements[i];
  return NULL;
}

const char *level_name(enum level level) {
  return level == LEVEL_STRETCH ? "stretch" : "core";
}

void lab_points(const struct lab *lab, unsigned *points) {
  unsigned counts[2] = {0, 0}, left = lab->points;
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    const struct requirement *requirement = &lab->requirements[i];
    points[i] = requirement->has_points ? requirement->points : 0;
    left -= points[i];
    counts[requirement->level == LEVEL_STRETCH] += !requirement->has_points;
  }
  bool is_usual = lab->core == 0 && lab->stretch == 0;
  unsigned core = is_usual ? 3 : lab->core, stretch = is_usual ? 1 : lab->stretch;
  /* A lab without stretch requirements gives all its points to core, and the other way round. */
  unsigned weights[2] = {counts[0] ? core : 0, counts[1] ? stretch : 0};
  if (weights[0] + weights[1] == 0)
    weights[0] = counts[0] > 0, weights[1] = counts[1] > 0;
  unsigned totals[2];
  points_divide(left, weights, 2, totals);

  scoped_text unsigned *chosen = memory_zeroed(lab->requirement_count, sizeof *chosen);
  scoped_text unsigned *shares = memory_zeroed(lab->requirement_count, sizeof *shares);
  for (unsigned level = 0; level < 2; level++) {
    for (unsigned i = 0; i < lab->requirement_count; i++)
      chosen[i] = !lab->requirements[i].has_points &&
                  (lab->requirements[i].level == LEVEL_STRETCH) == level;
    points_divide(totals[level], chosen, lab->requirement_count, shares);
    for (unsigned i = 0; i < lab->requirement_count; i++)
      if (chosen[i])
        points[i] = shares[i];
  }
}
