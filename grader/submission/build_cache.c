#include "grader/submission/build_cache.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/base/version.h"
#include "grader/submission/copy.h"
#include "grader/submission/tree_digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum {
  BUILDS_MOST = 64,
  ENTRY_FILES_MOST = 2000,
  FORGOTTEN_S = 3600, /* what a run that was killed left half done is removed after an hour */
};
static const uint64_t entry_bytes_most = 16u << 20;

#define TREE "tree"
#define RECORD "record.json"

/* ---- the place ---- */

/* Makes the folder, or finds it made; it must be this user's alone. */
static bool folder_is_ours(const char *path) {
  struct stat status;
  return (mkdir(path, 0700) == 0 || errno == EEXIST) && lstat(path, &status) == 0 &&
         S_ISDIR(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & 077) == 0;
}

static char *place_find(void) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  scoped_text char *base = cache && *cache == '/' ? memory_text(cache)
                           : home && *home == '/' ? memory_format("%s/.cache", home)
                                                  : NULL;
  if (!base)
    return NULL;
  scoped_text char *own = memory_format("%s/wiregrade", base);
  scoped_text char *place = memory_format("%s/builds", own);
  mkdir(base, 0700); /* each is there most of the time */
  mkdir(own, 0755);
  return folder_is_ours(place) ? steal_pointer(&place) : NULL;
}

/* ---- the key ---- */

/* What is installed shows in these: packages, and what was put beside them by hand. Builds find
 * their tools by this path (sandbox/start.c). */
static void machine_add(struct tree_digest *digest) {
  static const char *const folders[] = {"/usr/local/bin", "/usr/bin", "/bin"};
  static const char *const tools[] = {"cc",    "gcc",   "g++", "clang",   "clang++", "make",
                                      "cmake", "ld",    "as",  "ar",      "go",      "rustc",
                                      "cargo", "javac", "sh",  "python3", "node"};
  static const char *const states[] = {
      "/proc/self/exe", "/var/lib/dpkg/status", "/etc/ld.so.cache", "/etc/alternatives", "/usr/lib",
      "/usr/include",   "/usr/local/include",   "/usr/local/lib",   "/usr/local",        "/opt"};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    tree_digest_state(digest, folders[i]);
    for (size_t k = 0; k < sizeof tools / sizeof *tools; k++) {
      scoped_text char *path = memory_format("%s/%s", folders[i], tools[k]);
      tree_digest_state(digest, path);
    }
  }
  for (size_t i = 0; i < sizeof states / sizeof *states; i++)
    tree_digest_state(digest, states[i]);
  struct utsname machine = {0};
  uname(&machine);
  tree_digest_add(digest, &machine, sizeof machine);
  /* The grader's user, and so in which of its two ways a sandbox is made. */
  scoped_file FILE *users = fopen("/proc/self/uid_map", "re");
  char line[80] = "";
  if (users && fgets(line, sizeof line, users))
    tree_digest_text(digest, line);
}

static void limits_add(struct tree_digest *digest, const struct sandbox_limits *limits) {
  const uint64_t numbers[] = {limits->memory_bytes,   limits->file_bytes, limits->scratch_bytes,
                              limits->scratch_inodes, limits->processes,  limits->descriptors,
                              limits->cpu_seconds};
  tree_digest_add(digest, numbers, sizeof numbers);
}

/* Where a sandbox has no walls whatever is built could write there. */
char *build_cache_path(const struct build_cache_key *key) {
  scoped_text char *place = sandbox_is_open() ? NULL : place_find();
  struct tree_digest *digest = place ? tree_digest_begin() : NULL;
  if (!digest)
    return NULL;
  tree_digest_text(digest, "wiregrade " WIREGRADE_VERSION);
  machine_add(digest);
  limits_add(digest, key->limits);
  tree_digest_add(digest, &key->program_count, sizeof key->program_count);
  for (size_t i = 0; i < key->program_count; i++)
    tree_digest_text(digest, key->programs[i]);
  tree_digest_add(digest, &key->language_count, sizeof key->language_count);
  for (unsigned i = 0; i < key->language_count; i++)
    tree_digest_text(digest, key->languages[i]);
  tree_digest_folder(digest, key->folder);
  scoped_text char *name = tree_digest_end(digest);
  return name ? memory_format("%s/%s", place, name) : NULL;
}

/* ---- taking ---- */

static char *folder_digest(const char *folder) {
  struct tree_digest *digest = tree_digest_begin();
  if (!digest)
    return NULL;
  tree_digest_folder(digest, folder);
  return tree_digest_end(digest);
}

bool build_cache_take(const char *path, const char *to, char **log) {
  scoped_text char *record_path = memory_format("%s/" RECORD, path);
  scoped_text char *tree = memory_format("%s/" TREE, path);
  json_t *record = json_load_file(record_path, 0, NULL);
  const char *wanted = json_string_value(json_object_get(record, "digest"));
  const char *said = json_string_value(json_object_get(record, "log"));
  struct failure ignored;
  bool taken =
      wanted && said &&
      copy_folder(tree, to, sandbox_user(),
                  (struct copy_limits){entry_bytes_most, ENTRY_FILES_MOST}, &ignored) == COPY_DONE;
  scoped_text char *found = taken ? folder_digest(to) : NULL;
  taken = found && strcmp(found, wanted) == 0;
  if (taken) {
    *log = memory_text(said);
    utimensat(AT_FDCWD, path, NULL, 0); /* it was used now */
  }
  json_decref(record);
  return taken;
}

/* ---- keeping ---- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status, (void)type, (void)place;
  return remove(path);
}

/* Out of the way first: whoever reads it meanwhile finds that it is no longer whole. */
static void entry_remove(const char *path) {
  enum { DESCRIPTORS = 16 };
  scoped_text char *away = memory_format("%s.old-%d", path, getpid());
  if (rename(path, away) == 0)
    nftw(away, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

/* Removes the entry that was not used for longest if there are too many, and what is left half
 * done. */
static void place_tidy(const char *place) {
  DIR *folder = opendir(place);
  size_t count = 0;
  scoped_text char *oldest = NULL;
  struct timespec oldest_time = {0};
  for (const struct dirent *entry; folder && (entry = readdir(folder));) {
    struct stat status;
    if (entry->d_name[0] == '.' || fstatat(dirfd(folder), entry->d_name, &status, 0))
      continue;
    scoped_text char *path = memory_format("%s/%s", place, entry->d_name);
    if (strchr(entry->d_name, '.')) {
      if (status.st_ctim.tv_sec < time(NULL) - FORGOTTEN_S)
        entry_remove(path);
      continue;
    }
    count++;
    if (!oldest || status.st_mtim.tv_sec < oldest_time.tv_sec ||
        (status.st_mtim.tv_sec == oldest_time.tv_sec &&
         status.st_mtim.tv_nsec < oldest_time.tv_nsec)) {
      free(oldest);
      oldest = steal_pointer(&path);
      oldest_time = status.st_mtim;
    }
  }
  if (folder)
    closedir(folder);
  if (count >= BUILDS_MOST)
    entry_remove(oldest);
}

/* In a folder beside the path first: what is at the path is whole. */
static bool entry_write(const char *unfinished, const char *folder, const char *log) {
  scoped_text char *tree = memory_format("%s/" TREE, unfinished);
  scoped_text char *record_path = memory_format("%s/" RECORD, unfinished);
  scoped_text char *digest = folder_digest(folder);
  struct failure ignored;
  if (!digest || mkdir(unfinished, 0700) ||
      copy_folder(folder, tree, geteuid(), (struct copy_limits){entry_bytes_most, ENTRY_FILES_MOST},
                  &ignored) != COPY_DONE)
    return false;
  json_t *record = json_pack("{s:s, s:s}", "digest", digest, "log", log);
  bool written = record && json_dump_file(record, record_path, JSON_COMPACT) == 0;
  json_decref(record);
  return written;
}

void build_cache_keep(const char *path, const char *folder, const char *log) {
  scoped_text char *place = memory_format("%.*s", (int)(strrchr(path, '/') - path), path);
  scoped_text char *unfinished = memory_format("%s.new-%d", path, getpid());
  place_tidy(place);
  entry_remove(path); /* one that was not whole */
  if (!entry_write(unfinished, folder, log) || rename(unfinished, path))
    entry_remove(unfinished);
}
