/* Removes what was unpacked for a batch, whatever strangers have put there under whatever names.
 * Called by batch.c. */
#pragma once

#include "grader/base/failure.h"

/* Removes the folder and all in it, if it is there. Follows no link. */
int clearing_do(const char *folder, struct failure *failure);
