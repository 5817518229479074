/* world/frame.c, switch.c, router.c, log.c and pcapng.c: frames that hosts send, on two LANs with a
 * router between them, and the capture that is made of them. */
#include "grader/fuzz/fuzz.h"

#include "grader/base/scope.h"
#include "grader/world/pcapng.h"
#include "grader/world/switch.h"

#include <stdlib.h>
#include <string.h>

enum { HOSTS = 3, NET = 0x0a000000, WIDE = 1500, NARROW = 600 };

static char lan_names[2][4] = {"one", "two"}, host_names[HOSTS][2] = {"a", "b", "c"};

struct network {
  struct world world;
  struct lan lans[2];
  struct host hosts[HOSTS];
  struct port ports[HOSTS], routers[2];
  struct router router;
};

static void plug(struct port *port, struct lan *lan, uint8_t number) {
  port->lan = lan;
  port->fd = -1; /* whatever is sent to it is lost */
  port->ip = NET + (uint32_t)lan->number * 256 + number;
  port->prefix = 24;
  memcpy(port->mac, (const uint8_t[]){2, 0, (uint8_t)lan->number, 0, 0, number}, sizeof port->mac);
  port->next = lan->ports;
  lan->ports = port;
}

static void network_begin(struct network *network) {
  *network = (struct network){0};
  struct world *world = &network->world;
  world->epoll_fd = -1;
  clock_begin(&world->clock, true, 0);
  for (int i = 0; i < 2; i++) {
    network->lans[i] = (struct lan){
        .world = world, .name = lan_names[i], .number = i + 1, .mtu = i ? NARROW : WIDE};
    network->lans[i].next = world->lans;
    world->lans = &network->lans[i];
    network->router.ports[i] = &network->routers[i];
    network->routers[i].router = &network->router;
    plug(&network->routers[i], &network->lans[i], 1);
  }
  for (int i = 0; i < HOSTS; i++) {
    network->hosts[i] = (struct host){.world = world, .name = host_names[i]};
    network->hosts[i].next = world->hosts;
    world->hosts = &network->hosts[i];
    network->ports[i].host = &network->hosts[i];
    plug(&network->ports[i], &network->lans[i == HOSTS - 1], (uint8_t)(2 + i));
  }
}

static void network_end(struct network *network) {
  world_timers_end(&network->world);
  for (int i = 0; i < HOSTS; i++) {
    free(network->hosts[i].outgoing.held);
    free(network->hosts[i].incoming.held);
  }
  clock_end(&network->world.clock);
  log_clear(&network->world.log);
}

/* ---- what must hold ---- */

static void check_log(const struct log *log) {
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = log->events[i];
    if (event->kind != EVENT_FRAME)
      continue;
    FUZZ_HOLDS(event->bytes >= event->raw + ETHERNET_HEADER + IPV4_HEADER);
    FUZZ_HOLDS(event->bytes + event->length <= event->raw + event->raw_length);
  }
}

/* Each block is of whole words, and says its length twice: draft-ietf-opsawg-pcapng, 3.1. */
static void check_capture(const char *bytes, size_t length) {
  while (length > 0) {
    uint32_t begin[2], end;
    FUZZ_HOLDS(length >= sizeof begin + sizeof end);
    memcpy(begin, bytes, sizeof begin);
    FUZZ_HOLDS(begin[1] % 4 == 0 && begin[1] >= sizeof begin + sizeof end && begin[1] <= length);
    memcpy(&end, bytes + begin[1] - sizeof end, sizeof end);
    FUZZ_HOLDS(end == begin[1]);
    bytes += begin[1];
    length -= begin[1];
  }
}

static void capture(struct network *network) {
  scoped_text char *bytes = NULL;
  size_t length = 0, frames = 0;
  FILE *file = open_memstream(&bytes, &length);
  int written = pcapng_write(file, &network->world, "a comment");
  fclose(file);
  for (size_t i = 0; i < network->world.log.count; i++)
    frames += network->world.log.events[i]->kind == EVENT_FRAME;
  FUZZ_HOLDS(written >= 0 && (size_t)written == frames);
  check_capture(bytes, length);
}

/* ---- an input: what the switch does, then frames ---- */

static void treat(struct network *network, unsigned choice) {
  struct lan_treatment treatment = {.drop = choice & 1 ? 0.5 : 0,
                                    .duplicate = choice & 2 ? 0.5 : 0,
                                    .reorder = choice & 4 ? 0.5 : 0,
                                    .delay_ns = choice & 8 ? 1000 : 0};
  for (int i = 0; i < HOSTS; i++) {
    host_treat_outgoing(&network->hosts[i], treatment);
    host_cut(&network->hosts[i], choice >> 4 == (unsigned)i + 1);
  }
}

/* One frame in four is of the input alone; to others, a header that passes the switch is given. */
static void send_frame(struct network *network, struct fuzz_input *input) {
  static const uint8_t type[] = {8, 0};
  unsigned choice = (unsigned)fuzz_number(input, 1);
  size_t wanted = fuzz_number(input, 2) % (2 * WIDE), length;
  struct port *from = &network->ports[choice % HOSTS];
  scoped_text uint8_t *frame = fuzz_block(input, wanted, &length);
  if (choice & 0xc0 && length >= ETHERNET_HEADER + IPV4_HEADER) {
    const struct port *to =
        choice & 0x40 ? &network->ports[choice / 4 % HOSTS] : &network->routers[0];
    memcpy(frame, to->mac, ETHERNET_ADDRESS);
    memcpy(frame + ETHERNET_HEADER - sizeof type, type, sizeof type);
    if (choice & 0x20) /* a whole packet for a host of the other LAN */
      memcpy(frame + ETHERNET_HEADER,
             (const uint8_t[]){0x45, 0, (uint8_t)((length - ETHERNET_HEADER) >> 8),
                               (uint8_t)(length - ETHERNET_HEADER)},
             4);
    if (choice & 0x10)
      memcpy(frame + ETHERNET_HEADER + 16, (const uint8_t[]){10, 0, 2, 4}, 4);
  }
  switch_take(from->lan, from, frame, length, clock_kernel(CLOCK_REALTIME));
}

static void forge(struct network *network, struct fuzz_input *input) {
  struct failure failure;
  size_t wanted = fuzz_number(input, 2), length;
  scoped_text uint8_t *bytes = fuzz_block(input, wanted, &length);
  lan_forge_udp(&network->lans[wanted % 2], NET + 7, 53, NET + 256 + 2, (uint16_t)wanted, bytes,
                length, &failure);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static struct network network;
  struct fuzz_input input = {bytes, length};
  network_begin(&network);
  treat(&network, (unsigned)fuzz_number(&input, 1));
  while (input.left > 0) {
    if (fuzz_number(&input, 1) % 8 == 0)
      forge(&network, &input);
    else
      send_frame(&network, &input);
  }
  for (int64_t next; (next = world_timers_next(&network.world)) != INT64_MAX;) {
    clock_advance_to(&network.world.clock, next);
    world_timers_fire(&network.world);
  }
  check_log(&network.world.log);
  capture(&network);
  network_end(&network);
  return 0;
}
