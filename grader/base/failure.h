/* Errors as values.
 *
 * Every function of the grader that can fail takes a `struct failure *` as its last argument and
 * returns -1 (or NULL) after having put one whole sentence there: what was tried, on what, and why
 * it failed. The sentence is meant for the person at the terminal; callers may put their own words
 * in front of it, and must either pass it on or show it. A `failure` owns no memory. */
#pragma once

struct failure {
  char sentence[1024];
};

/* Puts the formatted sentence into *failure and returns -1. */
int failure_set(struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(1, 2)));

/* As failure_set, with ": " and the words for errno behind it. */
int failure_errno(struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(1, 2)));

/* Puts the formatted words and ": " in front of the sentence that is there, and returns -1. */
int failure_prefix(struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(1, 2)));
