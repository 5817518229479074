/* What a course makes of the labs. */
#include "grader/course/course_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int requirement_apply(const struct course_points *points, struct lab *lab,
                             struct failure *failure) {
  for (unsigned i = 0; i < lab->requirement_count; i++)
    if (lab->requirements[i].number == points->requirement) {
      lab->requirements[i].has_points = true;
      lab->requirements[i].points = points->points;
      return 0;
    }
  return failure_set(failure, "The course gives points to %s.%u, which there is not", lab->name,
                     points->requirement);
}

static int lab_apply(const struct course_lab *course_lab, struct lab *lab,
                     struct failure *failure) {
  unsigned long long fixed = 0;
  if (course_lab->points)
    lab->points = *course_lab->points;
  if (course_lab->core_to_stretch)
    course_ratio(course_lab->core_to_stretch, &lab->core, &lab->stretch);
  lab->extra = course_lab->extra;
  for (unsigned i = 0; i < course_lab->requirement_count; i++) {
    fixed += course_lab->requirements[i].points;
    if (requirement_apply(&course_lab->requirements[i], lab, failure))
      return -1;
  }
  bool all = course_lab->requirement_count == lab->requirement_count;
  return fixed == lab->points || (fixed < lab->points && !all)
             ? 0
             : failure_set(failure,
                           "The course gives %llu points to the requirements of %s, which has %u",
                           fixed, lab->name, lab->points);
}

/* A lab's place in the catalogue. */
static int lab_find(const struct catalogue *catalogue, const char *name, size_t *place,
                    struct failure *failure) {
  const struct lab *lab = catalogue_lab(catalogue, name, failure);
  if (!lab)
    return -1;
  for (*place = 0; catalogue->labs[*place] != lab; ++*place)
    ;
  return 0;
}

/* Keeps those that count, in the catalogue's own order. */
static int labs_keep(struct catalogue *catalogue, const bool *keep, struct failure *failure) {
  size_t kept = 0;
  for (size_t i = 0; i < catalogue->count; i++)
    if (keep[i])
      catalogue->labs[kept++] = catalogue->labs[i];
    else
      lab_free(catalogue->labs[i]);
  catalogue->count = kept;
  return kept ? 0 : failure_set(failure, "No lab counts in this course");
}

static int hidden_check(const struct course *course, const struct catalogue *catalogue,
                        struct failure *failure) {
  const struct lab *lab;
  const struct requirement *requirement;
  for (unsigned i = 0; i < course->hidden_count; i++)
    if (catalogue_requirement(catalogue, course->hidden[i], &lab, &requirement, failure))
      return failure_prefix(failure, "The course hides %s", course->hidden[i]);
  return 0;
}

int course_apply(const struct course *course, struct catalogue *catalogue,
                 struct failure *failure) {
  scoped_text bool *keep = memory_zeroed(catalogue->count, sizeof *keep);
  for (size_t i = 0; i < catalogue->count; i++) {
    catalogue->labs[i]->core = course->core;
    catalogue->labs[i]->stretch = course->stretch;
    keep[i] = course->lab_count == 0;
  }
  for (unsigned i = 0; i < course->lab_count; i++) {
    size_t place;
    if (lab_find(catalogue, course->labs[i].lab, &place, failure))
      return -1;
    if (keep[place])
      return failure_set(failure, "The course names the lab %s twice", course->labs[i].lab);
    keep[place] = true;
    if (lab_apply(&course->labs[i], catalogue->labs[place], failure))
      return -1;
  }
  if (hidden_check(course, catalogue, failure) || labs_keep(catalogue, keep, failure))
    return -1;
  size_t counting = 0;
  for (size_t i = 0; i < catalogue->count; i++)
    counting += !catalogue->labs[i]->extra;
  if (course->drop >= counting)
    return failure_set(failure, "The course drops %u labs of the %zu that count", course->drop,
                       counting);
  return 0;
}

/* Dashes and underscores are the same. */
static bool names_are_same(const char *one, const char *other) {
  while (*one &&
         (*one == *other || (*one == '-' && *other == '_') || (*one == '_' && *other == '-')))
    one++, other++;
  return *one == *other;
}

bool course_hides(const struct course *course, const char *check, const char *requirement) {
  for (unsigned i = 0; i < course->hidden_count; i++)
    if (names_are_same(course->hidden[i], check) || names_are_same(course->hidden[i], requirement))
      return true;
  return false;
}

/* ---- what a result depends on ---- */

static json_t *texts_list(char *const *texts, unsigned count) {
  json_t *list = json_array();
  for (unsigned i = 0; i < count; i++)
    json_array_append_new(list, json_string(texts[i]));
  return list;
}

static json_t *lab_essence(const struct course_lab *lab) {
  json_t *requirements = json_array();
  for (unsigned i = 0; i < lab->requirement_count; i++)
    json_array_append_new(requirements,
                          json_pack("[I, I]", (json_int_t)lab->requirements[i].requirement,
                                    (json_int_t)lab->requirements[i].points));
  return json_pack("{s:s, s:I, s:s, s:b, s:o}", "lab", lab->lab, "points",
                   (json_int_t)(lab->points ? (long long)*lab->points : -1), "core-to-stretch",
                   lab->core_to_stretch ? lab->core_to_stretch : "", "extra", (int)lab->extra,
                   "requirements", requirements);
}

static json_t *limits_essence(const struct course *course) {
  const struct sandbox_limits *limits = &course->limits;
  return json_pack("[I, I, I, I, I, I, I, I]", (json_int_t)limits->memory_bytes,
                   (json_int_t)limits->file_bytes, (json_int_t)limits->scratch_bytes,
                   (json_int_t)limits->scratch_inodes, (json_int_t)limits->processes,
                   (json_int_t)limits->descriptors, (json_int_t)limits->cpu_seconds,
                   (json_int_t)course->build_seconds);
}

char *course_essence(const struct course *course) {
  json_t *labs = json_array();
  for (unsigned i = 0; i < course->lab_count; i++)
    json_array_append_new(labs, lab_essence(&course->labs[i]));
  json_t *essence = json_pack(
      "{s:o, s:I, s:I, s:o, s:b, s:I, s:o, s:o}", "labs", labs, "core", (json_int_t)course->core,
      "stretch", (json_int_t)course->stretch, "hidden",
      texts_list(course->hidden, course->hidden_count), "release-hidden",
      (int)course->release_hidden, "drop", (json_int_t)course->drop, "languages",
      texts_list(course->languages, course->language_count), "limits", limits_essence(course));
  char *text = json_dumps(essence, JSON_COMPACT | JSON_SORT_KEYS);
  json_decref(essence);
  return text;
}
