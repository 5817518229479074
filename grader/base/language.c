#include "grader/base/language.h"

#include "grader/base/language_file.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>

static struct {
  char *folder, *name; /* NULL: English */
  struct language_file *files;
  size_t count;
} language;

/* ---- which one ---- */

/* zh-cn, zh_CN.UTF-8 and zh@pinyin are the folder zh_CN; so is zh, for want of a better one, and
 * de_AT is de; but zh_TW is not zh_CN. */
static bool name_fits(const char *wanted, size_t length, const char *folder) {
  size_t i = 0;
  for (; i < length && folder[i]; i++) {
    int letter = wanted[i] == '-' ? '_' : tolower((unsigned char)wanted[i]);
    if (letter != tolower((unsigned char)folder[i]))
      return false;
  }
  bool wanted_ends = i == length || wanted[i] == '_' || wanted[i] == '-';
  bool folder_ends = !folder[i] || folder[i] == '_';
  return (i == length || !folder[i]) && wanted_ends && folder_ends;
}

static char *name_find(const char *folder, const char *wanted) {
  size_t length = strcspn(wanted, ".@:");
  if (length >= 2 && strncasecmp(wanted, "en", 2) == 0 && !isalpha((unsigned char)wanted[2]))
    return memory_text("en");
  DIR *directory = opendir(folder);
  char *found = NULL;
  const struct dirent *entry;
  while (directory && !found && (entry = readdir(directory)))
    if (length > 0 && entry->d_name[0] != '.' && name_fits(wanted, length, entry->d_name)) {
      /* Other programs' languages lie in the same folder. */
      scoped_text char *own =
          memory_format("%s/%s/LC_MESSAGES/wiregrade.mo", folder, entry->d_name);
      if (access(own, R_OK) == 0)
        found = memory_text(entry->d_name);
    }
  if (directory)
    closedir(directory);
  return found;
}

static bool locale_is_c(const char *locale) {
  size_t length = strcspn(locale, ".@");
  return length == 0 || (length == 1 && *locale == 'C') ||
         (length == 5 && strncmp(locale, "POSIX", 5) == 0);
}

/* A locale that writes other bytes than UTF-8 cannot show anything but ASCII of what is written
 * here. */
static bool locale_is_readable(const char *locale) {
  const char *codeset = strchr(locale, '.');
  return !codeset || strncasecmp(codeset, ".utf-8", 6) == 0 ||
         strncasecmp(codeset, ".utf8", 5) == 0;
}

char *language_find(const char *folder, const char *asked) {
  static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
  if (asked)
    return name_find(folder, asked);
  const char *locale = NULL;
  for (size_t i = 0; i < sizeof variables / sizeof *variables && (!locale || !*locale); i++)
    locale = getenv(variables[i]);
  if (!locale)
    locale = "";
  if (locale_is_c(locale) || !locale_is_readable(locale))
    return memory_text("en");
  const char *list = getenv("LANGUAGE");
  for (const char *one = list ? list : ""; *one;) {
    char *found = name_find(folder, one);
    if (found)
      return found;
    one += strcspn(one, ":");
    one += *one == ':';
  }
  char *found = list && *list ? NULL : name_find(folder, locale);
  return found ? found : memory_text("en");
}

void language_begin(const char *folder, const char *name) {
  for (size_t i = 0; i < language.count; i++)
    language_file_close(&language.files[i]);
  free(language.files);
  free(language.name);
  free(language.folder);
  memset(&language, 0, sizeof language);
  if (strcmp(name, "en") != 0)
    language.name = memory_text(name);
  language.folder = folder ? memory_text(folder) : NULL;
}

const char *language_name(void) {
  return language.name ? language.name : "en";
}

bool language_is_english(void) {
  return !language.name;
}

void language_add(const char *path) {
  struct language_file file;
  for (size_t i = 0; i < language.count; i++)
    if (strcmp(language.files[i].path, path) == 0)
      return;
  if (!language.name || !language_file_open(&file, path))
    return;
  language.files = memory_resize(language.files, (language.count + 1) * sizeof *language.files);
  language.files[language.count++] = file;
}

void language_add_domain(const char *domain) {
  if (!language.name || !language.folder)
    return;
  scoped_text char *path =
      memory_format("%s/%s/LC_MESSAGES/%s.mo", language.folder, language.name, domain);
  language_add(path);
}

char *language_files(void) {
  char *files = memory_text("");
  for (size_t i = 0; i < language.count; i++) {
    char *longer = memory_format("%s%s%s", files, i ? ":" : "", language.files[i].path);
    free(files);
    files = longer;
  }
  return files;
}

void language_add_files(const char *files) {
  while (*files) {
    size_t length = strcspn(files, ":");
    scoped_text char *path = memory_format("%.*s", (int)length, files);
    language_add(path);
    files += length + (files[length] == ':');
  }
}

void language_inherit(void) {
  const char *name = getenv("WIREGRADE_LANG"), *files = getenv("WIREGRADE_MESSAGES");
  language_begin(NULL, name && *name ? name : "en");
  language_add_files(files ? files : "");
}

/* ---- looking up ---- */

const char *language_text(const char *text) {
  const char *found = NULL;
  for (size_t i = 0; text && *text && i < language.count && !found; i++)
    found = language_file_find(&language.files[i], text);
  return found ? found : text;
}

/* What the linker knows of this program: what lies within is no memory that was made later. */
extern const char __executable_start[], _end[];

const char *language_literal(const char *text) {
  if (language_is_english() || text < __executable_start || text >= _end)
    return text;
  return strcmp(text, "s") == 0 ? "" : language_text(text); /* a plural's ending is English */
}
