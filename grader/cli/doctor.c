/* wiregrade doctor: what this machine can do, and how to mend what it cannot. */
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/cli/cli.h"
#include "grader/cli/doctor_probes.h"
#include "grader/result/page.h"
#include "grader/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
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

enum part { PART_GRADING, PART_CLOCK, PART_CONTAINMENT };
static const char *const part_names[] = {N_("Grading"), N_("The virtual clock"), N_("Containment")};

struct examination {
  const char *name;
  enum part part;
  enum need need;
  probe *probe;
  bool inside; /* after sandbox_enter */
  const char *mend;
};

static const char mend_kernel[] = N_(
    "This needs Linux 5.19 or later, and, in a container, a seccomp profile that allows it: docker "
    "run --security-opt seccomp=unconfined");
static const char mend_groups[] = N_(
    "Run wiregrade as root; or, as an ordinary user of a system with systemd and control groups of "
    "version 2: systemd-run --user --scope -p Delegate=yes wiregrade ... In a container: docker run "
    "--privileged --cgroupns private");
static const char mend_report[] = N_(
    "This should hold wherever namespaces can be made: please report it, with the kernel's version");
static const char mend_trace[] = N_(
    "In a container: docker run --cap-add SYS_PTRACE --security-opt seccomp=unconfined. Else: sudo "
    "sysctl -w kernel.yama.ptrace_scope=1 (3 forbids it to everybody)");

static const struct examination examinations[] = {
    {N_("namespaces (users, mounts, processes)"), PART_GRADING, NEEDED, probe_namespaces, false,
     NULL},
    {N_("a sandbox that runs /bin/true"), PART_GRADING, NEEDED, probe_sandbox, true, NULL},
    {N_("a network namespace with lo up"), PART_GRADING, NEEDED, probe_network, true, NULL},
    {N_("a packet socket that sees lo"), PART_GRADING, NEEDED, probe_packets, true,
     N_("In a container: docker run --cap-add NET_RAW --cap-add NET_ADMIN, or --privileged")},
    {N_("tables of UDP and TCP sockets (sock_diag)"), PART_GRADING, NEEDED, probe_socket_tables,
     true, N_("Load the modules: sudo modprobe -a udp_diag tcp_diag")},
    {N_("copies of a program's descriptors (pidfd_getfd)"), PART_GRADING, NEEDED, probe_descriptors,
     true, mend_trace},
    {N_("a C compiler (cc)"), PART_GRADING, NEEDED, probe_compiler, false,
     N_("sudo apt install gcc libc6-dev")},
    {N_("libcurl and OpenSSL, for labs with HTTP"), PART_GRADING, FOR_STRENGTH, probe_libraries,
     false, N_("sudo apt install libcurl4-openssl-dev libssl-dev")},
    {N_("make"), PART_GRADING, NEEDED, probe_make, false, N_("sudo apt install make")},
    {N_("python3, for submissions in Python"), PART_GRADING, FOR_STRENGTH, probe_python, false,
     N_("sudo apt install python3")},
    {N_("an overlay, so that programs can write beside themselves"), PART_GRADING, FOR_STRENGTH,
     probe_overlay, true,
     N_("sudo modprobe overlay. Without it the submission's folder is read-only for its programs")},
    {N_("notification of system calls (seccomp)"), PART_CLOCK, FOR_VIRTUAL, probe_notification,
     true, mend_kernel},
    {N_("the same, with signals kept pending"), PART_CLOCK, FOR_VIRTUAL, probe_notification_signals,
     true, mend_kernel},
    {N_("tracing at execve (ptrace seize)"), PART_CLOCK, FOR_VIRTUAL, probe_trace, true,
     mend_trace},
    {N_("comparing descriptors (kcmp)"), PART_CLOCK, FOR_VIRTUAL, probe_compare, true, mend_trace},
    {N_("a program is an ordinary user without capabilities, for good"), PART_CONTAINMENT, NEEDED,
     probe_user, true, mend_report},
    {N_("it sees no process, network, shared memory or mount but its own"), PART_CONTAINMENT,
     NEEDED, probe_layers_namespaces, true, mend_report},
    {N_("it writes nowhere but to a small /tmp, and sees no homes"), PART_CONTAINMENT, NEEDED,
     probe_layers_files, true, mend_report},
    {N_("system calls that reach beyond are refused (seccomp)"), PART_CONTAINMENT, NEEDED,
     probe_layers_calls, true, mend_report},
    {N_("processes, files and CPU time are limited"), PART_CONTAINMENT, NEEDED, probe_layers_limits,
     true, mend_report},
    {N_("memory is limited by the kernel"), PART_CONTAINMENT, FOR_STRENGTH, probe_layers_memory,
     true, mend_groups},
    {N_("nothing of it outlives it"), PART_CONTAINMENT, NEEDED, probe_layers_end, true,
     mend_report},
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
    return N_("User namespaces are switched off: sudo sysctl -w user.max_user_namespaces=15000");
  if (number_in("/proc/sys/kernel/unprivileged_userns_clone") == 0)
    return N_("User namespaces are for root only here: sudo sysctl -w "
              "kernel.unprivileged_userns_clone=1, or run wiregrade with sudo");
  if (number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
    return N_(
        "AppArmor takes the rights away in new user namespaces (Ubuntu 23.10 and later): sudo "
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run wiregrade with sudo");
  return N_("In a container: docker run --privileged; or --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined --cap-add SYS_ADMIN --cap-add NET_ADMIN "
            "--cap-add SYS_PTRACE. Else run wiregrade with sudo");
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
    return _("ok");
  return examination->need == FOR_STRENGTH ? _("weaker") : _("no");
}

static void finding_print(const struct page *page, const struct examination *examination,
                          const struct finding *finding) {
  bool works = finding->outcome == 0;
  if (finding->untried) {
    scoped_text char *words =
        language_sentence("%s: not tried, for want of namespaces", examination->name);
    page_paragraph(page, PAGE_ODD, "?", INDENT, words, 0);
    return;
  }
  scoped_text char *text =
      works && finding->detail.sentence[0]
          ? memory_format("%s: %s", _(examination->name), finding->detail.sentence)
          : memory_text(_(examination->name));
  enum page_style style = works                               ? PAGE_GOOD
                          : examination->need == FOR_STRENGTH ? PAGE_ODD
                                                              : PAGE_BAD;
  page_paragraph(page, style, finding_word(examination, finding), INDENT, text, 0);
  if (works)
    return;
  page_paragraph(page, PAGE_PLAIN, "", INDENT, finding->detail.sentence, 0);
  page_paragraph(page, PAGE_PLAIN, "", INDENT,
                 _(examination->mend ? examination->mend : mend_namespaces()), 0);
}

/* The same for a program that reads. */
static json_t *finding_json(const struct examination *examination, const struct finding *finding) {
  static const char *const needs[] = {
      [NEEDED] = "needed", [FOR_VIRTUAL] = "virtual clock", [FOR_STRENGTH] = "strength"};
  bool works = finding->outcome == 0;
  const char *mend = examination->mend ? examination->mend : mend_namespaces();
  return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s}", "name", _(examination->name), "part",
                   _(part_names[examination->part]), "need", needs[examination->need], "holds",
                   finding->untried ? json_null() : json_boolean(works), "detail",
                   finding->detail.sentence, "mend", works ? "" : _(mend));
}

static const char *conclusion(const unsigned lacking[3], enum page_style *style) {
  *style = lacking[NEEDED] ? PAGE_BAD : lacking[FOR_VIRTUAL] ? PAGE_ODD : PAGE_GOOD;
  if (lacking[NEEDED])
    return _("Grading cannot work here until what is missing is mended.");
  if (lacking[FOR_VIRTUAL])
    return _("Grading works here on the real clock only: wiregrade grade --clock real.");
  return lacking[FOR_STRENGTH]
             ? _("Grading works here, and contains what it runs; what is weaker is "
                 "said above.")
             : _("Grading works here, and contains what it runs.");
}

/* Examines everything; what is found is printed at once, or, if `list` is not NULL, added there. */
static void examine_all(const struct page *page, json_t *list, unsigned lacking[3]) {
  bool namespaces = true;
  for (size_t i = 0; i < EXAMINATION_COUNT; i++) {
    const struct examination *examination = &examinations[i];
    struct finding finding = {.outcome = -1, .untried = examination->inside && !namespaces};
    if (!list && (i == 0 || examination->part != examinations[i - 1].part)) {
      page_gap(page);
      page_line(page, PAGE_STRONG, _(part_names[examination->part]));
    }
    if (!finding.untried)
      finding = examine(examination);
    if (examination->probe == probe_namespaces)
      namespaces = finding.outcome == 0;
    lacking[examination->need] += finding.outcome != 0;
    if (list)
      json_array_append_new(list, finding_json(examination, &finding));
    else
      finding_print(page, examination, &finding);
  }
}

static void doctor_print(const struct utsname *kernel, unsigned lacking[3]) {
  struct page page = page_for(stdout);
  scoped_text char *line =
      language_sentence("%s %s on %s", kernel->sysname, kernel->release, kernel->machine);
  page_line(&page, PAGE_STRONG, line);
  examine_all(&page, NULL, lacking);
  enum page_style style;
  const char *words = conclusion(lacking, &style);
  page_gap(&page);
  page_paragraph(&page, style, "", 0, words, 0);
}

static void doctor_dump(const struct utsname *kernel, unsigned lacking[3]) {
  json_t *list = json_array();
  examine_all(NULL, list, lacking);
  enum page_style style;
  json_t *document =
      json_pack("{s:s, s:s, s:o, s:s}", "kernel", kernel->release, "machine", kernel->machine,
                "examinations", list, "conclusion", conclusion(lacking, &style));
  json_dumpf(document, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(document);
}

int command_doctor(const struct command *command, int argc, char **argv) {
  static const struct option options[] = {
      {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
  int option;
  bool json = false;
  while ((option = cli_option(command, argc, argv, options)) != -1) {
    if (option != 'j')
      return option == CLI_HELP ? cli_printed(CLI_PASSED) : CLI_USAGE;
    json = true;
  }
  if (optind < argc)
    return cli_usage(command, "'%s' is one word too many", argv[optind]);
  struct utsname kernel = {.release = ""};
  uname(&kernel);
  unsigned lacking[3] = {0};
  if (json)
    doctor_dump(&kernel, lacking);
  else
    doctor_print(&kernel, lacking);
  return cli_printed(lacking[NEEDED] ? CLI_ERROR : CLI_PASSED);
}
