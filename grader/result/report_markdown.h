/* The result as GitHub's Markdown: a job's summary, or the text of a release. Labs in a table, then
 * what did not pass, each with its details folded. A reporter: knows nothing but the result
 * document. Whatever a student may have written stands in <code> or <pre>, where nobody is
 * mentioned and nothing is linked. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* At most `most` bytes, 4096 at least: where there is no room for more checks, a line says how many
 * are left out. The caller frees it. */
char *report_markdown(const json_t *result, size_t most);
