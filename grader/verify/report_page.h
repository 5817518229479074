/* The part of the findings' page that has a file of its own. Called by report_page.c only. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* For each lab its requirements, and every submission by every requirement. */
void page_matrix_put(const json_t *findings, FILE *file);
