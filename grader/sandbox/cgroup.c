#include "grader/sandbox/cgroup.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAF "wiregrade-grader"
static const char group_prefix[] = "wiregrade-sandbox-";

static const char *const controllers_wanted[] = {"memory", "pids", NULL};

/* ---- small things ---- */

static bool setting_write(const char *folder, const char *name, const char *text) {
  scoped_text char *path = memory_format("%s/%s", folder, name);
  scoped_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool setting_number(const char *folder, const char *name, uint64_t number) {
  scoped_text char *text = memory_format("%llu", (unsigned long long)number);
  return setting_write(folder, name, text);
}

/* The beginning of a file of a group; "" if it cannot be read. */
static void setting_read(const char *folder, const char *name, char *text, size_t size) {
  scoped_text char *path = memory_format("%s/%s", folder, name);
  scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, text, size - 1);
  text[length > 0 ? length : 0] = '\0';
}

/* Whether a word stands among others that `separators` part. */
static bool has_word(const char *text, const char *word, const char *separators) {
  for (size_t length = strlen(word); *text; text += strspn(text, separators)) {
    size_t this = strcspn(text, separators);
    if (this == length && strncmp(text, word, length) == 0)
      return true;
    text += this;
  }
  return false;
}

static bool has_all(const char *folder, const char *name, const char *const *words) {
  char text[512];
  setting_read(folder, name, text, sizeof text);
  for (; *words; words++)
    if (!has_word(text, *words, " \n"))
      return false;
  return true;
}

/* ---- version 2 ---- */

static bool is_alone(const char *folder) {
  char text[64];
  setting_read(folder, "cgroup.procs", text, sizeof text);
  scoped_text char *wanted = memory_format("%d\n", getpid());
  return strcmp(text, wanted) == 0;
}

static bool controllers_enable(const char *folder, const char *const *controllers) {
  for (; *controllers; controllers++) {
    scoped_text char *text = memory_format("+%s", *controllers);
    if (!setting_write(folder, "cgroup.subtree_control", text))
      return false;
  }
  return true;
}

/* A delegated group that only this process is in: moves into a leaf of it. */
static bool leaf_enter(const char *folder, const char *const *controllers) {
  if (!has_all(folder, "cgroup.controllers", controllers) || !is_alone(folder))
    return false;
  scoped_text char *leaf = memory_format("%s/" LEAF, folder);
  if (mkdir(leaf, 0755) < 0 && errno != EEXIST)
    return false;
  if (setting_write(leaf, "cgroup.procs", "0") && controllers_enable(folder, controllers))
    return true;
  setting_write(folder, "cgroup.procs", "0");
  rmdir(leaf);
  return false;
}

char *cgroup_v2_base(const char *mount, const char *own, const char *const *controllers,
                     bool root) {
  char *folder = memory_format("%s%s", mount, strcmp(own, "/") == 0 ? "" : own);
  char *end = strrchr(folder, '/');
  if (end && strcmp(end, "/" LEAF) == 0) {
    *end = '\0'; /* this process, or the one that started it, has moved before */
    return folder;
  }
  if (has_all(folder, "cgroup.subtree_control", controllers) || leaf_enter(folder, controllers))
    return folder;
  free(folder);
  return root && has_all(mount, "cgroup.subtree_control", controllers) ? memory_text(mount) : NULL;
}

/* ---- which there are ---- */

struct hierarchy {
  char mount[256], root[256]; /* where it is mounted, and which of its groups is there */
  bool found;
};

/* From mountinfo: the hierarchy of version 2 (controller NULL), or that of a controller. */
static struct hierarchy hierarchy_find(const char *controller) {
  struct hierarchy hierarchy = {.found = false};
  scoped_file FILE *file = fopen("/proc/self/mountinfo", "re");
  scoped_text char *line = NULL;
  size_t size = 0;
  while (file && !hierarchy.found && getline(&line, &size, file) >= 0) {
    char type[32], options[512];
    const char *behind = strstr(line, " - ");
    if (!behind || sscanf(line, "%*s %*s %*s %255s %255s", hierarchy.root, hierarchy.mount) != 2 ||
        sscanf(behind, " - %31s %*s %511s", type, options) != 2)
      continue;
    hierarchy.found = controller ? strcmp(type, "cgroup") == 0 && has_word(options, controller, ",")
                                 : strcmp(type, "cgroup2") == 0;
  }
  return hierarchy;
}

/* This process's group in it, as a path below the mount; NULL if it is not below it. */
static char *own_group(const struct hierarchy *hierarchy, const char *controller) {
  scoped_file FILE *file = fopen("/proc/self/cgroup", "re");
  scoped_text char *line = NULL;
  size_t size = 0;
  while (file && getline(&line, &size, file) >= 0) {
    line[strcspn(line, "\n")] = '\0';
    char *names = strchr(line, ':');
    char *path = names ? strchr(names + 1, ':') : NULL;
    if (!path)
      continue;
    *path++ = '\0';
    if (controller ? !has_word(names + 1, controller, ",") : names[1] != '\0')
      continue;
    size_t root = strcmp(hierarchy->root, "/") == 0 ? 0 : strlen(hierarchy->root);
    if (strncmp(path, hierarchy->root, root) == 0 && !strstr(path, ".."))
      return memory_text(path[root] ? path + root : "/");
  }
  return NULL;
}

/* A process id means something in its pid namespace only; containers can share one hierarchy. */
static char *prefix_here(void) {
  struct stat namespace = {0};
  stat("/proc/self/ns/pid", &namespace);
  return memory_format("%s%llu-", group_prefix, (unsigned long long)namespace.st_ino);
}

/* Whether a group can be made there. */
static bool can_make(const char *base) {
  scoped_text char *prefix = prefix_here();
  scoped_text char *trial = memory_format("%s/%s%d-0", base, prefix, getpid());
  if (mkdir(trial, 0755) < 0 && errno != EEXIST)
    return false;
  rmdir(trial);
  return true;
}

static struct {
  enum cgroup_kind kind;
  char *bases[CGROUP_HIERARCHIES];
  char *shared[CGROUP_HIERARCHIES]; /* the groups that this process is in, where they are ours */
} here;
static pthread_once_t here_once = PTHREAD_ONCE_INIT;

/* Two hundred times five milliseconds: until the dead have left, which takes them a moment. */
static void group_end(const char *path, bool patient) {
  enum { TRIES = 200, PAUSE_US = 5000 };
  for (int i = 0; rmdir(path) < 0 && errno == EBUSY && patient && i < TRIES; i++)
    usleep(PAUSE_US);
}

/* What makers that are gone have left. */
static void stale_remove(const char *base, pid_t awaited) {
  scoped_text char *prefix = prefix_here();
  DIR *folder = opendir(base);
  for (const struct dirent *entry; folder && (entry = readdir(folder));) {
    int maker;
    if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
        sscanf(entry->d_name + strlen(prefix), "%d", &maker) != 1 || kill(maker, 0) == 0 ||
        errno != ESRCH)
      continue;
    scoped_text char *path = memory_format("%s/%s", base, entry->d_name);
    group_end(path, maker == awaited);
  }
  if (folder)
    closedir(folder);
}

/* A group that cgroup_share() made is cut off the path of this process's group: new ones are made
 * beside it. Returns the whole path; NULL if it is none. */
static char *shared_cut(const char *mount, char *own) {
  char *name = strrchr(own, '/');
  if (!name || strncmp(name + 1, group_prefix, strlen(group_prefix)) != 0)
    return NULL;
  char *whole = memory_format("%s%s", mount, own);
  *name = '\0';
  return whole;
}

static void version_1_find(void) {
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++) {
    struct hierarchy hierarchy = hierarchy_find(controllers_wanted[i]);
    scoped_text char *own = hierarchy.found ? own_group(&hierarchy, controllers_wanted[i]) : NULL;
    here.shared[i] = own ? shared_cut(hierarchy.mount, own) : NULL;
    scoped_text char *base =
        own ? memory_format("%s%s", hierarchy.mount, strcmp(own, "/") == 0 ? "" : own) : NULL;
    if (!base || !(here.shared[i] || can_make(base)))
      continue;
    here.kind = CGROUP_V1;
    here.bases[i] = steal_pointer(&base);
  }
}

static void here_find(void) {
  struct hierarchy hierarchy = hierarchy_find(NULL);
  scoped_text char *own = hierarchy.found ? own_group(&hierarchy, NULL) : NULL;
  here.shared[0] = own ? shared_cut(hierarchy.mount, own) : NULL;
  char *base =
      own ? cgroup_v2_base(hierarchy.mount, own, controllers_wanted, geteuid() == 0) : NULL;
  if (base && (here.shared[0] || can_make(base))) {
    here.kind = CGROUP_V2;
    here.bases[0] = base;
  } else {
    free(base);
    version_1_find();
  }
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++)
    if (here.bases[i])
      stale_remove(here.bases[i], 0);
}

enum cgroup_kind cgroup_kind_here(void) {
  pthread_once(&here_once, here_find);
  return here.kind;
}

/* ---- groups ---- */

struct cgroup cgroup_none(void) {
  return (struct cgroup){.kind = CGROUP_NONE, .procs_fds = {-1, -1}};
}

static bool limits_set(enum cgroup_kind kind, size_t hierarchy, const char *folder,
                       uint64_t memory_bytes, unsigned tasks) {
  if (kind == CGROUP_V2) {
    setting_write(folder, "memory.swap.max", "0"); /* not there without swap */

    return setting_number(folder, "memory.max", memory_bytes) &&
           setting_number(folder, "pids.max", tasks);
  }
  return hierarchy == 0 ? setting_number(folder, "memory.limit_in_bytes", memory_bytes)
                        : setting_number(folder, "pids.max", tasks);
}

/* How many processes the kernel has killed in it for want of memory. */
static int kills_count(enum cgroup_kind kind, const char *folder) {
  char text[512];
  setting_read(folder, kind == CGROUP_V2 ? "memory.events" : "memory.oom_control", text,
               sizeof text);
  const char *kills = strstr(text, "oom_kill ");
  return kills ? atoi(kills + strlen("oom_kill ")) : 0;
}

static struct cgroup group_make(uint64_t memory_bytes, unsigned tasks) {
  static _Atomic unsigned serial;
  struct cgroup group = cgroup_none();
  unsigned number = atomic_fetch_add(&serial, 1) + 1;
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++) {
    if (!here.bases[i])
      continue;
    scoped_text char *prefix = prefix_here();
    scoped_text char *folder = memory_format("%s/%s%d-%u", here.bases[i], prefix, getpid(), number);
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
      continue;
    scoped_text char *procs = memory_format("%s/cgroup.procs", folder);
    int fd = limits_set(here.kind, i, folder, memory_bytes, tasks)
                 ? open(procs, O_WRONLY | O_CLOEXEC)
                 : -1;
    if (fd < 0) {
      rmdir(folder);
      continue;
    }
    group.kind = here.kind;
    group.procs_fds[i] = fd;
    group.folders[i] = steal_pointer(&folder);
  }
  return group;
}

static bool is_shared(void) {
  return here.shared[0] || here.shared[1];
}

struct cgroup cgroup_create(uint64_t memory_bytes, unsigned tasks) {
  if (cgroup_kind_here() == CGROUP_NONE)
    return cgroup_none();
  if (!is_shared())
    return group_make(memory_bytes, tasks);
  struct cgroup group = cgroup_none();
  group.kind = here.kind;
  group.shared = true;
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++)
    group.folders[i] = here.shared[i] ? memory_text(here.shared[i]) : NULL;
  group.kills_before = group.folders[0] ? kills_count(group.kind, group.folders[0]) : 0;
  return group;
}

void cgroup_share(uint64_t memory_bytes, unsigned tasks) {
  if (cgroup_kind_here() == CGROUP_NONE || is_shared())
    return;
  struct cgroup group = group_make(memory_bytes, tasks);
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++)
    if (group.folders[i] && write(group.procs_fds[i], "0", 1) == 1)
      here.shared[i] = steal_pointer(&group.folders[i]);
  cgroup_remove(&group);
}

void cgroup_tidy(pid_t maker) {
  if (cgroup_kind_here() == CGROUP_NONE)
    return;
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++)
    if (here.bases[i])
      stale_remove(here.bases[i], maker);
}

void cgroup_remove(struct cgroup *group) {
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++) {
    scope_close_fd(&group->procs_fds[i]);
    if (group->folders[i] && !group->shared)
      group_end(group->folders[i], true);
    free(group->folders[i]);
  }
  *group = cgroup_none();
}

bool cgroup_out_of_memory(const struct cgroup *group) {
  return group->folders[0] && kills_count(group->kind, group->folders[0]) > group->kills_before;
}
