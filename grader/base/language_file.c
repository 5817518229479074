#include "grader/base/language_file.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The numbers at the file's beginning; the tables have a length and an offset for each text, and
 * are sorted by the text that is translated. */
struct header {
  uint32_t magic, revision, count, originals, translations;
};
enum { MAGIC = (int)0x950412de };

static uint32_t number_at(const struct language_file *file, size_t offset) {
  uint32_t number;
  memcpy(&number, file->bytes + offset, sizeof number);
  return number;
}

/* NULL if it does not lie within the file, its 0 byte included. */
static const char *text_at(const struct language_file *file, uint32_t table, uint32_t index) {
  size_t place = table + (size_t)index * 8;
  if (place + 8 > file->length)
    return NULL;
  size_t length = number_at(file, place), offset = number_at(file, place + 4);
  if (offset >= file->length || length >= file->length - offset || file->bytes[offset + length])
    return NULL;
  return (const char *)file->bytes + offset;
}

bool language_file_open(struct language_file *file, const char *path) {
  scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) || (size_t)status.st_size < sizeof(struct header))
    return false;
  void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED)
    return false;
  *file = (struct language_file){memory_text(path), bytes, (size_t)status.st_size};
  if (number_at(file, 0) == (uint32_t)MAGIC)
    return true;
  language_file_close(file);
  return false;
}

void language_file_close(struct language_file *file) {
  munmap((void *)file->bytes, file->length);
  free(file->path);
}

const char *language_file_find(const struct language_file *file, const char *text) {
  struct header header;
  memcpy(&header, file->bytes, sizeof header);
  for (uint32_t low = 0, high = header.count; low < high;) {
    uint32_t middle = low + (high - low) / 2;
    const char *original = text_at(file, header.originals, middle);
    int order = original ? strcmp(text, original) : 0;
    if (order == 0) {
      const char *translation = original ? text_at(file, header.translations, middle) : NULL;
      return translation && *translation ? translation : NULL;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}
