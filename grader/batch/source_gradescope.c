/* Gradescope's export: a folder for each submission, and a file that says whose it is:
 *
 *   submission_12345:
 *     :submitters:
 *     - :name: Jane Doe
 *       :sid: '1234'
 *       :email: jane@example.edu
 *     :created_at: 2026-11-28 23:59:58.123456000 Z
 *     :history: [earlier attempts]
 *     …
 */
#include "grader/batch/source_inner.h"

#include "grader/base/instant.h"
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* ---- YAML ---- */

static yaml_node_t *member(yaml_document_t *document, yaml_node_t *node, const char *key) {
  if (!node || node->type != YAML_MAPPING_NODE)
    return NULL;
  for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
       pair++) {
    const yaml_node_t *name = yaml_document_get_node(document, pair->key);
    if (name && name->type == YAML_SCALAR_NODE &&
        strcmp((const char *)name->data.scalar.value, key) == 0)
      return yaml_document_get_node(document, pair->value);
  }
  return NULL;
}

/* The caller's; NULL if it is not there, or empty. */
static char *member_text(yaml_document_t *document, yaml_node_t *node, const char *key) {
  const yaml_node_t *value = member(document, node, key);
  const char *text =
      value && value->type == YAML_SCALAR_NODE ? (const char *)value->data.scalar.value : "";
  return *text && strcmp(text, "~") != 0 && strcmp(text, "null") != 0 ? memory_text(text) : NULL;
}

static size_t item_count(const yaml_node_t *node) {
  return node && node->type == YAML_SEQUENCE_NODE
             ? (size_t)(node->data.sequence.items.top - node->data.sequence.items.start)
             : 0;
}

char *source_time(const char *text) {
  time_t time = instant_parse(text);
  return time < 0 ? NULL : memory_text(instant_format(time).text);
}

/* ---- submissions ---- */

static struct source_student student_of(yaml_document_t *document, yaml_node_t *submitter,
                                        const char *folder) {
  struct source_student student = {.name = member_text(document, submitter, ":name"),
                                   .email = member_text(document, submitter, ":email"),
                                   .number = member_text(document, submitter, ":sid")};
  student.key = memory_text(student.number  ? student.number
                            : student.email ? student.email
                            : student.name  ? student.name
                                            : folder);
  return student;
}

static void students_take(struct source_submission *submission, yaml_document_t *document,
                          yaml_node_t *entry) {
  yaml_node_t *submitters = member(document, entry, ":submitters");
  size_t count = item_count(submitters);
  submission->students = memory_zeroed(count ? count : 1, sizeof *submission->students);
  submission->student_count = count ? count : 1;
  if (!count)
    submission->students[0].key = memory_text(submission->file);
  for (size_t i = 0; i < count; i++) {
    yaml_node_t *submitter =
        yaml_document_get_node(document, submitters->data.sequence.items.start[i]);
    submission->students[i] = student_of(document, submitter, submission->file);
  }
}

/* Takes the name out of the list, if it is there. */
static bool name_take(struct source_names *names, const char *name) {
  for (size_t i = 0; i < names->count; i++)
    if (strcmp(names->names[i], name) == 0) {
      free(names->names[i]);
      memmove(&names->names[i], &names->names[i + 1],
              (names->count - i - 1) * sizeof *names->names);
      names->count--;
      return true;
    }
  return false;
}

static void submission_take(struct source_reading *reading, const char *folder,
                            struct source_names *names, yaml_document_t *document, const char *name,
                            yaml_node_t *entry) {
  struct source_submission *submission = source_add(reading, name, NULL);
  students_take(submission, document, entry);
  scoped_text char *created = member_text(document, entry, ":created_at");
  submission->submitted = created ? source_time(created) : NULL;
  submission->attempt = 1 + (unsigned)item_count(member(document, entry, ":history"));
  /* Only a name that readdir() has shown becomes a path. */
  if (name_take(names, name))
    source_settle(reading, submission, memory_format("%s/%s", folder, name));
  else
    source_give_up(submission, memory_text(_("the export has no folder of this submission")));
}

static int document_take(struct source_reading *reading, const char *folder,
                         struct source_names *names, yaml_document_t *document,
                         struct failure *failure) {
  yaml_node_t *root = yaml_document_get_root_node(document);
  if (!root || root->type != YAML_MAPPING_NODE)
    return failure_set(failure, "%s/" SOURCE_GRADESCOPE " names no submissions", folder);
  for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top;
       pair++) {
    const yaml_node_t *name = yaml_document_get_node(document, pair->key);
    yaml_node_t *entry = yaml_document_get_node(document, pair->value);
    if (name && name->type == YAML_SCALAR_NODE)
      submission_take(reading, folder, names, document, (const char *)name->data.scalar.value,
                      entry);
  }
  return 0;
}

int source_gradescope(struct source_reading *reading, const char *folder,
                      struct source_names *names, struct failure *failure) {
  scoped_text char *path = memory_format("%s/" SOURCE_GRADESCOPE, folder);
  scoped_file FILE *file = source_is_file(path) ? fopen(path, "re") : NULL;
  yaml_parser_t parser;
  yaml_document_t document;
  name_take(names, SOURCE_GRADESCOPE);
  if (!file)
    return failure_set(failure, "Cannot read %s", path);
  if (!yaml_parser_initialize(&parser))
    return failure_set(failure, "Cannot read %s: no memory", path);
  yaml_parser_set_input_file(&parser, file);
  int outcome;
  if (yaml_parser_load(&parser, &document)) {
    outcome = document_take(reading, folder, names, &document, failure);
    yaml_document_delete(&document);
  } else {
    outcome = failure_set(failure, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                          parser.problem ? parser.problem : "it is no YAML");
  }
  yaml_parser_delete(&parser);
  return outcome;
}
