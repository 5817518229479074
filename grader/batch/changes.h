/* What is different between two result documents of the same student. Called by the command line;
 * knows nothing but documents. */
#pragma once

#include <jansson.h>
#include <stddef.h>

struct change {
  const char *check;        /* borrowed from the documents */
  const char *before, *now; /* status; "" where the document has no such check */
};

struct changes {
  struct change *changes;
  size_t count;
};

/* The checks that ended otherwise, in the order of the later document. */
struct changes changes_between(const json_t *before, const json_t *now);
void changes_free(struct changes *changes);

/* "udp.6/gaps pass, now fail; …", the first so many; the caller frees it. */
char *changes_words(const struct changes *changes, size_t most);
