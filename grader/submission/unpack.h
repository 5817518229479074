/* Unpacks an archive that a stranger made: zip, tar (plain, or by gzip, bzip2, xz or zstd), 7z.
 *
 * Called by submission.c for one archive; fit for many, one after another. Knows nothing of what is
 * in it.
 *
 * The archive is read by libarchive, in a sandbox: a process without capabilities, in namespaces of
 * its own, as the user whom programs run as, whose one input is the archive's descriptor, whose one
 * writable place is the new folder, and whose system calls are those few that this needs. It
 * inherits no environment. A hole in libarchive reaches nothing but the files of the submission
 * that it was to unpack.
 *
 * That process writes by its own functions, not by libarchive's (archive_write_disk and its SECURE
 * flags), since these judge each entry against what is on the disk at that moment, so that the
 * order of entries decides. Here there is no link while files are written: links are made when all
 * else is there, a link in the place of what is there already is refused, and each path is walked
 * by openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS all the same.
 *
 * What becomes of entries:
 *
 *   `..` in a path, an absolute path, a hard link to such        the archive is refused
 *   one name for a link and for something else or below it       the archive is refused
 *   encrypted, damaged, cut off, contradicting sizes             the archive is refused
 *   more, larger, deeper, longer than the limits                 the archive is refused
 *   symbolic links that lead out                                 left out, and noted
 *   devices, FIFOs, sockets                                      left out, and noted
 *   __MACOSX, .DS_Store, ._NAME                                  left out, and noted
 *   .git                                                         left out, as of a folder
 *   set-user-ID, set-group-ID, sticky                            taken away; noted of files
 *   the same file twice                                          the last one counts; noted
 *   odd names (control characters, not UTF-8)                    kept; noted
 *   names that differ in case only, archives in the archive      kept as they are
 *
 * A refusal is one sentence that names the entry, in characters that any terminal can show. */
#pragma once

#include "grader/base/failure.h"

#include <signal.h>
#include <stdint.h>

enum {
  UNPACK_DEPTH_MOST = 64,    /* folders in folders, as copy_folder() */
  UNPACK_NAME_MOST = 255,    /* bytes of one name: NAME_MAX */
  UNPACK_PATH_MOST = 4095,   /* bytes of a path: PATH_MAX */
  UNPACK_MEMORY_MIB = 256,   /* what libarchive may take; `xz -9` needs 65 */
  UNPACK_SKIPPED_FACTOR = 4, /* of `bytes`: what is left out, which must be read all the same */
};

struct unpack_limits {
  uint64_t bytes;       /* of all files together, unpacked */
  uint64_t files;       /* entries, and the folders that their paths imply */
  unsigned cpu_seconds; /* of the process that unpacks */
  unsigned seconds;     /* of real time */
};

struct unpack_spec {
  int archive_fd; /* a regular file, open for reading; its offset is moved, nothing is written */
  const char *folder; /* to be made; its parent must be there */
  struct unpack_limits limits;
  const volatile sig_atomic_t *stop; /* may be NULL; not 0: end at once (UNPACK_IMPOSSIBLE) */
};

enum unpack_fault {
  UNPACK_DONE,
  UNPACK_REFUSED,    /* it is the archive */
  UNPACK_IMPOSSIBLE, /* it is this machine */
};

/* Unpacks into spec->folder, which then belongs, with all that is in it, to the user whom programs
 * run as (sandbox.h); where there is one user only, to that one. On success *notes are lines of
 * plain text about what was left out or mended, "" if nothing was; the caller frees them. On
 * failure *notes is NULL, the sentence speaks of the archive as `it`, for the caller to put a name
 * in front, and what was unpacked until then is left in the folder, of no use. Must be called while
 * the process has one thread, after sandbox_enter(). */
enum unpack_fault unpack_archive(const struct unpack_spec *spec, char **notes,
                                 struct failure *failure);

/* Gives the folder of a submission that was packed with a folder or more around it the place of
 * the outermost: a folder that holds nothing but one folder is replaced by it, but that `bin` is
 * where programs are, so that it is never what is around. 0, or -1. */
int unpack_unwrap(const char *folder, struct failure *failure);
