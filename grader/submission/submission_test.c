/* The way of a folder: copied, built, its programs found. */
#include "grader/submission/submission.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/submission/copy.h"
#include "grader/submission/manifest.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static char folder[64];
static double limit_s; /* of the build */

static void folder_begin(void) {
  limit_s = 20;
  snprintf(folder, sizeof folder, "/tmp/submission-test-XXXXXX");
  cr_assert(mkdtemp(folder));
}

static void folder_end(void) {
  scoped_text char *command = memory_format("rm -rf '%s'", folder);
  cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c): a path of our own making
}

static char *path_of(const char *name) {
  return memory_format("%s/%s", folder, name);
}

static void file_make(const char *name, const char *contents, mode_t mode) {
  scoped_text char *path = path_of(name);
  scoped_file FILE *file = fopen(path, "we");
  cr_assert(file);
  fputs(contents, file);
  cr_assert_eq(fchmod(fileno(file), mode), 0);
}

static void folder_make(const char *name) {
  scoped_text char *path = path_of(name);
  cr_assert_eq(mkdir(path, 0755), 0);
}

static const char *const programs[] = {"udp-server", "udp-client", "udp-client-safe"};

static struct submission *open_folder(void) {
  struct failure failure;
  enum sandbox_mode mode;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  struct submission_spec spec = {.folder = folder,
                                 .programs = programs,
                                 .program_count = 3,
                                 .build_limit_s = limit_s,
                                 .jobs = 2};
  struct submission *submission;
  cr_assert_eq(submission_open(&spec, &submission, &failure), SUBMISSION_READY, "%s",
               failure.sentence);
  return submission;
}

/* The command of a program, its words joined by blanks; or why it is missing, after "! ". */
static char *command_of(struct submission *submission, const char *program) {
  struct failure failure;
  struct manifest *manifest = manifest_load(submission_manifest(submission), &failure);
  cr_assert(manifest, "%s", failure.sentence);
  const char *missing;
  char *const *argv = manifest_find(manifest, program, &missing);
  char *text = argv ? memory_text("") : memory_format("! %s", missing);
  for (; argv && *argv; argv++) {
    char *longer = memory_format("%s%s%s", text, *text ? " " : "", *argv);
    free(text);
    text = longer;
  }
  manifest_free(manifest);
  return text;
}

static void expect_command(struct submission *submission, const char *program, const char *wanted) {
  scoped_text char *command = command_of(submission, program);
  cr_assert_str_eq(command, wanted);
  cr_assert_eq(!submission_missing(submission, program), *wanted != '!');
}

TestSuite(submission, .init = folder_begin, .fini = folder_end);

Test(submission, finds_programs_in_the_order_of_the_rules) {
  folder_make("bin");
  file_make("bin/udp_server", "#!/bin/sh\n", 0755);
  file_make("udp-server", "#!/bin/sh\n", 0755);
  file_make("udp-server.py", "", 0644);
  file_make("udp_client", "#!/bin/sh\n", 0755);
  file_make("udp-client.c", "nonsense", 0644);
  file_make("udp_client_safe.py", "", 0644);
  struct submission *submission = open_folder();
  expect_command(submission, "udp-server", "./bin/udp_server");
  expect_command(submission, "udp-client", "./udp_client");
  expect_command(submission, "udp-client-safe", "python3 udp_client_safe.py");
  cr_assert(submission_build(submission).ok);
  submission_close(submission);
}

Test(submission, says_first_what_wiregrade_yaml_says) {
  folder_make("bin");
  file_make("bin/udp-server", "#!/bin/sh\n", 0755);
  file_make("own", "#!/bin/sh\n", 0755);
  file_make("data", "", 0644);
  file_make(
      "wiregrade.yaml",
      "programs:\n  udp_server: own -p 'a b'\n  udp-client: [python3, x.py]\n  udp-client-safe: ./data\n",
      0644);
  struct submission *submission = open_folder();
  expect_command(submission, "udp-server", "./own -p a b");
  expect_command(submission, "udp-client", "python3 x.py");
  expect_command(submission, "udp-client-safe",
                 "! wiregrade.yaml says ./data, which is not executable (chmod +x)");
  submission_close(submission);
}

Test(submission, compiles_single_c_files_where_there_is_no_makefile) {
  file_make("udp_server.c", "#include <pthread.h>\nint main(void) { return 0; }\n", 0644);
  file_make("udp-client.c", "int main(void) {\n  return missing;\n}\n", 0644);
  struct submission *submission = open_folder();
  expect_command(submission, "udp-server", "./.wiregrade/udp-server");
  scoped_text char *complaint = command_of(submission, "udp-client");
  cr_assert(strstr(complaint, "udp-client.c could not be compiled: udp-client.c:2:"), "%s",
            complaint);
  cr_assert_not(submission_build(submission).ok);
  cr_assert(strstr(submission_build(submission).log, "missing"));
  submission_close(submission);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How long the build took; `log`: what it must say in the end. */
static double build_with(const char *recipe, double limit, const char *log) {
  scoped_text char *makefile = memory_format("all:\n\t%s; echo made\n", recipe);
  file_make("Makefile", makefile, 0644);
  limit_s = limit;
  double begun = seconds();
  struct submission *submission = open_folder();
  double taken = seconds() - begun;
  cr_assert(strstr(submission_build(submission).log, log), "%s", submission_build(submission).log);
  submission_close(submission);
  return taken;
}

Test(submission, ends_a_build_that_waits) {
  double taken = build_with("sleep 60", 2, "make did not end within 2 s");
  cr_assert(taken >= 2 && taken < 6, "%g", taken);
}

Test(submission, ends_a_build_that_computes_for_ever) {
  double taken = build_with("while :; do :; done", 2, "make did not end within 2 s");
  cr_assert(taken >= 2 && taken < 20, "%g", taken);
}

/* As on a machine that is busy with others. */
Test(submission, lets_a_build_go_on_that_has_had_little_of_a_processor) {
  double taken = build_with(
      "for i in 1 2 3 4 5 6 7 8 9; do seq 1000000 >/dev/null; sleep 0.3; done", 2, "\nmade\n");
  cr_assert(taken > 2.7, "%g", taken);
}

Test(submission, runs_make_once_and_without_network) {
  file_make(
      "Makefile",
      "all: udp-server broken udp-client\nudp-server:\n\tprintf '#!/bin/sh\\n' > $@; chmod +x $@; echo once >> log\n"
      "udp-client:\n\tgrep -q lo: /proc/net/dev && [ $$(grep -c : /proc/net/dev) = 1 ] && [ $$(id -u) != 0 ] && "
      "! [ -e /root/. ] && cp udp-server $@\nbroken:\n\t@echo 'x.c:7:1: error: no'; false\n",
      0644);
  file_make("udp-client-safe.c", "int main(void) { return 0; }\n", 0644);
  struct submission *submission = open_folder();
  expect_command(submission, "udp-server", "./udp-server");
  expect_command(submission, "udp-client", "./udp-client");
  scoped_text char *missing = command_of(submission, "udp-client-safe");
  cr_assert(strstr(missing, "only where there is no Makefile") &&
                strstr(missing, "make failed: x.c:7:1: error: no"),
            "%s", missing);
  cr_assert_not(submission_build(submission).ok);
  submission_close(submission);
  scoped_text char *made = path_of("udp-server"); /* the original is only read */
  cr_assert_neq(access(made, F_OK), 0);
}

static void expect_complaint(const char *recipe, const char *program, const char *wanted) {
  scoped_text char *makefile = memory_format("all:\n%s", recipe);
  file_make("Makefile", makefile, 0644);
  struct submission *submission = open_folder();
  scoped_text char *missing = command_of(submission, program);
  cr_assert(strstr(missing, wanted), "%s", missing);
  submission_close(submission);
}

Test(submission, shows_the_line_that_says_most) {
  file_make("a.c", "int util(void);\nint main(void) { return util(); }\n", 0644);
  expect_complaint("\tcc -o a a.c\n", "udp-server", "undefined reference to `util'");
  expect_complaint("\tcc -o no-folder/a a.c -Dutil=main\n", "udp-server",
                   "cannot open output file");
  expect_complaint("\t@echo 'fatal: nobody is there'; exit 3\n", "udp-server",
                   "make failed: fatal: nobody is there");
  expect_complaint("\t@echo 'x.go:2:1: no such module; to add:'; printf '\\tgo get x\\n'; exit 1\n",
                   "udp-server", "make failed: x.go:2:1: no such module");
}

Test(submission, says_what_is_there_instead) {
  folder_make("src");
  file_make("src/udp_client.c", "", 0644);
  file_make("udp-client-safe.cpp", "", 0644);
  file_make("wiregrade.yaml", "programs:\n  udp-sever: python3 a.py\n", 0644);
  struct submission *submission = open_folder();
  const char *const wanted[][2] = {{"udp-server", "wiregrade.yaml has a program called udp-sever"},
                                   {"udp-client", "there is src/udp_client.c,"},
                                   {"udp-client-safe", "there is udp-client-safe.cpp,"}};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    scoped_text char *missing = command_of(submission, wanted[i][0]);
    cr_assert(strstr(missing, wanted[i][1]), "%s", missing);
  }
  submission_close(submission);
}

Test(submission, ends_a_build_that_floods_and_goes_on_without_it) {
  file_make(
      "Makefile",
      "all:\n\tyes 'x.c:1:1: error: flood' | head -c 30000000; (setsid sleep 999 &); exit 1\n",
      0644);
  struct submission *submission = open_folder();
  const char *log = submission_build(submission).log;
  cr_assert(strlen(log) < 100000 && strstr(log, "left out"), "%zu", strlen(log));
  cr_assert_lt(submission_build(submission).duration_s, 15);
  submission_close(submission);
}

Test(submission, copies_what_a_folder_may_hold) {
  folder_make("sub");
  file_make("sub/udp-server", "#!/bin/sh\n", 04755);
  file_make("secret", "x", 0600);
  folder_make(".git");
  scoped_text char *link = path_of("udp-server"), *outside = path_of("udp-client.py"),
                   *fifo = path_of("udp-client");
  cr_assert(symlink("sub/udp-server", link) == 0 && symlink("../../etc/passwd", outside) == 0 &&
            mkfifo(fifo, 0777) == 0);
  struct submission *submission = open_folder();
  expect_command(submission, "udp-server", "./udp-server");
  scoped_text char *missing =
      command_of(submission, "udp-client"); /* neither the pipe nor the link is a program */
  cr_assert_eq(missing[0], '!', "%s", missing);
  submission_close(submission);
}

/* ---- copying, and its limits ---- */

static void expect_refusal(struct copy_limits limits, const char *why) {
  char to[] = "/tmp/submission-test-copy-XXXXXX";
  cr_assert(mkdtemp(to));
  scoped_text char *copy = memory_format("%s/copy", to),
                   *command = memory_format("rm -rf '%s'", to);
  struct failure failure;
  cr_assert_eq(copy_folder(folder, copy, 0, limits, &failure), COPY_UNREADABLE);
  cr_assert(strstr(failure.sentence, why), "%s", failure.sentence);
  cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c): a path of our own making
}

Test(submission, too_much_is_refused_with_the_place) {
  struct copy_limits limits = {.bytes = 1000, .files = 10};
  expect_refusal(limits, "is an empty folder");
  file_make("large", "", 0644);
  scoped_text char *large = path_of("large");
  cr_assert_eq(truncate(large, 2000), 0);
  expect_refusal(limits, "too large: more than 0 MiB with large");
  limits.bytes = 1 << 30;
  char name[600] = "d";
  for (int depth = 0; depth < 100; depth++, strcat(name, "/d"))
    folder_make(name);
  expect_refusal(limits, "too many files: more than 10");
  limits.files = 1000;
  expect_refusal(limits, "nested too deeply");
}

Test(submission, what_is_no_folder_is_refused) {
  struct failure failure;
  struct submission *submission;
  struct submission_spec spec = {.folder = "/tmp/no/such/folder"};
  cr_assert_eq(submission_open(&spec, &submission, &failure), SUBMISSION_UNREADABLE);
  cr_assert_null(submission);
  scoped_text char *fifo = path_of("fifo");
  cr_assert_eq(mkfifo(fifo, 0644), 0);
  spec.folder = fifo;
  cr_assert_eq(submission_open(&spec, &submission, &failure), SUBMISSION_UNREADABLE);
  cr_assert(strstr(failure.sentence, "is not a folder"), "%s", failure.sentence);
}
