/* A suite program by itself, without the grader: Criterion runs its checks as tests.
 *
 * Automake's `make check`, an editor or a debugger start it so. With WIREGRADE_SUBMISSION set to a
 * folder it builds that submission and speaks TAP; with WIREGRADE_MANIFEST set the programs have
 * been built; else every check fails for want of programs, and only `--list` and its kin are of
 * use. The command line is Criterion's.
 *
 * Theory of operation. Criterion, what builds submissions, and what these need themselves are
 * thirty libraries, which the grader's own way (runner.h) has no use for, yet would load for each
 * lab and copy the page tables of for each check and program. So a suite is linked twice from the
 * same objects: suite/LAB with elsewhere.c in place of Criterion and alone.c, and alone/LAB beside
 * that folder with all of it. The first, started by itself, becomes the second. A lab outside this
 * repository is linked once, with all of it. */
#pragma once

#include <stdbool.h>

/* Does what the command line says. Returns the exit status. */
int alone_run(int count, char **arguments);

/* Enters the namespaces in which worlds can be made, and takes what all checks share: the limits of
 * the group of processes, and descriptors. Before any thread is started. False after it has said on
 * stderr, as `program`, why not. */
bool suite_enter(const char *program);
