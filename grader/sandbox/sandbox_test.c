/* What a program sees and can do in its sandbox, what becomes of it, and that nothing of it stays.
 */
#include "grader/sandbox/sandbox.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static enum sandbox_mode mode;
static char folder[64];

static void begin(void) {
  struct failure failure;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  snprintf(folder, sizeof folder, "/tmp/sandbox-test-XXXXXX");
  cr_assert(mkdtemp(folder));
  cr_assert_eq(chmod(folder, 0755), 0);
  if (mode == SANDBOX_ROOT)
    cr_assert_eq(chown(folder, sandbox_user(), sandbox_user()), 0);
}

static void end(void) {
  scoped_text char *command = memory_format("rm -rf '%s'", folder);
  cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c): a path of our own making
}

TestSuite(sandbox, .init = begin, .fini = end);

static struct sandbox_spec spec_of(char *const *argv) {
  return (struct sandbox_spec){.folder = folder,
                               .argv = argv,
                               .netns_fd = -1,
                               .stdin_fd = -1,
                               .stdout_fd = -1,
                               .stderr_fd = -1,
                               .cpu = -1};
}

static struct sandbox_status status_of(const struct sandbox *sandbox) {
  struct sandbox_status status = {.wait_status = -1};
  struct pollfd ended = {.fd = sandbox->status_fd, .events = POLLIN};
  cr_assert_eq(poll(&ended, 1, 20000), 1, "it does not end");
  cr_assert_eq(read(sandbox->status_fd, &status, sizeof status), sizeof status);
  return status;
}

/* Runs a command in a sandbox made by `spec`; returns what it printed on stdout and stderr. */
static const char *output_with(struct sandbox_spec spec, int *wait_status) {
  static char text[16384];
  int ends[2];
  cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
  spec.stdout_fd = spec.stderr_fd = ends[1];
  struct sandbox sandbox;
  struct failure failure;
  cr_assert_eq(sandbox_start(&spec, &sandbox, &failure), 0, "%s", failure.sentence);
  close(ends[1]);
  struct sandbox_status status = status_of(&sandbox);
  sandbox_kill(&sandbox);
  ssize_t length = 0;
  for (ssize_t got; (got = read(ends[0], text + length, sizeof text - 1 - (size_t)length)) > 0;)
    length += got;
  text[length] = '\0';
  close(ends[0]);
  *wait_status = status.wait_status;
  return text;
}

static const char *shell(const char *script) {
  int status;
  const char *text =
      output_with(spec_of((char *const[]){"sh", "-c", (char *)script, NULL}), &status);
  cr_assert_eq(status, 0, "%s: status %x: %s", script, (unsigned)status, text);
  return text;
}

#define EXPECT_OUTPUT(script, wanted)                                                              \
  cr_assert_str_eq(shell(script), wanted, "%s: %s", script, shell(script))
/* The command must fail. */
#define EXPECT_REFUSED(command)                                                                    \
  EXPECT_OUTPUT("if " command " 2>/dev/null; then echo done; else echo refused; fi", "refused\n")

static struct sandbox_status run(struct sandbox_spec spec) {
  struct sandbox sandbox;
  struct failure failure;
  cr_assert_eq(sandbox_start(&spec, &sandbox, &failure), 0, "%s", failure.sentence);
  struct sandbox_status status = status_of(&sandbox);
  sandbox_kill(&sandbox);
  return status;
}

/* ---- how it ends ---- */

Test(sandbox, tells_how_a_program_ended) {
  struct sandbox_status status = run(spec_of((char *const[]){"sh", "-c", "exit 7", NULL}));
  cr_assert(status.exec_errno == 0 && WIFEXITED(status.wait_status) &&
            WEXITSTATUS(status.wait_status) == 7);
  status = run(spec_of((char *const[]){"sh", "-c", "kill -SEGV $$", NULL}));
  cr_assert(WIFSIGNALED(status.wait_status) && WTERMSIG(status.wait_status) == SIGSEGV);
  cr_assert_eq(run(spec_of((char *const[]){"no-such-program", NULL})).exec_errno, ENOENT);
  cr_assert_eq(run(spec_of((char *const[]){"/etc/passwd", NULL})).exec_errno, EACCES);
  cr_assert_eq(run(spec_of((char *const[]){"/proc/self/exe", NULL})).exec_errno != 0, true);
}

static void executable_make(const char *name, const char *contents, size_t length) {
  char *path = NULL;
  cr_assert_gt(asprintf(&path, "%s/%s", folder, name), 0);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
  cr_assert_eq(write(fd, contents, length), (ssize_t)length);
  close(fd);
  free(path);
}

Test(sandbox, runs_a_script_without_an_interpreter_as_shells_do) {
  static const char script[] = "echo \"$# $1 $2\"; exit 7\n";
  executable_make("script", script, strlen(script));
  int status;
  cr_assert_str_eq(output_with(spec_of((char *const[]){"./script", "a b", "c", NULL}), &status),
                   "2 a b c\n");
  cr_assert_eq(WEXITSTATUS(status), 7);
  cr_assert_str_eq(output_with(spec_of((char *const[]){"./script", NULL}), &status), "0  \n");
}

Test(sandbox, does_not_run_the_program_of_another_machine) {
  static const char program[] = "\xcf\xfa\xed\xfe\x07\x00\x00\x01\n";
  executable_make("program", program, sizeof program);
  cr_assert_eq(run(spec_of((char *const[]){"./program", NULL})).exec_errno, ENOEXEC);
}

/* ---- what it is ---- */

Test(sandbox, is_an_ordinary_user_without_rights) {
  EXPECT_OUTPUT(
      "id -u; grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs' /proc/self/status | tr -d '\\t'",
      "1000\nCapInh:0000000000000000\nCapPrm:0000000000000000\nCapEff:0000000000000000\n"
      "CapBnd:0000000000000000\nCapAmb:0000000000000000\nNoNewPrivs:1\n");
  EXPECT_OUTPUT(
      "pwd; echo $HOME $TERM $TZ $USER; hostname 2>/dev/null || cat /proc/sys/kernel/hostname",
      "/submission\n/tmp dumb UTC student\nstudent\n");
  EXPECT_REFUSED("mount -t tmpfs tmpfs /tmp");
  EXPECT_REFUSED("unshare -U true");
  EXPECT_OUTPUT("kill -9 1 2>/dev/null; sleep 0.1; cat /proc/1/comm", "init\n");
  EXPECT_REFUSED("chroot / true");
}

Test(sandbox, shows_its_own_processes_only) {
  EXPECT_OUTPUT("echo /proc/[0-9]*", "/proc/1 /proc/2\n"); /* init and sh, which starts nothing */
  EXPECT_OUTPUT("tr -d '\\0' </proc/1/cmdline; cat /proc/1/comm", "init\n");
  EXPECT_REFUSED("readlink /proc/1/exe");
  EXPECT_REFUSED("cat /proc/1/fd/0");
  EXPECT_REFUSED("cat /proc/1/environ");
}

/* ---- what it sees of the machine ---- */

Test(sandbox, shows_a_read_only_system_and_no_homes) {
  EXPECT_REFUSED("touch /usr/x");
  EXPECT_REFUSED("touch /etc/x");
  EXPECT_REFUSED("touch /x");
  EXPECT_REFUSED("ls /root");
  EXPECT_REFUSED("ls /home");
  EXPECT_REFUSED("cat /etc/shadow");
  EXPECT_OUTPUT("ls -A /tmp /dev/shm /var/tmp", "/dev/shm:\n\n/tmp:\n\n/var/tmp:\n");
  EXPECT_OUTPUT("touch /tmp/x /dev/shm/x /var/tmp/x && echo good", "good\n");
  EXPECT_OUTPUT("cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' '", "lo\n");
}

Test(sandbox, gives_no_descriptor_but_three) {
  int secret = open("/etc/passwd", O_RDONLY); /* without O_CLOEXEC */
  cr_assert_geq(secret, 0);
  EXPECT_OUTPUT("ls /proc/self/fd", "0\n1\n2\n3\n"); /* the last is ls's own */
  close(secret);
}

Test(sandbox, opens_its_streams_by_name_too) {
  EXPECT_OUTPUT("echo one >/dev/stderr; echo two >/dev/stdout", "one\ntwo\n");
}

Test(sandbox, has_the_files_that_it_is_given) {
  const struct sandbox_file files[] = {{"/etc/hosts", "1.2.3.4 here\n", 13},
                                       {"/etc/new/file", "new\n", 4}};
  struct sandbox_spec spec = spec_of((char *const[]){
      "sh", "-c", "cat /etc/hosts; cat /etc/new/file; getent passwd $(id -u) | cut -d: -f1", NULL});
  spec.files = files;
  spec.file_count = 2;
  int status;
  cr_assert_str_eq(output_with(spec, &status), "1.2.3.4 here\nnew\nstudent\n");
}

/* ---- the submission's folder ---- */

static const char *folder_listing(void) {
  static char text[4096];
  text[0] = '\0';
  DIR *entries = opendir(folder);
  for (const struct dirent *entry; (entry = readdir(entries));)
    if (entry->d_name[0] != '.')
      snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", entry->d_name);
  closedir(entries);
  return text;
}

Test(sandbox, keeps_writes_where_they_are_meant_to_be) {
  char *const argv[] = {"sh", "-c", "echo x >here && cat here", NULL};
  struct sandbox_spec spec = spec_of(argv);
  int status;
  output_with(spec, &status);
  cr_assert_neq(status, 0, "a read-only folder was written to");
  spec.folder_mode = SANDBOX_FOLDER_SCRATCH;
  cr_assert_str_eq(output_with(spec, &status), "x\n");
  cr_assert_str_eq(folder_listing(), "", "a write went through to the folder");
  spec.folder_mode = SANDBOX_FOLDER_WRITABLE;
  cr_assert_str_eq(output_with(spec, &status), "x\n");
  cr_assert_str_eq(folder_listing(), "here ");
}

Test(sandbox, builds_c_programs) {
  struct sandbox_spec spec = spec_of((char *const[]){
      "sh", "-c", "echo 'int main(void) { return 3; }' >x.c && cc x.c -o x && ./x; echo $?", NULL});
  spec.folder_mode = SANDBOX_FOLDER_WRITABLE;
  int status;
  cr_assert_str_eq(output_with(spec, &status), "3\n");
}

/* ---- limits ---- */

Test(sandbox, limits_what_can_be_used_up) {
  struct sandbox_spec spec = spec_of((char *const[]){
      "sh", "-c",
      "head -c 9000000 /dev/zero >/tmp/x 2>/dev/null; stat -c %s /tmp/x; rm /tmp/x\n"
      "i=0; while [ $i -lt 300 ] && touch /tmp/f$i; do i=$((i+1)); done 2>/dev/null; [ $i -lt 200 ] && echo inodes\n"
      "ulimit -n; ulimit -c; rm -f /tmp/f*",
      NULL});
  spec.limits =
      (struct sandbox_limits){.scratch_bytes = 4 << 20, .scratch_inodes = 100, .descriptors = 50};
  int status;
  const char *text = output_with(spec, &status);
  long size = strtol(text, NULL, 10);
  cr_assert(size > 0 && size <= 4 << 20, "%s", text);
  cr_assert(strstr(text, "\ninodes\n50\n0\n"), "%s", text);
}

Test(sandbox, tells_how_much_memory_is_used) {
  struct sandbox_spec spec =
      spec_of((char *const[]){"python3", "-c", "x = b'x' * 300000000; input()", NULL});
  int ends[2];
  cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
  spec.stdin_fd = ends[0];
  struct sandbox sandbox;
  struct failure failure;
  cr_assert_eq(sandbox_start(&spec, &sandbox, &failure), 0, "%s", failure.sentence);
  uint64_t used = 0;
  for (int i = 0; i < 1500 && used < 300000000; i++, poll(NULL, 0, 20))
    used = sandbox_memory_used(&sandbox);
  cr_assert(used >= 300000000 && used < 400000000, "%ju", (uintmax_t)used);
  sandbox_kill(&sandbox);
}

Test(sandbox, holds_a_fork_bomb) {
  struct sandbox_spec spec =
      spec_of((char *const[]){"sh", "-c", "bomb() { bomb | bomb & }; bomb; sleep 1; exit 0", NULL});
  spec.limits.processes = 40;
  struct sandbox sandbox;
  struct failure failure;
  cr_assert_eq(sandbox_start(&spec, &sandbox, &failure), 0, "%s", failure.sentence);
  poll(NULL, 0, 700);
  int count = 0;
  DIR *entries = fdopendir(openat(sandbox.proc_fd, ".", O_RDONLY | O_DIRECTORY));
  for (const struct dirent *entry; (entry = readdir(entries));)
    count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
  closedir(entries);
  cr_assert_leq(count, 42, "%d processes", count);
  sandbox_kill(&sandbox);
}

/* ---- the end ---- */

static int count_in(const char *path) {
  DIR *entries = opendir(path);
  int count = 0;
  while (readdir(entries))
    count++;
  closedir(entries);
  return count;
}

Test(sandbox, leaves_nothing_of_those_who_hide) {
  int before = count_in("/proc/self/fd");
  for (int i = 0; i < 100; i++) {
    struct sandbox_spec spec = spec_of((char *const[]){
        "sh", "-c",
        "trap '' TERM INT HUP QUIT; (setsid sh -c 'sleep 999 & sleep 999' &) ; setsid sleep 999 & wait",
        NULL});
    struct sandbox sandbox;
    struct failure failure;
    cr_assert_eq(sandbox_start(&spec, &sandbox, &failure), 0, "%s", failure.sentence);
    if (i % 2)
      poll(NULL, 0, i % 7);
    sandbox_kill(&sandbox);
  }
  cr_assert_eq(count_in("/proc/self/fd"), before);
  cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
}

/* A caller that is killed takes all of it along. */
Test(sandbox, dies_with_its_caller) {
  int ends[2];
  cr_assert_eq(pipe(ends), 0);
  pid_t caller = fork();
  if (caller == 0) {
    struct sandbox_spec spec =
        spec_of((char *const[]){"sh", "-c", "setsid sleep 999 & sleep 999", NULL});
    spec.stdout_fd = ends[1]; /* held open by whoever lives */
    struct sandbox sandbox;
    struct failure failure;
    _exit(sandbox_start(&spec, &sandbox, &failure) ? 1 : pause());
  }
  close(ends[1]);
  poll(NULL, 0, 300);
  kill(caller, SIGKILL);
  waitpid(caller, NULL, 0);
  char byte;
  struct pollfd closed = {.fd = ends[0], .events = POLLIN};
  cr_assert_eq(poll(&closed, 1, 5000), 1, "somebody still has the pipe open");
  cr_assert_eq(read(ends[0], &byte, 1), 0);
}

/* ---- what the world's supervisor needs ---- */

Test(sandbox, lets_its_caller_watch) {
  static struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {4, instructions};
  struct sandbox_spec spec =
      spec_of((char *const[]){"python3", "-c", "import os, sys; sys.exit(os.getppid())", NULL});
  spec.notify_filter = &filter;
  spec.main_pid = 4711;
  spec.cpu = sched_getcpu();
  struct sandbox sandbox;
  struct failure failure;
  cr_assert_eq(sandbox_start(&spec, &sandbox, &failure), 0, "%s", failure.sentence);
  struct seccomp_notif call = {0};
  struct pollfd ready = {.fd = sandbox.notify_fd, .events = POLLIN};
  cr_assert_eq(poll(&ready, 1, 10000), 1);
  cr_assert_eq(ioctl(sandbox.notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &call), 0);
  cr_assert_eq((pid_t)call.pid, sandbox.main_pid);
  scoped_fd int state = openat(sandbox.proc_fd, "4711/syscall", O_RDONLY);
  char text[256] = "";
  cr_assert(state >= 0 && read(state, text, sizeof text - 1) > 0 && atoi(text) == SYS_getppid, "%s",
            text);
  scoped_fd int pidfd = (int)syscall(SYS_pidfd_open, sandbox.main_pid, 0);
  scoped_fd int copy = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
  cr_assert_geq(copy, 0, "pidfd_getfd: %s", strerror(errno));
  cr_assert_eq(ptrace(PTRACE_SEIZE, sandbox.main_pid, 0, 0), 0, "ptrace: %s", strerror(errno));
  cr_assert_eq(ptrace(PTRACE_INTERRUPT, sandbox.main_pid, 0, 0), 0);
  struct seccomp_notif_resp answer = {.id = call.id, .val = 42};
  cr_assert_eq(ioctl(sandbox.notify_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
  int stopped;
  cr_assert(waitpid(sandbox.main_pid, &stopped, __WALL) == sandbox.main_pid && WIFSTOPPED(stopped));
  cr_assert_eq(ptrace(PTRACE_DETACH, sandbox.main_pid, 0, 0), 0);
  struct sandbox_status status = status_of(&sandbox);
  cr_assert(WIFEXITED(status.wait_status) && WEXITSTATUS(status.wait_status) == 42);
  sandbox_kill(&sandbox);
}
