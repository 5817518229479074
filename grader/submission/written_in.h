/* In which language a program is written, as far as its files tell it.
 *
 * Called by submission.c where a course takes some languages only, and by course for their names.
 * What is compiled counts as C, unless it shows that Go, Rust or C++ made it. This is a look at
 * what was handed in, not a proof: a C program may start an interpreter. */
#pragma once

#include <stdbool.h>

bool written_in_is_known(const char *name);
/* All names, with commas; the caller frees it. */
char *written_in_names(void);

/* Of the command of a program, whose words end with NULL, in the submission's folder; "" if it
 * cannot be told. */
const char *written_in_command(int folder_fd, char *const *argv);
