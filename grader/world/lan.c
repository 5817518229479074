#include "grader/world/lan.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/world/links.h"
#include "grader/world/switch.h"

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* ---- the switch's namespace ---- */

/* It is made with the first LAN. */
static int switch_begin(struct world *world, struct failure *failure) {
  if (world->switch_host)
    return 0;
  world->switch_host = memory_zeroed(1, sizeof *world->switch_host);
  *world->switch_host = (struct host){.world = world, .name = memory_text(_("the switch"))};
  struct host *host = world->switch_host;
  host->diag_fd = -1;
  host->netns_fd = namespace_create(failure);
  host->links = host->netns_fd < 0 ? NULL : links_open(host->netns_fd, failure);
  return host->links ? 0 : -1;
}

struct lan *lan_create(struct world *world, const char *name, int mtu, struct failure *failure) {
  if (switch_begin(world, failure) < 0)
    return NULL;
  struct lan *lan = memory_zeroed(1, sizeof *lan);
  lan->world = world;
  lan->name = memory_text(name);
  lan->mtu = mtu;
  lan->number = world->lans ? world->lans->number + 1 : 1;
  lan->next = world->lans;
  world->lans = lan;
  return lan;
}

const char *lan_name(const struct lan *lan) {
  return lan->name;
}

/* ---- ports ---- */

static struct port *port_create(struct lan *lan, uint32_t ip, int prefix) {
  struct port *port = memory_zeroed(1, sizeof *port);
  int number = ++lan->port_count;
  *port = (struct port){
      .lan = lan,
      .ip = ip,
      .prefix = prefix,
      .fd = -1,
      .mac = {2, 0, (uint8_t)lan->number, 0, (uint8_t)(number >> 8), (uint8_t)number}};
  struct port **last = &lan->ports;
  while (*last)
    last = &(*last)->next;
  *last = port;
  return port;
}

struct port *lan_port_of(struct lan *lan, uint32_t ip) {
  for (struct port *port = lan->ports; port; port = port->next)
    if (port->ip == ip)
      return port;
  return NULL;
}

static void port_on_ready(void *context, uint32_t events) {
  (void)events;
  port_drain(context);
}

/* Frames as they would be on a wire: no checksum left to the hardware, no segment larger than the
 * link. */
static int offloads_off(struct host *host, const char *interface, struct failure *failure) {
  static const uint32_t commands[] = {ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO,
                                      ETHTOOL_SGRO};
  scoped_fd int fd = host_socket(host, AF_INET, SOCK_DGRAM, 0, failure);
  for (size_t i = 0; fd >= 0 && i < sizeof commands / sizeof *commands; i++) {
    struct ethtool_value value = {.cmd = commands[i], .data = 0};
    struct ifreq request = {.ifr_data = (char *)&value};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    if (ioctl(fd, SIOCETHTOOL, &request) < 0 && commands[i] == ETHTOOL_STXCSUM)
      return failure_errno(failure, "cannot turn off the offloads of %s", interface);
  }
  return fd < 0 ? -1 : 0;
}

static int port_listen(struct port *port, const char *interface, struct failure *failure) {
  struct world *world = port->lan->world;
  struct host *host = world->switch_host;
  int index = links_up(host->links, interface, failure);
  scoped_fd int fd = index < 0 ? -1 : host_socket(host, AF_PACKET, SOCK_RAW, 0, failure);
  if (fd < 0)
    return -1;
  struct sockaddr_ll place = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
  int bytes = 64 << 20, yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
  /* The kernel gives an interface its queue some time after its peer has come up, and drops what is
   * sent before that. This end came up first; it needs no queue. The host's end came up with a
   * carrier, and has its queue from the beginning. */
  if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) < 0)
    return failure_errno(failure, "cannot send without a queue from the switch");
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes) < 0 ||
      bind(fd, (struct sockaddr *)&place, sizeof place) < 0)
    return failure_errno(failure, "cannot open a port of the switch");
  port->fd = steal_fd(&fd);
  port->watch = world_watch(world, port->fd, EPOLLIN, port_on_ready, port);
  return 0;
}

static int neighbours_introduce(struct port *port, struct failure *failure) {
  for (struct port *other = port->lan->ports; other; other = other->next) {
    if (other == port)
      continue;
    if (port->host &&
        links_add_neighbour(port->host->links, port->interface, other->ip, other->mac, failure) < 0)
      return -1;
    if (other->host &&
        links_add_neighbour(other->host->links, other->interface, port->ip, port->mac, failure) < 0)
      return -1;
  }
  return 0;
}

int lan_attach(struct lan *lan, struct host *host, uint32_t ip, int prefix,
               struct failure *failure) {
  struct world *world = lan->world;
  struct port *port = port_create(lan, ip, prefix);
  int nth = 0;
  for (struct port *other = host->ports; other; other = other->next_of_host)
    nth++;
  snprintf(port->name, sizeof port->name, "eth%d", nth);
  char switch_end[16];
  snprintf(switch_end, sizeof switch_end, "l%dp%d", lan->number, lan->port_count);
  port->host = host;
  port->next_of_host = host->ports;
  host->ports = port;
  if (links_add_veth(world->switch_host->links, switch_end, host->netns_fd, port->name, port->mac,
                     lan->mtu, failure) < 0 ||
      offloads_off(host, port->name, failure) < 0 || port_listen(port, switch_end, failure) < 0)
    return -1;
  port->interface = links_up(host->links, port->name, failure);
  if (port->interface < 0 ||
      links_add_address(host->links, port->interface, ip, prefix, failure) < 0)
    return -1;
  return neighbours_introduce(port, failure);
}

int host_default_route(struct host *host, uint32_t gateway, struct failure *failure) {
  return links_add_default_route(host->links, gateway, failure);
}

struct host *world_host_of(struct world *world, uint32_t ip) {
  for (struct host *host = world->hosts; host; host = host->next)
    for (struct port *port = host->ports; port; port = port->next_of_host)
      if (port->ip == ip)
        return host;
  return NULL;
}

int lan_router(struct lan *one, uint32_t one_ip, struct lan *other, uint32_t other_ip,
               struct failure *failure) {
  enum { ANY_PREFIX = 24 };
  struct world *world = one->world;
  struct router *router = memory_zeroed(1, sizeof *router);
  router->next = world->routers;
  world->routers = router;
  router->ports[0] = port_create(one, one_ip, ANY_PREFIX);
  router->ports[1] = port_create(other, other_ip, ANY_PREFIX);
  for (int i = 0; i < 2; i++) {
    router->ports[i]->router = router;
    if (neighbours_introduce(router->ports[i], failure) < 0)
      return -1;
  }
  return 0;
}

void lans_end(struct world *world) {
  while (world->lans) {
    struct lan *lan = world->lans;
    world->lans = lan->next;
    while (lan->ports) {
      struct port *port = lan->ports;
      lan->ports = port->next;
      world_unwatch(port->watch);
      if (port->fd >= 0)
        closing_add(&world->closing, port->fd);
      free(port);
    }
    free(lan->name);
    free(lan);
  }
  while (world->routers) {
    struct router *router = world->routers;
    world->routers = router->next;
    free(router);
  }
  if (world->switch_host)
    host_destroy(world->switch_host);
  world->switch_host = NULL;
}

bool lans_drain(struct world *world) {
  bool any = false;
  for (struct lan *lan = world->lans; lan; lan = lan->next)
    for (struct port *port = lan->ports; port; port = port->next)
      any |= port_drain(port);
  return any;
}

/* ---- treatments ---- */

void host_treat_outgoing(struct host *host, struct lan_treatment treatment) {
  host->outgoing.treatment = treatment;
}

void host_treat_incoming(struct host *host, struct lan_treatment treatment) {
  host->incoming.treatment = treatment;
}

void host_cut(struct host *host, bool cut) {
  host->outgoing.cut = host->incoming.cut = cut;
}

/* ---- forging ---- */

int lan_forge_udp(struct lan *lan, uint32_t from_ip, uint16_t from_port, uint32_t to_ip,
                  uint16_t to_port, const void *bytes, size_t length, struct failure *failure) {
  static const uint8_t nobody[ETHERNET_ADDRESS] = {2, 0xbb, 0, 0, 0, 1};
  uint8_t to_mac[ETHERNET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  const struct port *to = lan_port_of(lan, to_ip), *any = lan->ports;
  bool broadcast =
      to_ip == ~UINT32_C(0) || (any && to_ip == (any->ip | ~UINT32_C(0) >> any->prefix));
  if (!to && !broadcast)
    return failure_set(failure, "nobody on %s has the address that a datagram is forged for",
                       lan->name);
  if ((int)length + IPV4_HEADER + 8 > lan->mtu)
    return failure_set(failure, "a forged datagram of %zu bytes does not fit %s", length,
                       lan->name);
  if (to)
    memcpy(to_mac, to->mac, sizeof to_mac);
  uint8_t *frame = memory_resize(NULL, ETHERNET_HEADER + (size_t)lan->mtu);
  struct packet_addresses addresses = {from_ip, to_ip, from_port, to_port};
  size_t size = frame_make_udp(frame, to_mac, nobody, &addresses, bytes, length);
  switch_take(lan, NULL, frame, size, clock_kernel(CLOCK_REALTIME));
  free(frame);
  return 0;
}
