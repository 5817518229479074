/* Reads the archive, and judges its entries; in the sandbox. */
#include "grader/submission/unpack_inner.h"

#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct unpacking {
  struct archive *archive;
  struct archive_entry *entry;
  struct unpack_tree tree;
  uint64_t skipped; /* bytes that were read of what is left out */
  char path[UNPACK_PATH_MOST + 1];
  struct unpack_report *report;
};

/* ---- what is said ---- */

/* As much as fits; not half of a character. */
static void shown_copy(char shown[UNPACK_SHOWN], const char *text) {
  size_t length = strlen(text), most = UNPACK_SHOWN - sizeof "...";
  bool cut = length > most;
  for (length = cut ? most : length; cut && length && (text[length] & 0xc0) == 0x80; length--)
    ;
  snprintf(shown, UNPACK_SHOWN, "%.*s%s", (int)length, text, cut ? "..." : "");
}

bool unpack_refuse(struct unpack_report *report, enum unpack_word word, const char *name,
                   const char *detail) {
  if (report->word == UNPACK_WORD_DONE) {
    report->word = word;
    shown_copy(report->name, name ? name : "");
    shown_copy(report->detail, detail ? detail : "");
  }
  return false;
}

void unpack_note(struct unpack_report *report, enum unpack_note note, const char *name) {
  uint32_t count = report->notes[note].count++;
  if (count < UNPACK_NAMED)
    shown_copy(report->notes[note].names[count], name);
}

/* libarchive's own words for what is wrong with an archive. */
static bool reading_refuse(const struct unpacking *unpacking) {
  const char *why = archive_error_string(unpacking->archive);
  enum unpack_word word = UNPACK_WORD_DAMAGED;
  if (archive_errno(unpacking->archive) == ENOMEM)
    word = UNPACK_WORD_MEMORY;
  else if (why && strcasestr(why, "encrypt"))
    word = UNPACK_WORD_ENCRYPTED;
  return unpack_refuse(unpacking->report, word, unpacking->path, why);
}

/* ---- what is left out ---- */

static bool has_part(const char *path, const char *wanted) {
  size_t length = strlen(wanted);
  for (const char *part = path; part; part = strchr(part, '/')) {
    part += *part == '/';
    if (strncmp(part, wanted, length) == 0 && (!part[length] || part[length] == '/'))
      return true;
  }
  return false;
}

/* What macOS packs beside the files: see AppleSingle and AppleDouble, and Finder's settings. */
static bool is_apple(const char *path) {
  const char *base = strrchr(path, '/');
  base = base ? base + 1 : path;
  return has_part(path, "__MACOSX") || strcmp(base, ".DS_Store") == 0 ||
         strncmp(base, "._", 2) == 0;
}

/* Reads what is left out, so that a bomb does not hide in there. */
static bool entry_skip(struct unpacking *unpacking) {
  const void *block;
  size_t size;
  int64_t offset;
  int outcome;
  uint64_t most = UNPACK_SKIPPED_FACTOR * unpacking->tree.limits.bytes;
  while ((outcome = archive_read_data_block(unpacking->archive, &block, &size, &offset)) ==
         ARCHIVE_OK) {
    unpacking->skipped += size;
    if (unpacking->skipped > most)
      return unpack_refuse(unpacking->report, UNPACK_WORD_LARGE, unpacking->path, NULL);
  }
  return outcome == ARCHIVE_EOF || reading_refuse(unpacking);
}

/* ---- kinds of entries ---- */

static struct unpack_meta entry_meta(const struct unpacking *unpacking) {
  return (struct unpack_meta){
      .mode = archive_entry_perm(unpacking->entry),
      .has_time = archive_entry_mtime_is_set(unpacking->entry) != 0,
      .modified = {.tv_sec = archive_entry_mtime(unpacking->entry),
                   .tv_nsec = archive_entry_mtime_nsec(unpacking->entry)},
  };
}

static bool all_write(int fd, const char *bytes, size_t length, int64_t offset) {
  while (length) {
    ssize_t done = pwrite(fd, bytes, length, offset);
    if (done < 0)
      return false;
    bytes += done;
    length -= (size_t)done;
    offset += done;
  }
  return true;
}

/* A file's bytes, of which those that are only zeros may be missing. */
static bool data_copy(struct unpacking *unpacking, int fd, int64_t *end) {
  const void *block;
  size_t size;
  int64_t offset;
  int outcome;
  while ((outcome = archive_read_data_block(unpacking->archive, &block, &size, &offset)) ==
         ARCHIVE_OK) {
    if (offset < 0 || offset > INT64_MAX - (int64_t)size)
      return unpack_refuse(unpacking->report, UNPACK_WORD_LARGE, unpacking->path, NULL);
    if (!tree_has_room(&unpacking->tree, offset + (int64_t)size, unpacking->path))
      return false;
    if (!all_write(fd, block, size, offset))
      return unpack_refuse(unpacking->report, UNPACK_WORD_UNWRITABLE, unpacking->path,
                           strerror(errno));
    if (offset + (int64_t)size > *end)
      *end = offset + (int64_t)size;
  }
  return outcome == ARCHIVE_EOF || reading_refuse(unpacking);
}

static bool file_take(struct unpacking *unpacking) {
  struct unpack_meta meta = entry_meta(unpacking);
  int64_t end = 0;
  if (archive_entry_size_is_set(unpacking->entry) &&
      !tree_has_room(&unpacking->tree, archive_entry_size(unpacking->entry), unpacking->path))
    return false;
  scoped_fd int fd = tree_file(&unpacking->tree, unpacking->path);
  if (fd < 0 || !data_copy(unpacking, fd, &end))
    return false;
  if (archive_entry_size_is_set(unpacking->entry) && archive_entry_size(unpacking->entry) > end)
    end = archive_entry_size(unpacking->entry); /* a hole at its end */
  if (meta.mode & 07000)
    unpack_note(unpacking->report, UNPACK_NOTE_MODE, unpacking->path);
  return tree_file_finish(&unpacking->tree, fd, unpacking->path, end, &meta);
}

/* Whether a link at `path` leads out when each part of its target is a folder. */
static bool leads_out(const char *path, const char *target) {
  long depth = 0;
  if (*target == '/')
    return true;
  for (const char *at = path; (at = strchr(at, '/')); at++)
    depth++;
  for (const char *part = target; *part && depth >= 0;) {
    size_t size = strcspn(part, "/");
    if (size == 2 && strncmp(part, "..", 2) == 0)
      depth--;
    else if (size > 1 || (size == 1 && *part != '.'))
      depth++;
    part += size + (part[size] == '/');
  }
  return depth < 0;
}

static bool link_take(struct unpacking *unpacking) {
  const char *target = archive_entry_symlink(unpacking->entry);
  if (!target || !*target)
    return unpack_refuse(unpacking->report, UNPACK_WORD_DAMAGED, unpacking->path,
                         "a symbolic link that says nothing");
  if (strlen(target) > UNPACK_PATH_MOST)
    return unpack_refuse(unpacking->report, UNPACK_WORD_LONG_NAME, unpacking->path, NULL);
  bool out = leads_out(unpacking->path, target);
  if (out)
    unpack_note(unpacking->report, UNPACK_NOTE_LINK, unpacking->path);
  tree_link(&unpacking->tree, unpacking->path, out ? NULL : target);
  return true;
}

static bool hard_link_take(struct unpacking *unpacking) {
  const char *name = archive_entry_hardlink(unpacking->entry);
  char target[UNPACK_PATH_MOST + 1];
  struct unpack_report ignored = {0};
  if (!unpack_path(&ignored, name, target))
    return unpack_refuse(unpacking->report, UNPACK_WORD_HARD_OUTSIDE, unpacking->path, name);
  return tree_hard_link(&unpacking->tree, unpacking->path, target);
}

static bool kind_take(struct unpacking *unpacking) {
  struct unpack_meta meta = entry_meta(unpacking);
  if (archive_entry_hardlink(unpacking->entry))
    return hard_link_take(unpacking);
  switch (archive_entry_filetype(unpacking->entry)) {
  case AE_IFREG:
    return file_take(unpacking);
  case AE_IFDIR:
    return tree_folder(&unpacking->tree, unpacking->path, &meta);
  case AE_IFLNK:
    return link_take(unpacking);
  default:
    unpack_note(unpacking->report, UNPACK_NOTE_SPECIAL, unpacking->path);
    return entry_skip(unpacking);
  }
}

/* ---- all entries ---- */

/* Of what libarchive only warns of: a zip that says two different sizes of a file is read otherwise
 * by others. */
static bool warning_is_fault(const struct unpacking *unpacking) {
  const char *why = archive_error_string(unpacking->archive);
  return why && strstr(why, "Inconsistent");
}

static bool entry_take(struct unpacking *unpacking, int outcome) {
  const char *name = archive_entry_pathname(unpacking->entry);
  if (!name) /* it says to be UTF-8, and is not */
    return unpack_refuse(unpacking->report, UNPACK_WORD_DAMAGED, unpacking->path,
                         "the name of what follows cannot be read");
  if (!unpack_path(unpacking->report, name, unpacking->path) ||
      !tree_count(&unpacking->tree, unpacking->path))
    return false;
  if (outcome == ARCHIVE_WARN && warning_is_fault(unpacking))
    return reading_refuse(unpacking);
  if (archive_entry_is_encrypted(unpacking->entry))
    return unpack_refuse(unpacking->report, UNPACK_WORD_ENCRYPTED, unpacking->path, NULL);
  if (!*unpacking->path) /* the folder itself, as in `tar c .` */
    return archive_entry_filetype(unpacking->entry) == AE_IFDIR ||
           unpack_refuse(unpacking->report, UNPACK_WORD_DAMAGED, name, "an entry without a name");
  if (is_apple(unpacking->path)) {
    unpack_note(unpacking->report, UNPACK_NOTE_APPLE, unpacking->path);
    return entry_skip(unpacking);
  }
  if (has_part(unpacking->path, ".git"))
    return entry_skip(unpacking);
  scoped_text char *safe = safe_text(unpacking->path, strlen(unpacking->path));
  if (strcmp(safe, unpacking->path) != 0)
    unpack_note(unpacking->report, UNPACK_NOTE_NAME, unpacking->path);
  return kind_take(unpacking);
}

/* libarchive has no public number for this. */
static bool is_unknown(const struct unpacking *unpacking) {
  const char *why = archive_error_string(unpacking->archive);
  return archive_format(unpacking->archive) == 0 && why && strstr(why, "Unrecognized");
}

/* What a file is that libarchive knows nothing of. */
static bool unknown_refuse(const struct unpacking *unpacking) {
  char magic[8] = {0};
  enum unpack_word word = UNPACK_WORD_NO_ARCHIVE;
  if (pread(STDIN_FILENO, magic, sizeof magic, 0) <= 0 || strncmp(magic, "PK\5\6", 4) == 0)
    word = UNPACK_WORD_EMPTY; /* the second is the end of a zip, at its beginning */
  else if (strncmp(magic, "PK\3\4", 4) == 0)
    word = UNPACK_WORD_CUT;
  else if (strncmp(magic, "Rar!\x1a\x07", 6) == 0)
    word = UNPACK_WORD_RAR;
  return unpack_refuse(unpacking->report, word, NULL, NULL);
}

static bool entries_take(struct unpacking *unpacking) {
  int outcome;
  while ((outcome = archive_read_next_header(unpacking->archive, &unpacking->entry)) ==
             ARCHIVE_OK ||
         outcome == ARCHIVE_WARN) {
    if (!entry_take(unpacking, outcome))
      return false;
  }
  if (outcome != ARCHIVE_EOF)
    return reading_refuse(unpacking);
  return tree_links_make(&unpacking->tree);
}

/* Programs that libarchive would start for rarer compressions are not asked for; zip is read by its
 * directory, at its end, which is what every other program shows of it. */
static struct archive *archive_begin(void) {
  struct archive *archive = archive_read_new();
  if (archive) {
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip_seekable(archive);
    archive_read_support_format_7zip(archive);
  }
  return archive;
}

bool unpack_entries(const struct unpack_limits *limits, struct unpack_report *report) {
  struct unpacking unpacking = {.archive = archive_begin(), .report = report};
  unpacking.tree = (struct unpack_tree){.limits = *limits, .report = report};
  unpacking.tree.root_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!unpacking.archive || unpacking.tree.root_fd < 0)
    return unpack_refuse(report, UNPACK_WORD_UNCONFINED, strerror(errno), NULL);
  if (archive_read_open_fd(unpacking.archive, STDIN_FILENO, BLOCK_BYTES) != ARCHIVE_OK)
    return is_unknown(&unpacking) ? unknown_refuse(&unpacking) : reading_refuse(&unpacking);
  /* The process ends now, and what it holds with it. */
  return entries_take(&unpacking);
}
