/* Runs many checks for the grader, each in a process of its own, some of them at the same time.
 *
 * Called by the main program of a suite when the grader asks for it (`--checks`). By itself a suite
 * is run by Criterion, which starts each test as a fresh program: some forty libraries are loaded
 * and set up anew for each, most of which no check uses, and that takes longer than many checks.
 *
 * Theory of operation. The program has been loaded, has entered the namespaces that it needs, and
 * has no threads: a fork of it is ready to judge. Each check gets one, and with it memory,
 * descriptors and a world that no other check sees; it sends its verdict itself (evidence.c) and
 * ends. One that crashes takes only itself along: it has sent no verdict, and the grader sees that.
 */
#pragma once

#include <stddef.h>

struct check;

/* Runs the checks in their order, `at_once` at a time; says on stderr which of them crashed.
 * Returns how many did. */
size_t runner_run(const struct check *const *checks, size_t count, unsigned at_once);
