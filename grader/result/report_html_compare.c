/* What was expected beside what was seen, as words: those that the other does not have are marked.
 */
#include "grader/result/report_html_parts.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 300 }; /* of longer texts nothing is marked */

/* A run of blanks, or of what is none; of letters and digits, or of a single other character, so
 * that "0.1," and "0.2," differ in their digits only. */
struct word {
  const char *text;
  size_t length;
  bool blank, common;
};

static bool is_blank(char c) {
  return c == ' ' || c == '\n';
}

static bool is_letter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
         (unsigned char)c >= 0x80;
}

static size_t word_length(const char *text) {
  size_t length = 1;
  if (is_blank(*text))
    while (is_blank(text[length]))
      length++;
  else if (is_letter(*text))
    while (is_letter(text[length]))
      length++;
  return length;
}

/* SIZE_MAX if there are too many. */
static size_t words_split(const char *text, struct word *words) {
  size_t count = 0;
  while (*text) {
    if (count == WORDS_MAX)
      return SIZE_MAX;
    size_t length = word_length(text);
    words[count++] = (struct word){text, length, is_blank(*text), false};
    text += length;
  }
  return count;
}

static bool word_is_same(const struct word *one, const struct word *other) {
  return (one->blank && other->blank) ||
         (one->length == other->length && memcmp(one->text, other->text, one->length) == 0);
}

/* Marks the words of a longest common subsequence as common. Returns how many bytes of it are no
 * blanks. */
static size_t common_mark(struct word *left, size_t left_count, struct word *right,
                          size_t right_count) {
  size_t columns = right_count + 1;
  scoped_text uint16_t *best = memory_zeroed((left_count + 1) * columns, sizeof *best);
  for (size_t i = left_count; i-- > 0;)
    for (size_t j = right_count; j-- > 0;) {
      uint16_t down = best[(i + 1) * columns + j], aside = best[i * columns + j + 1];
      uint16_t both = (uint16_t)(best[(i + 1) * columns + j + 1] + 1);
      best[i * columns + j] = word_is_same(&left[i], &right[j]) ? both
                              : down > aside                    ? down
                                                                : aside;
    }
  size_t bytes = 0;
  for (size_t i = 0, j = 0; i < left_count && j < right_count;) {
    if (word_is_same(&left[i], &right[j])) {
      bytes += left[i].blank ? 0 : left[i].length;
      left[i++].common = right[j++].common = true;
    } else if (best[(i + 1) * columns + j] >= best[i * columns + j + 1]) {
      i++;
    } else {
      j++;
    }
  }
  return bytes;
}

static size_t bytes_of(const struct word *words, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += words[i].blank ? 0 : words[i].length;
  return bytes;
}

static void words_put(FILE *file, const struct word *words, size_t count) {
  bool marked = false;
  for (size_t i = 0; i < count; i++) {
    bool mark = !words[i].common && !words[i].blank;
    if (mark != marked)
      fputs(mark ? "<mark>" : "</mark>", file);
    marked = mark;
    scoped_text char *text = memory_format("%.*s", (int)words[i].length, words[i].text);
    html_text(file, text);
  }
  if (marked)
    fputs("</mark>", file);
}

/* Marks are of use only where most is alike. False: nothing is marked. */
static bool texts_mark(const char *expected, const char *seen, struct word *left,
                       size_t *left_count, struct word *right, size_t *right_count) {
  *left_count = words_split(expected, left);
  *right_count = words_split(seen, right);
  if (*left_count > WORDS_MAX || *right_count > WORDS_MAX)
    return false;
  size_t common = common_mark(left, *left_count, right, *right_count);
  size_t one = bytes_of(left, *left_count), other = bytes_of(right, *right_count);
  return 4 * common >= 3 * (one < other ? one : other) && 3 * common >= (one > other ? one : other);
}

static void side_put(FILE *file, const char *class, const char *heading, const char *text,
                     const struct word *words, size_t count) {
  fprintf(file, "<div class=\"%s\"><dt>%s</dt><dd>", class, heading);
  if (words)
    words_put(file, words, count);
  else
    html_text(file, text);
  fputs("</dd></div>\n", file);
}

void html_comparison(FILE *file, const char *expected, const char *seen) {
  if (!*expected && !*seen)
    return;
  scoped_text struct word *left = memory_zeroed(WORDS_MAX, sizeof *left);
  scoped_text struct word *right = memory_zeroed(WORDS_MAX, sizeof *right);
  size_t left_count = 0, right_count = 0;
  bool marked =
      *expected && *seen && texts_mark(expected, seen, left, &left_count, right, &right_count);
  fputs("<dl class=\"sides\">\n", file);
  if (*expected)
    side_put(file, "side wanted", _("Expected"), expected, marked ? left : NULL, left_count);
  if (*seen)
    side_put(file, "side seen", _("Seen"), seen, marked ? right : NULL, right_count);
  fputs("</dl>\n", file);
}
