/* A router between two LANs: RFC 1812, as far as a course needs it. */
#include "grader/world/switch.h"

#include "grader/base/memory.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>

enum { HOPS_MAX = 8 };

/* Where a packet for the address goes on the LAN: to whom has it, or to another router that leads
 * there, but not back to where it comes from. `hops`: how many more routers may be on the way. */
static struct port *next_hop(struct lan *lan, uint32_t ip, const struct lan *from, int hops) {
  struct port *port = lan_port_of(lan, ip);
  if (port || hops == 0)
    return port;
  for (port = lan->ports; port; port = port->next) {
    if (!port->router)
      continue;
    struct lan *beyond = port->router->ports[port->router->ports[0] == port]->lan;
    if (beyond != from && next_hop(beyond, ip, lan, hops - 1))
      return port;
  }
  return NULL;
}

static void send_too_big(struct port *port, const uint8_t *frame, size_t length, int mtu) {
  uint8_t answer[ETHERNET_HEADER + IPV4_HEADER + 8 + 60 + 8];
  size_t size = frame_make_too_big(answer, frame + ETHERNET_ADDRESS, port->mac, port->ip,
                                   frame + ETHERNET_HEADER, length - ETHERNET_HEADER, mtu);
  switch_take(port->lan, port, answer, size, clock_kernel(CLOCK_REALTIME));
}

/* The next hop's frame: other Ethernet addresses, one hop less to live. */
static void forward(struct port *out, const struct port *to, const uint8_t *frame, size_t length) {
  uint8_t *copy = memory_resize(NULL, length);
  memcpy(copy, frame, length);
  memcpy(copy, to->mac, ETHERNET_ADDRESS);
  memcpy(copy + ETHERNET_ADDRESS, out->mac, ETHERNET_ADDRESS);
  struct iphdr ip;
  memcpy(&ip, copy + ETHERNET_HEADER, sizeof ip);
  ip.ttl--;
  ip.check = 0;
  memcpy(copy + ETHERNET_HEADER, &ip, sizeof ip);
  ip.check = checksum_finish(checksum_add(0, copy + ETHERNET_HEADER, (size_t)ip.ihl * 4));
  memcpy(copy + ETHERNET_HEADER, &ip, sizeof ip);
  switch_take(out->lan, out, copy, length, clock_kernel(CLOCK_REALTIME));
  free(copy);
}

void router_take(struct router *router, struct port *port, const uint8_t *frame, size_t length) {
  struct iphdr ip;
  if (length < ETHERNET_HEADER + sizeof ip || (frame[0] & 1)) /* a router forwards no broadcast */
    return;
  memcpy(&ip, frame + ETHERNET_HEADER, sizeof ip);
  size_t total = ntohs(ip.tot_len);
  if (ip.version != 4 || ip.ihl < 5 || total > length - ETHERNET_HEADER ||
      (size_t)ip.ihl * 4 > total || ip.ttl <= 1)
    return;
  struct port *out = router->ports[router->ports[0] == port];
  struct port *to = next_hop(out->lan, ntohl(ip.daddr), port->lan, HOPS_MAX);
  if (!to || to == out ||
      to->router == router) /* nobody there, or the router itself, which offers nothing */
    return;
  if ((int)total <= out->lan->mtu) {
    forward(out, to, frame, ETHERNET_HEADER + total);
    return;
  }
  if (ntohs(ip.frag_off) & IP_DF)
    send_too_big(port, frame, length, out->lan->mtu);
  else
    world_note(port->lan->world,
               "the router drops a packet of %zu bytes, which does not fit %s and would be cut",
               total, out->lan->name);
}
