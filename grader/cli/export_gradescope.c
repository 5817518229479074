#include "grader/cli/export.h"

#include "grader/base/file.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { ZIP_MOST = 64 * 1024 * 1024 };

/* Two zips of one tree are the same byte for byte. */
enum { TIME_OF_ALL = 315619200 /* 1980-01-02, about the earliest that a zip can hold */ };

/* What of the tree is needed to build and to run it. */
static const char *const sources[] = {"Makefile",     "LICENSE", "README.md",
                                      ".ci/packages", "grader",  "suite"};

static int entry_write(struct archive *zip, const char *name, bool executable, const char *contents,
                       size_t length, struct failure *failure) {
  struct archive_entry *entry = archive_entry_new();
  archive_entry_set_pathname(entry, name);
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, executable ? 0755 : 0644);
  archive_entry_set_size(entry, (la_int64_t)length);
  archive_entry_set_mtime(entry, TIME_OF_ALL, 0);
  bool written = archive_write_header(zip, entry) == ARCHIVE_OK &&
                 archive_write_data(zip, contents, length) == (la_ssize_t)length;
  archive_entry_free(entry);
  return written ? 0
                 : failure_set(failure, "Cannot write %s into the zip: %s", name,
                               archive_error_string(zip));
}

static char *file_read(const char *path, size_t *length, struct failure *failure) {
  scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status)) {
    failure_errno(failure, "Cannot read %s", path);
    return NULL;
  }
  scoped_text char *text = memory_zeroed((size_t)status.st_size + 1, 1);
  for (*length = 0; *length < (size_t)status.st_size;) {
    ssize_t got = read(fd, text + *length, (size_t)status.st_size - *length);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      failure_errno(failure, "Cannot read %s", path);
      return NULL;
    }
    *length += (size_t)got;
  }
  return steal_pointer(&text);
}

static int file_add(struct archive *zip, const char *path, const char *name, bool executable,
                    struct failure *failure) {
  size_t length;
  scoped_text char *contents = file_read(path, &length, failure);
  return contents ? entry_write(zip, name, executable, contents, length, failure) : -1;
}

static int by_name(const FTSENT **one, const FTSENT **other) {
  return strcmp((*one)->fts_name, (*other)->fts_name);
}

/* Hidden files and what Python leaves are no sources. */
static bool is_source(const FTSENT *entry) {
  return entry->fts_level == FTS_ROOTLEVEL ||
         (entry->fts_name[0] != '.' && strcmp(entry->fts_name, "__pycache__") != 0);
}

static int tree_add(struct archive *zip, const char *root, const char *name,
                    struct failure *failure) {
  scoped_text char *path = memory_format("%s/%s", root, name);
  char *const paths[] = {path, NULL};
  FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
  int outcome = tree ? 0 : failure_errno(failure, "Cannot read %s", path);
  FTSENT *entry;
  while (outcome == 0 && (entry = fts_read(tree))) {
    if (!is_source(entry)) {
      fts_set(tree, entry, FTS_SKIP);
    } else if (entry->fts_info == FTS_F) {
      scoped_text char *inside = memory_format("wiregrade/%s", entry->fts_path + strlen(root) + 1);
      outcome = file_add(zip, entry->fts_path, inside, entry->fts_statp->st_mode & 0100, failure);
    } else if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR ||
               entry->fts_info == FTS_NS) {
      errno = entry->fts_errno;
      outcome = failure_errno(failure, "Cannot read %s", entry->fts_path);
    }
  }
  if (tree)
    fts_close(tree);
  return outcome;
}

/* run_autograder with its labs. */
static int runner_add(struct archive *zip, const char *root, const char *labs,
                      struct failure *failure) {
  static const char place[] = "@LABS@ ";
  size_t length;
  scoped_text char *path = memory_format("%s/grader/cli/gradescope/run_autograder", root);
  scoped_text char *text = file_read(path, &length, failure);
  if (!text)
    return -1;
  char *found = strstr(text, place);
  if (!found)
    return failure_set(failure, "%s has no %s", path, place);
  scoped_text char *whole = memory_format("%.*s%s%s%s", (int)(found - text), text, labs,
                                          *labs ? " " : "", found + strlen(place));
  return entry_write(zip, "run_autograder", true, whole, strlen(whole), failure);
}

static int zip_fill(struct archive *zip, const char *root, const char *labs,
                    struct failure *failure) {
  scoped_text char *setup = memory_format("%s/grader/cli/gradescope/setup.sh", root);
  if (file_add(zip, setup, "setup.sh", true, failure) || runner_add(zip, root, labs, failure))
    return -1;
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
    if (tree_add(zip, root, sources[i], failure))
      return -1;
  return 0;
}

int export_gradescope(const char *root, const char *labs, const char *output,
                      struct failure *failure) {
  scoped_text char *makefile = memory_format("%s/Makefile", root);
  if (access(makefile, R_OK))
    return failure_set(failure,
                       "%s has no sources of wiregrade, which the zip must hold; use the wiregrade "
                       "of a build tree (build/wiregrade)",
                       root);
  scoped_text char *memory = memory_resize(NULL, ZIP_MOST);
  size_t used = 0;
  struct archive *zip = archive_write_new();
  int outcome = 0;
  if (archive_write_set_format_zip(zip) || archive_write_open_memory(zip, memory, ZIP_MOST, &used))
    outcome = failure_set(failure, "Cannot make a zip: %s", archive_error_string(zip));
  else
    outcome = zip_fill(zip, root, labs, failure);
  if (archive_write_close(zip) && outcome == 0)
    outcome = failure_set(failure, "Cannot finish the zip: %s", archive_error_string(zip));
  archive_write_free(zip);
  return outcome ? outcome : file_replace(output, memory, used, failure);
}
