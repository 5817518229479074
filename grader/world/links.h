/* Interfaces, addresses, routes and neighbours of a network namespace: rtnetlink(7), by libnl.
 * Addresses are in host byte order. */
#pragma once

#include "grader/base/failure.h"

#include <stdint.h>

struct nl_sock;

/* A socket for the other functions, of the namespace; the caller frees it with links_close. NULL on
 * failure. */
struct nl_sock *links_open(int netns_fd, struct failure *failure);
void links_close(struct nl_sock *links);

/* Makes a veth pair: `name` in the namespace of `links`, up; `peer_name` in the one of
 * peer_netns_fd. */
int links_add_veth(struct nl_sock *links, const char *name, int peer_netns_fd,
                   const char *peer_name, const uint8_t peer_mac[6], int mtu,
                   struct failure *failure);
/* Brings an interface up. Its index, or -1. */
int links_up(struct nl_sock *links, const char *name, struct failure *failure);
/* Gives it an address, with the route to its network that comes with it. Data that comes by that
 * route is acknowledged at once: a delayed ACK (RFC 1122, 4.2.3.2) is a timer of up to 40 ms that
 * runs in real time. */
int links_add_address(struct nl_sock *links, int interface, uint32_t ip, int prefix,
                      struct failure *failure);
int links_add_default_route(struct nl_sock *links, uint32_t gateway, struct failure *failure);
/* The same acknowledging for 127.0.0.0/8. */
int links_quick_loopback(struct nl_sock *links, struct failure *failure);
/* Gives `lo` the address 127.0.0.2 too, which it answers for anyway: getaddrinfo(3) with
 * AI_ADDRCONFIG finds nothing on a host that has 127.0.0.1 only, as no real machine does. */
int links_second_loopback(struct nl_sock *links, struct failure *failure);
int links_add_neighbour(struct nl_sock *links, int interface, uint32_t ip, const uint8_t mac[6],
                        struct failure *failure);
