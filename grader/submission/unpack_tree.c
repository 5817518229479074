/* Writes below the new folder, in the sandbox. Links are kept in mind until all else is there. */
#include "grader/submission/unpack_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct unpack_link {
  char *path;
  char *target; /* NULL: it is left out, and yet nothing else may have its name */
};

/* ---- names ---- */

/* The last part of a path. */
static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

bool unpack_path(struct unpack_report *report, const char *name, char path[UNPACK_PATH_MOST + 1]) {
  size_t length = 0;
  if (*name == '/')
    return unpack_refuse(report, UNPACK_WORD_ABSOLUTE, name, NULL);
  for (const char *part = name; *part;) {
    size_t size = strcspn(part, "/");
    if (size == 2 && strncmp(part, "..", 2) == 0)
      return unpack_refuse(report, UNPACK_WORD_OUTSIDE, name, NULL);
    if (size > UNPACK_NAME_MOST || length + 1 + size > UNPACK_PATH_MOST)
      return unpack_refuse(report, UNPACK_WORD_LONG_NAME, name, NULL);
    if (size > 1 || (size == 1 && *part != '.')) {
      if (length)
        path[length++] = '/';
      memcpy(path + length, part, size);
      length += size;
    }
    part += size + (part[size] == '/');
  }
  path[length] = '\0';
  return true;
}

/* ---- limits ---- */

bool tree_count(struct unpack_tree *tree, const char *path) {
  return ++tree->files <= tree->limits.files ||
         unpack_refuse(tree->report, UNPACK_WORD_MANY, path, NULL);
}

bool tree_has_room(const struct unpack_tree *tree, int64_t bytes, const char *path) {
  return (bytes >= 0 && (uint64_t)bytes <= tree->limits.bytes - tree->bytes) ||
         unpack_refuse(tree->report, UNPACK_WORD_LARGE, path, NULL);
}

static bool depth_check(const struct unpack_tree *tree, const char *path, bool is_folder) {
  unsigned folders = is_folder ? 1 : 0;
  for (const char *at = path; (at = strchr(at, '/')); at++)
    folders++;
  return folders <= UNPACK_DEPTH_MOST || unpack_refuse(tree->report, UNPACK_WORD_DEPTH, path, NULL);
}

/* ---- opening ---- */

static int beneath_open(int folder_fd, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | resolve};
  return (int)syscall(SYS_openat2, folder_fd, path, &how, sizeof how);
}

static int folder_open(int folder_fd, const char *path) {
  return beneath_open(folder_fd, path, O_RDONLY | O_DIRECTORY,
                      RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

/* Why something could not be written: it is in the way of itself, or the machine's fault. */
static bool write_refuse(const struct unpack_tree *tree, const char *path) {
  if (errno == ELOOP || errno == EXDEV)
    return unpack_refuse(tree->report, UNPACK_WORD_LINK, path, NULL);
  if (errno == ENOTDIR || errno == EISDIR || errno == EEXIST || errno == EPERM)
    return unpack_refuse(tree->report, UNPACK_WORD_FILE_AND_FOLDER, path, NULL);
  return unpack_refuse(tree->report, UNPACK_WORD_UNWRITABLE, path, strerror(errno));
}

/* One folder, made if it is not there. */
static int folder_make(struct unpack_tree *tree, int parent_fd, const char *name,
                       const char *path) {
  if (mkdirat(parent_fd, name, 0755) == 0) {
    if (!tree_count(tree, path))
      return -1;
  } else if (errno != EEXIST) {
    write_refuse(tree, path);
    return -1;
  }
  int fd = folder_open(parent_fd, name);
  if (fd < 0)
    write_refuse(tree, path);
  return fd;
}

/* The folder that the first `length` bytes of a path name, with those on the way to it. */
static int folders_make(struct unpack_tree *tree, const char *path, size_t length) {
  char name[UNPACK_PATH_MOST + 1];
  memcpy(name, path, length);
  name[length] = '\0';
  int fd = folder_open(tree->root_fd, length ? name : ".");
  if (fd >= 0)
    return fd;
  fd = folder_open(tree->root_fd, ".");
  for (char *part = name; part && fd >= 0;) {
    char *slash = strchr(part, '/');
    if (slash)
      *slash = '\0';
    int next = folder_make(tree, fd, part, path);
    close(fd);
    fd = next;
    part = slash ? slash + 1 : NULL;
  }
  return fd;
}

/* The folder that what a path names is in. */
static int parent_make(struct unpack_tree *tree, const char *path) {
  return folders_make(tree, path, path == base_of(path) ? 0 : (size_t)(base_of(path) - path - 1));
}

/* Takes an older entry of the same name away, if it is no folder. */
static bool older_remove(struct unpack_tree *tree, int parent_fd, const char *path) {
  if (unlinkat(parent_fd, base_of(path), 0) == 0) {
    unpack_note(tree->report, UNPACK_NOTE_TWICE, path);
    return true;
  }
  return errno == ENOENT || write_refuse(tree, path);
}

/* ---- folders, files, hard links ---- */

bool tree_folder(struct unpack_tree *tree, const char *path, const struct unpack_meta *meta) {
  if (!depth_check(tree, path, true))
    return false;
  scoped_fd int fd = folders_make(tree, path, strlen(path));
  if (fd < 0)
    return false;
  return fchmod(fd, (meta->mode & 0777) | 0700) == 0 || write_refuse(tree, path);
}

int tree_file(struct unpack_tree *tree, const char *path) {
  if (!depth_check(tree, path, false))
    return -1;
  scoped_fd int parent = parent_make(tree, path);
  if (parent < 0 || !older_remove(tree, parent, path))
    return -1;
  int fd =
      openat(parent, base_of(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    write_refuse(tree, path);
  return fd;
}

bool tree_file_finish(struct unpack_tree *tree, int fd, const char *path, int64_t bytes,
                      const struct unpack_meta *meta) {
  if (!tree_has_room(tree, bytes, path))
    return false;
  tree->bytes += (uint64_t)bytes;
  const struct timespec times[] = {meta->modified, meta->modified};
  if (ftruncate(fd, bytes) || fchmod(fd, (meta->mode & 0777) | 0600) ||
      (meta->has_time && futimens(fd, times)))
    return write_refuse(tree, path);
  return true;
}

static const struct unpack_link *link_find(const struct unpack_tree *tree, const char *path) {
  for (size_t i = 0; i < tree->link_count; i++)
    if (strcmp(tree->links[i].path, path) == 0)
      return &tree->links[i];
  return NULL;
}

bool tree_hard_link(struct unpack_tree *tree, const char *path, const char *target) {
  if (strcmp(path, target) == 0)
    return true;
  if (!depth_check(tree, path, false))
    return false;
  scoped_text char *folder = memory_format("./%.*s", (int)(base_of(target) - target), target);
  scoped_fd int from = folder_open(tree->root_fd, folder);
  struct stat status;
  if (from < 0 || fstatat(from, base_of(target), &status, AT_SYMLINK_NOFOLLOW) ||
      !S_ISREG(status.st_mode)) {
    const struct unpack_link *link = link_find(tree, target);
    if (!link)
      return unpack_refuse(tree->report, UNPACK_WORD_HARD_MISSING, path, target);
    tree_link(tree, path, link->target);
    return true;
  }
  scoped_fd int to = parent_make(tree, path);
  if (to < 0 || !older_remove(tree, to, path))
    return false;
  return linkat(from, base_of(target), to, base_of(path), 0) == 0 || write_refuse(tree, path);
}

/* ---- symbolic links ---- */

void tree_link(struct unpack_tree *tree, const char *path, const char *target) {
  if (tree->link_count == tree->link_room) {
    tree->link_room = tree->link_room ? 2 * tree->link_room : 16;
    tree->links = memory_resize(tree->links, tree->link_room * sizeof *tree->links);
  }
  tree->links[tree->link_count++] = (struct unpack_link){
      .path = memory_text(path),
      .target = target ? memory_text(target) : NULL,
  };
}

/* Whether something that is no link has the link's name, or is to be found below it. */
static bool name_is_taken(const struct unpack_tree *tree, const char *path) {
  scoped_text char *folder = memory_format("./%.*s", (int)(base_of(path) - path), path);
  scoped_fd int parent = folder_open(tree->root_fd, folder);
  struct stat status;
  return parent >= 0 && fstatat(parent, base_of(path), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool link_make(struct unpack_tree *tree, const struct unpack_link *link) {
  scoped_fd int parent = parent_make(tree, link->path);
  if (parent < 0 || !older_remove(tree, parent, link->path))
    return false;
  return symlinkat(link->target, parent, base_of(link->path)) == 0 ||
         write_refuse(tree, link->path);
}

/* Seen one by one, links may lead nowhere but inside, and yet out of it, one through another. */
static bool link_check(struct unpack_tree *tree, const struct unpack_link *link) {
  scoped_fd int fd = beneath_open(tree->root_fd, link->path, O_PATH, RESOLVE_NO_MAGICLINKS);
  if (fd >= 0 || errno != EXDEV)
    return true;
  scoped_fd int parent = parent_make(tree, link->path);
  if (parent < 0 || unlinkat(parent, base_of(link->path), 0))
    return write_refuse(tree, link->path);
  unpack_note(tree->report, UNPACK_NOTE_LINK, link->path);
  return true;
}

bool tree_links_make(struct unpack_tree *tree) {
  for (size_t i = 0; i < tree->link_count; i++)
    if (!depth_check(tree, tree->links[i].path, false))
      return false;
    else if (name_is_taken(tree, tree->links[i].path))
      return unpack_refuse(tree->report, UNPACK_WORD_LINK, tree->links[i].path, NULL);
  for (size_t i = 0; i < tree->link_count; i++)
    if (tree->links[i].target && !link_make(tree, &tree->links[i]))
      return false;
  for (size_t i = 0; i < tree->link_count; i++)
    if (tree->links[i].target && !link_check(tree, &tree->links[i]))
      return false;
  return true;
}
