/* How the page writes what others wrote. */
#include "grader/result/report_html_parts.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/page.h"
#include "grader/result/result.h"
#include "grader/result/safe_text.h"

#include <string.h>

void html_text(FILE *file, const char *text) {
  for (const char *line = text; line;) {
    const char *newline = strchr(line, '\n');
    scoped_text char *safe =
        safe_for(SAFE_MARKUP, line, newline ? (size_t)(newline - line) : strlen(line));
    fputs(safe, file);
    line = newline ? newline + 1 : NULL;
    if (line)
      fputc('\n', file);
  }
}

/* The caller frees it. */
static char *visible_fitted(const char *text, unsigned columns) {
  scoped_text char *visible = safe_text(text, strlen(text));
  return text_fitted(visible, columns, false);
}

void html_fitted(FILE *file, const char *text, unsigned columns) {
  scoped_text char *fitted = visible_fitted(text, columns);
  html_text(file, fitted);
}

unsigned html_columns(const char *text, unsigned columns) {
  scoped_text char *fitted = visible_fitted(text, columns);
  return text_columns(fitted);
}

void html_element(FILE *file, const char *element, const char *class, const char *text) {
  if (!*text)
    return;
  fprintf(file, "<%s class=\"%s\">", element, class);
  html_text(file, text);
  fprintf(file, "</%s>\n", element);
}

char *html_language(void) {
  char *language = memory_text(language_name());
  for (char *c = language; *c; c++)
    if (*c == '_')
      *c = '-';
  return language;
}

const char *html_capture_name(const json_t *check) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  static const char ending[] = ".pcapng";
  const char *path = result_text(check, "capture"), *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  size_t length = strlen(name);
  bool is_name = length > strlen(ending) && *name != '.' && strspn(name, allowed) == length &&
                 strcmp(name + length - strlen(ending), ending) == 0;
  return is_name ? name : NULL;
}
