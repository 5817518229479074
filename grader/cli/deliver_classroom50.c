/* Classroom 50: its runner says in the environment what a submission is, and reads result.json and
 * release-body.md when the autograder has ended. */
#include "grader/cli/deliver.h"

#include "grader/base/file.h"
#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/report_classroom50.h"
#include "grader/result/report_json.h"
#include "grader/result/report_markdown.h"
#include "grader/result/result.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { RESULT_MOST = 1024 * 1024, BODY_MOST = 120 * 1000 /* GitHub takes 125,000 characters */ };

/* A variable, or if it is not set or empty, another. */
static const char *variable(const char *name, const char *other) {
  const char *value = getenv(name);
  return value && *value ? value : other;
}

static void time_write(char text[32], time_t time) {
  struct tm utc;
  strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&time, &utc));
}

/* What git prints, up to 31 bytes; false if it fails. Nothing that the checkout's own configuration
 * says may run a program. */
static bool git_ask(const char *commit, char answer[32]) {
  const char *const arguments[] = {
      "git",  "-c", "safe.directory=*",    "-c",           "core.fsmonitor=",
      "show", "-s", "--no-show-signature", "--format=%ct", commit,
      NULL};
  int ends[2];
  pid_t git;
  if (pipe2(ends, O_CLOEXEC))
    return false;
  scoped_fd int reader = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  int failed = posix_spawnp(&git, "git", &actions, NULL, (char *const *)arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed)
    return false;
  size_t used = 0;
  ssize_t got;
  while (used < 31 && (got = read(reader, answer + used, 31 - used)) > 0)
    used += (size_t)got;
  answer[used] = '\0';
  int status;
  while (waitpid(git, &status, 0) < 0 && errno == EINTR)
    continue;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* When the graded commit was made; when grading began, if git cannot tell. */
static void datetime_find(const json_t *result, char text[32]) {
  char answer[32], *end = answer;
  const char *commit = variable("GITHUB_SHA", "HEAD");
  bool plain = strspn(commit, "0123456789abcdef") == strlen(commit) || !strcmp(commit, "HEAD");
  long long seconds = plain && git_ask(commit, answer) ? strtoll(answer, &end, 10) : 0;
  if (seconds > 0 && end > answer)
    time_write(text, (time_t)seconds);
  else
    snprintf(text, 32, "%s", result_text(result, "started"));
}

/* Every byte that is not plain as %XX, the slash too: a tag as a part of an address. */
static char *address_part(const char *text) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  char *part = memory_resize(NULL, strlen(text) * 3 + 1), *end = part;
  for (; *text; text++)
    end += strchr(plain, *text) ? sprintf(end, "%c", *text)
                                : sprintf(end, "%%%02X", (unsigned char)*text);
  *end = '\0';
  return part;
}

static int variables_check(struct failure *failure) {
  static const char *const needed[] = {"CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "OWNER",
                                       "COMMIT_URL"};
  /* OWNER was called so before; addresses can be made of the others. */
  static const char *const instead[] = {"", "", "", "USERNAME", "GITHUB_REPOSITORY"};
  scoped_text char *missing = memory_text("");
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
    if (!*variable(needed[i], variable(instead[i], ""))) {
      char *longer = memory_format("%s%s%s", missing, *missing ? ", " : "", needed[i]);
      free(missing);
      missing = longer;
    }
  if (*missing)
    return failure_set(failure,
                       "Classroom 50's runner sets variables that are not set here: %s; run this "
                       "from its autograder.py",
                       missing);
  return 0;
}

struct delivery_context {
  const json_t *result;
  const struct classroom50 *about;
};

static json_t *document_make(const void *context, size_t room) {
  const struct delivery_context *given = context;
  return report_classroom50(given->result, given->about, room);
}

static char *document_text(const json_t *result, struct failure *failure) {
  char datetime[32], graded_at[32];
  time_write(graded_at, time(NULL));
  datetime_find(result, datetime);
  const char *tag = variable("SUBMISSION_TAG", "");
  scoped_text char *repository =
      memory_format("%s/%s", variable("GITHUB_SERVER_URL", "https://github.com"),
                    variable("GITHUB_REPOSITORY", ""));
  scoped_text char *commit =
      memory_format("%s/commit/%s", repository, variable("GITHUB_SHA", "HEAD"));
  scoped_text char *part = address_part(tag);
  scoped_text char *release = memory_format("%s/releases/tag/%s", repository, part);
  const char *commit_url = variable("COMMIT_URL", commit);
  const struct classroom50 about = {
      .classroom = variable("CLASSROOM", ""),
      .assignment = variable("ASSIGNMENT", ""),
      .assignment_type = variable("ASSIGNMENT_TYPE", "individual"),
      .owner = variable("OWNER", variable("USERNAME", "")),
      .submission = tag,
      .commit = commit_url,
      .release = variable("RELEASE_URL", release),
      .review = variable("REVIEW_URL", commit_url),
      .datetime = datetime,
      .graded_at = graded_at,
      .username = variable("GITHUB_ACTOR", ""),
      .user_id = strtoll(variable("GITHUB_ACTOR_ID", "0"), NULL, 10),
  };
  const struct delivery_context context = {result, &about};
  return report_json_made(document_make, &context, RESULT_MOST, failure);
}

static int outputs_write(const json_t *result, struct failure *failure) {
  const char *path = variable("GITHUB_OUTPUT", "");
  scoped_text char *text = language_sentence(
      "status=%s\nsummary=%lld of %lld points, %zu of %zu checks passed%s\n",
      report_classroom50_status(result), result_number(result, "score"),
      result_number(result, "max_score"), result_count(result, "pass"), result_count(result, NULL),
      feedback_error_count(result) ? "; errors of the grader, which cost nothing" : "");
  return *path ? file_append(path, text, strlen(text), failure) : 0;
}

static int body_write(const json_t *result, const char *output, struct failure *failure) {
  const char *slash = strrchr(output, '/');
  scoped_text char *path =
      memory_format("%.*srelease-body.md", slash ? (int)(slash - output + 1) : 0, output);
  scoped_text char *body = report_markdown(result, BODY_MOST);
  return file_replace(path, body, strlen(body), failure);
}

int deliver_classroom50(const json_t *result, const char *output, struct failure *failure) {
  if (variables_check(failure) || deliver_whole(result, "Classroom 50", failure))
    return -1;
  scoped_text char *text = document_text(result, failure);
  if (!text)
    return -1;
  if (output && !file_is_stdout(output) && body_write(result, output, failure))
    return -1;
  if (outputs_write(result, failure))
    return -1;
  if (output)
    return file_replace(output, text, strlen(text), failure);
  fputs(text, stdout);
  return 0;
}
