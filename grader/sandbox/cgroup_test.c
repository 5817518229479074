/* What the kernel limits for all processes of a sandbox together, and that no group stays. Where a
 * machine gives no groups, that is what is tested. */
#include "grader/sandbox/cgroup.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static enum sandbox_mode mode;

static void begin(void) {
  struct failure failure;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
}

TestSuite(cgroup, .init = begin, .timeout = 60);

static struct sandbox python_start(const char *script, struct sandbox_limits limits) {
  struct sandbox_spec spec = {
      .folder = "/usr/share",
      .argv = (char *const *)(const char *const[]){"python3", "-c", script, NULL},
      .netns_fd = -1,
      .stdin_fd = -1,
      .stdout_fd = -1,
      .stderr_fd = -1,
      .cpu = -1,
      .limits = limits,
  };
  struct sandbox sandbox;
  struct failure failure;
  cr_assert_eq(sandbox_start(&spec, &sandbox, &failure), 0, "%s", failure.sentence);
  return sandbox;
}

/* Waits until `main` has ended, or 20 s. */
static bool ends(const struct sandbox *sandbox, struct sandbox_status *status) {
  struct pollfd ended = {.fd = sandbox->status_fd, .events = POLLIN};
  return poll(&ended, 1, 20000) == 1 &&
         read(sandbox->status_fd, status, sizeof *status) == sizeof *status;
}

static bool group_exists(const struct cgroup *group) {
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++)
    if (group->folders[i] && access(group->folders[i], F_OK) == 0)
      return true;
  return false;
}

/* Files in memory are nobody's resident memory, so that only the kernel sees what they take. */
Test(cgroup, files_in_memory_count) {
  static const char hog[] = "import os\n"
                            "for i in range(40):\n"
                            "  fd = os.memfd_create('a')\n"
                            "  for k in range(16): os.write(fd, bytes(1 << 20))\n";
  struct sandbox sandbox = python_start(
      hog, (struct sandbox_limits){.memory_bytes = 64 << 20, .scratch_bytes = 16 << 20});
  struct sandbox_status status = {.wait_status = -1};
  bool ended = ends(&sandbox, &status);
  bool limited = sandbox.group.kind != CGROUP_NONE && sandbox.group.folders[0];
  bool exceeded = sandbox_memory_exceeded(&sandbox, 1ull << 40);
  sandbox_kill(&sandbox);
  cr_expect_eq(exceeded, limited, "640 MiB in files, with a group: %d", limited);
  if (!limited)
    cr_expect(ended && status.wait_status == 0);
  else if (ended) /* with memory.oom.group process 1 goes too, and cannot tell */
    cr_expect(WIFSIGNALED(status.wait_status) && WTERMSIG(status.wait_status) == SIGKILL);
}

Test(cgroup, a_program_within_its_limits_is_left_alone) {
  struct sandbox sandbox =
      python_start("bytearray(20 << 20)", (struct sandbox_limits){.memory_bytes = 64 << 20});
  struct sandbox_status status = {.wait_status = -1};
  cr_expect(ends(&sandbox, &status));
  cr_expect_eq(status.wait_status, 0);
  cr_expect_not(sandbox_memory_exceeded(&sandbox, 64 << 20));
  sandbox_kill(&sandbox);
}

Test(cgroup, everything_of_a_sandbox_is_in_its_group_which_goes_with_it) {
  struct sandbox sandbox =
      python_start("import os, time\nos.fork()\ntime.sleep(100)", (struct sandbox_limits){0});
  struct cgroup copy = sandbox.group;
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++) {
    copy.folders[i] = copy.folders[i] ? memory_text(copy.folders[i]) : NULL;
    if (!copy.folders[i])
      continue;
    scoped_text char *path = memory_format("%s/cgroup.procs", copy.folders[i]);
    int lines = 0;
    for (int tries = 0; lines < 3 && tries < 200; tries++, usleep(10000)) {
      scoped_file FILE *file = fopen(path, "re");
      char line[32];
      for (lines = 0; file && fgets(line, sizeof line, file);)
        lines++;
    }
    cr_expect_eq(lines, 3, "%s has %d processes, not init, main and its child", path, lines);
  }
  cr_expect_eq(group_exists(&copy), copy.kind != CGROUP_NONE);
  sandbox_kill(&sandbox);
  cr_expect_not(group_exists(&copy), "a group is left behind");
  for (size_t i = 0; i < CGROUP_HIERARCHIES; i++)
    free(copy.folders[i]);
}

/* A maker that is killed leaves its group to whoever makes the next. */
Test(cgroup, of_a_maker_that_is_gone_is_removed) {
  char kept[256] = "";
  int ends[2];
  cr_assert_eq(pipe(ends), 0);
  pid_t pid = fork();
  cr_assert(pid >= 0);
  if (pid == 0) {
    struct cgroup group = cgroup_create(64 << 20, 10);
    const char *folder = group.folders[0] ? group.folders[0] : group.folders[1];
    ssize_t ignored = write(ends[1], folder ? folder : "", folder ? strlen(folder) : 0);
    (void)ignored;
    raise(SIGKILL);
  }
  close(ends[1]);
  ssize_t length = read(ends[0], kept, sizeof kept - 1);
  cr_assert(length >= 0);
  cr_assert_eq(waitpid(pid, NULL, 0), pid);
  bool had = *kept;
  cr_expect_eq(had && access(kept, F_OK) == 0, had);
  enum cgroup_kind kind = cgroup_kind_here();
  cr_expect_eq(kind != CGROUP_NONE, had);
  cr_expect_neq(access(kept, F_OK), 0, "%s is still there", kept);
}

/* In a process of its own, since that is moved. */
Test(cgroup, a_shared_one_ends_what_is_in_sandboxes_first) {
  pid_t pid = fork();
  if (pid == 0) {
    cgroup_share(256 << 20, 200);
    struct sandbox modest =
        python_start("import time; time.sleep(100)", (struct sandbox_limits){0});
    struct sandbox sandbox = python_start("import os\n"
                                          "for i in range(40):\n"
                                          "  fd = os.memfd_create('a')\n"
                                          "  for k in range(16): os.write(fd, bytes(1 << 20))\n",
                                          (struct sandbox_limits){0});
    struct sandbox_status status = {.wait_status = -1};
    bool ended = ends(&sandbox, &status);
    bool limited = sandbox.group.kind != CGROUP_NONE && sandbox.group.folders[0];
    bool whole = ended && status.wait_status == 0; /* process 1 may have gone too, and not tell */
    bool good = sandbox_memory_exceeded(&sandbox, 1ull << 40) == limited && whole == !limited;
    sandbox_kill(&sandbox); /* only then is its memory free */
    struct sandbox next = python_start("pass", (struct sandbox_limits){0});
    good = good && ends(&next, &status) && status.wait_status == 0 &&
           !sandbox_memory_exceeded(&next, 1ull << 40);
    sandbox_kill(&next);
    sandbox_kill(&modest);
    _exit(!good);
  }
  int status;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_expect_eq(status, 0, "status %x", (unsigned)status);
  cgroup_tidy(pid);
}

/* ---- version 2, with files that look like its groups ---- */

static char tree[64];

static void group_put(const char *path, const char *controllers, const char *subtree,
                      const char *procs) {
  scoped_text char *command =
      memory_format("mkdir -p '%s%s' && cd '%s%s' && echo '%s' >cgroup.controllers && echo '%s' "
                    ">cgroup.subtree_control && printf '%s' >cgroup.procs",
                    tree, path, tree, path, controllers, subtree, procs);
  cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c): a command of our own
}

static void expect_base(const char *own, bool root, const char *wanted) {
  static const char *const controllers[] = {"memory", "pids", NULL};
  scoped_text char *base = cgroup_v2_base(tree, own, controllers, root);
  scoped_text char *whole = wanted ? memory_format("%s%s", tree, wanted) : NULL;
  cr_expect_eq(base != NULL, whole != NULL, "%s: %s", own, base ? base : "nowhere");
  if (base && whole)
    cr_expect_str_eq(base, whole);
}

static void tree_remove(void) {
  scoped_text char *command = memory_format("rm -rf '%s'", tree);
  cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c): a path of our own making
}

Test(cgroup, version_2_is_used_where_it_may_be) {
  snprintf(tree, sizeof tree, "/tmp/cgroup-test-XXXXXX");
  cr_assert(mkdtemp(tree));
  scoped_text char *self = memory_format("%d\\n", getpid());
  scoped_text char *others = memory_format("%d\\n%d\\n", getpid(), getpid() + 1);
  group_put("", "cpu memory pids", "memory pids cpu", "");
  group_put("/alone", "memory pids", "", self);
  group_put("/shared", "memory pids", "", others);
  group_put("/poor", "memory", "", self);
  group_put("/ready", "memory pids", "pids memory", others);
  group_put("/moved/wiregrade-grader", "memory pids", "", self);
  expect_base("/moved/wiregrade-grader", false, "/moved");
  expect_base("/ready", false, "/ready");
  expect_base("/", false, "");
  expect_base("/shared", false, NULL);
  expect_base("/shared", true, "");
  expect_base("/poor", false, NULL);
  tree_remove();
}

/* The real thing, with whatever controller this machine's hierarchy of version 2 has. */
Test(cgroup, version_2_gives_a_process_that_is_alone_a_leaf) {
  static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
  for (size_t i = 0; mode == SANDBOX_ROOT && i < 2; i++) {
    char controller[32] = "";
    scoped_text char *listed = memory_format("%s/cgroup.subtree_control", mounts[i]);
    scoped_file FILE *file = fopen(listed, "re");
    scoped_text char *path = memory_format("%s/wiregrade-test-%d", mounts[i], getpid());
    if (!file || mkdir(path, 0755) < 0)
      continue;
    if (fscanf(file, "%31s", controller) != 1)
      snprintf(controller, sizeof controller, "memory");
    pid_t pid = fork();
    if (pid == 0) {
      scoped_text char *procs = memory_format("%s/cgroup.procs", path);
      scoped_fd int fd = open(procs, O_WRONLY);
      if (fd < 0 || write(fd, "0", 1) != 1)
        _exit(3);
      scoped_text char *own = memory_format("/wiregrade-test-%d", getppid());
      scoped_text char *has = memory_format("%s/cgroup.controllers", path);
      char text[128] = "";
      scoped_fd int has_fd = open(has, O_RDONLY);
      bool given =
          has_fd >= 0 && read(has_fd, text, sizeof text - 1) > 0 && strstr(text, controller);
      scoped_text char *base =
          cgroup_v2_base(mounts[i], own, (const char *const[]){controller, NULL}, false);
      _exit(given ? !(base && strcmp(base, path) == 0) : base != NULL);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    scoped_text char *leaf = memory_format("%s/wiregrade-grader", path);
    rmdir(leaf);
    rmdir(path);
    cr_expect_eq(status, 0, "%s, controller %s: status %x", mounts[i], controller,
                 (unsigned)status);
  }
}
