#include "grader/course/course.h"

#include "grader/base/instant.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/base/yaml.h"
#include "grader/course/course_inner.h"
#include "grader/submission/written_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As it stands in the file. */
struct limit_texts {
  char *memory, *file_size, *scratch, *scratch_files, *processes, *descriptors, *cpu_time,
      *build_time;
};

struct late_text {
  char *deadline, *grace;
  unsigned per_day, most;
};

struct course_text {
  char *name, *core_to_stretch;
  struct course_lab *labs;
  char **hidden, **languages;
  unsigned lab_count, hidden_count, language_count, drop;
  bool release_hidden;
  struct late_text late;
  struct limit_texts limits;
};

#define LIMIT(key, member)                                                                         \
  CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct limit_texts,        \
                         member, 1, 40)
static const cyaml_schema_field_t limit_fields[] = {
    LIMIT("memory", memory),
    LIMIT("file-size", file_size),
    LIMIT("scratch", scratch),
    LIMIT("scratch-files", scratch_files),
    LIMIT("processes", processes),
    LIMIT("descriptors", descriptors),
    LIMIT("cpu-time", cpu_time),
    LIMIT("build-time", build_time),
    CYAML_FIELD_END,
};
#undef LIMIT

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 200)};

static const cyaml_schema_field_t points_fields[] = {
    CYAML_FIELD_UINT("requirement", CYAML_FLAG_DEFAULT, struct course_points, requirement),
    CYAML_FIELD_UINT("points", CYAML_FLAG_DEFAULT, struct course_points, points),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t points_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct course_points, points_fields)};

static const cyaml_schema_field_t lab_fields[] = {
    CYAML_FIELD_STRING_PTR("lab", CYAML_FLAG_POINTER, struct course_lab, lab, 1, 100),
    CYAML_FIELD_UINT_PTR("points", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct course_lab,
                         points),
    CYAML_FIELD_STRING_PTR("core-to-stretch", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct course_lab, core_to_stretch, 1, 20),
    CYAML_FIELD_BOOL("extra", CYAML_FLAG_OPTIONAL, struct course_lab, extra),
    CYAML_FIELD_SEQUENCE_COUNT("requirements", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct course_lab, requirements, requirement_count, &points_entry, 1,
                               CYAML_UNLIMITED),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t lab_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct course_lab, lab_fields)};

static const cyaml_schema_field_t late_fields[] = {
    CYAML_FIELD_STRING_PTR("deadline", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct late_text,
                           deadline, 1, 60),
    CYAML_FIELD_STRING_PTR("grace", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct late_text,
                           grace, 1, 40),
    CYAML_FIELD_UINT("per-day", CYAML_FLAG_OPTIONAL, struct late_text, per_day),
    CYAML_FIELD_UINT("most", CYAML_FLAG_OPTIONAL, struct late_text, most),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t course_fields[] = {
    CYAML_FIELD_STRING_PTR("course", CYAML_FLAG_POINTER, struct course_text, name, 1, 200),
    CYAML_FIELD_SEQUENCE_COUNT("labs", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct course_text,
                               labs, lab_count, &lab_entry, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("core-to-stretch", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct course_text, core_to_stretch, 1, 20),
    CYAML_FIELD_SEQUENCE_COUNT("hidden", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct course_text, hidden, hidden_count, &text_entry, 0,
                               CYAML_UNLIMITED),
    CYAML_FIELD_BOOL("release-hidden", CYAML_FLAG_OPTIONAL, struct course_text, release_hidden),
    CYAML_FIELD_UINT("drop", CYAML_FLAG_OPTIONAL, struct course_text, drop),
    CYAML_FIELD_SEQUENCE_COUNT("languages", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct course_text, languages, language_count, &text_entry, 1,
                               CYAML_UNLIMITED),
    CYAML_FIELD_MAPPING("late", CYAML_FLAG_OPTIONAL, struct course_text, late, late_fields),
    CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, struct course_text, limits, limit_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t course_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct course_text, course_fields)};

/* ---- quantities ---- */

struct unit {
  const char *name;
  uint64_t factor;
};

static const struct unit byte_units[] = {
    {"KB", 1ull << 10},  {"MB", 1ull << 20},  {"GB", 1ull << 30}, {"KiB", 1ull << 10},
    {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {NULL, 0}};
static const struct unit time_units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

struct quantity {
  const char *key, *example;
  const struct unit *units;
  uint64_t least, most;
};

static bool quantity_read(const char *text, const struct quantity *quantity, uint64_t *value) {
  char *end;
  errno = 0;
  unsigned long long number = strtoull(text, &end, 10);
  if (errno || end == text || *text == '-' || *text == '+')
    return false;
  end += strspn(end, " ");
  for (const struct unit *unit = quantity->units; unit->name; unit++)
    if (strcmp(end, unit->name) == 0) {
      *value = number * unit->factor;
      return number <= UINT64_MAX / unit->factor;
    }
  return false;
}

/* Leaves *value at 0 where the course says nothing. */
static int quantity_take(const char *path, const char *text, const struct quantity *quantity,
                         uint64_t *value, struct failure *failure) {
  *value = 0;
  if (!text)
    return 0;
  if (!quantity_read(text, quantity, value))
    return failure_set(failure, "%s: %s must be like '%s', not '%s'", path, quantity->key,
                       quantity->example, text);
  if (*value < quantity->least || *value > quantity->most)
    return failure_set(failure, "%s: %s is too %s: '%s'", path, quantity->key,
                       *value < quantity->least ? "little for any program" : "much", text);
  return 0;
}

static int limits_take(const char *path, const struct limit_texts *texts, struct course *course,
                       struct failure *failure) {
  static const uint64_t mib = 1 << 20, gib = 1 << 30;
  struct sandbox_limits *limits = &course->limits;
  uint64_t processes, descriptors, cpu_seconds, build_seconds;
  const struct {
    const char *text;
    struct quantity quantity;
    uint64_t *value;
  } taken[] = {
      {texts->memory,
       {"memory", "512 MB", byte_units, 32 * mib, 1024 * gib},
       &limits->memory_bytes},
      {texts->file_size, {"file-size", "64 MB", byte_units, mib, 1024 * gib}, &limits->file_bytes},
      {texts->scratch, {"scratch", "128 MB", byte_units, mib, 1024 * gib}, &limits->scratch_bytes},
      {texts->scratch_files,
       {"scratch-files", "10000", no_units, 100, 100000000},
       &limits->scratch_inodes},
      {texts->processes, {"processes", "256", no_units, 8, 100000}, &processes},
      {texts->descriptors, {"descriptors", "256", no_units, 32, 1048576}, &descriptors},
      {texts->cpu_time, {"cpu-time", "60 s", time_units, 1, 86400}, &cpu_seconds},
      {texts->build_time, {"build-time", "2 min", time_units, 1, 86400}, &build_seconds},
  };
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
    if (quantity_take(path, taken[i].text, &taken[i].quantity, taken[i].value, failure) < 0)
      return -1;
  limits->processes = (unsigned)processes;
  limits->descriptors = (unsigned)descriptors;
  limits->cpu_seconds = (unsigned)cpu_seconds;
  course->build_seconds = (unsigned)build_seconds;
  return 0;
}

/* ---- the rest ---- */

bool course_ratio(const char *text, unsigned *core, unsigned *stretch) {
  char end;
  return sscanf(text, "%5u:%5u%c", core, stretch, &end) == 2 && *core + *stretch > 0 &&
         strspn(text, "0123456789:") == strlen(text);
}

static int ratio_take(const char *path, const struct course_text *text, struct course *course,
                      struct failure *failure) {
  course->core = 3;
  course->stretch = 1;
  unsigned core, stretch;
  if (text->core_to_stretch &&
      !course_ratio(text->core_to_stretch, &course->core, &course->stretch))
    return failure_set(failure, "%s: core-to-stretch must be like '3:1', not '%s'", path,
                       text->core_to_stretch);
  for (unsigned i = 0; i < text->lab_count; i++)
    if (text->labs[i].core_to_stretch &&
        !course_ratio(text->labs[i].core_to_stretch, &core, &stretch))
      return failure_set(failure, "%s: core-to-stretch of %s must be like '3:1', not '%s'", path,
                         text->labs[i].lab, text->labs[i].core_to_stretch);
  return 0;
}

static int late_take(const char *path, const struct late_text *late, struct course *course,
                     struct failure *failure) {
  enum { HUNDRED = 100 };
  static const struct quantity grace = {"grace", "10 min", time_units, 0, 31536000};
  uint64_t grace_s;
  if (quantity_take(path, late->grace, &grace, &grace_s, failure) < 0)
    return -1;
  course->grace_s = (unsigned)grace_s;
  course->per_day = late->per_day;
  course->most = late->most ? late->most : HUNDRED;
  if (course->per_day > HUNDRED || course->most > HUNDRED)
    return failure_set(failure, "%s: per-day and most are percents, of which there are 100", path);
  course->has_deadline = late->deadline != NULL;
  course->deadline = late->deadline ? instant_parse(late->deadline) : 0;
  if (course->has_deadline && course->deadline < 0)
    return failure_set(failure, "%s: deadline must be like '2026-11-28 23:59:59 +01:00', not '%s'",
                       path, late->deadline);
  return 0;
}

static int languages_check(const char *path, const struct course_text *text,
                           struct failure *failure) {
  for (unsigned i = 0; i < text->language_count; i++)
    if (!written_in_is_known(text->languages[i])) {
      scoped_text char *names = written_in_names();
      return failure_set(failure, "%s: there is no language '%s' here; there are %s", path,
                         text->languages[i], names);
    }
  return 0;
}

/* Lists stay in what was read, which the course keeps. */
static void lists_take(const struct course_text *text, struct course *course) {
  course->labs = text->labs;
  course->lab_count = text->lab_count;
  course->hidden = text->hidden;
  course->hidden_count = text->hidden_count;
  course->release_hidden = text->release_hidden;
  course->drop = text->drop;
  course->languages = text->languages;
  course->language_count = text->language_count;
}

struct course *course_load(const char *path, struct failure *failure) {
  struct course_text *text = yaml_file_load(path, &course_schema, "a course", failure);
  if (!text)
    return NULL;
  struct course *course = memory_zeroed(1, sizeof *course);
  course->file = text;
  course->name = text->name;
  lists_take(text, course);
  if (limits_take(path, &text->limits, course, failure) == 0 &&
      ratio_take(path, text, course, failure) == 0 &&
      late_take(path, &text->late, course, failure) == 0 &&
      languages_check(path, text, failure) == 0)
    return course;
  course_free(course);
  return NULL;
}

void course_free(struct course *course) {
  if (course)
    yaml_file_free(&course_schema, course->file);
  free(course);
}
