/* The sockets of a host, as the kernel's sock_diag(7) tells them. */
#include "grader/world/inner.h"

#include "grader/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An IPv6 address as the IPv4 one that it stands for. False if it stands for none. */
static bool address_as_ipv4(const uint32_t words[4], struct in_addr *address) {
  address->s_addr = 0;
  if (!words[0] && !words[1] && words[2] == htonl(0xffff)) {
    address->s_addr = words[3];
    return true;
  }
  return !words[0] && !words[1] && !words[2] && !words[3];
}

/* Behind the message stand what more was asked for: here struct tcp_info, of which older kernels
 * know less. */
static void read_info(struct socket_state *state, const char *bytes, size_t length) {
  size_t begin = NLMSG_LENGTH(NLMSG_ALIGN(sizeof(struct inet_diag_msg)));
  while (begin + sizeof(struct nlattr) <= length) {
    struct nlattr attribute;
    memcpy(&attribute, bytes + begin, sizeof attribute);
    if (attribute.nla_len < sizeof attribute || begin + attribute.nla_len > length)
      return;
    if (attribute.nla_type == INET_DIAG_INFO) {
      struct tcp_info info = {0};
      size_t size = attribute.nla_len - sizeof attribute;
      memcpy(&info, bytes + begin + sizeof attribute, size < sizeof info ? size : sizeof info);
      state->bytes_received = info.tcpi_bytes_received;
      state->bytes_acknowledged = info.tcpi_bytes_acked;
    }
    begin += NLA_ALIGN(attribute.nla_len);
  }
}

static void listing_add(struct socket_listing *listing, const char *bytes, size_t length,
                        uint8_t protocol) {
  struct inet_diag_msg message;
  memcpy(&message, bytes + NLMSG_HDRLEN, sizeof message);
  listing->states = memory_resize(listing->states, (listing->count + 1) * sizeof *listing->states);
  struct socket_state *state = &listing->states[listing->count++];
  *state = (struct socket_state){
      .protocol = protocol,
      .state = message.idiag_state,
      .ipv6 = message.idiag_family == AF_INET6,
      .receive_queue = message.idiag_rqueue,
      .send_queue = message.idiag_wqueue,
      .timer = message.idiag_timer,
      .timer_ms = message.idiag_expires,
      .inode = message.idiag_inode,
      .local = {.sin_family = AF_INET, .sin_port = message.id.idiag_sport},
      .remote = {.sin_family = AF_INET, .sin_port = message.id.idiag_dport},
  };
  if (state->ipv6) {
    state->ipv6_native = !address_as_ipv4(message.id.idiag_src, &state->local.sin_addr);
    address_as_ipv4(message.id.idiag_dst, &state->remote.sin_addr);
  } else {
    state->local.sin_addr.s_addr = message.id.idiag_src[0];
    state->remote.sin_addr.s_addr = message.id.idiag_dst[0];
  }
  if (protocol == IPPROTO_TCP)
    read_info(state, bytes, length);
}

enum listing_more sockdiag_parse(struct socket_listing *listing, const void *bytes, size_t length,
                                 uint8_t protocol) {
  const char *next = bytes;
  struct nlmsghdr header;
  while (length >= sizeof header) {
    memcpy(&header, next, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > length)
      return LISTING_FAILED;
    if (header.nlmsg_type == NLMSG_DONE)
      return LISTING_DONE;
    if (header.nlmsg_type == NLMSG_ERROR)
      return LISTING_FAILED;
    if (header.nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
      listing_add(listing, next, header.nlmsg_len, protocol);
    size_t whole = NLMSG_ALIGN(header.nlmsg_len); /* of the last one, padding may be missing */
    whole = whole < length ? whole : length;
    next += whole;
    length -= whole;
  }
  return LISTING_GOES_ON;
}

/* Reads answers until the kernel says that it is done. */
static int listing_read(int fd, struct socket_listing *listing, uint8_t protocol) {
  char buffer[32768];
  enum listing_more more = LISTING_GOES_ON;
  while (more == LISTING_GOES_ON) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    ssize_t length = poll(&wait, 1, 1000) > 0 ? recv(fd, buffer, sizeof buffer, 0) : -1;
    if (length < 0)
      return -1;
    more = sockdiag_parse(listing, buffer, (size_t)length, protocol);
  }
  return more == LISTING_DONE ? 0 : -1;
}

/* Sockets in the states of these: those that listen, and those that are bound and no more, stand in
 * tables that all network namespaces share, and that are long in looking through. */
enum { LISTENING = 10, CONNECTED = 0x1fff & ~(1 << LISTENING), CONNECTED_OR_LISTENING = 0x1fff };

static int listing_ask(int fd, struct socket_listing *listing, uint8_t family, uint8_t protocol,
                       uint32_t kinds) {
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } message = {
      .header = {.nlmsg_len = sizeof message,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
      .request = {.sdiag_family = family,
                  .sdiag_protocol = protocol,
                  .idiag_states = kinds,
                  .idiag_ext = protocol == IPPROTO_TCP ? 1 << (INET_DIAG_INFO - 1) : 0},
  };
  if (send(fd, &message, sizeof message, 0) < 0)
    return -1;
  return listing_read(fd, listing, protocol);
}

/* A listing is made at every step of the world, and takes the longer the more there is to list:
 * whose sockets are so many that nothing else would get done is ended. No lab needs a tenth. */
static void crowd_end(const struct host *host, size_t count) {
  enum { SOCKETS_MOST = 16384 };
  if (count <= SOCKETS_MOST)
    return;
  for (struct program *program = host->world->programs; program; program = program->next)
    if (program->host == host && !program->ended) {
      world_finding_add(host->world, "%s opened more than %d sockets, and was ended", program->name,
                        SOCKETS_MOST);
      program_kill(program);
    }
}

static int sockets_list(struct host *host, uint8_t protocol, uint32_t kinds,
                        struct socket_state **states, struct failure *failure) {
  struct socket_listing listing = {0};
  if (listing_ask(host->diag_fd, &listing, AF_INET, protocol, kinds) < 0 ||
      listing_ask(host->diag_fd, &listing, AF_INET6, protocol, kinds) < 0) {
    free(listing.states);
    *states = NULL;
    return failure_set(failure, "the kernel does not list the sockets of host %s", host->name);
  }
  *states = listing.states;
  crowd_end(host, listing.count);
  return (int)listing.count;
}

int host_sockets(struct host *host, uint8_t protocol, struct socket_state **states,
                 struct failure *failure) {
  return sockets_list(host, protocol, CONNECTED_OR_LISTENING, states, failure);
}

static bool is_same(const struct sockaddr_in *one, const struct sockaddr_in *other) {
  return one->sin_port == other->sin_port && one->sin_addr.s_addr == other->sin_addr.s_addr;
}

uint64_t world_socket_between(struct world *world, struct sockaddr_in local,
                              struct sockaddr_in remote) {
  uint64_t inode = 0;
  for (struct host *host = world->hosts; host && !inode; host = host->next) {
    struct socket_state *states = NULL;
    struct failure ignored;
    int count = host_sockets(host, IPPROTO_TCP, &states, &ignored);
    for (int i = 0; states && i < count && !inode; i++)
      if (is_same(&states[i].local, &local) && is_same(&states[i].remote, &remote))
        inode = states[i].inode;
    free(states);
  }
  return inode;
}

/* idiag_timer */
enum { KEEP_ALIVE = 2, TIME_WAIT_TIMER = 3, WINDOW_PROBE = 4 };

static const struct socket_state *other_end(const struct socket_state *one,
                                            const struct socket_state *states, int count) {
  for (int i = 0; i < count; i++)
    if (is_same(&states[i].local, &one->remote) && is_same(&states[i].remote, &one->local))
      return &states[i];
  return NULL;
}

/* A sender that has more to send than its receiver has room for asks, now and then, whether the
 * news of more room was lost; or it sends the little that fits. Both change nothing for a receiver
 * on the same host (so nothing is lost) that does not read what it has already. Keep-alive asks
 * whether the other end is there; on the same host it is, or is not. */
static bool is_idle(const struct socket_state *socket, const struct socket_state *states,
                    int count) {
  const struct socket_state *other = other_end(socket, states, count);
  if (socket->timer == WINDOW_PROBE)
    return other && other->receive_queue > 0;
  return socket->timer == KEEP_ALIVE && other;
}

int64_t host_kernel_timer_ms(struct host *host) {
  enum { KEEP_ALIVE_NEAR_MS = 60000 };
  if (!host->world->saw_tcp)
    return -1;
  struct socket_state *states = NULL;
  struct failure ignored;
  int count = sockets_list(host, IPPROTO_TCP, CONNECTED, &states, &ignored);
  int64_t earliest = -1;
  for (int i = 0; states && i < count; i++) {
    if (states[i].timer == 0 || states[i].timer == TIME_WAIT_TIMER)
      continue; /* the end of TIME_WAIT is nothing that a program waits for */
    if (is_idle(&states[i], states, count))
      continue;
    if (states[i].timer == KEEP_ALIVE && states[i].timer_ms > KEEP_ALIVE_NEAR_MS)
      continue; /* the default of two hours */
    if (earliest < 0 || states[i].timer_ms < earliest)
      earliest = states[i].timer_ms;
  }
  free(states);
  return earliest;
}
