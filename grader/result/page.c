#include "grader/result/page.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

enum { WIDTH_LEAST = 40, WIDTH_MOST = 80 };

static const char *const style_codes[] = {"",         "\033[1m",  "\033[32m",
                                          "\033[31m", "\033[33m", "\033[2m"};

/* As the C library decides which locale it is, without setting one: a report must not print numbers
 * with commas because of where it is read. */
static bool locale_is_utf8(void) {
  static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    const char *value = getenv(variables[i]);
    if (value && *value)
      return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
  }
  return false;
}

struct page page_for(FILE *file) {
  const char *actions = getenv("GITHUB_ACTIONS");
  struct page page = {.file = file,
                      .width = WIDTH_MOST,
                      .drawing = locale_is_utf8(),
                      .log = actions && strcmp(actions, "true") == 0};
  if (!isatty(fileno(file)))
    return page;
  struct winsize size;
  if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    page.width = size.ws_col < WIDTH_LEAST  ? WIDTH_LEAST
                 : size.ws_col > WIDTH_MOST ? WIDTH_MOST
                                            : size.ws_col;
  const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
  page.colour =
      terminal && *terminal && strcmp(terminal, "dumb") != 0 && !(no_colour && *no_colour);
  return page;
}

/* wcwidth follows the process's locale, which may be C: ask it in a UTF-8 one. */
static unsigned character_columns(unsigned character) {
  if (character < 0x300)
    return 1;
  static locale_t utf8;
  if (!utf8)
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
  if (!utf8)
    return 1;
  locale_t before = uselocale(utf8);
  int columns = wcwidth((wchar_t)character);
  uselocale(before);
  return columns < 0 ? 1 : (unsigned)columns;
}

/* The next character of a safe text, and its columns. */
static size_t character_next(const char *text, unsigned *columns) {
  unsigned character;
  size_t size = safe_text_decode(text, strlen(text), &character);
  *columns = size ? character_columns(character) : 1;
  return size ? size : 1;
}

unsigned text_columns(const char *text) {
  unsigned sum = 0, columns;
  for (; *text; sum += columns)
    text += character_next(text, &columns);
  return sum;
}

/* How many bytes of the text fit into so many columns. */
static size_t bytes_fitting(const char *text, unsigned room) {
  size_t used = 0;
  while (text[used]) {
    unsigned columns;
    size_t size = character_next(text + used, &columns);
    if (columns > room)
      break;
    room -= columns;
    used += size;
  }
  return used;
}

char *text_fitted(const char *text, unsigned columns, bool pad) {
  unsigned wanted = text_columns(text);
  if (wanted > columns) {
    unsigned dots = columns >= 3 ? 3 : 0;
    size_t size = bytes_fitting(text, columns - dots);
    return memory_format("%.*s%.*s", (int)size, text, (int)dots, "...");
  }
  return memory_format("%s%*s", text, pad ? (int)(columns - wanted) : 0, "");
}

static char *page_safe(const struct page *page, const char *text, size_t length) {
  return safe_for(page->log ? SAFE_LOG : SAFE_TERMINAL, text, length);
}

static void page_styled(const struct page *page, enum page_style style, const char *text,
                        size_t length) {
  bool styled = page->colour && style != PAGE_PLAIN && length > 0;
  fprintf(page->file, "%s%.*s%s", styled ? style_codes[style] : "", (int)length, text,
          styled ? "\033[0m" : "");
}

void page_gap(const struct page *page) {
  fputc('\n', page->file);
}

void page_line(const struct page *page, enum page_style style, const char *text) {
  scoped_text char *safe = page_safe(page, text, strlen(text));
  scoped_text char *fitted = text_fitted(safe, page->width, false);
  page_styled(page, style, fitted, strlen(fitted));
  page_gap(page);
}

void page_command(const struct page *page, const char *text) {
  scoped_text char *safe = page_safe(page, text, strlen(text));
  page_styled(page, PAGE_PLAIN, safe, strlen(safe));
  page_gap(page);
}

/* Characters two columns wide (Chinese) may have a line's end between them, as long as no line
 * begins with what closes, or ends with what opens. */
static bool line_may_end(const char *text, size_t at) {
  static const char closing[] = "，。；：！？、）》」』】”’…·%,.;:!?)]}\"'",
                    opening[] = "（《「『【“‘([{";
  size_t before = at;
  while (before > 0 && ((unsigned char)text[--before] & 0xc0) == 0x80)
    ;
  unsigned left, right;
  size_t left_size = character_next(text + before, &left),
         right_size = character_next(text + at, &right);
  if (left < 2 && right < 2)
    return false;
  return !memmem(closing, sizeof closing - 1, text + at, right_size) &&
         !memmem(opening, sizeof opening - 1, text + before, left_size);
}

/* Of a word longer than a whole line as much as fits is taken, but no line begins with a colon for
 * that: a CI job's log takes two of them for a command. */
size_t text_line_length(const char *text, unsigned room) {
  size_t fitting = bytes_fitting(text, room), leading = strspn(text, " ");
  if (text[fitting] == '\0' || text[fitting] == ' ')
    return fitting;
  for (size_t i = fitting; i > leading + 1; i--) {
    if (text[i - 1] == ' ')
      return i - 1;
    if (((unsigned char)text[i] & 0xc0) != 0x80 && line_may_end(text, i))
      return i;
  }
  while (fitting > leading + 1 && text[fitting] == ':')
    fitting--;
  unsigned columns;
  return fitting ? fitting : character_next(text, &columns);
}

void page_cell(const struct page *page, enum page_style style, const char *text, unsigned columns) {
  scoped_text char *safe = page_safe(page, text, strlen(text));
  scoped_text char *fitted = text_fitted(safe, columns, true);
  page_styled(page, style, fitted, strlen(fitted));
}

struct paragraph {
  const struct page *page;
  enum page_style style;
  unsigned indent, most, lines;
  unsigned column; /* where the line that is being printed has got to */
};

/* False when the last line that is allowed has been printed. */
static bool paragraph_line(struct paragraph *paragraph, const char *safe) {
  do {
    if (paragraph->most && paragraph->lines == paragraph->most)
      return false;
    if (paragraph->lines++ > 0)
      paragraph->column = 0;
    if (paragraph->column < paragraph->indent) {
      fprintf(paragraph->page->file, "%*s", (int)(paragraph->indent - paragraph->column), "");
      paragraph->column = paragraph->indent;
    }
    unsigned room = paragraph->page->width - paragraph->column;
    bool last = paragraph->most && paragraph->lines == paragraph->most;
    if (last && text_columns(safe) > room) {
      scoped_text char *cut = text_fitted(safe, room, false);
      page_styled(paragraph->page, paragraph->style, cut, strlen(cut));
      page_gap(paragraph->page);
      return false;
    }
    size_t length = text_line_length(safe, room);
    page_styled(paragraph->page, paragraph->style, safe, length);
    page_gap(paragraph->page);
    safe += length;
    while (length && *safe == ' ')
      safe++;
  } while (*safe);
  return true;
}

void page_paragraph(const struct page *page, enum page_style style, const char *label,
                    unsigned indent, const char *text, unsigned most) {
  scoped_text char *safe_label = page_safe(page, label, strlen(label));
  scoped_text char *fitted = text_fitted(safe_label, page->width / 2, false);
  page_styled(page, style == PAGE_PLAIN ? PAGE_FAINT : style, fitted, strlen(fitted));
  struct paragraph paragraph = {page, style, indent, most, 0, text_columns(fitted)};
  size_t length = strlen(text);
  while (length > 0 && text[length - 1] == '\n')
    length--;
  for (const char *end = text + length;;) {
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    scoped_text char *safe = page_safe(page, text, (size_t)((newline ? newline : end) - text));
    if (!paragraph_line(&paragraph, safe) || !newline)
      return;
    text = newline + 1;
  }
}
