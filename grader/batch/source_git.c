/* A list of git repositories: of each what its HEAD has, as an archive.
 *
 * A repository's configuration can make git start whatever its owner likes (filters, pagers,
 * signature programs, ways to fetch). So git is never run on one here: its folder is copied, and
 * git reads the copy in the sandbox, as the user whom students' programs run as. Hooks are not run
 * by what is asked of it, and would be there. */
#include "grader/batch/source_inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"
#include "grader/submission/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_LOOK = 4096, GIT_LIMIT_MS = 120 * 1000, WORDS_MOST = 4000 };
static const uint64_t repository_bytes = 2ull << 30, repository_files = 200000;
static const uint64_t archive_bytes = 512ull << 20;

/* Archives have zero bytes, or bytes that are no text, in their first bytes. */
bool source_is_list(const char *path) {
  unsigned char bytes[LIST_LOOK];
  scoped_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);
  for (ssize_t i = 0; i < length; i++)
    if (bytes[i] < ' ' && bytes[i] != '\n' && bytes[i] != '\t' && bytes[i] != '\r')
      return false;
  return length > 0 && bytes[0] < 0x80 && strncmp((char *)bytes, "PK", 2) != 0;
}

/* ---- in a process of its own ---- */

struct repository {
  const char *git_folder, *copy, *archive;
};

static int git_await(const struct sandbox *sandbox, struct failure *failure) {
  struct pollfd ended = {.fd = sandbox->status_fd, .events = POLLIN};
  struct sandbox_status status;
  if (poll(&ended, 1, GIT_LIMIT_MS) <= 0)
    return failure_set(failure, "git takes longer than %d s to read it", GIT_LIMIT_MS / 1000);
  if (read(sandbox->status_fd, &status, sizeof status) != (ssize_t)sizeof status)
    return failure_set(failure, "git was killed");
  if (status.exec_errno)
    return failure_set(failure, "git cannot be started: %s", strerror(status.exec_errno));
  return status.wait_status ? failure_set(failure, "git cannot read it") : 0;
}

/* What git complained of, its first line, stands behind the failure. */
static void complaint_add(int words_fd, struct failure *failure) {
  char words[WORDS_MOST];
  ssize_t length = pread(words_fd, words, sizeof words - 1, 0);
  if (length <= 0)
    return;
  words[length] = '\0';
  words[strcspn(words, "\n")] = '\0';
  struct failure whole = *failure;
  failure_set(failure, "%.300s: %.500s", whole.sentence, words);
}

static int git_run(const struct repository *repository, int archive_fd, int words_fd,
                   struct failure *failure) {
  static char *const argv[] = {
      "sh", "-c", "git log -1 --format='%cI %H' HEAD >&2 && exec git archive --format=tar HEAD",
      NULL};
  static char git_folder[] = "GIT_DIR=" SANDBOX_FOLDER;
  static char *const envp[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                               "HOME=/tmp",
                               "LANG=C.UTF-8",
                               git_folder,
                               "GIT_CONFIG_NOSYSTEM=1",
                               "GIT_CONFIG_GLOBAL=/dev/null",
                               "GIT_NO_LAZY_FETCH=1",
                               "GIT_TERMINAL_PROMPT=0",
                               "GIT_PAGER=cat",
                               NULL};
  const struct sandbox_spec spec = {
      .folder = repository->copy,
      .folder_mode = SANDBOX_FOLDER_READ_ONLY,
      .argv = argv,
      .envp = envp,
      .netns_fd = -1,
      .stdin_fd = -1,
      .stdout_fd = archive_fd,
      .stderr_fd = words_fd,
      .cpu = -1,
      .limits = {.file_bytes = archive_bytes},
  };
  struct sandbox sandbox;
  if (sandbox_start(&spec, &sandbox, failure))
    return -1;
  int outcome = git_await(&sandbox, failure);
  sandbox_kill(&sandbox);
  if (outcome)
    complaint_add(words_fd, failure);
  return outcome;
}

/* The text is what git says of the commit: its time and name. */
static int repository_read(const void *context, char **text, struct failure *failure) {
  const struct repository *repository = context;
  scoped_fd int archive_fd = open(repository->archive, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  scoped_text char *words_path = memory_format("%s.words", repository->archive);
  scoped_fd int words_fd = open(words_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (archive_fd < 0 || words_fd < 0)
    return failure_errno(failure, "its archive cannot be written");
  if (copy_folder(repository->git_folder, repository->copy, sandbox_user(),
                  (struct copy_limits){repository_bytes, repository_files}, failure) ||
      git_run(repository, archive_fd, words_fd, failure))
    return -1;
  char words[WORDS_MOST];
  ssize_t length = pread(words_fd, words, sizeof words - 1, 0);
  words[length > 0 ? length : 0] = '\0';
  words[strcspn(words, "\n")] = '\0';
  *text = memory_text(words);
  return 0;
}

/* ---- the list ---- */

static void commit_note(struct source_submission *submission, char *words) {
  char *commit = strchr(words, ' ');
  if (!commit)
    return;
  *commit++ = '\0';
  submission->submitted = source_time(words);
  scoped_text char *line = language_sentence("commit %.64s", commit);
  source_note(submission, line);
}

static void repository_take(struct source_reading *reading, const char *path, const char *name) {
  struct source_submission *submission = source_add(reading, path, name);
  scoped_text char *inner = memory_format("%s/.git", path);
  scoped_text char *head = memory_format("%s/HEAD", path);
  scoped_text char *copy = source_place(reading, "repository");
  char *archive = memory_format("%s.tar", copy);
  const struct repository repository = {source_is_folder(inner) ? inner : path, copy, archive};
  scoped_text char *words = NULL;
  struct failure why;
  if (repository.git_folder == path && !source_is_file(head))
    source_give_up(submission, memory_text(_("it is no git repository")));
  else if (source_process(repository_read, &repository, &words, &why))
    source_give_up(submission, memory_text(why.sentence));
  if (!words) {
    free(archive);
    return;
  }
  commit_note(submission, words);
  submission->path = archive;
}

/* "courses/alice-labs.git/" is alice-labs; the caller frees it. */
static char *repository_name(const char *path) {
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/')
    length--;
  size_t begin = length;
  while (begin > 0 && path[begin - 1] != '/')
    begin--;
  if (length - begin > 4 && strncmp(path + length - 4, ".git", 4) == 0)
    length -= 4;
  return memory_format("%.*s", (int)(length - begin), path + begin);
}

/* A path is from the list's own folder, so that the list means the same wherever it is read. */
static char *repository_path(const char *list, const char *path) {
  const char *slash = strrchr(list, '/');
  return *path == '/' || !slash ? memory_text(path)
                                : memory_format("%.*s/%s", (int)(slash - list), list, path);
}

int source_git(struct source_reading *reading, const char *path, struct failure *failure) {
  scoped_file FILE *file = fopen(path, "re");
  scoped_text char *line = NULL;
  size_t room = 0;
  if (!file)
    return failure_errno(failure, "Cannot read the source %s", path);
  while (getline(&line, &room, file) >= 0) {
    line[strcspn(line, "\r\n")] = '\0';
    if (*line == '#' || line[strspn(line, " \t")] == '\0')
      continue;
    char *tab = strchr(line, '\t');
    if (tab)
      *tab++ = '\0';
    scoped_text char *repository = repository_path(path, tab ? tab : line);
    scoped_text char *name = tab ? memory_text(line) : repository_name(line);
    repository_take(reading, repository, name);
  }
  return 0;
}
