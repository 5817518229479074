/* The insides of LANs, for lan.c, switch.c, router.c and capture.c only. See lan.h. */
#pragma once

#include "grader/world/frame.h"
#include "grader/world/inner.h"
#include "grader/world/lan.h"

/* Where a host, or a router, is plugged in. */
struct port {
  struct port *next;         /* of the LAN */
  struct port *next_of_host; /* of the same host */
  struct lan *lan;
  struct host *host;     /* NULL: it is a router's */
  struct router *router; /* NULL: it is a host's */
  char name[16];         /* of the host's interface */
  int interface;         /* its index in the host's namespace */
  uint32_t ip;
  int prefix;
  uint8_t mac[ETHERNET_ADDRESS];
  int fd; /* packet(7) on the switch's end */
  struct watch *watch;
  /* Frames that the host has sent, and those of them that came here; frames that were sent from
   * here, and those of them that the host has got. Differences are in flight. */
  int64_t host_sent, taken, given, host_got;
  int64_t last_real_ns; /* when one of the counts last changed */
};

struct lan {
  struct world *world;
  struct lan *next;
  char *name;
  int number, mtu;
  struct port *ports;
  int port_count;
};

struct router {
  struct router *next;
  struct port *ports[2];
};

/* A frame on its way through the switch. */
struct passing {
  struct lan *lan;
  struct port *from; /* NULL: forged */
  struct port *to;   /* NULL: the ports that it goes to are still to be found */
  size_t length;
  uint8_t frame[];
};

/* switch.c: a frame comes from a port (or from nowhere), stamped by CLOCK_REALTIME. Takes a copy.
 */
void switch_take(struct lan *lan, struct port *from, const uint8_t *frame, size_t length,
                 int64_t stamp_ns);
/* Reads what has come to the port. True if there was something. */
bool port_drain(struct port *port);
struct port *lan_port_of(struct lan *lan, uint32_t ip);
/* router.c: a frame for the router's address has come to its port. */
void router_take(struct router *router, struct port *port, const uint8_t *frame, size_t length);
