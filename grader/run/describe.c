#include "grader/run/describe.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/run/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { DESCRIBE_LIMIT_S = 60 };

/* The number in "udp-retry.6", or 0 if that is no requirement of this lab. */
static unsigned requirement_number(const struct lab *lab, const char *requirement) {
  size_t length = strlen(lab->name);
  if (strncmp(requirement, lab->name, length) != 0 || requirement[length] != '.')
    return 0;
  char *end;
  unsigned long number = strtoul(requirement + length + 1, &end, 10);
  if (*end || number > 100000 || !lab_requirement(lab, (unsigned)number))
    return 0;
  return (unsigned)number;
}

static int description_add(struct description *description, const struct lab *lab, const char *line,
                           struct failure *failure) {
  json_t *object = json_loads(line, 0, NULL);
  const char *id = json_string_value(json_object_get(object, "check"));
  const char *requirement = json_string_value(json_object_get(object, "requirement"));
  const char *test = json_string_value(json_object_get(object, "test"));
  unsigned number = requirement ? requirement_number(lab, requirement) : 0;
  int outcome = 0;
  if (!id || !requirement || !test) {
    outcome = failure_set(failure, "it describes a check as %.200s", line);
  } else if (number == 0) {
    outcome = failure_set(failure, "its check %s verifies %s, which is not in the lab's lab.yaml",
                          id, requirement);
  } else {
    description->checks =
        memory_resize(description->checks, (description->count + 1) * sizeof *description->checks);
    description->checks[description->count++] = (struct check_description){
        .id = memory_text(id),
        .requirement = number,
        .test = memory_text(test),
        .programs = json_incref(json_object_get(object, "programs")),
    };
  }
  json_decref(object);
  return outcome;
}

/* Stable: checks of one requirement stay in the order of the source. */
static void description_sort(struct description *description) {
  for (size_t i = 1; i < description->count; i++) {
    struct check_description moved = description->checks[i];
    size_t place = i;
    for (; place > 0 && description->checks[place - 1].requirement > moved.requirement; place--)
      description->checks[place] = description->checks[place - 1];
    description->checks[place] = moved;
  }
}

int description_parse(struct description *description, const struct lab *lab, char *output,
                      struct failure *failure) {
  char *rest = output, *line;
  while ((line = strsep(&rest, "\n")))
    if (*line && description_add(description, lab, line, failure))
      return -1;
  if (description->count == 0)
    return failure_set(failure, "it describes no check");
  for (size_t i = 0; i < description->count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(description->checks[i].id, description->checks[j].id) == 0)
        return failure_set(failure, "it has two checks with the name %s",
                           description->checks[i].id);
  description_sort(description);
  return 0;
}

int describe(const char *program, const struct lab *lab, struct description *description,
             struct failure *failure) {
  *description = (struct description){0};
  struct suite_spec spec = {
      .program = program,
      .argv = (char *[]){(char *)program, (char *)"--describe", NULL},
      .silence_limit_s = DESCRIBE_LIMIT_S,
  };
  struct suite_outcome outcome;
  if (suite_run(&spec, &outcome, failure))
    return -1;
  int ended = 0;
  if (outcome.wait_status != 0) {
    scoped_text char *words = suite_outcome_words(&outcome);
    ended = failure_set(failure, "it %s: %.400s", words, outcome.complaint);
  } else {
    ended = description_parse(description, lab, outcome.output, failure);
  }
  suite_outcome_free(&outcome);
  if (ended) {
    failure_prefix(failure, "The suite program %s cannot be used", program);
    description_free(description);
  }
  return ended;
}

void description_free(struct description *description) {
  for (size_t i = 0; i < description->count; i++) {
    free(description->checks[i].id);
    free(description->checks[i].test);
    json_decref(description->checks[i].programs);
  }
  free(description->checks);
  *description = (struct description){0};
}
