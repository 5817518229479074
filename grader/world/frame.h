/* Packets as bytes: reading their headers, and making some. Pure functions; addresses and ports are
 * in host byte order. RFC 791, 768, 792, 1071. */
#pragma once

#include "grader/world/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ETHERNET_HEADER = 14, ETHERNET_ADDRESS = 6, IPV4_HEADER = 20 };

/* Fills in what an IPv4 packet's headers say: protocol, addresses, ports, flags, and the payload,
 * which points into `packet`. False if it is no whole IPv4 header. */
bool packet_read(const uint8_t *packet, size_t length, struct event *event);

/* The internet checksum over the bytes, continued from `sum`; 0 begins. Fold with
 * checksum_finish. */
uint32_t checksum_add(uint32_t sum, const void *bytes, size_t length);
uint16_t checksum_finish(uint32_t sum); /* in network byte order */

struct packet_addresses {
  uint32_t from, to;
  uint16_t from_port, to_port;
};

/* Each makes an Ethernet frame in `frame`, which must have room, and returns its length. */
size_t frame_make_udp(uint8_t *frame, const uint8_t to_mac[ETHERNET_ADDRESS],
                      const uint8_t from_mac[ETHERNET_ADDRESS],
                      const struct packet_addresses *addresses, const void *bytes, size_t length);
/* ICMP "fragmentation needed and DF set", with the MTU, about `packet`. */
size_t frame_make_too_big(uint8_t *frame, const uint8_t to_mac[ETHERNET_ADDRESS],
                          const uint8_t from_mac[ETHERNET_ADDRESS], uint32_t from,
                          const uint8_t *packet, size_t packet_length, int mtu);
