#include "grader/starter/starter.h"

#include "grader/base/file.h"
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/page.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- skeletons ---- */

enum { COMMENT_COLUMNS = 96 };

/* Prints the words as lines of a C comment; the first line stands behind what is there already. No
 * text ends the comment, or begins another in it. */
static void comment_write(FILE *file, const char *words, unsigned indent) {
  while (*words) {
    size_t length = text_line_length(words, COMMENT_COLUMNS - 3 - indent);
    for (const char *c = words; c < words + length; c++)
      fprintf(file, "%c%s", *c == '\n' ? ' ' : *c,
              (c[0] == '*' && c[1] == '/') || (c[0] == '/' && c[1] == '*') ? " " : "");
    words += length;
    words += strspn(words, " \n");
    if (*words)
      fprintf(file, "\n * %*s", (int)indent, "");
  }
  fputc('\n', file);
}

static bool concerns(const struct requirement *requirement, const char *program) {
  for (unsigned i = 0; i < requirement->program_count; i++)
    if (strcmp(requirement->programs[i], program) == 0)
      return true;
  return requirement->program_count == 0;
}

static void skeleton_write(FILE *file, const struct lab *lab, const char *program) {
  unsigned first = 0;
  while (first + 1 < lab->requirement_count && !concerns(&lab->requirements[first], program))
    first++;
  language_print(
      file,
      "/* Not begun: delete this line when you begin. Until then, make leaves this program out. "
      "*/\n"
      "/* %s, of the lab %s: %s (section %s)\n *\n * What it must do (try also: wiregrade "
      "explain %s.%u):\n",
      program, lab->name, lab->title, lab->section, lab->name, lab->requirements[first].number);
  for (unsigned i = 0; i < lab->requirement_count; i++) {
    const struct requirement *requirement = &lab->requirements[i];
    if (!concerns(requirement, program))
      continue;
    fprintf(file, " *\n * %3u. ", requirement->number);
    comment_write(file, requirement->text, 5);
  }
  fprintf(file,
          " */\n"
          "#include <stdio.h>\n"
          "#include <stdlib.h>\n"
          "\n"
          "int main(int argc, char **argv) {\n"
          "  (void)argc;\n"
          "  (void)argv;\n"
          "  /* TODO */\n"
          "  fputs(\"%s is not written yet\\n\", stderr);\n"
          "  return EXIT_FAILURE;\n"
          "}\n",
          program);
}

static int skeleton_create(const char *folder, const struct lab *lab, const char *program,
                           struct failure *failure) {
  scoped_text char *path = memory_format("%s/%s/%s.c", folder, lab->name, program);
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  if (!file)
    return failure_errno(failure, "Cannot write %s", path);
  skeleton_write(file, lab, program);
  if (fclose(file) != 0)
    return failure_errno(failure, "Cannot write %s", path);
  return file_replace(path, text, length, failure);
}

static int lab_create(const char *folder, const struct lab *lab, struct failure *failure) {
  scoped_text char *path = memory_format("%s/%s", folder, lab->name);
  if (file_make_folder(path, failure) < 0)
    return -1;
  for (unsigned i = 0; i < lab->program_count; i++)
    if (skeleton_create(folder, lab, lab->programs[i], failure) < 0)
      return -1;
  return 0;
}

/* ---- the other files ---- */

static int file_copy(const char *from, const char *to, struct failure *failure) {
  scoped_file FILE *file = fopen(from, "re");
  scoped_text char *text = NULL;
  size_t size = 0;
  if (!file)
    return failure_errno(failure, "Cannot read %s", from);
  ssize_t length = getdelim(&text, &size, EOF, file);
  if (length < 0)
    return failure_errno(failure, "Cannot read %s", from);
  return file_replace(to, text, (size_t)length, failure);
}

/* README.zh_CN.md takes README.md's place for who reads Chinese; nobody else gets it. NULL: this
 * file is not for this reader. The caller frees it. */
static char *name_for_reader(const char *from, const char *name) {
  const char *end = strrchr(name, '.'),
             *stem_end = end ? memrchr(name, '.', (size_t)(end - name)) : NULL;
  const char *stem = stem_end ? stem_end : end;
  if (!end || end == name)
    return memory_text(name);
  scoped_text char *own =
      memory_format("%s/%.*s.%s%s", from, (int)(stem - name), name, language_name(), end);
  bool is_own = stem_end && strncmp(stem_end + 1, language_name(), strlen(language_name())) == 0;
  if (stem_end)
    return is_own ? memory_format("%.*s%s", (int)(stem - name), name, end) : NULL;
  return access(own, F_OK) == 0 ? NULL : memory_text(name);
}

static const char *name_in_starter(const char *name) {
  static const char *const dotted[][2] = {
      {"gitignore", ".gitignore"}, {"devcontainer", ".devcontainer"}, {"github", ".github"}};
  for (size_t i = 0; i < sizeof dotted / sizeof *dotted; i++)
    if (strcmp(name, dotted[i][0]) == 0)
      return dotted[i][1];
  return name;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the folder that comes with wiregrade
static int files_copy(const char *from, const char *to, struct failure *failure) {
  DIR *folder = opendir(from);
  if (!folder)
    return failure_errno(failure, "Cannot read %s, which comes with wiregrade", from);
  int outcome = file_make_folder(to, failure);
  for (const struct dirent *entry; outcome == 0 && (entry = readdir(folder));) {
    if (entry->d_name[0] == '.')
      continue;
    scoped_text char *name = name_for_reader(from, entry->d_name);
    if (!name)
      continue;
    scoped_text char *source = memory_format("%s/%s", from, entry->d_name);
    scoped_text char *target = memory_format("%s/%s", to, name_in_starter(name));
    struct stat status;
    bool is_folder = stat(source, &status) == 0 && S_ISDIR(status.st_mode);
    outcome = is_folder ? files_copy(source, target, failure) : file_copy(source, target, failure);
  }
  closedir(folder);
  return outcome;
}

/* ---- the whole ---- */

static int entry_remove(const char *path, const struct stat *status, int kind, struct FTW *walk) {
  (void)status;
  (void)kind;
  (void)walk;
  return remove(path);
}

static int starter_fill(const char *folder, const struct lab *const *labs, size_t count,
                        const char *files, struct failure *failure) {
  if (files_copy(files, folder, failure) < 0)
    return -1;
  for (size_t i = 0; i < count; i++)
    if (lab_create(folder, labs[i], failure) < 0)
      return -1;
  return 0;
}

/* The folder is filled under another name beside it, and then renamed, which replaces an empty
 * folder and no other (rename(2)). */
int starter_create(const char *folder, const struct lab *const *labs, size_t count,
                   const char *files, struct failure *failure) {
  scoped_text char *path = memory_text(folder);
  for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
    path[length - 1] = '\0';
  scoped_text char *beside = memory_format("%s.XXXXXX", path);
  if (!mkdtemp(beside))
    return failure_errno(failure, "Cannot make the folder %s", folder);
  int outcome = starter_fill(beside, labs, count, files, failure);
  if (outcome == 0 && (chmod(beside, 0755) < 0 || rename(beside, path) < 0))
    outcome = errno == ENOTEMPTY || errno == EEXIST
                  ? failure_set(failure, "%s is there already, and is not empty", folder)
              : errno == ENOTDIR
                  ? failure_set(failure, "%s is there already, and is no folder", folder)
                  : failure_errno(failure, "Cannot make the folder %s", folder);
  enum { OPEN_AT_ONCE = 8 };
  if (outcome < 0)
    nftw(beside, entry_remove, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS);
  return outcome;
}
