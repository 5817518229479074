/* Every frame on a host's loopback interface, into the log.
 *
 * A packet socket sees each frame of `lo` twice: when it is sent (PACKET_OUTGOING, in the sender's
 * system call) and when it is received (PACKET_HOST, when the kernel takes it from its queue). The
 * first is what goes into the log, with the kernel's time stamp. The difference of the two counts
 * is what is in flight: on a busy machine a frame can lie in the queue for milliseconds, with every
 * process asleep. */
#include "grader/world/inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  FRAME_MAX = 65536 + 64,
  QUEUE_BYTES = 64 << 20,
  IN_FLIGHT_MAX_MS =
      300, /* a frame that was not received after this long was dropped by the kernel */
};

struct capture {
  struct host *host;
  int fd;
  struct watch *watch;
  int64_t sent, received;
  int64_t last_sent_real_ns;
  bool saw_tcp;
  uint8_t frame[FRAME_MAX];
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
  capture->fd = steal_fd(&fd);
  capture->watch = world_watch(host->world, capture->fd, EPOLLIN, capture_on_ready, capture);
  return capture;
}

void capture_close(struct capture *capture) {
  world_unwatch(capture->watch);
  close(capture->fd);
  free(capture);
}

/* Fills in what the headers say. False if it is not IPv4. */
static bool frame_read(const uint8_t *bytes, size_t length, struct event *event) {
  struct iphdr ip;
  if (length < sizeof ip)
    return false;
  memcpy(&ip, bytes, sizeof ip);
  size_t header = (size_t)ip.ihl * 4, total = ntohs(ip.tot_len);
  if (total == 0 || total > length) /* a segment of 64 KiB and more has no length there */
    total = length;
  if (ip.version != 4 || header < sizeof ip || header > total)
    return false;
  event->protocol = ip.protocol;
  event->source = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = ip.saddr};
  event->destination = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = ip.daddr};
  const uint8_t *payload = bytes + header;
  size_t left = total - header;
  bool later_fragment = ntohs(ip.frag_off) & IP_OFFMASK;
  if (ip.protocol == IPPROTO_UDP && left >= sizeof(struct udphdr) && !later_fragment) {
    struct udphdr udp;
    memcpy(&udp, payload, sizeof udp);
    event->source.sin_port = udp.source;
    event->destination.sin_port = udp.dest;
    payload += sizeof udp;
    left -= sizeof udp;
  } else if (ip.protocol == IPPROTO_TCP && left >= sizeof(struct tcphdr)) {
    struct tcphdr tcp;
    memcpy(&tcp, payload, sizeof tcp);
    size_t tcp_header = (size_t)tcp.doff * 4;
    if (tcp_header > left)
      return false;
    event->source.sin_port = tcp.source;
    event->destination.sin_port = tcp.dest;
    event->tcp_flags = payload[13];
    event->tcp_sequence = ntohl(tcp.seq);
    event->tcp_acknowledgement = ntohl(tcp.ack_seq);
    payload += tcp_header;
    left -= tcp_header;
  }
  event->bytes = payload;
  event->length = left;
  return true;
}

static int64_t message_stamp(struct msghdr *message) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec stamp;
      memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
      return stamp.tv_sec * SECONDS + stamp.tv_nsec;
    }
  return clock_kernel(CLOCK_REALTIME);
}

static bool capture_receive(struct capture *capture) {
  struct sockaddr_ll from;
  char control[128];
  struct iovec into = {capture->frame, sizeof capture->frame};
  struct msghdr message = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &into,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  ssize_t length = recvmsg(capture->fd, &message, MSG_DONTWAIT);
  if (length < 0)
    return false;
  if (from.sll_pkttype != PACKET_OUTGOING) {
    capture->received++;
    return true;
  }
  capture->sent++;
  struct world *world = capture->host->world;
  capture->last_sent_real_ns = clock_real_elapsed(&world->clock);
  struct event event = {.kind = EVENT_FRAME, .host = capture->host};
  if (ntohs(from.sll_protocol) != ETH_P_IP || !frame_read(capture->frame, (size_t)length, &event))
    return true;
  event.time_ns = clock_at_realtime(&world->clock, message_stamp(&message));
  capture->saw_tcp |= event.protocol == IPPROTO_TCP;
  log_append(&world->log, &event);
  return true;
}

bool capture_drain(struct capture *capture) {
  bool any = false;
  while (capture_receive(capture))
    any = true;
  struct tpacket_stats lost = {0};
  socklen_t length = sizeof lost;
  if (any && getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &lost, &length) == 0 &&
      lost.tp_drops > 0)
    world_break(capture->host->world, false, "frames came faster than they could be captured");
  return any;
}

bool capture_in_flight(struct capture *capture) {
  if (capture->sent <= capture->received)
    return false;
  struct world *world = capture->host->world;
  if (clock_real_elapsed(&world->clock) - capture->last_sent_real_ns <
      IN_FLIGHT_MAX_MS * MILLISECONDS)
    return true;
  world_note(world, "%lld frames on host %s were dropped by the kernel",
             (long long)(capture->sent - capture->received), capture->host->name);
  capture->received = capture->sent;
  return false;
}

bool capture_saw_tcp(const struct capture *capture) {
  return capture->saw_tcp;
}
