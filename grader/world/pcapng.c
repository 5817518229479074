#include "grader/world/pcapng.h"

#include "grader/base/scope.h"
#include "grader/world/switch.h"

#include <arpa/inet.h>
#include <string.h>

enum block { SECTION = 0x0a0d0d0a, INTERFACE = 1, NAMES = 4, PACKET = 6 };
enum link_type { ETHERNET_LINK = 1, RAW_IP_LINK = 101 };
enum option {
  OPTION_END = 0,
  OPTION_COMMENT = 1,
  OPTION_SECTION_APPLICATION = 4,
  OPTION_INTERFACE_NAME = 2,
  OPTION_INTERFACE_RESOLUTION = 9,
};

static void put(FILE *file, const void *bytes, size_t length) {
  static const char zeros[4];
  fwrite(bytes, 1, length, file);
  fwrite(zeros, 1, (4 - length % 4) % 4, file);
}

static void put_option(FILE *file, uint16_t code, const void *bytes, size_t length) {
  const uint16_t head[2] = {code, (uint16_t)length};
  fwrite(head, sizeof head, 1, file);
  put(file, bytes, length);
}

/* A block is its type, its length, its body, its length again. The body is collected first. */
struct body {
  char *bytes;
  size_t length;
  FILE *file;
};

static void body_begin(struct body *body) {
  *body = (struct body){0};
  body->file = open_memstream(&body->bytes, &body->length);
}

static void body_end(struct body *body, FILE *file, uint32_t type) {
  fclose(body->file);
  const uint32_t total = (uint32_t)body->length + 12;
  fwrite(&type, sizeof type, 1, file);
  fwrite(&total, sizeof total, 1, file);
  fwrite(body->bytes, 1, body->length, file);
  fwrite(&total, sizeof total, 1, file);
  free(body->bytes);
}

static void section_write(FILE *file, const char *comment) {
  static const struct {
    uint32_t magic;
    uint16_t major, minor;
    int64_t length;
  } head = {0x1a2b3c4d, 1, 0, -1};
  struct body body;
  body_begin(&body);
  fwrite(&head, sizeof head, 1, body.file);
  put_option(body.file, OPTION_COMMENT, comment, strlen(comment));
  put_option(body.file, OPTION_SECTION_APPLICATION, "wiregrade", 9);
  put_option(body.file, OPTION_END, "", 0);
  body_end(&body, file, SECTION);
}

static void interface_write(FILE *file, uint16_t link_type, const char *name) {
  static const uint8_t nanoseconds = 9;
  const uint16_t head[2] = {link_type, 0};
  const uint32_t snap_length = 0; /* whole frames */
  struct body body;
  body_begin(&body);
  fwrite(head, sizeof head, 1, body.file);
  fwrite(&snap_length, sizeof snap_length, 1, body.file);
  put_option(body.file, OPTION_INTERFACE_NAME, name, strlen(name));
  put_option(body.file, OPTION_INTERFACE_RESOLUTION, &nanoseconds, 1);
  put_option(body.file, OPTION_END, "", 0);
  body_end(&body, file, INTERFACE);
}

/* The hosts' names for their addresses. */
static void names_write(FILE *file, const struct world *world) {
  enum { RECORD_END = 0, RECORD_IPV4 = 1 };
  struct body body;
  body_begin(&body);
  for (const struct lan *lan = world->lans; lan; lan = lan->next)
    for (const struct port *port = lan->ports; port; port = port->next) {
      const char *name = port->host ? port->host->name : "router";
      const uint16_t head[2] = {RECORD_IPV4, (uint16_t)(4 + strlen(name) + 1)};
      const uint32_t ip = htonl(port->ip);
      fwrite(head, sizeof head, 1, body.file);
      scoped_text char *record = NULL;
      size_t length = 0;
      FILE *text = open_memstream(&record, &length);
      fwrite(&ip, sizeof ip, 1, text);
      fwrite(name, 1, strlen(name) + 1, text);
      fclose(text);
      put(body.file, record, length);
    }
  const uint16_t end[2] = {RECORD_END, 0};
  fwrite(end, sizeof end, 1, body.file);
  body_end(&body, file, NAMES);
}

/* Interfaces are numbered in the order in which they are written: the hosts' loopbacks, the LANs.
 */
static void interfaces_write(FILE *file, const struct world *world) {
  char name[128];
  for (const struct host *host = world->hosts; host; host = host->next) {
    snprintf(name, sizeof name, "lo of %s", host->name);
    interface_write(file, RAW_IP_LINK, name);
  }
  for (const struct lan *lan = world->lans; lan; lan = lan->next)
    interface_write(file, ETHERNET_LINK, lan->name);
}

static uint32_t interface_of(const struct world *world, const struct event *event) {
  uint32_t number = 0;
  for (const struct host *host = world->hosts; host; host = host->next, number++)
    if (!event->lan && host == event->host)
      return number;
  for (const struct lan *lan = world->lans; lan; lan = lan->next, number++)
    if (lan == event->lan)
      return number;
  return 0;
}

static void frame_write(FILE *file, const struct world *world, const struct event *event) {
  const uint64_t time = (uint64_t)event->time_ns;
  const uint32_t head[] = {interface_of(world, event), (uint32_t)(time >> 32), (uint32_t)time,
                           (uint32_t)event->raw_length, (uint32_t)event->raw_length};
  struct body body;
  body_begin(&body);
  fwrite(head, sizeof head, 1, body.file);
  put(body.file, event->raw, event->raw_length);
  body_end(&body, file, PACKET);
}

int pcapng_write(FILE *file, struct world *world, const char *comment) {
  int count = 0;
  section_write(file, comment);
  interfaces_write(file, world);
  names_write(file, world);
  for (size_t i = 0; i < world->log.count; i++)
    if (world->log.events[i]->kind == EVENT_FRAME && world->log.events[i]->raw) {
      frame_write(file, world, world->log.events[i]);
      count++;
    }
  return ferror(file) ? -1 : count;
}
