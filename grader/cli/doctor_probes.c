#include "grader/cli/doctor_probes.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/inet_diag.h>
#include <linux/kcmp.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int probe_namespaces(struct failure *detail) {
  enum sandbox_mode mode;
  if (sandbox_enter(&mode, detail))
    return -1;
  failure_set(detail, mode == SANDBOX_ROOT ? "as root" : "without root");
  return 0;
}

int probe_sandbox(struct failure *detail) {
  char folder[] = "/tmp/wiregrade-doctor-XXXXXX";
  if (!mkdtemp(folder))
    return failure_errno(detail, "Cannot make a folder in /tmp");
  chmod(folder, 0755);
  char *argv[] = {(char *)"/bin/true", NULL};
  struct sandbox_spec spec = {
      .folder = folder,
      .argv = argv,
      .netns_fd = -1,
      .stdin_fd = -1,
      .stdout_fd = -1,
      .stderr_fd = -1,
      .cpu = -1,
      .limits = sandbox_default_limits(),
  };
  struct sandbox sandbox = sandbox_none();
  struct sandbox_status status = {0};
  int outcome = sandbox_start(&spec, &sandbox, detail);
  if (!outcome) {
    struct pollfd wait = {sandbox.status_fd, POLLIN, 0};
    if (poll(&wait, 1, 5000) <= 0 ||
        read(sandbox.status_fd, &status, sizeof status) != (ssize_t)sizeof status)
      outcome = failure_set(detail, "/bin/true did not end within 5 s");
    else if (status.exec_errno || status.wait_status)
      outcome = failure_set(detail, "/bin/true did not run: %s",
                            status.exec_errno ? strerror(status.exec_errno) : "it failed");
    sandbox_kill(&sandbox);
  }
  rmdir(folder);
  return outcome;
}

/* A network namespace whose lo is up. */
static int network_enter(struct failure *detail) {
  if (unshare(CLONE_NEWNET))
    return failure_errno(detail, "Cannot make a network namespace");
  scoped_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
    return failure_errno(detail, "Cannot bring up lo in a new network namespace");
  return 0;
}

int probe_network(struct failure *detail) {
  return network_enter(detail);
}

int probe_packets(struct failure *detail) {
  if (network_enter(detail))
    return -1;
  scoped_fd int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
  if (fd < 0)
    return failure_errno(detail, "Cannot open a packet socket");
  struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                .sll_protocol = htons(ETH_P_ALL),
                                .sll_ifindex = (int)if_nametoindex("lo")};
  if (bind(fd, (struct sockaddr *)&address, sizeof address))
    return failure_errno(detail, "Cannot bind a packet socket to lo");
  scoped_fd int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (sender < 0 || sendto(sender, "x", 1, 0, (struct sockaddr *)&to, sizeof to) != 1)
    return failure_errno(detail, "Cannot send a datagram on lo");
  struct pollfd wait = {fd, POLLIN, 0};
  if (poll(&wait, 1, 2000) != 1)
    return failure_set(detail, "A packet socket on lo does not see a datagram that is sent there");
  return 0;
}

int probe_socket_tables(struct failure *detail) {
  scoped_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0)
    return failure_errno(detail, "Cannot open a sock_diag socket");
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } message = {
      .header = {.nlmsg_len = sizeof message,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
      .request = {.sdiag_family = AF_INET, .idiag_states = ~0U},
  };
  static const struct {
    int protocol;
    const char *name, *module;
  } tables[] = {{IPPROTO_UDP, "UDP", "udp_diag"}, {IPPROTO_TCP, "TCP", "tcp_diag"}};
  for (size_t i = 0; i < 2; i++) {
    message.request.sdiag_protocol = (unsigned char)tables[i].protocol;
    _Alignas(struct nlmsghdr) char reply[16384];
    if (send(fd, &message, sizeof message, 0) < 0)
      return failure_errno(detail, "Cannot ask for the table of %s sockets", tables[i].name);
    for (bool done = false; !done;) {
      ssize_t length = recv(fd, reply, sizeof reply, 0);
      if (length < (ssize_t)sizeof(struct nlmsghdr))
        return failure_errno(detail, "Cannot read the table of %s sockets", tables[i].name);
      const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)reply;
      if (header->nlmsg_type == NLMSG_ERROR)
        return failure_set(detail, "The kernel has no table of %s sockets (module %s)",
                           tables[i].name, tables[i].module);
      unsigned left = (unsigned)length;
      for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left))
        done = done || header->nlmsg_type == NLMSG_DONE;
    }
  }
  return 0;
}

/* ---- seccomp's user notification: a thread whose getppid is reported to the other thread ---- */

struct notified_thread {
  unsigned flags;
  int listener, error; /* listener -1 until it is there; error: why there is none */
  long answer;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
};

static void *notified_thread_run(void *argument) {
  struct notified_thread *thread = argument;
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, thread->flags, &program);
  pthread_mutex_lock(&thread->mutex);
  thread->error = listener < 0 ? errno : 0;
  thread->listener = listener;
  pthread_cond_signal(&thread->changed);
  pthread_mutex_unlock(&thread->mutex);
  if (listener >= 0)
    thread->answer = syscall(SYS_getppid);
  return NULL;
}

static int notification_answer(int listener, struct failure *detail) {
  struct seccomp_notif notification = {0};
  struct pollfd wait = {listener, POLLIN, 0};
  if (poll(&wait, 1, 2000) != 1 || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification))
    return failure_errno(detail, "No notification came");
  struct seccomp_notif_resp response = {.id = notification.id,
                                        .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response))
    return failure_errno(detail, "A notification cannot be answered");
  return 0;
}

static int notification_try(unsigned flags, struct failure *detail) {
  struct notified_thread thread = {.flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | flags,
                                   .listener = -1,
                                   .mutex = PTHREAD_MUTEX_INITIALIZER,
                                   .changed = PTHREAD_COND_INITIALIZER};
  pthread_t id;
  if (pthread_create(&id, NULL, notified_thread_run, &thread))
    return failure_set(detail, "Cannot start a thread");
  pthread_mutex_lock(&thread.mutex);
  while (thread.listener < 0 && !thread.error)
    pthread_cond_wait(&thread.changed, &thread.mutex);
  pthread_mutex_unlock(&thread.mutex);
  if (thread.error) {
    pthread_join(id, NULL);
    errno = thread.error;
    return failure_errno(detail, "The kernel refuses the filter");
  }
  /* Without an answer the thread would wait for ever: the probe's process then ends with it. */
  if (notification_answer(thread.listener, detail))
    return -1;
  pthread_join(id, NULL);
  return thread.answer == (long)getppid() ? 0 : failure_set(detail, "A continued call failed");
}

int probe_notification(struct failure *detail) {
  return notification_try(0, detail);
}

int probe_notification_signals(struct failure *detail) {
  return notification_try(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, detail);
}

/* ---- other processes ---- */

static pid_t sleeper_start(void) {
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      pause();
  }
  return pid;
}

static void sleeper_end(pid_t pid) {
  if (pid > 0) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
  }
}

int probe_descriptors(struct failure *detail) {
  pid_t pid = sleeper_start();
  scoped_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  scoped_fd int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, STDERR_FILENO, 0);
  if (copy < 0)
    failure_errno(detail, "Cannot copy another process's descriptor");
  sleeper_end(pid);
  return copy < 0 ? -1 : 0;
}

int probe_trace(struct failure *detail) {
  pid_t pid = sleeper_start();
  int status;
  int outcome = ptrace(PTRACE_SEIZE, pid, NULL, NULL) ||
                        ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) ||
                        waitpid(pid, &status, 0) != pid || ptrace(PTRACE_DETACH, pid, NULL, NULL)
                    ? -1
                    : 0;
  if (outcome)
    failure_errno(detail, "Cannot trace another process");
  sleeper_end(pid);
  return outcome;
}

int probe_compare(struct failure *detail) {
  if (syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, STDERR_FILENO, STDERR_FILENO) == 0)
    return 0;
  return failure_errno(detail, "Cannot compare two descriptors");
}

/* As a program's sandbox does it: what is written over the submission goes to a tmpfs. */
int probe_overlay(struct failure *detail) {
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
      mount("tmpfs", "/tmp", "tmpfs", 0, "mode=755"))
    return failure_errno(detail, "Cannot mount a tmpfs");
  if (mkdir("/tmp/lower", 0755) || mkdir("/tmp/upper", 0755) || mkdir("/tmp/work", 0755) ||
      mkdir("/tmp/both", 0755))
    return failure_errno(detail, "Cannot make a folder in a tmpfs");
  if (mount("overlay", "/tmp/both", "overlay", 0,
            "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work"))
    return failure_errno(detail, "Cannot mount an overlay");
  scoped_fd int fd = open("/tmp/both/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0 || access("/tmp/upper/file", F_OK))
    return failure_errno(detail, "Cannot write into an overlay");
  return 0;
}
