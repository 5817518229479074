#include "grader/fuzz/fuzz.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void fuzz_failed(const char *property, const char *file, int line) {
  fprintf(stderr, "%s:%d: it does not hold that %s\n", file, line, property);
  abort();
}

uint64_t fuzz_number(struct fuzz_input *input, size_t size) {
  uint64_t number = 0;
  for (; size > 0 && input->left > 0; size--, input->left--)
    number = number << 8 | *input->bytes++;
  return number;
}

uint8_t *fuzz_block(struct fuzz_input *input, size_t length, size_t *taken) {
  *taken = length < input->left ? length : input->left;
  uint8_t *block = malloc(*taken);
  if (!block)
    abort();
  if (*taken > 0)
    memcpy(block, input->bytes, *taken);
  input->bytes += *taken;
  input->left -= *taken;
  return block;
}

char *fuzz_piece(struct fuzz_input *input, size_t *length) {
  size_t wanted = fuzz_number(input, 2);
  *length = wanted < input->left ? wanted : input->left;
  char *piece = memory_resize(NULL, *length + 1);
  if (*length > 0)
    memcpy(piece, input->bytes, *length);
  piece[*length] = '\0';
  input->bytes += *length;
  input->left -= *length;
  return piece;
}

static void fd_fill(int fd, const void *bytes, size_t length) {
  if (ftruncate(fd, 0) || (length > 0 && pwrite(fd, bytes, length, 0) != (ssize_t)length))
    abort();
}

const char *fuzz_file(const void *bytes, size_t length) {
  static int fd = -1;
  static char path[40];
  if (fd < 0) {
    fd = memfd_create("input", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  }
  fd_fill(fd, bytes, length);
  return path;
}

static char folder[] =
    "/dev/shm/wiregrade-fuzz-XXXXXX"; /* in memory: it is written again and again */

static int entry_remove(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status, (void)kind, (void)place;
  return remove(path);
}

static void folder_remove(void) {
  enum { DESCRIPTORS = 8 };
  nftw(folder, entry_remove, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void) {
  if (!mkdtemp(folder) || atexit(folder_remove))
    abort();
  return folder;
}

void fuzz_write(int folder_fd, const char *path, const void *bytes, size_t length) {
  scoped_fd int fd = openat(folder_fd, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  fd_fill(fd, bytes, length);
}

/* All but newlines must already be as safe_text would write it. */
bool fuzz_is_visible(const char *text, size_t length, bool lines) {
  while (length > 0) {
    const char *newline = lines ? memchr(text, '\n', length) : NULL;
    size_t line = newline ? (size_t)(newline - text) : length;
    scoped_text char *safe = safe_text(text, line);
    if (strlen(safe) != line || memcmp(safe, text, line) != 0)
      return false;
    text += line + (newline != NULL);
    length -= line + (newline != NULL);
  }
  return true;
}
