#include "grader/cli/deliver.h"

#include "grader/base/file.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/report_github.h"
#include "grader/result/report_json.h"
#include "grader/result/report_markdown.h"
#include "grader/result/result.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
  PRAIRIELEARN_MOST = 1000 * 1000,
  /* A variable of the environment may have 128 KiB, its name included. */
  CLASSROOM_MOST = 127 * 1024,
  SUMMARY_MOST = 1024 * 1024,
};

/* `text` is freed; NULL: there is a failure already. */
static int text_deliver(char *text, const char *output, struct failure *failure) {
  scoped_text char *owned = text;
  if (!owned)
    return -1;
  if (output)
    return file_replace(output, owned, strlen(owned), failure);
  fputs(owned, stdout);
  return 0;
}

int deliver_whole(const json_t *result, const char *who, struct failure *failure) {
  if (feedback_is_whole(result))
    return 0;
  return failure_set(failure, "The grading %s: there is no score for %s to take",
                     json_is_true(json_object_get(result, "interrupted")) ? "was interrupted"
                                                                          : "could judge nothing",
                     who);
}

int deliver_gradescope(const json_t *result, const char *output, struct failure *failure) {
  if (deliver_whole(result, "Gradescope", failure))
    return -1;
  return text_deliver(report_json(result, report_gradescope, 0, failure), output, failure);
}

int deliver_prairielearn(const json_t *result, const char *output, struct failure *failure) {
  return text_deliver(report_json(result, report_prairielearn, PRAIRIELEARN_MOST, failure), output,
                      failure);
}

int deliver_autolab(const json_t *result, const char *output, struct failure *failure) {
  return text_deliver(report_json(result, report_autolab, 0, failure), output, failure);
}

int deliver_check50(const json_t *result, const char *output, struct failure *failure) {
  return text_deliver(report_json(result, report_check50, 0, failure), output, failure);
}

/* Behind what the job has said there; nothing outside of a job. */
static int outputs_append(const char *text, struct failure *failure) {
  const char *path = getenv("GITHUB_OUTPUT");
  return path && *path ? file_append(path, text, strlen(text), failure) : 0;
}

int deliver_classroom(const json_t *result, const char *output, struct failure *failure) {
  scoped_text char *text = report_json_base64(result, report_classroom, CLASSROOM_MOST, failure);
  if (!text)
    return -1;
  scoped_text char *line = memory_format("result=%s", text);
  if (outputs_append(line, failure))
    return -1;
  return text_deliver(steal_pointer(&text), output, failure);
}

/* ---- GitHub ---- */

/* Where the submission lies in the repository; NULL if it does not, or if that is not known. The
 * caller frees it. */
static char *folder_in_repository(const char *submission) {
  const char *workspace = getenv("GITHUB_WORKSPACE");
  scoped_text char *root = realpath(workspace && *workspace ? workspace : ".", NULL);
  scoped_text char *folder = realpath(submission, NULL);
  if (!root || !folder)
    return NULL;
  size_t length = strlen(root);
  if (strncmp(folder, root, length) != 0 || (folder[length] != '\0' && folder[length] != '/'))
    return NULL;
  return memory_text(folder + length + (folder[length] == '/'));
}

static int token_make(char token[33], struct failure *failure) {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
    return failure_errno(failure, "Cannot get random bytes");
  for (size_t i = 0; i < sizeof bytes; i++)
    sprintf(token + 2 * i, "%02x", bytes[i]);
  return 0;
}

static int log_print(const json_t *result, struct failure *failure) {
  char token[33];
  if (token_make(token, failure))
    return -1;
  scoped_text char *folder = folder_in_repository(result_text(result, "submission"));
  report_github_log(result, token, stdout);
  report_github_annotations(result, folder, stdout);
  return 0;
}

static int github_outputs(const json_t *result, struct failure *failure) {
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  report_github_outputs(result, file);
  fclose(file);
  return outputs_append(text, failure);
}

int deliver_github(const json_t *result, const char *output, struct failure *failure) {
  const char *summary = getenv("GITHUB_STEP_SUMMARY");
  bool in_job = !output && summary && *summary;
  bool has_stdout = !output && !in_job;
  scoped_text char *text = report_markdown(result, SUMMARY_MOST);
  if (github_outputs(result, failure))
    return -1;
  if (in_job ? file_append(summary, text, strlen(text), failure)
             : text_deliver(steal_pointer(&text), output, failure))
    return -1;
  return has_stdout || (output && file_is_stdout(output)) ? 0 : log_print(result, failure);
}
