/* Likely causes that several labs share, chosen by what was seen: for failure_report.cause. Part of
 * wiregrade.h.
 *
 * Each gives a sentence for the student, or NULL if nothing that was seen tells the cause: the
 * report then has the requirement's own hint (lab.yaml). None claims what was not seen; what is but
 * likely is asked. `expect_line` and its kin, `expect_success`, `expect_failure` and the functions
 * that wait for a socket choose by these themselves. */
#pragma once

/* `shown` stands where `wanted` should: the port in the wrong byte order, none at all, any host, …
 */
const char *address_cause(struct address wanted, struct address shown);
/* A server's socket is bound to another address than the lab wants. */
const char *bound_cause(struct address wanted, struct address bound);
/* Bytes that were sent are not those that were to be: a NUL or a newline too many, cut, other
 * words, … */
const char *bytes_cause(const void *expected, size_t expected_length, const void *actual,
                        size_t actual_length);
/* A text stands where another should. NULL if they have little in common. */
const char *words_cause(const char *expected, const char *actual);
/* Why no line of the program's matches the pattern, as expect_line chooses it: another stream, no
 * newline, other values, other words. */
const char *missing_line_cause(struct program *program, enum stream stream, const char *pattern,
                               ...);
/* Why nothing more comes from the program: it ended or crashed, or its UDP socket hears only one
 * client. */
const char *silence_cause(struct program *program);
/* That a program could not be executed, or has ended by a mistake of its own, which no peer could
 * have caused: a name that is not there, a missing module or library, wrong syntax. For a failure
 * of any check, check_fail asks for itself. NULL: none has. */
const char *own_mistake_cause(void);
/* Why an answer to a datagram, which was sent to `server`, did not come to the one that asked: it
 * went elsewhere, or the program is silent. */
const char *no_answer_cause(struct program *program, struct address server, struct address client);
/* Why a server that is started again finds its port taken, by the options that its first run set
 * and the second did not come to; both were started after record_calls(). */
const char *port_taken_cause(struct program *first, struct program *second);
