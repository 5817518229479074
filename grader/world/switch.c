/* The switch: frames from port to port. */
#include "grader/world/switch.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
  FRAME_MAX = 65535 + ETHERNET_HEADER,
  HELD_BACK_MS = 10,  /* a frame that is to go behind the next one, if there is none */
  ARP_TRIES_MS = 3500 /* so long the kernel asks for an address that nobody has */
};

static void passing_release(void *context);

/* ---- giving frames to ports ---- */

static struct passing *passing_copy(const struct passing *passing) {
  struct passing *copy = memory_zeroed(1, sizeof *copy + passing->length);
  memcpy(copy, passing, sizeof *copy + passing->length);
  return copy;
}

static void port_give(struct port *port, const struct passing *passing) {
  if (port->router) {
    router_take(port->router, port, passing->frame, passing->length);
    return;
  }
  struct world *world = port->lan->world;
  if (send(port->fd, passing->frame, passing->length, 0) < 0) {
    if (errno == EMSGSIZE || errno == ENETDOWN)
      world_note(world, "a frame of %zu bytes does not fit the link to %s", passing->length,
                 port->host->name);
    else
      world_break(world, false, "the switch cannot send a frame to a host");
    return;
  }
  port->given++;
  port->last_real_ns = clock_real_elapsed(&world->clock);
}

/* ---- treatments ---- */

static double draw(struct world *world) {
  world->random_state = world->random_state * 1664525u + 1013904223u;
  return (double)(world->random_state >> 8) / (double)(1 << 24);
}

static void note_drop(const struct passing *passing, const char *why) {
  struct event frame = {0};
  char from[INET_ADDRSTRLEN] = "?", to[INET_ADDRSTRLEN] = "?";
  if (packet_read(passing->frame + ETHERNET_HEADER, passing->length - ETHERNET_HEADER, &frame)) {
    inet_ntop(AF_INET, &frame.source.sin_addr, from, sizeof from);
    inet_ntop(AF_INET, &frame.destination.sin_addr, to, sizeof to);
  }
  world_note(passing->lan->world, "a frame of %zu bytes from %s to %s is lost: %s", passing->length,
             from, to, why);
}

static void held_back_release(struct traffic *traffic) {
  struct passing *held = traffic->held;
  traffic->held = NULL;
  if (held)
    passing_release(held);
}

static void held_back_too_long(void *context) {
  held_back_release(*(struct traffic **)context);
  free(context);
}

static void hold_back(struct world *world, struct traffic *traffic, struct passing *passing) {
  struct traffic **context = memory_zeroed(1, sizeof *context);
  *context = traffic;
  traffic->held = passing;
  world_at(world, world_now(world) + HELD_BACK_MS * MILLISECONDS, held_back_too_long, context);
}

/* Sends the frame on as the direction's treatment says. Takes it over. */
static void treat(struct traffic *traffic, struct passing *passing) {
  struct world *world = passing->lan->world;
  const struct lan_treatment *treatment = &traffic->treatment;
  if (traffic->cut || (treatment->drop > 0 && draw(world) < treatment->drop)) {
    note_drop(passing, traffic->cut ? N_("the link is dead") : N_("by the check's intention"));
    free(passing);
    return;
  }
  bool twice = treatment->duplicate > 0 && draw(world) < treatment->duplicate;
  bool back = treatment->reorder > 0 && draw(world) < treatment->reorder && !traffic->held;
  if (twice) {
    struct passing *copy = passing_copy(passing);
    if (treatment->delay_ns > 0)
      world_at(world, world_now(world) + treatment->delay_ns, passing_release, copy);
    else
      passing_release(copy);
  }
  if (treatment->delay_ns > 0) {
    world_at(world, world_now(world) + treatment->delay_ns, passing_release, passing);
  } else if (back) {
    hold_back(world, traffic, passing);
  } else {
    passing_release(passing);
    held_back_release(traffic);
  }
}

/* ---- finding the ports ---- */

static bool is_group(const uint8_t *mac) {
  return mac[0] & 1;
}

static void spread(const struct passing *passing) {
  const uint8_t *to_mac = passing->frame;
  for (struct port *port = passing->lan->ports; port; port = port->next) {
    if (port == passing->from ||
        (!is_group(to_mac) && memcmp(port->mac, to_mac, ETHERNET_ADDRESS) != 0))
      continue;
    struct passing *copy = passing_copy(passing);
    copy->to = port;
    if (port->host)
      treat(&port->host->incoming, copy);
    else
      passing_release(copy);
  }
}

static void passing_release(void *context) {
  struct passing *passing = context;
  if (passing->to)
    port_give(passing->to, passing);
  else
    spread(passing);
  free(passing);
}

static uint16_t ethernet_type(const uint8_t *frame) {
  return (uint16_t)(frame[12] << 8 | frame[13]);
}

static void log_frame(struct lan *lan, struct port *from, const uint8_t *frame, size_t length,
                      int64_t stamp_ns) {
  struct world *world = lan->world;
  struct event event = {.kind = EVENT_FRAME,
                        .host = from ? from->host : NULL,
                        .lan = lan,
                        .raw = frame,
                        .raw_length = length};
  static const uint8_t everybody[ETHERNET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  event.broadcast = memcmp(frame, everybody, sizeof everybody) == 0;
  if (!packet_read(frame + ETHERNET_HEADER, length - ETHERNET_HEADER, &event))
    return;
  event.stamp_ns = stamp_ns;
  event.time_ns = clock_at_realtime(&world->clock, stamp_ns);
  if (event.protocol == IPPROTO_TCP)
    world->saw_tcp = true;
  log_append(&world->log, &event);
}

void switch_take(struct lan *lan, struct port *from, const uint8_t *frame, size_t length,
                 int64_t stamp_ns) {
  struct world *world = lan->world;
  if (length < ETHERNET_HEADER)
    return;
  uint16_t type = ethernet_type(frame);
  if (type == ETHERTYPE_ARP) /* for somebody who is not there: nobody will answer */
    world->arp_until_real_ns = clock_real_elapsed(&world->clock) + ARP_TRIES_MS * MILLISECONDS;
  if (type != ETHERTYPE_IP)
    return;
  log_frame(lan, from, frame, length, stamp_ns);
  struct passing *passing = memory_zeroed(1, sizeof *passing + length);
  *passing = (struct passing){.lan = lan, .from = from, .length = length};
  memcpy(passing->frame, frame, length);
  if (from && from->host)
    treat(&from->host->outgoing, passing);
  else
    passing_release(passing);
}

static bool port_receive(struct port *port) {
  static uint8_t frame[FRAME_MAX];
  char control[128];
  struct iovec into = {frame, sizeof frame};
  struct msghdr message = {
      .msg_iov = &into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(port->fd, &message, MSG_DONTWAIT);
  if (length < 0)
    return false;
  port->taken++;
  port->last_real_ns = clock_real_elapsed(&port->lan->world->clock);
  switch_take(port->lan, port, frame, (size_t)length, message_stamp(&message));
  return true;
}

bool port_drain(struct port *port) {
  enum { FRAMES_AT_ONCE = 512 }; /* so that a flood does not keep the loop here */
  bool any = false;
  for (int i = 0; i < FRAMES_AT_ONCE && port->fd >= 0 && port_receive(port); i++)
    any = true;
  if (any)
    host_end_flood(port->host);
  return any;
}
