/* Cells of a CSV file (RFC 4180) that no spreadsheet takes for a formula. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* A text that anybody may have chosen. `first`: of its row. */
void csv_text(FILE *file, bool first, const char *text);
/* A number, or a text of the program's own, which needs neither quotes nor care. */
void csv_plain(FILE *file, bool first, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void csv_end(FILE *file);
