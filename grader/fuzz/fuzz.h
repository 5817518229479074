/* What the fuzz targets share. Each NAME_fuzz.c is a program of its own (libFuzzer brings main):
 * it hands bytes to one parser of what a student's code can influence, and checks what must hold
 * of the outcome. Knows of parsers nothing. `make fuzz` builds and runs them; see CONTRIBUTING.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libFuzzer calls it for each input: https://llvm.org/docs/LibFuzzer.html. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Ends the program, as a sanitizer would, if the property does not hold. */
#define FUZZ_HOLDS(property)                                                                       \
  do {                                                                                             \
    if (!(property))                                                                               \
      fuzz_failed(#property, __FILE__, __LINE__);                                                  \
  } while (0)
_Noreturn void fuzz_failed(const char *property, const char *file, int line);

/* An input that several values are taken from. What is not there any more is 0, or empty. */
struct fuzz_input {
  const uint8_t *bytes;
  size_t left;
};
uint64_t fuzz_number(struct fuzz_input *input, size_t size); /* of so many bytes, up to 8 */
/* So many bytes, or as many as there are, as a block of just that size (so that each byte read
 * beyond is seen). The caller frees it. */
uint8_t *fuzz_block(struct fuzz_input *input, size_t length, size_t *taken);
/* The next piece, whose length is in front of it in two bytes, or all that is left, as a text that
 * a 0 byte ends. The caller frees it. */
char *fuzz_piece(struct fuzz_input *input, size_t *length);

/* The path of a file with these bytes; it stands until the next call. */
const char *fuzz_file(const void *bytes, size_t length);
/* A new folder, which is removed when the program ends as it should. Nobody frees the path. */
const char *fuzz_folder(void);
void fuzz_write(int folder_fd, const char *path, const void *bytes, size_t length);

/* Whether a text is what a reader can be shown: UTF-8 without anything that a terminal obeys. With
 * `lines`, newlines may be in it. */
bool fuzz_is_visible(const char *text, size_t length, bool lines);
