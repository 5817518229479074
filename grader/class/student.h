/* What one student is given: a page, and a comment for the LMS. Called by class.c. */
#pragma once

#include "grader/class/class.h"

#include <jansson.h>

/* Fills in the student's comment and, with `pages`, writes the page PAGES/NAME/index.html and fills
 * in its address. A page that was made of the same grading is left as it is. */
int student_tell(struct class_student *student, json_t *document, const char *pages,
                 struct failure *failure);
