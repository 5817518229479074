/* What the filter refuses, asked of the kernel directly: each test's child puts it on and tries. */
#include "grader/sandbox/inner.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The errno of one system call under the filter; 0 if it works, minus the signal that it died of.
 */
static int outcome(bool pinned, long number, long a, long b, long c) {
  struct sock_fprog program;
  struct failure failure;
  cr_assert_eq(deny_filter(pinned, &program, &failure), 0, "%s", failure.sentence);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
      _exit(255);
    _exit(syscall(number, a, b, c, 0, 0, 0) < 0 ? errno : 0);
  }
  int status;
  cr_assert_eq(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define EXPECT_ERRNO(wanted, ...)                                                                  \
  do {                                                                                             \
    int got = outcome(false, __VA_ARGS__);                                                         \
    cr_expect_eq(got, wanted, "%s: %d", #__VA_ARGS__, got);                                        \
  } while (0)

#define HIGH (1l << 32) /* the kernel ignores these bits of an int */

Test(filter, refuses_what_no_lab_needs) {
  EXPECT_ERRNO(EPERM, SYS_mount, 0, 0, 0);
  EXPECT_ERRNO(EPERM, SYS_unshare, 0, 0, 0);
  EXPECT_ERRNO(EPERM, SYS_setns, -1, 0, 0);
  EXPECT_ERRNO(EPERM, SYS_bpf, 0, 0, 0);
  EXPECT_ERRNO(EPERM, SYS_perf_event_open, 0, 0, 0);
  EXPECT_ERRNO(EPERM, SYS_keyctl, 0, 0, 0);
  EXPECT_ERRNO(EPERM, SYS_clock_settime, 0, 0, 0);
  EXPECT_ERRNO(EPERM, SYS_userfaultfd, 0, 0, 0);
  EXPECT_ERRNO(ENOSYS, SYS_io_uring_setup, 1, 0, 0);
  EXPECT_ERRNO(ENOSYS, SYS_clone3, 0, 0, 0);
  EXPECT_ERRNO(ENOSYS, 447 /* memfd_secret */, 0, 0, 0);
  EXPECT_ERRNO(ENOSYS, 455 /* futex_wait */, 0, 0, 0);
}

Test(filter, lets_nobody_make_namespaces) {
  EXPECT_ERRNO(EPERM, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0);
  EXPECT_ERRNO(EPERM, SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0);
  EXPECT_ERRNO(EPERM, SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0);
  EXPECT_ERRNO(0, SYS_clone, SIGCHLD, 0, 0);
}

Test(filter, types_nothing_into_terminals) {
  EXPECT_ERRNO(EPERM, SYS_ioctl, -1, TIOCSTI, 0);
  EXPECT_ERRNO(EPERM, SYS_ioctl, -1, HIGH | TIOCSTI, 0);
  EXPECT_ERRNO(EPERM, SYS_ioctl, -1, TIOCSETD, 0);
  EXPECT_ERRNO(EBADF, SYS_ioctl, -1, TIOCGWINSZ, 0);
}

Test(filter, allows_the_usual_sockets_only) {
  EXPECT_ERRNO(0, SYS_socket, AF_UNIX, SOCK_STREAM, 0);
  EXPECT_ERRNO(0, SYS_socket, AF_INET, SOCK_STREAM, 0);
  EXPECT_ERRNO(0, SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  EXPECT_ERRNO(0, SYS_socket, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);
  EXPECT_ERRNO(0, SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  EXPECT_ERRNO(EAFNOSUPPORT, SYS_socket, AF_VSOCK, SOCK_STREAM, 0);
  EXPECT_ERRNO(EAFNOSUPPORT, SYS_socket, HIGH | AF_VSOCK, SOCK_STREAM, 0);
  EXPECT_ERRNO(EAFNOSUPPORT, SYS_socket, AF_ALG, SOCK_SEQPACKET, 0);
  EXPECT_ERRNO(EAFNOSUPPORT, SYS_socket, AF_X25, SOCK_SEQPACKET, 0);
  EXPECT_ERRNO(EAFNOSUPPORT, SYS_socketpair, AF_TIPC, SOCK_STREAM, 0);
  EXPECT_ERRNO(EFAULT, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0);
}

Test(filter, leaves_process_1_alone) {
  EXPECT_ERRNO(EPERM, SYS_prlimit64, 1, RLIMIT_CPU, 0);
  EXPECT_ERRNO(EPERM, SYS_prlimit64, HIGH | 1, RLIMIT_CPU, 0);
  EXPECT_ERRNO(0, SYS_prlimit64, 0, RLIMIT_CPU, 0);
  EXPECT_ERRNO(EPERM, SYS_setpriority, PRIO_PROCESS, 1, 19);
  EXPECT_ERRNO(0, SYS_setpriority, PRIO_PROCESS, 0, 19);
}

/* The kernel would load a module for these, whoever asks. */
Test(filter, loads_no_modules) {
  EXPECT_ERRNO(EPROTONOSUPPORT, SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
  EXPECT_ERRNO(EPROTONOSUPPORT, SYS_socket, AF_INET6, SOCK_STREAM, HIGH | IPPROTO_SCTP);
  EXPECT_ERRNO(EPROTONOSUPPORT, SYS_socket, AF_INET, SOCK_DCCP | SOCK_CLOEXEC, 0);
  EXPECT_ERRNO(EPROTONOSUPPORT, SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

Test(filter, keeps_a_pinned_program_where_it_is) {
  cr_expect_eq(outcome(false, SYS_sched_setaffinity, 0, 8, 0), EFAULT);
  cr_expect_eq(outcome(true, SYS_sched_setaffinity, 0, 8, 0), 0);
}

#ifdef __x86_64__
Test(filter, kills_foreign_calls) {
  cr_expect_eq(outcome(false, 0x40000000l | SYS_getpid, 0, 0, 0), -SIGSYS, "x32");
  struct sock_fprog program;
  struct failure failure;
  cr_assert_eq(deny_filter(false, &program, &failure), 0);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    signal(SIGSEGV, SIG_DFL); /* of a kernel without these calls; a sanitizer would take it */
    long result = 20;         /* getpid of i386 */
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    _exit(0);
  }
  int status;
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_expect(WIFSIGNALED(status), "i386: status %x", (unsigned)status);
}
#endif
