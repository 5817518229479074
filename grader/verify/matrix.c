#include "grader/verify/matrix.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"
#include "grader/verify/hint.h"
#include "grader/verify/sentence.h"

#include <stdlib.h>
#include <string.h>

enum { KILLS_LEAST = 2 };

struct matrix matrix_new(const struct lab *const *labs, size_t count) {
  struct matrix matrix = {json_object(), json_array(), json_object(),
                          json_array(),  json_array(), KILLS_LEAST};
  for (size_t i = 0; i < count; i++)
    for (unsigned j = 0; j < labs[i]->requirement_count; j++) {
      scoped_text char *name =
          memory_format("%s.%u", labs[i]->name, labs[i]->requirements[j].number);
      json_object_set_new(matrix.requirements, name,
                          json_pack("{s:s, s:i, s:i, s:[]}", "reference", "no check", "styles", 0,
                                    "styles_passed", 0, "killed_by"));
      json_object_set_new(matrix.general, name, json_string(labs[i]->requirements[j].hint));
    }
  return matrix;
}

void matrix_free(struct matrix *matrix) {
  json_decref(matrix->requirements);
  json_decref(matrix->hints);
  json_decref(matrix->general);
  json_decref(matrix->deviations);
  json_decref(matrix->faults);
}

/* A check that failed tells more than one that could not be run. */
static int status_weight(const char *status) {
  static const char *const weights[] = {"pass", "skipped", "missing", "error", "fail"};
  for (int i = 0; i < (int)(sizeof weights / sizeof *weights); i++)
    if (strcmp(weights[i], status) == 0)
      return i;
  return -1;
}

json_t *matrix_statuses(const json_t *result) {
  json_t *statuses = json_object(), *lab, *check;
  size_t lab_index, check_index;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab) {
    json_array_foreach (json_object_get(lab, "checks"), check_index, check) {
      const char *requirement = result_text(check, "requirement");
      const char *status = result_text(check, "status");
      if (status_weight(status) > status_weight(result_text(statuses, requirement)))
        json_object_set_new(statuses, requirement, json_string(status));
    }
  }
  return statuses;
}

void matrix_add_errors(struct matrix *matrix, const char *name, const json_t *result) {
  size_t lab_index, check_index, index;
  json_t *lab, *check, *fault;
  json_array_foreach (json_object_get(result, "faults"), index, fault)
    sentence_add(matrix->faults, "%s: %s", name, json_string_value(fault));
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab) {
    json_array_foreach (json_object_get(lab, "checks"), check_index, check) {
      if (strcmp(result_text(check, "status"), "error") == 0)
        sentence_add(matrix->faults, "%s: %s is an error: %s", name, result_text(check, "id"),
                     result_text(check, "message"));
    }
  }
}

static void unbuilt_add(struct matrix *matrix, const char *name, const json_t *result) {
  const json_t *build = json_object_get(result, "build");
  if (json_is_false(json_object_get(build, "ok")))
    sentence_add(matrix->deviations, "%s: it does not build: %.300s", name,
                 result_text(build, "log"));
}

/* Names the checks of a requirement that have this status, and the first one's message. */
static void checks_add(struct matrix *matrix, const char *name, const json_t *result,
                       const char *requirement, const char *status, const char *words) {
  size_t lab_index, check_index;
  json_t *lab, *check;
  json_array_foreach (json_object_get(result, "labs"), lab_index, lab) {
    json_array_foreach (json_object_get(lab, "checks"), check_index, check) {
      if (strcmp(result_text(check, "requirement"), requirement) == 0 &&
          strcmp(result_text(check, "status"), status) == 0)
        sentence_add(matrix->deviations, "%s %s %s: %s", name, words, result_text(check, "id"),
                     result_text(check, "message"));
    }
  }
}

void matrix_add_reference(struct matrix *matrix, const json_t *result) {
  json_t *statuses = matrix_statuses(result), *status;
  const char *requirement;
  matrix_add_errors(matrix, "reference", result);
  unbuilt_add(matrix, "reference", result);
  json_object_foreach (statuses, requirement, status) {
    json_t *row = json_object_get(matrix->requirements, requirement);
    const char *word = json_string_value(status);
    json_object_set(row, "reference", status);
    if (strcmp(word, "pass") != 0 && strcmp(word, "error") != 0)
      checks_add(matrix, "reference", result, requirement, word,
                 strcmp(word, "fail") == 0 ? N_("fails") : N_("does not pass"));
  }
  json_decref(statuses);
}

/* The programs that a requirement concerns are all there. */
static bool requirement_is_contained(const char *name, const struct lab *const *labs, size_t count,
                                     const json_t *contained) {
  for (size_t i = 0; i < count; i++)
    for (unsigned j = 0; j < labs[i]->requirement_count; j++) {
      const struct requirement *requirement = &labs[i]->requirements[j];
      scoped_text char *own = memory_format("%s.%u", labs[i]->name, requirement->number);
      if (strcmp(own, name) != 0)
        continue;
      bool some = requirement->program_count > 0;
      unsigned programs = some ? requirement->program_count : labs[i]->program_count;
      for (unsigned k = 0; k < programs; k++)
        if (!json_object_get(contained, some ? requirement->programs[k] : labs[i]->programs[k]))
          return false;
      return true;
    }
  return false;
}

void matrix_add_style(struct matrix *matrix, const char *name, const json_t *result,
                      const struct lab *const *labs, size_t count, const json_t *contained) {
  json_t *statuses = matrix_statuses(result), *status;
  const char *requirement;
  matrix_add_errors(matrix, name, result);
  unbuilt_add(matrix, name, result);
  json_object_foreach (statuses, requirement, status) {
    json_t *row = json_object_get(matrix->requirements, requirement);
    const char *word = json_string_value(status);
    bool missing = strcmp(word, "missing") == 0, passed = strcmp(word, "pass") == 0;
    if (!row || (missing && !requirement_is_contained(requirement, labs, count, contained)))
      continue;
    json_object_set_new(row, "styles", json_integer(result_number(row, "styles") + 1));
    json_object_set_new(row, "styles_passed",
                        json_integer(result_number(row, "styles_passed") + passed));
    if (!passed && strcmp(word, "error") != 0)
      checks_add(matrix, name, result, requirement, word,
                 strcmp(word, "fail") == 0 ? N_("is right and fails")
                                           : N_("is right and does not pass"));
  }
  json_decref(statuses);
}

static void hints_add(struct matrix *matrix, const struct mutant *mutant, const char *name,
                      const json_t *result) {
  json_t *hints = hints_shown(name, result, matrix->general);
  hints_judge(mutant, name, hints, matrix->deviations);
  json_array_extend(matrix->hints, hints);
  json_decref(hints);
}

void matrix_add_mutant(struct matrix *matrix, const struct mutant *mutant, const json_t *result) {
  json_t *statuses = matrix_statuses(result), *status;
  const char *requirement;
  scoped_text char *name = memory_format("%s/%s", mutant->lab, mutant->name);
  matrix_add_errors(matrix, name, result);
  unbuilt_add(matrix, name, result);
  json_object_foreach (statuses, requirement, status) {
    const char *word = json_string_value(status);
    bool failed = strcmp(word, "fail") == 0, named = mutant_names(mutant, requirement);
    json_t *row = json_object_get(matrix->requirements, requirement);
    if (failed)
      json_array_append_new(json_object_get(row, "killed_by"), json_string(mutant->name));
    if (failed && !named)
      checks_add(matrix, name, result, requirement, word, N_("does not name, and fails,"));
    else if (!failed && !named && strcmp(word, "missing") == 0)
      checks_add(matrix, name, result, requirement, word, N_("has no program for"));
    else if (!failed && named && strcmp(word, "error") != 0)
      sentence_add(matrix->deviations, "%s should fail %s, but its verdict is %s", name,
                   requirement, word);
  }
  for (size_t i = 0; i < mutant->fail_count; i++)
    if (!json_object_get(statuses, mutant->fails[i]))
      sentence_add(matrix->deviations, "%s names %s, which has no check", name, mutant->fails[i]);
  hints_add(matrix, mutant, name, result);
  json_decref(statuses);
}

void matrix_add_fault(struct matrix *matrix, const char *name, const char *sentence) {
  sentence_add(matrix->faults, "%s: %s", name, sentence);
}

void matrix_judge(struct matrix *matrix) {
  const char *requirement;
  json_t *row;
  json_object_foreach (matrix->requirements, requirement, row) {
    size_t kills = json_array_size(json_object_get(row, "killed_by"));
    if (strcmp(result_text(row, "reference"), "no check") == 0)
      sentence_add(matrix->deviations, "%s has no check", requirement);
    else if (kills < matrix->kills_least)
      sentence_add(matrix->deviations, "%s kills %zu mutant%s, and must kill at least %zu",
                   requirement, kills, kills == 1 ? "" : "s", matrix->kills_least);
  }
}
