#include "grader/batch/answer.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/feedback.h"
#include "grader/result/result.h"

#include <errno.h>
#include <string.h>

static bool bytes_write(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    bytes += written;
    length -= (size_t)written;
  }
  return true;
}

static json_t *head_make(const struct answer *answer) {
  const json_t *document = answer->document;
  json_t *reason = json_string(answer->fault == BATCH_GRADED ? "" : answer->reason);
  return json_pack("{s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "fault",
                   (int)answer->fault, "reason", reason ? reason : json_string("(not UTF-8)"),
                   "score", (json_int_t)result_number(document, "score"), "max_score",
                   (json_int_t)result_number(document, "max_score"), "passed",
                   (json_int_t)result_count(document, "pass"), "failed",
                   (json_int_t)result_count(document, "fail"), "missing",
                   (json_int_t)result_count(document, "missing"), "skipped",
                   (json_int_t)result_count(document, "skipped"), "errors",
                   (json_int_t)feedback_error_count(document), "duration_s",
                   json_number_value(json_object_get(document, "duration_s")));
}

int answer_write(int fd, struct answer *answer) {
  json_t *head = head_make(answer);
  scoped_text char *text = json_dumps(head, JSON_COMPACT);
  size_t length = 0;
  scoped_text char *packed =
      answer->fault == BATCH_GRADED ? gradebook_pack(answer->document, &length) : NULL;
  json_decref(head);
  json_decref(answer->document);
  bool good = text && (packed || answer->fault != BATCH_GRADED) &&
              bytes_write(fd, text, strlen(text) + 1) && bytes_write(fd, packed, length);
  return good ? 0 : 1;
}

static unsigned count_of(const json_t *head, const char *key) {
  return (unsigned)result_number(head, key);
}

char *answer_read(const void *bytes, size_t length, struct gradebook_grading *grading) {
  const char *end = memchr(bytes, '\0', length);
  json_t *head = end ? json_loads(bytes, 0, NULL) : NULL;
  if (!head) {
    grading->state = GRADEBOOK_ERROR;
    return memory_text(_("the worker that graded it gave no answer"));
  }
  static const enum gradebook_state states[] = {[BATCH_GRADED] = GRADEBOOK_GRADED,
                                                [BATCH_UNREADABLE] = GRADEBOOK_UNREADABLE,
                                                [BATCH_IMPOSSIBLE] = GRADEBOOK_ERROR};
  grading->state = states[count_of(head, "fault") % (sizeof states / sizeof *states)];
  grading->score = result_number(head, "score");
  grading->max_score = result_number(head, "max_score");
  grading->passed = count_of(head, "passed");
  grading->failed = count_of(head, "failed");
  grading->missing = count_of(head, "missing");
  grading->skipped = count_of(head, "skipped");
  grading->errors = count_of(head, "errors");
  grading->duration_s = json_number_value(json_object_get(head, "duration_s"));
  if (grading->state == GRADEBOOK_GRADED) {
    grading->document = end + 1;
    grading->document_length = length - (size_t)(end + 1 - (const char *)bytes);
  }
  char *reason = memory_text(result_text(head, "reason"));
  json_decref(head);
  return reason;
}
