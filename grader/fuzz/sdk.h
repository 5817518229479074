/* For targets of what a check's peers take in: a check that has a world, with nothing in it. */
#pragma once

#include "grader/sdk/inner.h"

/* A new check in its world; the one before, and its memory, is gone. */
void fuzz_check(void);
