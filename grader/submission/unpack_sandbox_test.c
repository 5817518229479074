/* What the process that reads an archive can do, and what its words are worth. */
#include "grader/submission/unpack_inner.h"

#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[] = "/tmp/unpack-test-XXXXXX";
static struct failure failure;

/* Which of the things that it must not be able to do it can do, once it is confined: a bit each. */
static int try_all(const void *context) {
  (void)context;
  static struct unpack_report report;
  setenv("UNPACK_TEST", "secret", 1);
  const char *secret = getenv("UNPACK_TEST");
  if (!secret || !unpack_confine(&report))
    return 64;
  return (socket(AF_INET, SOCK_DGRAM, 0) >= 0) | (fork() >= 0) << 1 |
         (mknodat(AT_FDCWD, "pipe", S_IFIFO | 0600, 0) == 0) << 2 |
         (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
             << 3 |
         (mmap(NULL, (UNPACK_MEMORY_MIB + 1) << 20, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
             << 4 |
         (*secret != '\0') << 5;
}

/* Its exit status; in a fork, since Criterion's process has a second thread, which may be in the
 * middle of malloc.
 */
static int confined_try(void) {
  struct sandbox_spec spec = {.folder = folder,
                              .folder_mode = SANDBOX_FOLDER_WRITABLE,
                              .argv = (char *const[]){"try", NULL},
                              .function = try_all,
                              .netns_fd = -1,
                              .stdin_fd = -1,
                              .stdout_fd = -1,
                              .stderr_fd = -1,
                              .cpu = -1};
  pid_t pid = fork();
  if (pid == 0) {
    struct sandbox sandbox;
    struct sandbox_status ended;
    bool good = sandbox_start(&spec, &sandbox, &failure) == 0 &&
                read(sandbox.status_fd, &ended, sizeof ended) == (ssize_t)sizeof ended &&
                WIFEXITED(ended.wait_status);
    _exit(good ? WEXITSTATUS(ended.wait_status) : 128);
  }
  int status;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

Test(unpack_sandbox, what_reads_it_can_do_little_else) {
  enum sandbox_mode mode;
  cr_assert(sandbox_enter(&mode, &failure) == 0 && mkdtemp(folder));
  int bits = confined_try();
  rmdir(folder);
  cr_assert_eq(bits, 0, "%#x", bits);
}

/* Whatever it says is only printed. */
Test(unpack_sandbox, what_it_says_is_not_believed) {
  struct unpack_report report = {.word = UNPACK_WORDS + 7};
  cr_assert_eq(unpack_explain(&report, &(struct unpack_limits){0}, &failure), UNPACK_REFUSED);
  cr_assert(strstr(failure.sentence, "made no sense"), "%s", failure.sentence);
  report.word = UNPACK_WORD_HARD_OUTSIDE;
  memset(report.name, 'n', sizeof report.name); /* without an end */
  memset(report.detail, '\n', sizeof report.detail);
  cr_assert_eq(unpack_explain(&report, &(struct unpack_limits){0}, &failure), UNPACK_REFUSED);
  cr_assert_null(strchr(failure.sentence, '\n'));
  report.notes[UNPACK_NOTE_LINK].count = UINT32_MAX;
  memset(report.notes[UNPACK_NOTE_LINK].names, 'x', sizeof report.notes[UNPACK_NOTE_LINK].names);
  scoped_text char *notes = unpack_notes(&report);
  cr_assert(strstr(notes, "and 4294967292 more: left out"), "%s", notes);
}
