/* The class for Canvas's gradebook ("Import"): its rows are found again by ID, and a column by the
 * assignment's id in its title. */
#include "grader/class/class.h"

#include "grader/class/csv.h"

#include <jansson.h>

static const char *const columns[] = {"Student", "ID", "SIS User ID", "SIS Login ID", "Section"};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* As the roster had it, if that was Canvas's own. */
static const char *cell_of(const struct class_student *student, const json_t *roster,
                           size_t column) {
  const char *kept = json_string_value(json_object_get(roster, columns[column]));
  const struct gradebook_row *row = &student->row;
  const char *const own[COLUMNS] = {*row->name ? row->name : row->key, row->number, "", row->login,
                                    row->section};
  return kept ? kept : own[column];
}

void class_write_canvas(const struct class_book *class, const char *assignment, FILE *file) {
  for (size_t i = 0; i < COLUMNS; i++)
    csv_plain(file, i == 0, "%s", columns[i]);
  csv_text(file, false, assignment);
  csv_end(file);
  csv_plain(file, true, "    Points Possible,,,,,%lld", class_most(class));
  csv_end(file);
  for (size_t i = 0; i < class->student_count; i++) {
    const struct class_student *student = &class->students[i];
    json_t *roster = json_loads(student->row.roster, 0, NULL);
    for (size_t k = 0; k < COLUMNS; k++)
      csv_text(file, k == 0, cell_of(student, roster, k));
    if (class_has_points(student))
      csv_plain(file, false, "%lld", student->row.points);
    else
      csv_plain(file, false, "%s", "");
    csv_end(file);
    json_decref(roster);
  }
}
