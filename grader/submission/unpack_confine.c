/* What the process that unpacks may still do: read, write and make files, and get memory. */
#include "grader/submission/unpack_inner.h"

#include "grader/base/scope.h"

#include <errno.h>
#include <locale.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static const int allowed[] = {
    /* the archive, the report, the files */
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(openat),
    SCMP_SYS(openat2),
    SCMP_SYS(mkdirat),
    SCMP_SYS(symlinkat),
    SCMP_SYS(linkat),
    SCMP_SYS(unlinkat),
    SCMP_SYS(fchmod),
    SCMP_SYS(ftruncate),
    SCMP_SYS(utimensat),
    /* memory */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    /* the rest of a life */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(sigaltstack), /* what AddressSanitizer asks for before an exit */
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* Memory that can be executed is code that libarchive does not have. */
static const int unless_executable[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};

static int calls_confine(void) {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!context)
    return -ENOMEM;
  int error = 0;
  for (size_t i = 0; !error && i < sizeof allowed / sizeof *allowed; i++)
    error = seccomp_rule_add(context, SCMP_ACT_ALLOW, allowed[i], 0);
  for (size_t i = 0; !error && i < sizeof unless_executable / sizeof *unless_executable; i++)
    error = seccomp_rule_add(context, SCMP_ACT_ALLOW, unless_executable[i], 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  if (!error)
    error = seccomp_load(context);
  seccomp_release(context);
  return error;
}

/* On top of what is mapped now: a program that is compiled with a sanitizer has terabytes mapped.
 */
static bool memory_confine(void) {
  scoped_file FILE *file = fopen("/proc/self/statm", "re");
  unsigned long long pages;
  if (!file || fscanf(file, "%llu", &pages) != 1)
    return false;
  rlim_t most = pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)UNPACK_MEMORY_MIB << 20);
  struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
  return setrlimit(RLIMIT_AS, &limit) == 0;
}

/* What the grader was started with may hold what nobody else is to know. */
static void environment_wipe(void) {
  for (char **variable = environ; variable && *variable; variable++)
    memset(*variable, 0, strlen(*variable));
  environ = NULL;
}

bool unpack_confine(struct unpack_report *report) {
  environment_wipe();
  /* Names are kept as the bytes of UTF-8 that they are, or are turned into it (7z has UTF-16). */
  if (!setlocale(LC_CTYPE, "C.UTF-8"))
    return unpack_refuse(report, UNPACK_WORD_UNCONFINED, "there is no locale C.UTF-8", NULL);
  if (!memory_confine())
    return unpack_refuse(report, UNPACK_WORD_UNCONFINED, strerror(errno), NULL);
  int error = calls_confine();
  return error == 0 || unpack_refuse(report, UNPACK_WORD_UNCONFINED, strerror(-error), NULL);
}
