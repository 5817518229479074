/* The parts of the class's page that have a file of their own. Called by class_page.c only. */
#pragma once

#include "grader/class/class.h"

/* Name, or key if there is none. */
const char *page_student_name(const struct class_student *student);
/* The same as a link to the student's page, if there is one. */
void page_student_put(const struct class_student *student, FILE *file);
/* How the points spread: figures, and a histogram. */
void page_spread_put(const struct class_book *class, FILE *file);
/* The table of all students. */
void page_students_put(const struct class_book *class, FILE *file);

extern const char class_style[], class_script[];
