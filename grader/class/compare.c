#include "grader/class/compare.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/page.h"
#include "grader/result/result.h"

#include "grader/base/language.h"
#include <stdlib.h>
#include <string.h>

/* ---- a side ---- */

static json_t *statuses_of(const json_t *document) {
  json_t *statuses = json_object(), *lab, *check;
  size_t lab_index, check_index;
  foreach_lab (document, lab_index, lab)
    foreach_check (lab, check_index, check)
      json_object_set_new(statuses, result_text(check, "id"),
                          json_string(result_text(check, "status")));
  return statuses;
}

static json_t *entry_new(const char *name, const char *state, bool has_points, long long points,
                         long long most, json_t *statuses) {
  json_t *entry = json_pack("{s:s, s:s, s:o}", "name", name, "state", state, "checks", statuses);
  json_object_set_new(entry, "points", has_points ? json_integer(points) : json_null());
  json_object_set_new(entry, "max_points", has_points ? json_integer(most) : json_null());
  return entry;
}

struct side {
  struct gradebook *book;
  json_t *entries;
  struct failure *failure;
};

static int row_take(void *context, const struct gradebook_row *row) {
  struct side *side = context;
  bool graded = row->state == GRADEBOOK_GRADED;
  json_t *document = graded ? gradebook_document(side->book, row->grading, side->failure) : NULL;
  if (graded && !document)
    return -1;
  json_object_set_new(side->entries, row->key,
                      entry_new(*row->name ? row->name : row->key, gradebook_state_name(row->state),
                                graded && row->max_score > 0, row->points, row->max_score,
                                statuses_of(document)));
  json_decref(document);
  return 0;
}

json_t *compare_side_of_gradebook(struct gradebook *book, struct failure *failure) {
  struct side side = {book, json_object(), failure};
  if (gradebook_rows(book, row_take, &side, failure) == 0)
    return side.entries;
  json_decref(side.entries);
  return NULL;
}

json_t *compare_side_of_result(const json_t *result) {
  const char *name = result_text(result, "submission");
  long long most = result_number(result, "max_score");
  json_t *entry = entry_new(name, gradebook_state_name(GRADEBOOK_GRADED), most > 0,
                            result_number(result, "score"), most, statuses_of(result));
  return json_pack("{s:o}", "", entry); /* two results are always of the same one */
}

/* ---- comparing ---- */

static json_t *checks_compare(const json_t *old_checks, const json_t *new_checks) {
  json_t *changes = json_array(), *status;
  const char *id;
  json_object_foreach ((json_t *)new_checks, id, status) {
    json_t *before = json_object_get(old_checks, id);
    if (!before || !json_equal(before, status))
      json_array_append_new(changes,
                            json_pack("{s:s, s:O?, s:O}", "id", id, "old", before, "new", status));
  }
  json_object_foreach ((json_t *)old_checks, id, status)
    if (!json_object_get(new_checks, id))
      json_array_append_new(changes, json_pack("{s:s, s:O, s:n}", "id", id, "old", status, "new"));
  return changes;
}

static json_t *brief_of(const json_t *entry) {
  if (!entry)
    return json_null();
  json_t *brief = json_copy((json_t *)entry);
  json_object_del(brief, "checks");
  json_object_del(brief, "name");
  return brief;
}

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static bool has_points(const json_t *entry) {
  return json_is_integer(json_object_get(entry, "points"));
}

static void count(json_t *comparison, const char *key) {
  json_t *number = json_object_get(comparison, key);
  json_integer_set(number, json_integer_value(number) + 1);
}

static void points_count(json_t *comparison, const json_t *before, const json_t *after) {
  count(comparison, "compared");
  if (!has_points(before) || !has_points(after))
    return;
  json_int_t old_points = json_integer_value(json_object_get(before, "points"));
  json_int_t new_points = json_integer_value(json_object_get(after, "points"));
  if (old_points != new_points)
    count(comparison, new_points > old_points ? "better" : "worse");
}

static void student_add(json_t *comparison, const char *key, const json_t *before,
                        const json_t *after) {
  json_t *changes = before && after ? checks_compare(json_object_get(before, "checks"),
                                                     json_object_get(after, "checks"))
                                    : json_array();
  json_t *old_brief = brief_of(before), *new_brief = brief_of(after);
  if (before && after)
    points_count(comparison, before, after);
  else
    count(comparison, after ? "only_new" : "only_old");
  if (json_array_size(changes) > 0 || !json_equal(old_brief, new_brief))
    json_array_append_new(json_object_get(comparison, "students"),
                          json_pack("{s:s, s:s, s:O, s:O, s:O}", "key", key, "name",
                                    text_of(after ? after : before, "name"), "old", old_brief,
                                    "new", new_brief, "checks", changes));
  json_decref(old_brief);
  json_decref(new_brief);
  json_decref(changes);
}

static int by_name(const void *a, const void *b) {
  const json_t *first = *(json_t *const *)a, *second = *(json_t *const *)b;
  int order = strcoll(text_of(first, "name"), text_of(second, "name"));
  return order ? order : strcmp(text_of(first, "key"), text_of(second, "key"));
}

static void students_sort(json_t *comparison) {
  json_t *students = json_object_get(comparison, "students"), *sorted = json_array();
  size_t count = json_array_size(students);
  scoped_text json_t **list = memory_zeroed(count + 1, sizeof(json_t *));
  for (size_t i = 0; i < count; i++)
    list[i] = json_array_get(students, i);
  qsort(list, count, sizeof(json_t *), by_name);
  for (size_t i = 0; i < count; i++)
    json_array_append(sorted, list[i]);
  json_object_set_new(comparison, "students", sorted);
}

json_t *compare_sides(const json_t *old_side, const json_t *new_side) {
  json_t *comparison = json_pack("{s:[], s:i, s:i, s:i, s:i, s:i}", "students", "compared", 0,
                                 "better", 0, "worse", 0, "only_old", 0, "only_new", 0);
  const char *key;
  json_t *entry;
  json_object_foreach ((json_t *)new_side, key, entry)
    student_add(comparison, key, json_object_get(old_side, key), entry);
  json_object_foreach ((json_t *)old_side, key, entry)
    if (!json_object_get(new_side, key))
      student_add(comparison, key, entry, NULL);
  students_sort(comparison);
  return comparison;
}

bool compare_is_empty(const json_t *comparison) {
  return json_array_size(json_object_get(comparison, "students")) == 0;
}

/* ---- in words ---- */

/* "80 of 100", or the state where there are no points. The caller frees it. */
static char *points_words(const json_t *brief) {
  if (json_is_null(brief))
    return memory_text(_("not there"));
  if (!has_points(brief))
    return memory_text(_(text_of(brief, "state")));
  return language_sentence("%lld of %lld",
                           (long long)json_integer_value(json_object_get(brief, "points")),
                           (long long)json_integer_value(json_object_get(brief, "max_points")));
}

static const char *status_words(const json_t *status) {
  return json_is_string(status) ? _(json_string_value(status)) : _("not there");
}

static void student_print(const struct page *page, const json_t *student) {
  enum { INDENT = 4 };
  scoped_text char *before = points_words(json_object_get(student, "old"));
  scoped_text char *after = points_words(json_object_get(student, "new"));
  const char *name = text_of(student, "name");
  bool same = strcmp(before, after) == 0;
  scoped_text char *line = same ? memory_format("%s: %s", name, after)
                                : language_sentence("%s: %s, now %s", name, before, after);
  page_line(page, PAGE_STRONG, line);
  size_t index;
  json_t *change;
  json_array_foreach (json_object_get(student, "checks"), index, change) {
    scoped_text char *words = language_sentence("%s: %s, now %s", text_of(change, "id"),
                                                status_words(json_object_get(change, "old")),
                                                status_words(json_object_get(change, "new")));
    page_paragraph(page, PAGE_PLAIN, "", INDENT, words, 0);
  }
}

static long long number_of(const json_t *comparison, const char *key) {
  return json_integer_value(json_object_get(comparison, key));
}

void compare_print(const json_t *comparison, FILE *file) {
  struct page page = page_for(file);
  const json_t *students = json_object_get(comparison, "students");
  size_t index;
  json_t *student;
  json_array_foreach (students, index, student)
    student_print(&page, student);
  if (json_array_size(students) > 0)
    page_gap(&page);
  scoped_text char *sum = language_sentence(
      "%lld compared: %lld better, %lld worse, %lld the same in points; %lld only in the old, "
      "%lld only in the new",
      number_of(comparison, "compared"), number_of(comparison, "better"),
      number_of(comparison, "worse"),
      number_of(comparison, "compared") - number_of(comparison, "better") -
          number_of(comparison, "worse"),
      number_of(comparison, "only_old"), number_of(comparison, "only_new"));
  page_paragraph(&page, PAGE_PLAIN, "", 0, sum, 0);
}
