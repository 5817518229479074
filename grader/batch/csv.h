/* CSV files as spreadsheets and LMSs write them (RFC 4180), read cell by cell. Called by roster.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct csv {
  const char *at, *end;
  char separator; /* , ; or tab: whichever the first line has most of */
  unsigned line;  /* of the row that was read last, from 1 */
  unsigned next_line;
};

struct csv_row {
  char **cells;
  size_t count;
};

/* `bytes` may begin with a byte order mark. */
struct csv csv_begin(const char *bytes, size_t length);
/* false at the end. Empty lines are left out. */
bool csv_next(struct csv *csv, struct csv_row *row);
void csv_row_free(struct csv_row *row);
