/* UDP peers, and what all peers have in common. */
#include "grader/sdk/inner.h"

#include "grader/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- all peers ---- */

struct peer *peer_create(struct host *host, const char *name, int fd) {
  struct peer *peer = memory_zeroed(1, sizeof *peer);
  peer->name = memory_text(name);
  peer->host = host;
  peer->fd = fd;
  peer->next = the_check.peers;
  the_check.peers = peer;
  return peer;
}

void peer_learn_address(struct peer *peer) {
  struct sockaddr_in bound = {0};
  socklen_t length = sizeof bound;
  if (getsockname(peer->fd, (struct sockaddr *)&bound, &length) == 0)
    peer->address = address_from_socket(&bound);
}

void peers_end(void) {
  while (the_check.peers) {
    struct peer *peer = the_check.peers;
    the_check.peers = peer->next;
    if (peer->end)
      peer->end(peer->of);
    if (peer->fd >= 0)
      close(peer->fd);
    free(peer->name);
    free(peer);
  }
}

struct peer *peer_at(struct host *host, struct address address) {
  bool loopback = address.ip >> 24 == 127;
  for (struct peer *peer = the_check.peers; peer; peer = peer->next)
    if (peer->address.port == address.port &&
        (peer->address.ip == address.ip || (peer->address.ip == 0 && peer->host == host)) &&
        (!loopback || peer->host == host))
      return peer;
  return NULL;
}

bool is_peer(struct host *host, struct address address) {
  for (struct peer *peer = the_check.peers; peer; peer = peer->next)
    if (peer->host == host && address_equal(peer->address, address))
      return true;
  return false;
}

struct sockaddr_in address_to_socket(struct address address) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(address.port), .sin_addr.s_addr = htonl(address.ip)};
}

/* A host is new in each check: what stands in a peer's way there is a program's socket. */
_Noreturn void port_is_taken(struct host *host, const char *ip, int port, int error) {
  if (error != EADDRINUSE || !host_latest_program(host))
    check_error(say("cannot bind a peer to %s:%d: %s", ip, port, strerror(error)));
  check_fail((struct failure_report){
      .message = port ? say("the program has taken port %d, which is not its own", port)
                      : "the program has taken all ports, and left none to its peers",
      .expected = "it binds the port that is asked for, and no others",
      .actual = say("%s:%d: %s", ip, port, strerror(error))});
}

int peer_socket(struct host *host, int type, const char *ip, int port) {
  struct failure failure;
  int fd = host_socket(host, AF_INET, type, 0, &failure);
  if (fd < 0)
    check_error(say("%s", failure.sentence));
  struct sockaddr_in bound = address_to_socket(address(ip, port));
  int yes = 1;
  if (type == SOCK_STREAM)
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&bound, sizeof bound) < 0) {
    int error = errno;
    close(fd);
    port_is_taken(host, ip, port, error);
  }
  return fd;
}

/* ---- UDP ---- */

struct peer *udp_peer_at(struct host *host, const char *name, const char *ip, int port) {
  int fd = peer_socket(host, SOCK_DGRAM, ip, port);
  int bytes = 4 << 20, yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
  struct peer *peer = peer_create(host, name, fd);
  peer_learn_address(peer);
  return peer;
}

struct peer *udp_peer(const char *name, const char *ip, int port) {
  return udp_peer_at(localhost(), name, ip, port);
}

struct address peer_address(const struct peer *peer) {
  return peer->address;
}

void udp_send(struct peer *peer, struct address to, const void *bytes, size_t length) {
  struct sockaddr_in destination = address_to_socket(to);
  ssize_t sent = -1;
  enum { TRIES = 3 }; /* an earlier datagram's ICMP error may be reported first */
  for (int i = 0; i < TRIES && sent < 0; i++)
    sent = sendto(peer->fd, bytes, length, 0, (struct sockaddr *)&destination, sizeof destination);
  if (sent < 0)
    check_error(
        say("peer %s cannot send to %s: %s", peer->name, address_text(to), strerror(errno)));
}

void udp_send_text(struct peer *peer, struct address to, const char *text) {
  udp_send(peer, to, text, strlen(text));
}

static bool has_datagram(void *context) {
  struct peer *peer = context;
  uint8_t byte;
  return recv(peer->fd, &byte, 1, MSG_PEEK | MSG_TRUNC) >= 0;
}

bool udp_receive(struct peer *peer, double within, struct datagram *datagram) {
  static uint8_t buffer[65536];
  if (!has_datagram(peer))
    run_until(now() + within, has_datagram, peer);
  struct sockaddr_in from = {0};
  socklen_t length = sizeof from;
  ssize_t received =
      recvfrom(peer->fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
  if (received < 0)
    return false;
  *datagram = (struct datagram){
      .bytes = (const uint8_t *)scrap_text((const char *)buffer, (size_t)received),
      .length = (size_t)received,
      .from = address_from_socket(&from),
      .time = now(),
  };
  return true;
}
