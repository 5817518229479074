/* What a worker tells the batch of one submission: a head in JSON, a zero byte, and the document as
 * the gradebook keeps it. Called by batch.c, on both sides. A worker runs the grader's code only,
 * but a damaged answer is an error all the same. */
#pragma once

#include "grader/batch/batch.h"

struct answer {
  enum batch_fault fault;
  const char *reason; /* if it is not graded */
  json_t *document;   /* if it is; taken */
};

/* An exit status. */
int answer_write(int fd, struct answer *answer);

/* Fills in what the answer says: state, numbers, and the packed document, which stays in `bytes`.
 * The reason is the caller's to free. */
char *answer_read(const void *bytes, size_t length, struct gradebook_grading *grading);
