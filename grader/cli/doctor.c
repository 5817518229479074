/* wiregrade doctor: what this machine can do, and how to mend what it cannot. */
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/cli.h"
#include "grader/cli/doctor_probes.h"
#include "grader/result/page.h"
#include "grader/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

enum { PROBE_LIMIT_MS = 20000, INDENT = 8 };

enum need {
  NEEDED,       /* grading cannot work without */
  FOR_VIRTUAL,  /* the virtual clock cannot; --clock real can */
  FOR_STRENGTH, /* grading works, with less than it could have */
};

struct examination {
  const char *name;
  enum need need;
  probe *probe;
  bool inside; /* after sandbox_enter */
  const char *mend;
};

static const char mend_kernel[] =
    "This needs Linux 5.19 or later, and, in a container, a seccomp profile that allows it: docker "
    "run --security-opt seccomp=unconfined";
static const char mend_trace[] =
    "In a container: docker run --cap-add SYS_PTRACE --security-opt seccomp=unconfined. Else: sudo "
    "sysctl -w kernel.yama.ptrace_scope=1 (3 forbids it to everybody)";

static const struct examination examinations[] = {
    {"namespaces (users, mounts, processes)", NEEDED, probe_namespaces, false, NULL},
    {"a sandbox that runs /bin/true", NEEDED, probe_sandbox, true, NULL},
    {"a network namespace with lo up", NEEDED, probe_network, true, NULL},
    {"a packet socket that sees lo", NEEDED, probe_packets, true,
     "In a container: docker run --cap-add NET_RAW --cap-add NET_ADMIN, or --privileged"},
    {"tables of UDP and TCP sockets (sock_diag)", NEEDED, probe_socket_tables, true,
     "Load the modules: sudo modprobe -a udp_diag tcp_diag"},
    {"copies of a program's descriptors (pidfd_getfd)", NEEDED, probe_descriptors, true,
     mend_trace},
    {"notification of system calls (seccomp)", FOR_VIRTUAL, probe_notification, true, mend_kernel},
    {"the same, with signals kept pending", FOR_VIRTUAL, probe_notification_signals, true,
     mend_kernel},
    {"tracing at execve (ptrace seize)", FOR_VIRTUAL, probe_trace, true, mend_trace},
    {"comparing descriptors (kcmp)", FOR_VIRTUAL, probe_compare, true, mend_trace},
    {"a C compiler (cc)", NEEDED, probe_compiler, false, "sudo apt install gcc libc6-dev"},
    {"libcurl and OpenSSL, for labs with HTTP", FOR_STRENGTH, probe_libraries, false,
     "sudo apt install libcurl4-openssl-dev libssl-dev"},
    {"make", NEEDED, probe_make, false, "sudo apt install make"},
    {"python3, for submissions in Python", FOR_STRENGTH, probe_python, false,
     "sudo apt install python3"},
    {"an overlay, so that programs can write beside themselves", FOR_STRENGTH, probe_overlay, true,
     "sudo modprobe overlay. Without it the submission's folder is read-only for its programs"},
};
enum { EXAMINATION_COUNT = sizeof examinations / sizeof *examinations };

static int number_in(const char *path) {
  scoped_file FILE *file = fopen(path, "re");
  int number;
  return file && fscanf(file, "%d", &number) == 1 ? number : -1;
}

/* Who denies namespaces differs from machine to machine, and each has its own key. */
static const char *mend_namespaces(void) {
  if (number_in("/proc/sys/user/max_user_namespaces") == 0)
    return "User namespaces are switched off: sudo sysctl -w user.max_user_namespaces=15000";
  if (number_in("/proc/sys/kernel/unprivileged_userns_clone") == 0)
    return "User namespaces are for root only here: sudo sysctl -w "
           "kernel.unprivileged_userns_clone=1, or run wiregrade with sudo";
  if (number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
    return "AppArmor takes the rights away in new user namespaces (Ubuntu 23.10 and later): sudo "
           "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run wiregrade with sudo";
  return "In a container: docker run --privileged; or --security-opt seccomp=unconfined "
         "--security-opt apparmor=unconfined --cap-add SYS_ADMIN --cap-add NET_ADMIN "
         "--cap-add SYS_PTRACE. Else run wiregrade with sudo";
}

struct finding {
  int outcome; /* 0 or -1 */
  bool untried;
  struct failure detail;
};

static _Noreturn void probe_run(const struct examination *examination, int fd) {
  struct finding finding = {0};
  enum sandbox_mode mode;
  if (examination->inside && sandbox_enter(&mode, &finding.detail))
    finding.outcome = -1;
  else
    finding.outcome = examination->probe(&finding.detail);
  _exit(write(fd, &finding, sizeof finding) != (ssize_t)sizeof finding);
}

/* In a process of its own: it may enter namespaces, hang, or be killed by a seccomp profile. */
static struct finding examine(const struct examination *examination) {
  struct finding finding = {.outcome = -1};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) {
    failure_errno(&finding.detail, "Cannot make a pipe");
    return finding;
  }
  scoped_fd int ours = ends[0], theirs = ends[1];
  pid_t pid = fork();
  if (pid < 0) {
    failure_errno(&finding.detail, "Cannot start a process");
    return finding;
  }
  if (pid == 0)
    probe_run(examination, theirs);
  close(steal_fd(&theirs));
  struct pollfd wait = {ours, POLLIN, 0};
  int ready;
  while ((ready = poll(&wait, 1, PROBE_LIMIT_MS)) < 0 && errno == EINTR)
    ;
  if (ready == 0)
    failure_set(&finding.detail, "It did not come to an end");
  else if (read(ours, &finding, sizeof finding) != (ssize_t)sizeof finding) {
    finding.outcome = -1;
    failure_set(&finding.detail, "The kernel killed the attempt");
  }
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return finding;
}

static const char *finding_word(const struct examination *examination,
                                const struct finding *finding) {
  if (finding->outcome == 0)
    return "ok";
  return examination->need == FOR_STRENGTH ? "weaker" : "no";
}

static void finding_print(const struct page *page, const struct examination *examination,
                          const struct finding *finding) {
  bool works = finding->outcome == 0;
  if (finding->untried) {
    scoped_text char *words =
        memory_format("%s: not tried, for want of namespaces", examination->name);
    page_paragraph(page, PAGE_ODD, "?", INDENT, words, 0);
    return;
  }
  scoped_text char *text =
      works && finding->detail.sentence[0]
          ? memory_format("%s: %s", examination->name, finding->detail.sentence)
          : memory_text(examination->name);
  enum page_style style = works                               ? PAGE_GOOD
                          : examination->need == FOR_STRENGTH ? PAGE_ODD
                                                              : PAGE_BAD;
  page_paragraph(page, style, finding_word(examination, finding), INDENT, text, 0);
  if (works)
    return;
  page_paragraph(page, PAGE_PLAIN, "", INDENT, finding->detail.sentence, 0);
  page_paragraph(page, PAGE_PLAIN, "", INDENT,
                 examination->mend ? examination->mend : mend_namespaces(), 0);
}

int command_doctor(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
  int option;
  while ((option = cli_option(command, argc, argv, options)) != -1)
    return option == CLI_HELP ? cli_printed(CLI_PASSED) : CLI_USAGE;
  if (optind < argc)
    return cli_usage(command, "'%s' is one word too many", argv[optind]);

  struct page page = page_for(stdout);
  struct utsname name;
  if (uname(&name) == 0) {
    scoped_text char *kernel =
        memory_format("%s %s on %s", name.sysname, name.release, name.machine);
    page_line(&page, PAGE_STRONG, kernel);
  }
  unsigned lacking[3] = {0};
  bool namespaces = true;
  for (size_t i = 0; i < EXAMINATION_COUNT; i++) {
    struct finding finding = {.outcome = -1, .untried = examinations[i].inside && !namespaces};
    if (!finding.untried)
      finding = examine(&examinations[i]);
    if (examinations[i].probe == probe_namespaces)
      namespaces = finding.outcome == 0;
    finding_print(&page, &examinations[i], &finding);
    lacking[examinations[i].need] += finding.outcome != 0;
  }
  page_gap(&page);
  if (lacking[NEEDED])
    page_paragraph(&page, PAGE_BAD, "", 0,
                   "Grading cannot work here until what is missing is mended.", 0);
  else if (lacking[FOR_VIRTUAL])
    page_paragraph(&page, PAGE_ODD, "", 0,
                   "Grading works here on the real clock only: wiregrade grade --clock real.", 0);
  else
    page_paragraph(&page, PAGE_GOOD, "", 0, "Grading works here.", 0);
  return cli_printed(lacking[NEEDED] ? CLI_ERROR : CLI_PASSED);
}
