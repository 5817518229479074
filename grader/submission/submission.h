/* A submission: a student's folder or archive, copied or unpacked, built, and ready for the checks.
 *
 * Called by the command line. Knows how programs are found and built (the README's "What a
 * submission is"), and runs what it must run in the sandbox; knows nothing of labs but the names of
 * the programs that they ask for, and nothing of worlds.
 *
 * The folder or archive is only read. All work is done on a copy, in a tmpfs of limited size that
 * lives in a mount namespace of this process: it is gone with the process, however that ends. The
 * suite programs, being children of this process, see it; the manifest in it (manifest.h) tells
 * them what to run. */
#pragma once

#include "grader/base/failure.h"
#include "grader/sandbox/sandbox.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct submission;

struct submission_spec {
  const char *folder;          /* or archive: see unpack.h */
  const char *const *programs; /* names that any lab asks for: "udp-server" */
  size_t program_count;
  struct sandbox_limits limits; /* of the build; 0: the defaults */
  double build_limit_s;         /* for all of it, see patience.h; 0: the default, two minutes */
  char *const *languages;       /* that programs may be written in (written_in.h); none: any */
  unsigned language_count;
  unsigned jobs; /* compilers at once; 0: one */
  bool reuse;    /* what was built is kept, and not built again: see build_cache.h */
  const volatile sig_atomic_t *stop; /* not 0: end at once (submission_open then fails) */
  void (*progress)(void *context, const char *doing); /* may be NULL; called now and then */
  void *context;
};

enum submission_fault {
  SUBMISSION_READY,
  SUBMISSION_UNREADABLE, /* it is the folder or archive: not there, empty, too large, refused, a
                            broken wiregrade.yaml */
  SUBMISSION_IMPOSSIBLE, /* it is this machine: no sandbox, no space, no compiler */
};

/* Copies the folder or unpacks the archive, builds what is to be built, finds the programs. A build
 * that fails is no fault here: what it says is in submission_build(), and the programs that it did
 * not make are missing. Must be called while the process has one thread, after sandbox_enter(). On
 * success *submission is the caller's, to be given to submission_close(). */
enum submission_fault submission_open(const struct submission_spec *spec,
                                      struct submission **submission, struct failure *failure);
void submission_close(struct submission *submission);

struct submission_build {
  bool ok;
  const char *log; /* what the build printed: valid UTF-8, shortened in the middle if it was long;
                      "" if all is well and nothing was said */
  double duration_s;
};

struct submission_build submission_build(const struct submission *submission);

/* Why the program is missing: a sentence, the submission's own; NULL if it was found. */
const char *submission_missing(const struct submission *submission, const char *program);

/* Whether it was found, or there is at least something for it: a file that is not executable, or
 * does not compile. */
bool submission_attempts(const struct submission *submission, const char *program);

/* The path of the manifest. */
const char *submission_manifest(const struct submission *submission);
