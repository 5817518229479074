/* What a start needs to know, put together before the clone. */
#include "grader/sandbox/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *const usual_environment[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "HOME=/tmp",
    "LANG=C.UTF-8",
    "TERM=dumb",
    "TZ=UTC",
    "USER=student",
    "LOGNAME=student",
    NULL,
};

/* ---- the draft: what it points to is on the heap, or the spec's ---- */

static void draft_free(struct plan *plan) {
  if (plan->shared)
    munmap(plan->shared, sizeof *plan->shared);
  for (char **path = plan->paths; path && *path; path++)
    free(*path);
  free(plan->paths);
  free(plan->shell_argv);
  free((void *)plan->files);
  free((void *)plan->folder);
  for (size_t i = 0; i < plan->hidden_count; i++)
    free(plan->hidden[i]);
  free(plan->hosts);
  free(plan->passwd);
  free(plan->group);
  free(plan->host_name_line);
  scope_close_fd(&plan->caller_pidfd);
}

static const char *environment_value(char *const *environment, const char *name) {
  size_t length = strlen(name);
  for (; *environment; environment++)
    if (!strncmp(*environment, name, length) && (*environment)[length] == '=')
      return *environment + length + 1;
  return NULL;
}

static void plan_paths(struct plan *plan) {
  const char *name = plan->argv[0];
  const char *search = environment_value(plan->envp, "PATH");
  size_t count = 0;
  if (strchr(name, '/') || !*name)
    search = NULL;
  else if (!search)
    search = "/usr/local/bin:/usr/bin:/bin";
  plan->paths = memory_zeroed(2 + (search ? strlen(search) : 0), sizeof *plan->paths);
  if (!search)
    plan->paths[count++] = memory_text(name);
  while (search) {
    size_t length = strcspn(search, ":");
    plan->paths[count++] =
        length ? memory_format("%.*s/%s", (int)length, search, name) : memory_text(name);
    search = search[length] ? search + length + 1 : NULL;
  }
}

static void plan_shell(struct plan *plan) {
  size_t count = 0;
  while (plan->argv[count])
    count++;
  plan->shell_argv = memory_zeroed(count + 2, sizeof *plan->shell_argv);
  plan->shell_argv[0] = "/bin/sh";
  plan->shell_argv[1] = ""; /* not NULL, at which its copy would end */
  for (size_t i = 1; i < count; i++)
    plan->shell_argv[i + 1] = plan->argv[i];
}

static bool file_given(const struct sandbox_spec *spec, const char *path) {
  for (size_t i = 0; i < spec->file_count; i++)
    if (!strcmp(spec->files[i].path, path))
      return true;
  return false;
}

static int plan_files(struct plan *plan, struct failure *failure) {
  const struct sandbox_spec *spec = plan->spec;
  if (plan->open && spec->file_count > 0)
    return failure_set(failure,
                       "cannot give a program its own %s without a mount namespace, which "
                       "this machine does not allow",
                       spec->files[0].path);
  /* The host's would name the host; and it may know localhost as ::1, or, in a container where it
   * is a mount of its own, not at all. */
  plan->hosts = memory_format("127.0.0.1\tlocalhost\n127.0.1.1\t%s\n", plan->hostname);
  /* The program's user has a name, under either id that it may get; the host's are not shown. */
  plan->passwd =
      memory_format("root:x:0:0:root:/root:/bin/sh\n"
                    "student:x:%d:%d:student:/tmp:/bin/sh\n"
                    "student:x:%u:%u:student:/tmp:/bin/sh\n"
                    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
                    SANDBOX_INNER_UID, SANDBOX_INNER_UID, sandbox_user(), sandbox_user());
  plan->group = memory_format("root:x:0:\nstudent:x:%d:\nstudent:x:%u:\nnogroup:x:65534:\n",
                              SANDBOX_INNER_UID, sandbox_user());
  plan->host_name_line = memory_format("%s\n", plan->hostname);
  const struct sandbox_file usual[] = {
      {"/etc/passwd", plan->passwd, strlen(plan->passwd)},
      {"/etc/group", plan->group, strlen(plan->group)},
      {"/etc/hosts", plan->hosts, strlen(plan->hosts)},
      {"/etc/hostname", plan->host_name_line, strlen(plan->host_name_line)},
  };
  enum { USUAL = sizeof usual / sizeof *usual };
  struct sandbox_file *files = memory_zeroed(spec->file_count + USUAL, sizeof *files);
  plan->files = files;
  for (size_t i = 0; i < spec->file_count; i++) {
    const char *path = spec->files[i].path;
    if (strncmp(path, "/etc/", 5) != 0 || strstr(path, "/../") || path[strlen(path) - 1] == '/')
      return failure_set(failure, "cannot replace %s in a sandbox: only files below /etc can be",
                         path);
    files[plan->file_count++] = spec->files[i];
  }
  for (size_t i = 0; i < USUAL; i++)
    if (!file_given(spec, usual[i].path))
      files[plan->file_count++] = usual[i];
  return 0;
}

/* What proc(5) tells of this process's memory: where its heap begins, and where the kernel keeps
 * its command line, and so shows it as that of its forks. */
static void plan_memory(struct plan *plan) {
  scoped_file FILE *file = fopen("/proc/self/stat", "re");
  char line[2048];
  if (!file || !fgets(line, sizeof line, file))
    return;
  char *field = strrchr(line, ')');
  enum { HEAP_START = 47, AFTER_NAME = 2 }; /* field numbers of proc(5) */
  for (int i = AFTER_NAME; field && i < HEAP_START; i++)
    field = strchr(field + 1, ' ');
  uintptr_t heap, start, end;
  if (!field || sscanf(field, "%" SCNuPTR " %" SCNuPTR " %" SCNuPTR, &heap, &start, &end) != 3)
    return;
  if (end > start) {
    plan->arguments = (char *)start; // NOLINT(performance-no-int-to-ptr)
    plan->arguments_length = end - start;
  }
  if (heap % (uintptr_t)sysconf(_SC_PAGESIZE) == 0)
    plan->heap = (char *)heap; // NOLINT(performance-no-int-to-ptr)
}

static int draft_make(struct plan *plan, const struct sandbox_spec *spec, struct failure *failure) {
  plan->spec = spec;
  plan->mode = sandbox_mode_now();
  plan->open = sandbox_is_open();
  plan->root = plan->mode == SANDBOX_ROOT;
  plan->uid = plan->root ? spec->uid ? spec->uid : sandbox_user() : 0;
  plan->limits = limits_resolve(spec->limits);
  plan->hostname = spec->hostname ? spec->hostname : "student";
  plan->argv = spec->argv;
  plan->envp = spec->envp ? spec->envp : usual_environment;
  snprintf(plan->id_map, sizeof plan->id_map, "%d %u 1", SANDBOX_INNER_UID, plan->uid);
  snprintf(plan->scratch_size, sizeof plan->scratch_size, "%llu",
           (unsigned long long)plan->limits.scratch_bytes);
  snprintf(plan->scratch_inodes, sizeof plan->scratch_inodes, "%llu",
           (unsigned long long)plan->limits.scratch_inodes);
  plan_paths(plan);
  plan_shell(plan);
  plan_memory(plan);
  plan_hidden(plan);
  plan->folder = realpath(spec->folder, NULL);
  struct stat status;
  if (!plan->folder || stat(plan->folder, &status) < 0)
    return failure_errno(failure, "cannot open the folder %s", spec->folder);
  if (!S_ISDIR(status.st_mode))
    return failure_set(failure, "cannot open the folder %s: it is not a folder", spec->folder);
  plan->shared =
      mmap(NULL, sizeof *plan->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (plan->shared == MAP_FAILED) {
    plan->shared = NULL;
    failure_errno(failure, "cannot map a page for a sandbox");
    return -1;
  }
  plan->caller_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
  if (plan->caller_pidfd < 0)
    return failure_errno(failure, "cannot open a pidfd (Linux 5.12 or later is needed)");
  if (plan_files(plan, failure) < 0)
    return -1;
  return deny_filter(spec->cpu >= 0, &plan->deny, failure);
}

/* ---- the plan: the same in one mapping of its own ---- */

struct layout {
  char *base; /* NULL: only counts how much there is */
  size_t used;
};

static void *lay(struct layout *layout, const void *bytes, size_t length) {
  char *place = layout->base ? layout->base + layout->used : NULL;
  if (place && length)
    memcpy(place, bytes, length);
  size_t aligned = _Alignof(max_align_t);
  layout->used += (length + aligned - 1) / aligned * aligned;
  return place;
}

static char *lay_text(struct layout *layout, const char *text) {
  return text ? lay(layout, text, strlen(text) + 1) : NULL;
}

static char **lay_texts(struct layout *layout, char *const *texts) {
  size_t count = 0;
  while (texts[count])
    count++;
  char **copies = lay(layout, texts, (count + 1) * sizeof *texts);
  for (size_t i = 0; i < count; i++) {
    char *copy = lay_text(layout, texts[i]);
    if (copies)
      copies[i] = copy;
  }
  return copies;
}

static struct sandbox_file *lay_files(struct layout *layout, const struct plan *draft) {
  struct sandbox_file *copies = lay(layout, draft->files, draft->file_count * sizeof *draft->files);
  for (size_t i = 0; i < draft->file_count; i++) {
    struct sandbox_file copy = {.path = lay_text(layout, draft->files[i].path),
                                .contents =
                                    lay(layout, draft->files[i].contents, draft->files[i].length),
                                .length = draft->files[i].length};
    if (copies)
      copies[i] = copy;
  }
  return copies;
}

static struct sock_filter *lay_filter(struct layout *layout, const struct sock_fprog *filter) {
  return lay(layout, filter->filter, filter->len * sizeof *filter->filter);
}

static struct sandbox_spec *lay_spec(struct layout *layout, const struct plan *draft) {
  struct sandbox_spec spec = *draft->spec;
  struct sock_fprog filter;
  spec.argv = spec.envp = NULL; /* the plan has them, and what comes into /etc */
  spec.files = NULL;
  spec.folder = lay_text(layout, spec.folder);
  spec.hostname = NULL;
  if (spec.notify_filter) {
    filter = *spec.notify_filter;
    filter.filter = lay_filter(layout, &filter);
    spec.notify_filter = lay(layout, &filter, sizeof filter);
  }
  return lay(layout, &spec, sizeof spec);
}

static struct plan *lay_plan(struct layout *layout, const struct plan *draft) {
  struct plan *place = lay(layout, draft, sizeof *draft);
  struct plan plan = *draft;
  plan.spec = lay_spec(layout, draft);
  plan.folder = lay_text(layout, draft->folder);
  plan.hostname = lay_text(layout, draft->hostname);
  plan.files = lay_files(layout, draft);
  plan.hosts = plan.passwd = plan.group = plan.host_name_line = NULL; /* they are among the files */
  plan.argv = lay_texts(layout, draft->argv);
  plan.envp = lay_texts(layout, draft->envp);
  plan.paths = lay_texts(layout, draft->paths);
  plan.shell_argv = lay_texts(layout, draft->shell_argv);
  plan.deny.filter = lay_filter(layout, &draft->deny);
  for (size_t i = 0; i < draft->hidden_count; i++)
    plan.hidden[i] = lay_text(layout, draft->hidden[i]);
  if (place)
    *place = plan;
  return place;
}

void sandbox_plan_free(struct plan *plan) {
  munmap(plan->shared, sizeof *plan->shared);
  close(plan->caller_pidfd);
  munmap(plan, plan->length);
}

static struct plan *plan_of(struct plan *draft, struct failure *failure) {
  struct layout layout = {0};
  lay_plan(&layout, draft);
  draft->length = layout.used;
  void *base = mmap(NULL, layout.used, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) {
    failure_errno(failure, "cannot map memory for a sandbox");
    return NULL;
  }
  layout = (struct layout){.base = base};
  struct plan *plan = lay_plan(&layout, draft);
  draft->shared = NULL; /* the plan's from now on */
  draft->caller_pidfd = -1;
  return plan;
}

struct plan *sandbox_plan(const struct sandbox_spec *spec, struct failure *failure) {
  __attribute__((cleanup(draft_free))) struct plan draft = {.caller_pidfd = -1};
  return draft_make(&draft, spec, failure) < 0 ? NULL : plan_of(&draft, failure);
}
