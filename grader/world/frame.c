#include "grader/world/frame.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

bool packet_read(const uint8_t *packet, size_t length, struct event *event) {
  struct iphdr ip;
  if (length < sizeof ip)
    return false;
  memcpy(&ip, packet, sizeof ip);
  size_t header = (size_t)ip.ihl * 4, total = ntohs(ip.tot_len);
  if (total == 0 || total > length) /* a segment of 64 KiB and more has no length there */
    total = length;
  if (ip.version != 4 || header < sizeof ip || header > total)
    return false;
  event->protocol = ip.protocol;
  event->source = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = ip.saddr};
  event->destination = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = ip.daddr};
  const uint8_t *payload = packet + header;
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

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t length) {
  const uint8_t *byte = bytes;
  uint64_t wide = sum;
  // NOLINTBEGIN(clang-analyzer-core.uninitialized.Assign): of a struct, the analyzer sees no bytes
  for (size_t i = 0; i < length; i++)
    wide += i % 2 ? byte[i] : (uint32_t)byte[i] << 8;
  // NOLINTEND(clang-analyzer-core.uninitialized.Assign)
  while (wide >> 16)
    wide = (wide & 0xffff) + (wide >> 16);
  return (uint32_t)wide;
}

uint16_t checksum_finish(uint32_t sum) {
  return htons((uint16_t)~sum);
}

/* The Ethernet and IPv4 headers; `length`: of what follows them. */
static void headers_make(uint8_t *frame, const uint8_t *to_mac, const uint8_t *from_mac,
                         uint32_t from, uint32_t to, uint8_t protocol, size_t length) {
  static const uint8_t type[] = {ETHERTYPE_IP >> 8, ETHERTYPE_IP & 0xff};
  memcpy(frame, to_mac, ETHERNET_ADDRESS);
  memcpy(frame + ETHERNET_ADDRESS, from_mac, ETHERNET_ADDRESS);
  memcpy(frame + 2 * (size_t)ETHERNET_ADDRESS, type, sizeof type);
  struct iphdr ip = {.version = 4,
                     .ihl = 5,
                     .tot_len = htons((uint16_t)(IPV4_HEADER + length)),
                     .ttl = 64,
                     .protocol = protocol,
                     .saddr = htonl(from),
                     .daddr = htonl(to)};
  ip.check = checksum_finish(checksum_add(0, &ip, sizeof ip));
  memcpy(frame + ETHERNET_HEADER, &ip, sizeof ip);
}

size_t frame_make_udp(uint8_t *frame, const uint8_t to_mac[ETHERNET_ADDRESS],
                      const uint8_t from_mac[ETHERNET_ADDRESS],
                      const struct packet_addresses *addresses, const void *bytes, size_t length) {
  size_t udp_length = sizeof(struct udphdr) + length;
  headers_make(frame, to_mac, from_mac, addresses->from, addresses->to, IPPROTO_UDP, udp_length);
  uint8_t *datagram = frame + ETHERNET_HEADER + IPV4_HEADER;
  struct udphdr udp = {.source = htons(addresses->from_port),
                       .dest = htons(addresses->to_port),
                       .len = htons((uint16_t)udp_length)};
  memcpy(datagram, &udp, sizeof udp);
  if (length > 0)
    memcpy(datagram + sizeof udp, bytes, length);
  uint32_t sum = checksum_add(IPPROTO_UDP + (uint32_t)udp_length,
                              frame + ETHERNET_HEADER + offsetof(struct iphdr, saddr), 8);
  udp.check = checksum_finish(checksum_add(sum, datagram, udp_length));
  if (udp.check == 0)
    udp.check = 0xffff; /* 0 means that there is none */
  memcpy(datagram, &udp, sizeof udp);
  return ETHERNET_HEADER + IPV4_HEADER + udp_length;
}

size_t frame_make_too_big(uint8_t *frame, const uint8_t to_mac[ETHERNET_ADDRESS],
                          const uint8_t from_mac[ETHERNET_ADDRESS], uint32_t from,
                          const uint8_t *packet, size_t packet_length, int mtu) {
  struct iphdr about;
  memcpy(&about, packet, sizeof about);
  size_t quoted = (size_t)about.ihl * 4 + 8; /* RFC 792: the header and 64 bits */
  if (quoted > packet_length)
    quoted = packet_length;
  struct icmphdr icmp = {
      .type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED, .un.frag.mtu = htons((uint16_t)mtu)};
  uint8_t *message = frame + ETHERNET_HEADER + IPV4_HEADER;
  headers_make(frame, to_mac, from_mac, from, ntohl(about.saddr), IPPROTO_ICMP,
               sizeof icmp + quoted);
  memcpy(message, &icmp, sizeof icmp);
  memcpy(message + sizeof icmp, packet, quoted);
  icmp.checksum = checksum_finish(checksum_add(0, message, sizeof icmp + quoted));
  memcpy(message, &icmp, sizeof icmp);
  return ETHERNET_HEADER + IPV4_HEADER + sizeof icmp + quoted;
}
