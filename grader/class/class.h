/* A class as its gradebook has it, and what a teacher is given of it: a page, a page for each
 * student, tables for Moodle and Canvas, JSON and JUnit.
 *
 * Called by the command line. Knows the gradebook and result documents, and nothing of how they
 * came to be: whatever is written here can be written again later from the gradebook alone. What
 * students chose (names, files, messages) is made safe by safe_text.h, for each place anew. */
#pragma once

#include "grader/batch/gradebook.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct class_lab {
  char *name, *title;
  long long most; /* points */
  bool begun;     /* by anybody */
};

/* One student's points in one lab; `known` is false where nothing was judged. */
struct class_points {
  long long score, most;
  bool known, begun;
};

struct class_student {
  struct gradebook_row row;  /* its texts are the class's */
  struct class_points *labs; /* one for each lab of the class */
  char *page;                /* address of the student's own page, from the class's; NULL: none */
  char *comment;             /* what did not pass, in lines, for the student; "" */
};

/* What became of one check in the whole class. */
struct class_check {
  char *id, *message; /* what one of those who failed was told; "" */
  size_t judged, passed, failed, missing, errors;
};

struct class_book {
  struct gradebook_about about; /* likewise */
  struct class_lab *labs;
  size_t lab_count;
  struct class_student *students; /* errors first, then what cannot be read, then by name */
  size_t student_count;
  struct class_check *checks; /* those that most students failed first */
  size_t check_count;
};

/* Whether the student has a number of points; who has none (an error of the grader, nothing handed
 * in, a submission that cannot be read) gets an empty cell in every table, not a 0. */
bool class_has_points(const struct class_student *student);
/* The most points that anybody could have: of a document in which no check erred. */
long long class_most(const struct class_book *class);
/* "zhang-san-12": of the name's letters and the student's number in the gradebook, so that it is
 * the student's alone and the same in every run. The caller frees it. */
char *class_student_folder(const struct gradebook_row *row);

/* Reads all of it. With `pages` (a folder) also writes each student's page, those that are up to
 * date already left alone; `tell` (may be NULL) is called for each student. NULL on failure. */
struct class_reading {
  const char *pages;
  void (*tell)(void *context, size_t done, size_t total);
  void *context;
};
struct class_book *class_read(struct gradebook *book, const struct class_reading *reading,
                              struct failure *failure);
void class_free(struct class_book *class);

/* ---- what is made of it ---- */

void class_write_page(const struct class_book *class, FILE *file);
void class_write_csv(const struct class_book *class, FILE *file);
/* For Canvas's gradebook: `assignment` is the column's title, with its id in brackets if it is to
 * be an assignment that is there. */
void class_write_canvas(const struct class_book *class, const char *assignment, FILE *file);
/* For Moodle's "Upload grading worksheet". With a worksheet as the roster all of its columns and
 * rows come back, and points are in proportion to its maximum grade. */
void class_write_moodle(const struct class_book *class, FILE *file);
void class_write_json(const struct class_book *class, FILE *file);
void class_write_junit(const struct class_book *class, FILE *file);

/* All of them, in the batch's folder: index.html, students/, grades.csv, canvas.csv and moodle.csv
 * (the one that the roster came from; without a roster both), grades.json, junit.xml. Each is
 * written whole or not at all. */
int class_write_all(struct gradebook *book, const char *out, const char *assignment,
                    const struct class_reading *reading, struct failure *failure);
