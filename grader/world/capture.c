/* Every frame on a host's loopback interface, into the log.
 *
 * A packet socket sees each frame of `lo` twice: when it is sent (PACKET_OUTGOING, in the sender's
 * system call) and when it is received (PACKET_HOST, when the kernel takes it from its queue). The
 * first is what goes into the log, with the kernel's time stamp. The difference of the two counts
 * is what is in flight: on a busy machine a frame can lie in the queue for milliseconds, with every
 * process asleep. */
#include "grader/world/frame.h"
#include "grader/world/inner.h"
#include "grader/world/switch.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  LOOPBACK_INDEX = 1,
  FRAME_MAX = 65536 + 64,
  QUEUE_BYTES = 64 << 20,
  IN_FLIGHT_MAX_MS = 300,
  IN_QUEUE_MAX_MS = 10000,
};

struct capture {
  struct host *host;
  int fd;
  struct watch *watch;
  int64_t sent, received;
  int64_t last_sent_real_ns;
  bool lost; /* frames, and it is not known yet whose fault that was */
  int64_t lost_real_ns;
  uint8_t *frame; /* the last one, of at most FRAME_MAX bytes */
};

static void capture_on_ready(void *context, uint32_t events) {
  (void)events;
  capture_drain(context);
}

struct capture *capture_open(struct host *host, struct failure *failure) {
  scoped_fd int fd = host_socket(host, AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL), failure);
  if (fd < 0)
    return NULL;
  int bytes = QUEUE_BYTES, yes = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes) < 0) {
    failure_errno(failure, "cannot have frames stamped on host %s", host->name);
    return NULL;
  }
  struct capture *capture = memory_zeroed(1, sizeof *capture);
  capture->host = host;
  capture->frame = memory_resize(NULL, FRAME_MAX);
  capture->fd = steal_fd(&fd);
  capture->watch = world_watch(host->world, capture->fd, EPOLLIN, capture_on_ready, capture);
  return capture;
}

int capture_leave_out_data(struct capture *capture, struct failure *failure) {
  enum { VERSION_AND_LENGTH = 0, PROTOCOL = 9, TCP_FLAGS = 13, FIN_SYN_RST = 7, WHOLE = 0x40000 };
  struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, VERSION_AND_LENGTH),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 6),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, PROTOCOL),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 4),
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, VERSION_AND_LENGTH),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, TCP_FLAGS),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FIN_SYN_RST, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, WHOLE),
  };
  struct sock_fprog filter = {sizeof instructions / sizeof *instructions, instructions};
  if (setsockopt(capture->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0)
    return failure_errno(failure, "cannot leave out frames of host %s", capture->host->name);
  return 0;
}

void capture_close(struct capture *capture) {
  world_unwatch(capture->watch);
  closing_add(&capture->host->world->closing, capture->fd);
  free(capture->frame);
  free(capture);
}

int64_t message_stamp(struct msghdr *message) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec stamp;
      memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
      return stamp.tv_sec * SECONDS + stamp.tv_nsec;
    }
  return clock_kernel(CLOCK_REALTIME);
}

/* On LANs the switch logs the frames; here they are only counted. */
static void count_on_link(struct host *host, int interface, bool outgoing) {
  for (struct port *port = host->ports; port; port = port->next_of_host)
    if (port->interface == interface) {
      if (outgoing)
        port->host_sent++;
      else
        port->host_got++;
      port->last_real_ns = clock_real_elapsed(&host->world->clock);
    }
}

static bool capture_receive(struct capture *capture) {
  struct sockaddr_ll from;
  char control[128];
  struct iovec into = {capture->frame, FRAME_MAX};
  struct msghdr message = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &into,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  ssize_t length = recvmsg(capture->fd, &message, MSG_DONTWAIT);
  if (length < 0)
    return false;
  bool outgoing = from.sll_pkttype == PACKET_OUTGOING;
  if (from.sll_ifindex != LOOPBACK_INDEX) {
    count_on_link(capture->host, from.sll_ifindex, outgoing);
    return true;
  }
  if (!outgoing) {
    capture->received++;
    return true;
  }
  capture->sent++;
  struct world *world = capture->host->world;
  capture->last_sent_real_ns = clock_real_elapsed(&world->clock);
  struct event event = {.kind = EVENT_FRAME, .host = capture->host};
  event.raw = capture->frame;
  event.raw_length = (size_t)length;
  if (ntohs(from.sll_protocol) != ETH_P_IP || !packet_read(capture->frame, (size_t)length, &event))
    return true;
  event.stamp_ns = message_stamp(&message);
  event.time_ns = clock_at_realtime(&world->clock, event.stamp_ns);
  world->saw_tcp |= event.protocol == IPPROTO_TCP;
  log_append(&world->log, &event);
  return true;
}

/* The addresses of the sockets of this process, which are the peers'. */
struct own_addresses {
  struct sockaddr_in *list;
  size_t count;
};

static struct own_addresses own_addresses(void) {
  struct own_addresses own = {0};
  DIR *folder = opendir("/proc/self/fd");
  for (struct dirent *entry = NULL; folder && (entry = readdir(folder));) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int fd = (int)strtol(entry->d_name, NULL, 10);
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0 || address.sin_family != AF_INET)
      continue;
    own.list = memory_resize(own.list, (own.count + 1) * sizeof *own.list);
    own.list[own.count++] = address;
  }
  if (folder)
    closedir(folder);
  return own;
}

static bool is_own(const struct own_addresses *own, const struct sockaddr_in *address) {
  for (size_t i = 0; i < own->count; i++)
    if (own->list[i].sin_port == address->sin_port &&
        (own->list[i].sin_addr.s_addr == address->sin_addr.s_addr ||
         own->list[i].sin_addr.s_addr == htonl(INADDR_ANY)))
      return true;
  return false;
}

/* Whether the programs of the host have sent more than any program has to say, of what was seen. */
static bool programs_flood(const struct capture *capture) {
  enum { FRAMES = 1000, BYTES = 64 << 10 };
  const struct log *log = &capture->host->world->log;
  struct own_addresses own = own_addresses();
  size_t frames = 0, bytes = 0;
  for (size_t i = log->count; i-- > 0 && frames < FRAMES && bytes < BYTES;) {
    const struct event *event = log->events[i];
    if (event->kind == EVENT_FRAME && event->host == capture->host &&
        !is_own(&own, &event->source)) {
      frames++;
      bytes += event->length;
    }
  }
  free(own.list);
  return frames >= FRAMES || bytes >= BYTES;
}

/* Frames are lost that came faster than they could be read. That is our fault, unless somebody
 * floods the wire: an ordinary user's queue holds a few hundred small frames, or three large ones.
 * What a flood has sent until it is told to be one is waited for, until nothing is on its way. */
static void look_for_losses(struct capture *capture, bool all_over) {
  enum { FLOOD_FRAMES = 20000, FLOOD_BYTES = 16 << 20, WAIT_MS = 200 };
  struct world *world = capture->host->world;
  struct tpacket_stats lost = {0};
  socklen_t length = sizeof lost;
  if (getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &lost, &length) == 0 &&
      lost.tp_drops > 0) { /* the kernel tells each loss once */
    if (!capture->lost)
      capture->lost_real_ns = clock_real_elapsed(&world->clock);
    capture->lost = true;
  }
  if (!capture->lost)
    return;
  bool flood = world->log.frame_count >= FLOOD_FRAMES || world->log.frame_bytes >= FLOOD_BYTES ||
               programs_flood(capture);
  int64_t waited = clock_real_elapsed(&world->clock) - capture->lost_real_ns;
  if (!flood && !all_over && waited < WAIT_MS * MILLISECONDS)
    return;
  capture->lost = false;
  if (!flood)
    world_break(world, false, "frames came faster than they could be captured");
  else
    world_finding_add(world, "host %s is flooded with frames; not all were seen",
                      capture->host->name);
}

/* Not more at once, so that a flood does not keep the loop here. */
enum { FRAMES_AT_ONCE = 512 };

bool capture_drain(struct capture *capture) {
  int count = 0;
  while (count < FRAMES_AT_ONCE && capture_receive(capture))
    count++;
  bool any = count > 0;
  if (any || capture->lost) {
    look_for_losses(capture, false);
    host_end_flood(capture->host);
  }
  return any;
}

/* Whether frames lie in the kernel's queue of any CPU: it takes them in a thread that waits for its
 * turn, as others do, when there are many. (softnet_data_to_proc_show: the twelfth number is the
 * length; Linux 5.10 and later.) */
static bool kernel_has_frames(void) {
  scoped_file FILE *file = fopen("/proc/net/softnet_stat", "re");
  char line[256];
  unsigned length;
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "%*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %x", &length) == 1 && length > 0)
      return true;
  return false;
}

/* A frame that was not taken after so long was dropped by the kernel, unless it has not even looked
 * at it. */
static bool is_on_its_way(struct world *world, int64_t last_real_ns) {
  int64_t waited = clock_real_elapsed(&world->clock) - last_real_ns;
  return waited < IN_FLIGHT_MAX_MS * MILLISECONDS ||
         (waited < IN_QUEUE_MAX_MS * MILLISECONDS && kernel_has_frames());
}

static bool links_in_flight(struct host *host) {
  for (struct port *port = host->ports; port; port = port->next_of_host) {
    if (port->host_sent <= port->taken && port->given <= port->host_got)
      continue;
    if (is_on_its_way(host->world, port->last_real_ns))
      return true;
    world_note(host->world, "frames on the link of host %s were dropped by the kernel", host->name);
    port->taken = port->host_sent;
    port->host_got = port->given;
  }
  return false;
}

bool capture_in_flight(struct capture *capture) {
  if (links_in_flight(capture->host))
    return true;
  if (capture->sent <= capture->received) {
    if (capture->lost)
      look_for_losses(capture, true);
    return false;
  }
  struct world *world = capture->host->world;
  if (is_on_its_way(world, capture->last_sent_real_ns))
    return true;
  world_note(world, "%lld frames on host %s were dropped by the kernel",
             (long long)(capture->sent - capture->received), capture->host->name);
  capture->received = capture->sent;
  if (capture->lost)
    look_for_losses(capture, true);
  return false;
}
