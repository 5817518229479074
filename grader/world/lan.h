/* LANs: hosts joined by a switch in user space.
 *
 * A host's interface on a LAN is one end of a veth(4) pair; the other end is in a namespace that
 * belongs to the world, with a packet(7) socket on it: a port of the switch. The switch (switch.c)
 * reads a frame from one port and writes it to others. On the way it can drop, delay, duplicate and
 * reorder it, drawn from the world's seed; it stamps and logs every frame as the kernel got it from
 * its sender. Each host knows the Ethernet address of each other from the beginning, so that there
 * is no ARP, whose timers run in real time. A router (router.c) is a party of the switch without a
 * namespace.
 *
 * For the clock: a frame is in flight from the moment the sender's kernel gave it to its interface
 * until the receiver's kernel has taken it in; a packet socket in the host counts both. A delayed
 * frame is a deadline like any other. */
#pragma once

#include "grader/world/world.h"

struct lan;

/* A LAN whose links have this MTU, 68 … 65535 bytes. The world owns it. `name` is copied. */
struct lan *lan_create(struct world *world, const char *name, int mtu, struct failure *failure);
const char *lan_name(const struct lan *lan);

/* Gives the host an interface on the LAN (eth0, then eth1, …) with that address (host byte order)
 * and prefix length, up, with a broadcast address. -1 on failure. */
int lan_attach(struct lan *lan, struct host *host, uint32_t ip, int prefix,
               struct failure *failure);
/* Where the host sends what is for none of its networks. */
int host_default_route(struct host *host, uint32_t gateway, struct failure *failure);
/* The host that has the address on some LAN; NULL if none has. */
struct host *world_host_of(struct world *world, uint32_t ip);
/* The host's name on its n-th interface, …: for capture files. */

/* A router with an address on each of the two LANs. It forwards IPv4, answers what does not fit
 * with ICMP "fragmentation needed" (RFC 1191) if it may not be cut, and otherwise drops it. */
int lan_router(struct lan *one, uint32_t one_ip, struct lan *other, uint32_t other_ip,
               struct failure *failure);

/* What becomes of frames; probabilities 0 … 1, each drawn for each frame. */
struct lan_treatment {
  double drop, duplicate, reorder; /* a reordered frame goes behind the next one, or 10 ms late */
  int64_t delay_ns;
};
/* Of frames that come from the host, or go to it, on all its interfaces. */
void host_treat_outgoing(struct host *host, struct lan_treatment treatment);
void host_treat_incoming(struct host *host, struct lan_treatment treatment);
/* Nothing passes, either way. */
void host_cut(struct host *host, bool cut);

/* Puts a UDP datagram on the LAN with these addresses, from an Ethernet address that nobody has. -1
 * if nobody on the LAN has the destination and it is no broadcast. */
int lan_forge_udp(struct lan *lan, uint32_t from_ip, uint16_t from_port, uint32_t to_ip,
                  uint16_t to_port, const void *bytes, size_t length, struct failure *failure);
