/* The program's root file system: a small read-only tmpfs that holds the host's system folders
 * (read-only), a fresh /proc, a few devices, and one size-limited tmpfs, `.scratch` while we build,
 * whose folders become /tmp, /var/tmp, /run, /dev/shm and the upper layer of /submission. What is
 * not named here is not there. */
#include "grader/sandbox/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <sys/mount.h> and <linux/mount.h> cannot be included together on every libc, so the calls are
 * made by number. */
static int mount_old(const char *source, const char *target, const char *type, unsigned long flags,
                     const char *data) {
  return (int)syscall(SYS_mount, source, target, type, flags, data);
}

static int tree_open(int from_fd, const char *path, unsigned flags) {
  return (int)syscall(SYS_open_tree, from_fd, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int tree_attach(int tree_fd, const char *target) {
  return (int)syscall(SYS_move_mount, tree_fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

static int tree_restrict(int tree_fd, uint64_t attributes, unsigned flags) {
  struct mount_attr attr = {.attr_set = attributes};
  return (int)syscall(SYS_mount_setattr, tree_fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr);
}

static void need(const struct plan *plan, bool good, const char *step, const char *detail) {
  if (!good)
    start_fail(plan->shared, step, detail);
}

enum {
  GUARDED = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
  FIXED = GUARDED | MOUNT_ATTR_RDONLY,
};

/* A new mount of a file system type; options come in pairs and end with NULL. Returns its
 * descriptor. */
static int filesystem_create(const char *type, const char *const *options, unsigned attributes) {
  int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0)
    return -1;
  int error = 0;
  for (; options && options[0] && !error; options += 2)
    error = (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, options[0], options[1], 0);
  if (!error)
    error = (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  int fd = error ? -1 : (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
  int kept = errno;
  close(context);
  errno = kept;
  return fd;
}

static bool bind_at(int from_fd, const char *from, const char *to, unsigned flags,
                    uint64_t attributes) {
  int tree = tree_open(from_fd, from, flags);
  if (tree < 0)
    return false;
  bool good = (!attributes || tree_restrict(tree, attributes, flags & AT_RECURSIVE) == 0) &&
              tree_attach(tree, to) == 0;
  int kept = errno;
  close(tree);
  errno = kept;
  return good;
}

/* The host's system folders. On a merged-/usr system most are symbolic links, which stay links. */
static void system_folders(const struct plan *plan) {
  static const char *const folders[] = {"/usr",   "/bin",   "/sbin",   "/lib",
                                        "/lib64", "/lib32", "/libx32", "/opt"};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    const char *name = folders[i] + 1;
    char target[PATH_MAX];
    ssize_t length = readlink(folders[i], target, sizeof target - 1);
    if (length >= 0) {
      target[length] = '\0';
      need(plan, symlink(target, name) == 0, "cannot make a link in the new root", folders[i]);
    } else if (errno != ENOENT) {
      need(plan, mkdir(name, 0755) == 0, "cannot make a folder in the new root", folders[i]);
      need(plan, bind_at(AT_FDCWD, folders[i], name, AT_RECURSIVE, FIXED), "cannot bind",
           folders[i]);
    }
  }
}

/* Empty folders over the grader's own, where those are to be seen at all. */
static void hidden_cover(const struct plan *plan) {
  for (size_t i = 0; i < plan->hidden_count; i++) {
    const char *inside = plan->hidden[i] + 1;
    struct stat status;
    if (stat(inside, &status) < 0)
      continue;
    int empty = filesystem_create("tmpfs", (const char *const[]){"size", "4k", NULL}, FIXED);
    need(plan, empty >= 0 && tree_attach(empty, inside) == 0, "cannot hide", plan->hidden[i]);
    close(empty);
  }
}

static void devices(const struct plan *plan) {
  static const char *const nodes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                      "/dev/urandom"};
  static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},
                                         {"/proc/self/fd/0", "dev/stdin"},
                                         {"/proc/self/fd/1", "dev/stdout"},
                                         {"/proc/self/fd/2", "dev/stderr"}};
  need(plan, mkdir("dev", 0755) == 0 && mkdir("dev/shm", 01777) == 0,
       "cannot make a folder in the new root", "/dev");
  for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
    need(plan, mknod(nodes[i] + 1, S_IFREG | 0666, 0) == 0, "cannot make a file in the new root",
         nodes[i]);
    need(plan, bind_at(AT_FDCWD, nodes[i], nodes[i] + 1, 0, 0), "cannot bind", nodes[i]);
  }
  for (size_t i = 0; i < sizeof links / sizeof *links; i++)
    need(plan, symlink(links[i][0], links[i][1]) == 0, "cannot make a link in the new root",
         links[i][1]);
}

static void scratch_create(const struct plan *plan) {
  const char *const options[] = {
      "mode", "0755", "size", plan->scratch_size, "nr_inodes", plan->scratch_inodes, NULL};
  int fd = filesystem_create("tmpfs", options, GUARDED);
  need(plan, fd >= 0 && mkdir(".scratch", 0755) == 0 && tree_attach(fd, ".scratch") == 0,
       "cannot mount a tmpfs of limited size", NULL);
  close(fd);
  static const struct {
    const char *inside, *path;
    mode_t mode;
  } folders[] = {
      {".scratch/tmp", "tmp", 01777},
      {".scratch/var-tmp", "var/tmp", 01777},
      {".scratch/shm", "dev/shm", 01777},
      {".scratch/run", "run", 0755},
  };
  need(plan,
       mkdir("tmp", 0755) == 0 && mkdir("run", 0755) == 0 && mkdir("var", 0755) == 0 &&
           mkdir("var/tmp", 0755) == 0,
       "cannot make a folder in the new root", "/tmp");
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
    need(plan,
         mkdir(folders[i].inside, folders[i].mode) == 0 &&
             chmod(folders[i].inside, folders[i].mode) == 0 &&
             bind_at(AT_FDCWD, folders[i].inside, folders[i].path, 0, 0),
         "cannot make", folders[i].path);
}

/* Inside a user namespace overlayfs keeps its notes in user.* attributes: it may not write
 * trusted.* ones. */
static bool overlay_mount(const struct plan *plan, const char *target, const char *layers,
                          unsigned long flags) {
  char options[256];
  snprintf(options, sizeof options, "%s%s", layers,
           plan->mode == SANDBOX_ROOTLESS ? ",userxattr" : "");
  return mount_old("overlay", target, "overlay", flags, options) == 0;
}

static bool folder_overlay(const struct plan *plan, int folder_fd) {
  char layers[128];
  snprintf(layers, sizeof layers,
           "lowerdir=/proc/self/fd/%d,upperdir=.scratch/upper,workdir=.scratch/work", folder_fd);
  return mkdir(".scratch/upper", 0755) == 0 && mkdir(".scratch/work", 0755) == 0 &&
         (!plan->root || chown(".scratch/upper", plan->uid, plan->uid) == 0) &&
         overlay_mount(plan, "submission", layers, MS_NOSUID | MS_NODEV);
}

static void folder_mount(const struct plan *plan, int folder_fd) {
  need(plan, mkdir("submission", 0755) == 0, "cannot make a folder in the new root",
       SANDBOX_FOLDER);
  enum sandbox_folder mode = plan->spec->folder_mode;
  if (mode == SANDBOX_FOLDER_SCRATCH && folder_overlay(plan, folder_fd))
    return;
  need(plan,
       bind_at(folder_fd, "", "submission", AT_EMPTY_PATH | AT_RECURSIVE,
               mode == SANDBOX_FOLDER_WRITABLE ? GUARDED : FIXED),
       "cannot bind", plan->spec->folder);
}

/* "/etc/ssl/x" of the spec as ".scratch/files/etc/ssl/x", with the folders on the way to it. */
static void file_write(const struct plan *plan, const struct sandbox_file *file) {
  char path[PATH_MAX] = ".scratch/files";
  size_t begin = strlen(path);
  size_t length = strlen(file->path);
  need(plan, begin + length < sizeof path, "cannot replace a file", file->path);
  for (size_t i = 0; i <= length; i++) {
    if (i && file->path[i] == '/')
      need(plan, mkdir(path, 0755) == 0 || errno == EEXIST, "cannot make the folder of",
           file->path);
    path[begin + i] = file->path[i];
  }
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  need(plan, fd >= 0 && write(fd, file->contents, file->length) == (ssize_t)file->length,
       "cannot write", file->path);
  close(fd);
}

/* A layer over the host's /etc replaces what is there and adds what is not, symbolic links
 * included. Where overlayfs cannot be had, files can only be bound over files that exist. */
static void etc_mount(const struct plan *plan) {
  need(plan,
       mkdir("etc", 0755) == 0 && mkdir(".scratch/files", 0755) == 0 &&
           mkdir(".scratch/files/etc", 0755) == 0,
       "cannot make a folder in the new root", "/etc");
  for (size_t i = 0; i < plan->file_count; i++)
    file_write(plan, &plan->files[i]);
  if (overlay_mount(plan, "etc", "lowerdir=.scratch/files/etc:/etc",
                    MS_RDONLY | MS_NOSUID | MS_NODEV))
    return;
  need(plan, bind_at(AT_FDCWD, "/etc", "etc", AT_RECURSIVE, FIXED), "cannot bind", "/etc");
  for (size_t i = 0; i < plan->file_count; i++) {
    char from[PATH_MAX];
    snprintf(from, sizeof from, ".scratch/files%s", plan->files[i].path);
    need(plan, bind_at(AT_FDCWD, from, plan->files[i].path + 1, 0, FIXED),
         "cannot bind a file over", plan->files[i].path);
  }
}

static void setting_put(const char *path, const char *value) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  ssize_t ignored = fd < 0 ? 0 : write(fd, value, strlen(value));
  (void)ignored; /* before Linux 5.19 only the machine's own root may, and its limits hold */
  close(fd);
}

/* System V objects outlive their processes and are nobody's memory, as far as /proc knows; so their
 * sum is limited, for this ipc namespace (sysvipc(7)). */
static void shared_memory_limit(void) {
  setting_put("proc/sys/kernel/shmall", "16384"); /* pages: 64 MiB */
  setting_put("proc/sys/kernel/msgmni", "256");   /* queues, of 16 KiB */
}

/* An ordinary user owns the namespaces' settings (of ipc, and of pid since Linux 6.14), and so does
 * that user's program. */
static void proc_mount(const struct plan *plan) {
  int proc = filesystem_create("proc", NULL, GUARDED | MOUNT_ATTR_NOEXEC);
  need(plan, proc >= 0 && mkdir("proc", 0755) == 0 && tree_attach(proc, "proc") == 0,
       "cannot mount /proc", NULL);
  close(proc);
  shared_memory_limit();
  need(plan, bind_at(AT_FDCWD, "proc/sys", "proc/sys", 0, FIXED | MOUNT_ATTR_NOEXEC), "cannot bind",
       "/proc/sys");
}

static void root_enter(const struct plan *plan, int root_fd) {
  need(plan, syscall(SYS_umount2, ".scratch", 2 /* MNT_DETACH */) == 0 && rmdir(".scratch") == 0,
       "cannot detach the scratch folder", NULL);
  /* With the same folder twice, the old root ends up on top of the new one and can be taken off at
   * once. */
  need(plan, syscall(SYS_pivot_root, ".", ".") == 0, "cannot enter the new root", NULL);
  need(plan, syscall(SYS_umount2, ".", 2 /* MNT_DETACH */) == 0, "cannot leave the old root", NULL);
  need(plan, tree_restrict(root_fd, FIXED, 0) == 0, "cannot make the new root read-only", NULL);
  need(plan, chdir("/") == 0, "cannot enter the new root", NULL);
}

void root_build(const struct plan *plan) {
  umask(0);
  need(plan, mount_old(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
       "cannot make mounts private", NULL);
  /* Opened here: a descriptor of the caller's leads to the caller's mounts, which cannot be bound
   * here. Opened first: the new root comes over /tmp, where the folder may be. */
  int folder_fd = open(plan->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  need(plan, folder_fd >= 0, "cannot open", plan->folder);
  const char *const options[] = {"mode", "0755", "size", "1m", NULL};
  int root_fd = filesystem_create("tmpfs", options, GUARDED);
  need(plan, root_fd >= 0 && tree_attach(root_fd, "/tmp") == 0 && fchdir(root_fd) == 0,
       "cannot mount a new root", NULL);
  system_folders(plan);
  hidden_cover(plan);
  devices(plan);
  scratch_create(plan);
  etc_mount(plan);
  folder_mount(plan, folder_fd);
  proc_mount(plan);
  root_enter(plan, root_fd);
  close(root_fd);
  close(folder_fd);
}
