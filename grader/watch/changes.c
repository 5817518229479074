#include "grader/watch/changes.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  SETTLE_MS = 80, /* how long nothing may happen before a change counts as complete */
  LOOK_MS = 200,  /* how often to look whether to stop */
  DEPTH_MOST = 32,
};

static const uint32_t watched_events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                       IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

struct watched {
  int number; /* of inotify_add_watch; the folder itself is the first */
  char *path; /* relative; "" is the folder itself */
};

struct changes {
  int fd;
  char *folder;
  struct watched *list;
  size_t count;
  char **paths;
  bool *made; /* for each path: it was not there before */
  size_t path_count;
  bool lost, gone;
};

static bool is_left_out(const char *name) {
  size_t length = strlen(name);
  return name[0] == '.' || length == 0 || name[length - 1] == '~' || strcmp(name, "4913") == 0 ||
         strcmp(name, "__pycache__") == 0;
}

static char *path_join(const char *folder, const char *name) {
  return *folder ? memory_format("%s/%s", folder, name) : memory_text(name);
}

static void path_add(struct changes *changes, char *path, bool made) {
  for (size_t i = 0; i < changes->path_count; i++)
    if (strcmp(changes->paths[i], path) == 0) {
      free(path);
      return;
    }
  size_t room = changes->path_count + 2;
  changes->paths = memory_resize(changes->paths, room * sizeof *changes->paths);
  changes->made = memory_resize(changes->made, room * sizeof *changes->made);
  changes->made[changes->path_count] = made;
  changes->paths[changes->path_count++] = path;
  changes->paths[changes->path_count] = NULL;
}

/* What came and went again, as a file does that is written under another name first. */
static void passing_forget(struct changes *changes) {
  size_t kept = 0;
  for (size_t i = 0; i < changes->path_count; i++) {
    scoped_text char *whole = path_join(changes->folder, changes->paths[i]);
    if (changes->made[i] && access(whole, F_OK) < 0) {
      free(changes->paths[i]);
      continue;
    }
    changes->made[kept] = changes->made[i];
    changes->paths[kept++] = changes->paths[i];
  }
  changes->path_count = kept;
  if (changes->paths)
    changes->paths[kept] = NULL;
}

static void paths_forget(struct changes *changes) {
  for (size_t i = 0; i < changes->path_count; i++)
    free(changes->paths[i]);
  changes->path_count = 0;
  changes->lost = false;
}

/* Watches a folder and those in it. What is in one that is new counts as changed. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MOST
static int folder_watch(struct changes *changes, const char *path, unsigned depth, bool is_new) {
  scoped_text char *whole = path_join(changes->folder, path);
  int number = inotify_add_watch(changes->fd, *path ? whole : changes->folder, watched_events);
  if (number < 0)
    return -1;
  changes->list = memory_resize(changes->list, (changes->count + 1) * sizeof *changes->list);
  changes->list[changes->count++] = (struct watched){number, memory_text(path)};
  DIR *folder = opendir(*path ? whole : changes->folder);
  for (const struct dirent *entry; folder && (entry = readdir(folder));) {
    if (is_left_out(entry->d_name))
      continue;
    char *inner = path_join(path, entry->d_name);
    scoped_text char *whole_inner = path_join(changes->folder, inner);
    struct stat status;
    bool is_folder = lstat(whole_inner, &status) == 0 && S_ISDIR(status.st_mode);
    if (is_folder && depth < DEPTH_MOST)
      folder_watch(changes, inner, depth + 1, is_new);
    if (is_new && !is_folder)
      path_add(changes, inner, true);
    else
      free(inner);
  }
  if (folder)
    closedir(folder);
  return 0;
}

struct changes *changes_begin(const char *folder, struct failure *failure) {
  struct changes *changes = memory_zeroed(1, sizeof *changes);
  changes->folder = memory_text(folder);
  changes->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (changes->fd >= 0 && folder_watch(changes, "", 0, false) == 0)
    return changes;
  if (errno == ENOSPC)
    failure_set(failure,
                "Cannot watch %s: too many folders are watched on this machine (sudo sysctl -w "
                "fs.inotify.max_user_watches=524288)",
                folder);
  else
    failure_errno(failure, "Cannot watch the folder %s", folder);
  changes_end(changes);
  return NULL;
}

void changes_end(struct changes *changes) {
  if (changes->fd >= 0)
    close(changes->fd);
  for (size_t i = 0; i < changes->count; i++)
    free(changes->list[i].path);
  paths_forget(changes);
  free(changes->paths);
  free(changes->made);
  free(changes->list);
  free(changes->folder);
  free(changes);
}

static void watched_forget(struct changes *changes, int number) {
  for (size_t i = 0; i < changes->count; i++)
    if (changes->list[i].number == number) {
      free(changes->list[i].path);
      changes->list[i] = changes->list[--changes->count];
      return;
    }
}

static void event_take(struct changes *changes, const struct inotify_event *event) {
  if (event->mask & IN_Q_OVERFLOW)
    changes->lost = true;
  const struct watched *watched = NULL;
  for (size_t i = 0; i < changes->count && !watched; i++)
    if (changes->list[i].number == event->wd)
      watched = &changes->list[i];
  if (!watched)
    return;
  if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
    changes->gone |= !*watched->path;
  if (event->mask & IN_IGNORED) {
    watched_forget(changes, event->wd);
    return;
  }
  if (event->len == 0 || is_left_out(event->name))
    return;
  char *path = path_join(watched->path, event->name);
  if (!(event->mask & IN_ISDIR)) {
    path_add(changes, path, event->mask & (IN_CREATE | IN_MOVED_TO));
    return;
  }
  if (event->mask & (IN_CREATE | IN_MOVED_TO))
    folder_watch(changes, path, 0, true);
  free(path);
}

/* Everything that is there now. True if there was something. */
static bool events_take(struct changes *changes) {
  _Alignas(struct inotify_event) char bytes[16384];
  ssize_t length = read(changes->fd, bytes, sizeof bytes);
  for (ssize_t at = 0; at < length;) {
    const struct inotify_event *event = (const struct inotify_event *)(const void *)(bytes + at);
    event_take(changes, event);
    at += (ssize_t)(sizeof *event + event->len);
  }
  return length > 0;
}

int changes_wait(struct changes *changes, const volatile sig_atomic_t *stop, char *const **paths,
                 size_t *count, struct failure *failure) {
  paths_forget(changes);
  for (;;) {
    bool something = changes->path_count > 0 || changes->lost;
    struct pollfd events = {.fd = changes->fd, .events = POLLIN};
    int ready = poll(&events, 1, something ? SETTLE_MS : LOOK_MS);
    if (*stop)
      return 0;
    if (ready > 0 && events_take(changes) && !changes->gone)
      continue;
    if (changes->gone)
      return failure_set(failure, "The folder %s is not there any more", changes->folder);
    if (something && ready == 0)
      passing_forget(changes);
    if (ready == 0 && (changes->path_count > 0 || changes->lost))
      break;
  }
  *paths = changes->paths;
  *count = changes->lost ? 0 : changes->path_count;
  return 1;
}
