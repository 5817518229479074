#include "grader/world/links.h"

#include "grader/world/inner.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

struct nl_sock *links_open(int netns_fd, struct failure *failure) {
  scoped_visit struct visit visit = namespace_visit(netns_fd);
  struct nl_sock *links = visit.home_fd >= 0 ? nl_socket_alloc() : NULL;
  if (!links || nl_connect(links, NETLINK_ROUTE) < 0) {
    nl_socket_free(links);
    failure_set(failure, "cannot open a netlink socket in a network namespace");
    return NULL;
  }
  nl_socket_disable_auto_ack(links);
  nl_socket_enable_auto_ack(links);
  return links;
}

void links_close(struct nl_sock *links) {
  nl_socket_free(links);
}

static struct nl_addr *address_of(uint32_t ip, int prefix) {
  uint32_t bytes = htonl(ip);
  struct nl_addr *address = nl_addr_build(AF_INET, &bytes, sizeof bytes);
  nl_addr_set_prefixlen(address, prefix);
  return address;
}

/* Unless a number is asked for, an interface gets a queue for each CPU, all but one of which are
 * put out of use at once: then the kernel waits for a grace period of RCU, while nobody else may
 * change an interface (veth_init_queues in drivers/net/veth.c). */
static void single_queue(struct rtnl_link *link) {
  rtnl_link_set_num_tx_queues(link, 1);
  rtnl_link_set_num_rx_queues(link, 1);
}

int links_add_veth(struct nl_sock *links, const char *name, int peer_netns_fd,
                   const char *peer_name, const uint8_t peer_mac[6], int mtu,
                   struct failure *failure) {
  struct rtnl_link *link = rtnl_link_veth_alloc();
  struct rtnl_link *peer = rtnl_link_veth_get_peer(link);
  struct nl_addr *mac = nl_addr_build(AF_LLC, peer_mac, 6);
  rtnl_link_set_name(link, name);
  rtnl_link_set_mtu(link, (unsigned)mtu);
  rtnl_link_set_flags(link, IFF_UP);
  single_queue(link);
  single_queue(peer);
  rtnl_link_set_name(peer, peer_name);
  rtnl_link_set_mtu(peer, (unsigned)mtu);
  rtnl_link_set_addr(peer, mac);
  rtnl_link_set_ns_fd(peer, peer_netns_fd);
  int error = rtnl_link_add(links, link, NLM_F_CREATE | NLM_F_EXCL);
  nl_addr_put(mac);
  rtnl_link_put(peer);
  rtnl_link_put(link);
  if (error < 0)
    return failure_set(failure, "cannot make a pair of virtual Ethernet interfaces: %s",
                       nl_geterror(error));
  return 0;
}

int links_up(struct nl_sock *links, const char *name, struct failure *failure) {
  struct rtnl_link *link = NULL, *change = rtnl_link_alloc();
  int error = rtnl_link_get_kernel(links, 0, name, &link);
  int index = error < 0 ? -1 : rtnl_link_get_ifindex(link);
  rtnl_link_set_flags(change, IFF_UP);
  if (error >= 0)
    error = rtnl_link_change(links, link, change, 0);
  rtnl_link_put(change);
  rtnl_link_put(link);
  if (error < 0)
    return failure_set(failure, "cannot bring up interface %s: %s", name, nl_geterror(error));
  return index;
}

struct route_spec {
  uint32_t network;
  int prefix, interface;
  uint32_t source, gateway; /* 0: none */
  uint8_t type, table, scope;
  bool quick;
};

static int route_set(struct nl_sock *links, const struct route_spec *spec,
                     struct failure *failure) {
  struct rtnl_route *route = rtnl_route_alloc();
  struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
  struct nl_addr *network = address_of(spec->network, spec->prefix);
  struct nl_addr *source = address_of(spec->source, 32), *gateway = address_of(spec->gateway, 32);
  rtnl_route_set_family(route, AF_INET);
  rtnl_route_set_dst(route, network);
  rtnl_route_set_table(route, spec->table);
  rtnl_route_set_type(route, spec->type);
  rtnl_route_set_scope(route, spec->scope);
  rtnl_route_set_protocol(route, RTPROT_KERNEL);
  if (spec->source)
    rtnl_route_set_pref_src(route, source);
  if (spec->quick)
    rtnl_route_set_metric(route, RTAX_QUICKACK, 1);
  if (spec->interface)
    rtnl_route_nh_set_ifindex(hop, spec->interface);
  if (spec->gateway)
    rtnl_route_nh_set_gateway(hop, gateway);
  rtnl_route_add_nexthop(route, hop);
  int error = rtnl_route_add(links, route, NLM_F_CREATE | NLM_F_REPLACE);
  nl_addr_put(network);
  nl_addr_put(source);
  nl_addr_put(gateway);
  rtnl_route_put(route);
  if (error < 0)
    return failure_set(failure, "cannot set a route: %s", nl_geterror(error));
  return 0;
}

static uint32_t network_of(uint32_t ip, int prefix) {
  return prefix == 0 ? 0 : ip & ~UINT32_C(0) << (32 - prefix);
}

static int address_add(struct nl_sock *links, int interface, uint32_t ip, int prefix,
                       struct failure *failure) {
  uint32_t network = network_of(ip, prefix);
  struct rtnl_addr *entry = rtnl_addr_alloc();
  struct nl_addr *local = address_of(ip, prefix);
  struct nl_addr *broadcast =
      address_of(prefix == 0 ? ~UINT32_C(0) : network | ~UINT32_C(0) >> prefix, 32);
  rtnl_addr_set_ifindex(entry, interface);
  rtnl_addr_set_local(entry, local);
  if (prefix < 31)
    rtnl_addr_set_broadcast(entry, broadcast);
  int error = rtnl_addr_add(links, entry, 0);
  nl_addr_put(local);
  nl_addr_put(broadcast);
  rtnl_addr_put(entry);
  if (error < 0)
    return failure_set(failure, "cannot give an interface its address: %s", nl_geterror(error));
  return 0;
}

int links_add_address(struct nl_sock *links, int interface, uint32_t ip, int prefix,
                      struct failure *failure) {
  if (address_add(links, interface, ip, prefix, failure) < 0)
    return -1;
  return route_set(links,
                   &(struct route_spec){.network = network_of(ip, prefix),
                                        .prefix = prefix,
                                        .interface = interface,
                                        .source = ip,
                                        .type = RTN_UNICAST,
                                        .table = RT_TABLE_MAIN,
                                        .scope = RT_SCOPE_LINK,
                                        .quick = true},
                   failure);
}

int links_add_default_route(struct nl_sock *links, uint32_t gateway, struct failure *failure) {
  return route_set(links,
                   &(struct route_spec){.gateway = gateway,
                                        .type = RTN_UNICAST,
                                        .table = RT_TABLE_MAIN,
                                        .scope = RT_SCOPE_UNIVERSE,
                                        .quick = true},
                   failure);
}

enum { LOOPBACK_INDEX = 1, LOOPBACK = 0x7f000001, SECOND_LOOPBACK = 0x7f000002 };

int links_second_loopback(struct nl_sock *links, struct failure *failure) {
  return address_add(links, LOOPBACK_INDEX, SECOND_LOOPBACK, 8, failure);
}

static int quick_local(struct nl_sock *links, uint32_t network, int prefix,
                       struct failure *failure) {
  return route_set(links,
                   &(struct route_spec){.network = network,
                                        .prefix = prefix,
                                        .interface = LOOPBACK_INDEX,
                                        .source = LOOPBACK,
                                        .type = RTN_LOCAL,
                                        .table = RT_TABLE_LOCAL,
                                        .scope = RT_SCOPE_HOST,
                                        .quick = true},
                   failure);
}

/* An address has a route of its own, which goes before that of its network. */
int links_quick_loopback(struct nl_sock *links, struct failure *failure) {
  return quick_local(links, LOOPBACK & ~UINT32_C(0xff), 8, failure) ||
                 quick_local(links, LOOPBACK, 32, failure) ||
                 quick_local(links, SECOND_LOOPBACK, 32, failure)
             ? -1
             : 0;
}

int links_add_neighbour(struct nl_sock *links, int interface, uint32_t ip, const uint8_t mac[6],
                        struct failure *failure) {
  struct rtnl_neigh *entry = rtnl_neigh_alloc();
  struct nl_addr *address = address_of(ip, 32), *hardware = nl_addr_build(AF_LLC, mac, 6);
  rtnl_neigh_set_ifindex(entry, interface);
  rtnl_neigh_set_dst(entry, address);
  rtnl_neigh_set_lladdr(entry, hardware);
  rtnl_neigh_set_state(entry, NUD_PERMANENT);
  int error = rtnl_neigh_add(links, entry, NLM_F_CREATE | NLM_F_REPLACE);
  nl_addr_put(address);
  nl_addr_put(hardware);
  rtnl_neigh_put(entry);
  if (error < 0)
    return failure_set(failure, "cannot set a neighbour: %s", nl_geterror(error));
  return 0;
}
