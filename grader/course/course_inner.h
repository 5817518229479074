/* What the files of course.c know of each other; nobody else includes this. */
#pragma once

#include "grader/course/course.h"

/* "3:1". */
bool course_ratio(const char *text, unsigned *core, unsigned *stretch);
