/* The outputs of a batch, for the commands that make them. */
#pragma once

#include "grader/batch/gradebook.h"
#include "grader/cli/cli.h"

/* Writes all that is made of a class into the batch's folder; `assignment` is Canvas's title for
 * it, NULL: the course's name. An exit status; complains. */
int cli_class_write(struct gradebook *book, const char *out, const char *assignment);
/* Says where it is. */
void cli_class_show(const char *out);
