/* wiregrade.yaml: the commands that a submission names itself.
 *
 *   programs:
 *     udp-server: ./server --port 60000      a command line, split at blanks as a shell does, with
 * '…', "…" and \ udp-client: [python3, client.py]       or its words
 *
 * Called by submission.c. Knows only the file. */
#pragma once

#include "grader/base/failure.h"

#include <stddef.h>

struct own_command {
  char *program; /* as written */
  char **argv;   /* ends with NULL */
};

struct own_commands {
  struct own_command *commands;
  size_t count;
};

/* Reads `text`, the contents of wiregrade.yaml. On failure the sentence begins with the file's name
 * and the line, and says what was expected. */
int own_commands_read(const char *text, size_t length, struct own_commands *commands,
                      struct failure *failure);
void own_commands_free(struct own_commands *commands);
