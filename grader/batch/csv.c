#include "grader/batch/csv.h"

#include "grader/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct csv csv_begin(const char *bytes, size_t length) {
  static const char separators[] = ",;\t";
  struct csv csv = {.at = bytes, .end = bytes + length, .separator = ',', .next_line = 1};
  if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
    csv.at += 3;
  size_t most = 0;
  for (const char *separator = separators; *separator; separator++) {
    size_t count = 0;
    bool quoted = false;
    for (const char *c = csv.at; c < csv.end && (quoted || *c != '\n'); c++) {
      quoted ^= *c == '"';
      count += !quoted && *c == *separator;
    }
    if (count > most) {
      most = count;
      csv.separator = *separator;
    }
  }
  return csv;
}

/* One cell; a quote that never ends ends with the file. */
static char *cell_read(struct csv *csv) {
  size_t length = 0, room = 64;
  char *cell = memory_resize(NULL, room);
  bool quoted = false;
  for (; csv->at < csv->end; csv->at++) {
    char c = *csv->at;
    if (quoted && c == '"' && csv->at + 1 < csv->end && csv->at[1] == '"')
      csv->at++;
    else if (c == '"' && (quoted || length == 0)) {
      quoted = !quoted;
      continue;
    } else if (!quoted && (c == csv->separator || c == '\n'))
      break;
    csv->next_line += c == '\n';
    if (length + 1 == room)
      cell = memory_resize(cell, room *= 2);
    cell[length++] = c;
  }
  if (length > 0 && cell[length - 1] == '\r')
    length--;
  cell[length] = '\0';
  return cell;
}

static bool row_read(struct csv *csv, struct csv_row *row) {
  *row = (struct csv_row){0};
  if (csv->at == csv->end)
    return false;
  csv->line = csv->next_line;
  bool more = true;
  while (more) {
    row->cells = memory_resize(row->cells, (row->count + 1) * sizeof *row->cells);
    row->cells[row->count++] = cell_read(csv);
    more = csv->at < csv->end && *csv->at == csv->separator;
    csv->at += more;
  }
  if (csv->at < csv->end) {
    csv->at++;
    csv->next_line++;
  }
  return true;
}

bool csv_next(struct csv *csv, struct csv_row *row) {
  while (row_read(csv, row)) {
    if (row->count > 1 || *row->cells[0])
      return true;
    csv_row_free(row);
  }
  return false;
}

void csv_row_free(struct csv_row *row) {
  for (size_t i = 0; i < row->count; i++)
    free(row->cells[i]);
  free(row->cells);
  *row = (struct csv_row){0};
}
