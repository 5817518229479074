/* What is handed to another program so that it can run wiregrade.
 *
 * Called by `wiregrade export`. */
#pragma once

#include "grader/base/failure.h"

/* Gradescope's autograder as a zip: setup.sh, run_autograder, and wiregrade's sources from the tree
 * `root`, from which setup.sh builds it; the reference programs are not in it. `labs` are the words
 * that run_autograder gives to `wiregrade grade` ("--lab udp"), or "". The file is written whole or
 * not at all. */
int export_gradescope(const char *root, const char *labs, const char *output,
                      struct failure *failure);
