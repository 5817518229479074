/* The system calls that no lab needs and that reach beyond the sandbox, or round its clock.
 * Everything else is allowed: a filter that lists what is allowed would sooner or later fail a
 * right program. */
#include "grader/sandbox/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <pthread.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const int refused[] = {
    /* mounts and namespaces */
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(quotactl),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    /* the kernel itself */
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(reboot),
    SCMP_SYS(syslog),
    SCMP_SYS(acct),
    SCMP_SYS(lookup_dcookie),
    SCMP_SYS(fanotify_init),
    /* the clock and the host's name */
    SCMP_SYS(clock_settime),
    SCMP_SYS(settimeofday),
    SCMP_SYS(stime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
#if defined(__x86_64__)
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
#endif
};

static const int absent[] = {
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(clone3), /* its flags are in memory, out of a filter's sight; libc then uses clone */
    /* memory that the grader could not read a call's arguments from */
    SCMP_SYS(memfd_secret),
    /* futex_wake, futex_wait, futex_requeue (Linux 6.7), which nothing that waits for them needs:
     * everybody falls back to futex, which the virtual clock knows */
    454,
    455,
    456,
};

static const uint64_t namespace_flags[] = {
    CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,    CLONE_NEWUSER,
    CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP, CLONE_NEWTIME,
};

/* Injecting input into a terminal, as a shell's next command, and loading line disciplines. */
static const uint64_t terminal_requests[] = {TIOCSTI, TIOCLINUX, TIOCSETD};

/* Sockets for which the kernel would load a module, whoever asks. */
enum { PROTOCOL_DCCP = 33, PROTOCOL_L2TP = 115, PROTOCOL_SCTP = 132, TYPE_DCCP = 6 };
static const uint64_t module_protocols[] = {PROTOCOL_DCCP, PROTOCOL_L2TP, PROTOCOL_SCTP};
enum { TYPE_MASK = 0xf, NETLINK_PROTOCOLS = 32 };

/* The kernel takes an int, whatever else stands in the register (CVE-2019-10063). */
#define LOW_32(argument, value) SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, 0xffffffffu, value)

static int deny_calls(scmp_filter_ctx context) {
  int error = 0;
  for (size_t i = 0; !error && i < sizeof refused / sizeof *refused; i++)
    error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
  for (size_t i = 0; !error && i < sizeof absent / sizeof *absent; i++)
    error = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), absent[i], 0);
  return error;
}

/* Of the socket families, those that no namespace confines (vsock) or that only add to what can be
 * attacked. */
static int deny_families(scmp_filter_ctx context, int call) {
  int error = 0;
  for (uint32_t family = AF_INET + 1; !error && family < AF_PACKET; family++)
    if (family != AF_INET6 && family != AF_NETLINK)
      error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, 1, LOW_32(0, family));
  if (!error)
    error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, 1,
                             SCMP_A0(SCMP_CMP_GT, AF_PACKET));
  return error;
}

static int deny_protocols(scmp_filter_ctx context) {
  static const uint32_t families[] = {AF_INET, AF_INET6};
  uint32_t refusal = SCMP_ACT_ERRNO(EPROTONOSUPPORT);
  int call = SCMP_SYS(socket), error = 0;
  for (size_t i = 0; !error && i < sizeof families / sizeof *families; i++) {
    for (size_t j = 0; !error && j < sizeof module_protocols / sizeof *module_protocols; j++)
      error = seccomp_rule_add(context, refusal, call, 2, LOW_32(0, families[i]),
                               LOW_32(2, module_protocols[j]));
    if (!error)
      error = seccomp_rule_add(context, refusal, call, 2, LOW_32(0, families[i]),
                               SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, TYPE_DCCP));
  }
  for (uint32_t protocol = 0; !error && protocol < NETLINK_PROTOCOLS; protocol++)
    if (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG)
      error =
          seccomp_rule_add(context, refusal, call, 2, LOW_32(0, AF_NETLINK), LOW_32(2, protocol));
  return error;
}

/* Process 1 is the grader's. To the kernel it is nobody else than the program where an ordinary
 * user has but one id, and so the program may change its limits: that of CPU time would end it. */
static int deny_process_1(scmp_filter_ctx context) {
  enum { PROCESS_1 = 1 };
  static const struct {
    int call;
    unsigned argument;
  } calls[] = {
      {SCMP_SYS(prlimit64), 0},          {SCMP_SYS(setpriority), 1},
      {SCMP_SYS(sched_setscheduler), 0}, {SCMP_SYS(sched_setparam), 0},
      {SCMP_SYS(sched_setattr), 0},      {SCMP_SYS(ioprio_set), 1},
      {SCMP_SYS(migrate_pages), 0},      {SCMP_SYS(move_pages), 0},
  };
  int error = 0;
  for (size_t i = 0; !error && i < sizeof calls / sizeof *calls; i++)
    error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), calls[i].call, 1,
                             LOW_32(calls[i].argument, PROCESS_1));
  return error;
}

static int deny_arguments(scmp_filter_ctx context) {
  int error = 0;
  for (size_t i = 0; !error && i < sizeof namespace_flags / sizeof *namespace_flags; i++)
    error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, namespace_flags[i], namespace_flags[i]));
  for (size_t i = 0; !error && i < sizeof terminal_requests / sizeof *terminal_requests; i++)
    error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                             LOW_32(1, terminal_requests[i]));
  if (!error)
    error = deny_families(context, SCMP_SYS(socket));
  if (!error)
    error = deny_families(context, SCMP_SYS(socketpair));
  return error ? error : deny_protocols(context);
}

static int program_export(scmp_filter_ctx context, struct sock_fprog *program) {
  scoped_fd int fd = memfd_create("filter", MFD_CLOEXEC);
  if (fd < 0)
    return -errno;
  int error = seccomp_export_bpf(context, fd);
  struct stat status;
  if (error || fstat(fd, &status) < 0)
    return error ? error : -errno;
  size_t length = (size_t)status.st_size;
  struct sock_filter *instructions =
      memory_zeroed(length / sizeof *instructions, sizeof *instructions);
  if (pread(fd, instructions, length, 0) != (ssize_t)length) {
    free(instructions);
    return -EIO;
  }
  *program = (struct sock_fprog){(unsigned short)(length / sizeof *instructions), instructions};
  return 0;
}

static int deny_build(bool pinned, struct sock_fprog *program) {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
  if (!context)
    return -ENOMEM;
  int error = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (!error)
    error = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree */
  if (!error)
    error = deny_calls(context);
  if (!error)
    error = deny_arguments(context);
  if (!error)
    error = deny_process_1(context);
  if (!error && pinned)
    error = seccomp_rule_add(context, SCMP_ACT_ERRNO(0), SCMP_SYS(sched_setaffinity), 0);
  if (!error)
    error = program_export(context, program);
  seccomp_release(context);
  return error;
}

static struct sock_fprog programs[2];
static int errors[2];

static void programs_build(void) {
  for (int pinned = 0; pinned < 2; pinned++)
    errors[pinned] = deny_build(pinned, &programs[pinned]);
}

int deny_filter(bool pinned, struct sock_fprog *program, struct failure *failure) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, programs_build);
  if (errors[pinned])
    return failure_set(failure, "cannot build the system call filter: %s",
                       strerror(-errors[pinned]));
  *program = programs[pinned];
  return 0;
}
