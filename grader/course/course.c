#include "grader/course/course.h"

#include "grader/base/memory.h"
#include "grader/base/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As it stands in the file. */
struct limit_texts {
  char *memory, *file_size, *scratch, *scratch_files, *processes, *descriptors, *cpu_time,
      *build_time;
};

struct course_text {
  char *name;
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

static const cyaml_schema_field_t course_fields[] = {
    CYAML_FIELD_STRING_PTR("course", CYAML_FLAG_POINTER, struct course_text, name, 1, 200),
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

struct course *course_load(const char *path, struct failure *failure) {
  struct course_text *text = yaml_file_load(path, &course_schema, "a course", failure);
  if (!text)
    return NULL;
  struct course *course = memory_zeroed(1, sizeof *course);
  course->name = memory_text(text->name);
  if (limits_take(path, &text->limits, course, failure) < 0) {
    course_free(course);
    course = NULL;
  }
  yaml_file_free(&course_schema, text);
  return course;
}

void course_free(struct course *course) {
  if (course)
    free(course->name);
  free(course);
}
