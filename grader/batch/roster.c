#include "grader/batch/roster.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/batch/csv.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ROSTER_MOST = 64 << 20 };

enum role {
  ROLE_NUMBER,
  ROLE_INSTITUTION,
  ROLE_NAME,
  ROLE_FIRST,
  ROLE_LAST,
  ROLE_EMAIL,
  ROLE_LOGIN,
  ROLE_SECTION,
  ROLE_COUNT
};

/* Of several columns with the same role the earliest name of the list counts. */
static const char *const role_names[ROLE_COUNT][12] = {
    [ROLE_NUMBER] = {"identifier", "id", "student id", "sis user id", "student number", "number",
                     "user id", "sid", "id number", "matriculation number"},
    [ROLE_INSTITUTION] = {"sis user id", "id number"},
    [ROLE_NAME] = {"full name", "name", "student", "student name"},
    [ROLE_FIRST] = {"first name", "firstname", "given name", "forename"},
    [ROLE_LAST] = {"last name", "lastname", "surname", "family name"},
    [ROLE_EMAIL] = {"email address", "email", "e-mail", "mail"},
    [ROLE_LOGIN] = {"sis login id", "login", "login id", "username", "user name", "github",
                    "github username", "netid"},
    [ROLE_SECTION] = {"section", "sections", "group", "groups"},
};

struct columns {
  size_t place[ROLE_COUNT]; /* of the row's cells; SIZE_MAX: none */
  const struct csv_row *heading;
};

/* How early the name is in the role's list; SIZE_MAX if it is not. */
static size_t role_rank(enum role role, const char *name) {
  char plain[60];
  size_t length = 0;
  for (; *name && length + 1 < sizeof plain; name++)
    if (*name != '_' || length == 0)
      plain[length++] = (char)tolower((unsigned char)*name);
    else
      plain[length++] = ' ';
  plain[length] = '\0';
  for (size_t i = 0; i < 12 && role_names[role][i]; i++)
    if (strcmp(plain, role_names[role][i]) == 0)
      return i;
  return SIZE_MAX;
}

static struct columns columns_find(const struct csv_row *heading) {
  struct columns columns = {.heading = heading};
  for (enum role role = 0; role < ROLE_COUNT; role++) {
    size_t best = SIZE_MAX;
    columns.place[role] = SIZE_MAX;
    for (size_t i = 0; i < heading->count; i++) {
      size_t rank = role_rank(role, heading->cells[i]);
      if (rank < best) {
        best = rank;
        columns.place[role] = i;
      }
    }
  }
  return columns;
}

static const char *heading_kind(const struct csv_row *heading) {
  bool canvas = heading->count > 1 && strcmp(heading->cells[0], "Student") == 0 &&
                strcmp(heading->cells[1], "ID") == 0;
  bool moodle = heading->count > 1 && strcmp(heading->cells[0], "Identifier") == 0;
  return canvas ? "canvas" : moodle ? "moodle" : "plain";
}

/* ---- rows ---- */

/* The caller's; NULL if there is no such column, or nothing in it. */
static char *cell_text(const struct columns *columns, const struct csv_row *row, enum role role) {
  size_t place = columns->place[role];
  if (place >= row->count)
    return NULL;
  const char *text = row->cells[place] + strspn(row->cells[place], " ");
  size_t length = strlen(text);
  while (length > 0 && text[length - 1] == ' ')
    length--;
  return length ? memory_format("%.*s", (int)length, text) : NULL;
}

static char *name_text(const struct columns *columns, const struct csv_row *row) {
  char *name = cell_text(columns, row, ROLE_NAME);
  scoped_text char *first = cell_text(columns, row, ROLE_FIRST);
  scoped_text char *last = cell_text(columns, row, ROLE_LAST);
  if (name || (!first && !last))
    return name;
  return memory_format("%s%s%s", first ? first : "", first && last ? " " : "", last ? last : "");
}

static json_t *text_json(const char *text) {
  json_t *json = json_string(text);
  return json ? json : json_string("(not UTF-8)");
}

static char *row_json(const struct columns *columns, const struct csv_row *row) {
  json_t *object = json_object();
  for (size_t i = 0; i < columns->heading->count; i++)
    json_object_set_new(object, columns->heading->cells[i],
                        text_json(i < row->count ? row->cells[i] : ""));
  char *text = json_dumps(object, JSON_COMPACT);
  json_decref(object);
  return text;
}

static struct roster_student student_of(const struct columns *columns, const struct csv_row *row) {
  static const char participant[] = "Participant ";
  struct roster_student student = {
      .name = name_text(columns, row),
      .email = cell_text(columns, row, ROLE_EMAIL),
      .number = cell_text(columns, row, ROLE_NUMBER),
      .institution = cell_text(columns, row, ROLE_INSTITUTION),
      .login = cell_text(columns, row, ROLE_LOGIN),
      .section = cell_text(columns, row, ROLE_SECTION),
  };
  if (student.number && strncmp(student.number, participant, strlen(participant)) == 0)
    memmove(student.number, student.number + strlen(participant),
            strlen(student.number + strlen(participant)) + 1);
  const char *key = student.number  ? student.number
                    : student.login ? student.login
                    : student.email ? student.email
                                    : student.name;
  student.key = key ? memory_text(key) : NULL;
  student.row = row_json(columns, row);
  return student;
}

static void student_free(struct roster_student *student) {
  free(student->key);
  free(student->name);
  free(student->email);
  free(student->number);
  free(student->institution);
  free(student->login);
  free(student->section);
  free(student->row);
}

void roster_free(struct roster *roster) {
  for (size_t i = 0; i < roster->count; i++)
    student_free(&roster->students[i]);
  free(roster->students);
  free(roster->columns);
  *roster = (struct roster){0};
}

/* Canvas's second line tells how many points there are, and its last line may be a test student's.
 */
static bool is_of_nobody(const struct roster *roster, const struct csv_row *row) {
  const char *first = row->cells[0] + strspn(row->cells[0], " ");
  return strcmp(roster->kind, "canvas") == 0 &&
         (strncmp(first, "Points Possible", 15) == 0 || strcmp(first, "Student, Test") == 0 ||
          *first == '\0');
}

static int row_take(struct roster *roster, const struct columns *columns, const struct csv_row *row,
                    const char *path, unsigned line, struct failure *failure) {
  if (is_of_nobody(roster, row))
    return 0;
  struct roster_student student = student_of(columns, row);
  int outcome = 0;
  if (!student.key)
    outcome = failure_set(failure, "%s:%u: this line names nobody", path, line);
  for (size_t i = 0; outcome == 0 && i < roster->count; i++)
    if (strcmp(roster->students[i].key, student.key) == 0)
      outcome = failure_set(failure, "%s:%u: %s is on the roster already", path, line, student.key);
  if (outcome) {
    student_free(&student);
    return outcome;
  }
  roster->students =
      memory_resize(roster->students, (roster->count + 1) * sizeof *roster->students);
  roster->students[roster->count++] = student;
  return 0;
}

static char *columns_json(const struct csv_row *heading) {
  json_t *list = json_array();
  for (size_t i = 0; i < heading->count; i++)
    json_array_append_new(list, text_json(heading->cells[i]));
  char *text = json_dumps(list, JSON_COMPACT);
  json_decref(list);
  return text;
}

static int rows_take(struct roster *roster, struct csv *csv, const struct csv_row *heading,
                     const char *path, struct failure *failure) {
  const struct columns columns = columns_find(heading);
  bool names_students = false;
  for (enum role role = 0; role < ROLE_SECTION; role++)
    names_students |= columns.place[role] != SIZE_MAX;
  if (!names_students)
    return failure_set(failure,
                       "%s:%u: no column of this heading says who the students are (id, name, "
                       "email, login)",
                       path, csv->line);
  roster->kind = heading_kind(heading);
  roster->columns = columns_json(heading);
  struct csv_row row;
  while (csv_next(csv, &row)) {
    int outcome = row_take(roster, &columns, &row, path, csv->line, failure);
    csv_row_free(&row);
    if (outcome)
      return outcome;
  }
  return 0;
}

int roster_read(const char *bytes, size_t length, const char *path, struct roster *roster,
                struct failure *failure) {
  *roster = (struct roster){0};
  if (memchr(bytes, '\0', length))
    return failure_set(failure, "%s is no CSV file in UTF-8: it has zero bytes", path);
  struct csv csv = csv_begin(bytes, length);
  struct csv_row heading;
  if (!csv_next(&csv, &heading))
    return failure_set(failure, "%s is empty: it must have a heading, and a line for each student",
                       path);
  int outcome = rows_take(roster, &csv, &heading, path, failure);
  csv_row_free(&heading);
  if (outcome)
    roster_free(roster);
  return outcome;
}

int roster_load(const char *path, struct roster *roster, struct failure *failure) {
  scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  scoped_text char *bytes = NULL;
  size_t length = 0, room = 0;
  ssize_t got = fd < 0 ? -1 : 1;
  while (got > 0 && length <= ROSTER_MOST) {
    if (length == room)
      bytes = memory_resize(bytes, room = room ? 2 * room : 65536);
    got = read(fd, bytes + length, room - length);
    length += got > 0 ? (size_t)got : 0;
  }
  if (got < 0)
    return failure_errno(failure, "Cannot read the roster %s", path);
  return roster_read(bytes, length, path, roster, failure);
}

/* ---- finding ---- */

static bool is_same(const char *one, const char *other) {
  return one && other && strcasecmp(one, other) == 0;
}

/* Letters and digits only, so that "doejane" is "Doe, Jane". */
static void name_squeeze(const char *name, char *squeezed, size_t size) {
  size_t length = 0;
  for (; name && *name && length + 1 < size; name++)
    if (isalnum((unsigned char)*name) || (unsigned char)*name >= 0x80)
      squeezed[length++] = (char)tolower((unsigned char)*name);
  squeezed[length] = '\0';
}

static bool names_are_same(const char *one, const char *other) {
  char left[200], right[200];
  name_squeeze(one, left, sizeof left);
  name_squeeze(other, right, sizeof right);
  return *left && strcmp(left, right) == 0;
}

static bool is_meant(const struct roster_student *student, const char *text) {
  size_t local = student->email ? strcspn(student->email, "@") : 0;
  return is_same(student->key, text) || is_same(student->number, text) ||
         is_same(student->institution, text) || is_same(student->login, text) ||
         is_same(student->email, text) ||
         (text && local > 0 && strlen(text) == local &&
          strncasecmp(student->email, text, local) == 0);
}

const struct roster_student *roster_find(const struct roster *roster, const char *key,
                                         const char *number, const char *email, const char *name) {
  const char *const texts[] = {number, email, key};
  for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
    for (size_t i = 0; texts[t] && i < roster->count; i++)
      if (is_meant(&roster->students[i], texts[t]))
        return &roster->students[i];
  const struct roster_student *found = NULL;
  if (number && roster->count > 0 && strcmp(roster->kind, "plain") != 0)
    return NULL;
  for (size_t i = 0; i < roster->count; i++) {
    if (!names_are_same(roster->students[i].name, name ? name : key))
      continue;
    if (found)
      return NULL;
    found = &roster->students[i];
  }
  return found;
}
