/* Scenes, for the suite's main program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct scene_options {
  const char *lab;
  const char *scene;           /* "": the lab's first */
  bool quiet;                  /* what goes over the wire is not shown */
  const char *command;         /* for the shell, in place of a person; NULL: none */
  const char *const *programs; /* of the lab */
  size_t program_count;
};

/* The lab's scenes, one a line: name, tab, sentence. */
void scenes_list(FILE *file);

/* Plays a scene with whoever sits at the terminal, which is left raw. Returns the shell's exit
 * status (128 and the signal that ended it), 2 if there is no such scene, 3 if it cannot be played;
 * it has complained then. */
int scene_run(const struct scene_options *options);
