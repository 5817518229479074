#include "grader/world/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/world/links.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int namespace_of_thread(void) {
  return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

struct visit namespace_visit(int netns_fd) {
  struct visit visit = {namespace_of_thread()};
  if (visit.home_fd >= 0 && setns(netns_fd, CLONE_NEWNET) < 0) {
    close(visit.home_fd);
    visit.home_fd = -1;
  }
  return visit;
}

void visit_end(struct visit *visit) {
  if (visit->home_fd >= 0) {
    setns(visit->home_fd, CLONE_NEWNET);
    close(visit->home_fd);
  }
}

static int loopback_up(struct failure *failure) {
  scoped_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
    return failure_errno(failure,
                         "cannot bring up the loopback interface of a new network namespace");
  return 0;
}

static bool setting_write(const char *path, const char *text) {
  scoped_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Where /proc/sys cannot be written (in some containers) what it is for can go wrong, once in a
 * long while. */
static void settings_make(void) {
  /* The kernel's usual range goes up to 60999, and labs have servers on 60000: a client could be
   * given the very port that it is to connect to, and talk to itself. */
  setting_write("/proc/sys/net/ipv4/ip_local_port_range", "32768 59999");
  /* What a machine has chosen may hold segments back to pace them (BBR does): real time, which the
   * clock cannot skip, and timers for nearly every segment. RFC 5681's is always there. */
  setting_write("/proc/sys/net/ipv4/tcp_congestion_control", "reno");
  /* Interfaces say nothing by themselves: no router solicitations. */
  setting_write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

/* SIOCSIFMTU of netdevice(7), for the loopback interface of this thread's namespace. */
static bool loopback_set_mtu(int mtu) {
  scoped_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};
  return fd >= 0 && ioctl(fd, SIOCSIFMTU, &request) == 0;
}

bool host_set_buffers(struct host *host, int receive, int send) {
  enum { LEAST = 4096, SEGMENTS_MTU = 1500 };
  scoped_visit struct visit visit = namespace_visit(host->netns_fd);
  scoped_text char *receives = memory_format("%d %d %d", LEAST, receive, receive);
  scoped_text char *sends = memory_format("%d %d %d", LEAST, send, send);
  /* Segments of the usual size. With the loopback interface's own, one may fill a small buffer: the
   * kernel then takes the room for less than it is, and drops segments with the acknowledgements
   * that they carry; two sides that both send stand still for seconds, with half of their buffers
   * empty. */
  return visit.home_fd >= 0 && setting_write("/proc/sys/net/ipv4/tcp_rmem", receives) &&
         setting_write("/proc/sys/net/ipv4/tcp_wmem", sends) && loopback_set_mtu(SEGMENTS_MTU);
}

int host_leave_out_data(struct host *host, struct failure *failure) {
  return capture_leave_out_data(host->capture, failure);
}

int host_socket(struct host *host, int domain, int type, int protocol, struct failure *failure) {
  scoped_visit struct visit visit = namespace_visit(host->netns_fd);
  if (visit.home_fd < 0)
    return failure_errno(failure, "cannot enter the network namespace of host %s", host->name);
  int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0)
    return failure_errno(failure, "cannot open a socket on host %s", host->name);
  return fd;
}

int namespace_create(struct failure *failure) {
  scoped_visit struct visit visit = {namespace_of_thread()};
  if (visit.home_fd < 0 || unshare(CLONE_NEWNET) < 0)
    return failure_errno(failure, "cannot create a network namespace (try `wiregrade doctor`)");
  if (loopback_up(failure) < 0)
    return -1;
  settings_make();
  int fd = namespace_of_thread();
  return fd < 0 ? failure_errno(failure, "cannot open a new network namespace") : fd;
}

struct host *host_create(struct world *world, const char *name, struct failure *failure) {
  struct host *host = memory_zeroed(1, sizeof *host);
  host->world = world;
  host->name = memory_text(name);
  host->diag_fd = -1;
  host->netns_fd = namespace_create(failure);
  if (host->netns_fd >= 0) {
    host->capture = capture_open(host, failure);
    host->diag_fd =
        host->capture ? host_socket(host, AF_NETLINK, SOCK_RAW, 4 /* NETLINK_SOCK_DIAG */, failure)
                      : -1;
  }
  host->links = host->diag_fd < 0 ? NULL : links_open(host->netns_fd, failure);
  if (!host->links || links_second_loopback(host->links, failure) < 0 ||
      (world->options.clock == CLOCK_VIRTUAL && !world->options.delayed_acks &&
       links_quick_loopback(host->links, failure) < 0)) {
    host_destroy(host);
    return NULL;
  }
  host->next = world->hosts;
  world->hosts = host;
  return host;
}

void host_destroy(struct host *host) {
  if (host->capture)
    capture_close(host->capture);
  links_close(host->links);
  if (host->diag_fd >= 0)
    close(host->diag_fd);
  if (host->netns_fd >= 0)
    close(host->netns_fd);
  free(host->outgoing.held);
  free(host->incoming.held);
  free(host->name);
  free(host);
}

bool host_drain(struct host *host) {
  return capture_drain(host->capture);
}

const char *host_name(const struct host *host) {
  return host->name;
}

struct world *host_world(const struct host *host) {
  return host->world;
}

void host_end_flood(struct host *host) {
  struct world *world = host->world;
  if (world->log.frames_left_out == 0)
    return;
  for (struct program *program = world->programs; program; program = program->next)
    if (program->host == host && !program->ended) {
      world_finding_add(world, "%s was ended: more than %zu frames were sent", program->name,
                        world->log.frame_count);
      program_kill(program);
    }
}

struct program *host_latest_program(const struct host *host) {
  for (struct program *program = host->world->programs; program; program = program->next)
    if (program->host == host)
      return program;
  return NULL;
}
