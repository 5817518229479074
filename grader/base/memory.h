/* Memory that cannot run out half-way: a grader without memory ends, loudly, with status 3 (its own
 * error), rather than go on with half a truth. */
#pragma once

#include <stddef.h>

/* As realloc and calloc, but never NULL. */
void *memory_resize(void *block, size_t size) __attribute__((warn_unused_result));
void *memory_zeroed(size_t count, size_t size) __attribute__((warn_unused_result, malloc));
/* As strdup and asprintf; the text is the caller's to free. */
char *memory_text(const char *text) __attribute__((warn_unused_result, malloc));
char *memory_format(const char *format, ...)
    __attribute__((format(printf, 1, 2), warn_unused_result, malloc));
