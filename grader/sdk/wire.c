/* What was on the wire, and which system calls were made. */
#include "grader/sdk/inner.h"

#include <netinet/in.h>

/* Whether a frame belongs to the list; arguments as the caller of frames_where means them. */
typedef bool frame_choice(const struct event *event, int port);

static bool from_peer(const struct event *event) {
  return peer_at(event->host, address_from_socket(&event->source)) != NULL;
}

static bool any_frame(const struct event *event, int port) {
  (void)event, (void)port;
  return true;
}

static bool sent_by_program(const struct event *event, int port) {
  (void)port;
  return event->protocol == IPPROTO_UDP && !from_peer(event);
}

static bool sent_to_port(const struct event *event, int port) {
  return sent_by_program(event, 0) && address_from_socket(&event->destination).port == port;
}

static bool sent_from_port(const struct event *event, int port) {
  return sent_by_program(event, 0) && address_from_socket(&event->source).port == port;
}

static struct frame frame_of(const struct event *event) {
  bool icmp = event->protocol == IPPROTO_ICMP && event->length > 1;
  return (struct frame){.time = (double)event->time_ns / 1e9,
                        .kernel_time = (double)event->stamp_ns / 1e9,
                        .host = event->host ? host_name(event->host) : "",
                        .on_loopback = event->lan == NULL,
                        .broadcast = event->broadcast,
                        .protocol = event->protocol,
                        .tcp_flags = event->tcp_flags,
                        .icmp_type = icmp ? event->bytes[0] : 0,
                        .icmp_code = icmp ? event->bytes[1] : 0,
                        .source = address_from_socket(&event->source),
                        .destination = address_from_socket(&event->destination),
                        .bytes = event->bytes,
                        .length = event->length};
}

static struct frames frames_where(frame_choice *chosen, int port) {
  settle();
  struct log *log = world_log(the_check.world);
  struct frame *list = scrap((log->count + 1) * sizeof *list);
  size_t count = 0;
  for (size_t i = 0; i < log->count; i++)
    if (log->events[i]->kind == EVENT_FRAME && chosen(log->events[i], port))
      list[count++] = frame_of(log->events[i]);
  return (struct frames){list, count};
}

struct frames frames_all(void) {
  return frames_where(any_frame, 0);
}

struct frames frames_sent(void) {
  return frames_where(sent_by_program, 0);
}

struct frames frames_to_port(int port) {
  return frames_where(sent_to_port, port);
}

struct frames frames_from_port(int port) {
  return frames_where(sent_from_port, port);
}

struct option_calls option_calls_of(struct program *program) {
  settle();
  struct log *log = world_log(the_check.world);
  struct option_call *list = scrap((log->count + 1) * sizeof *list);
  size_t count = 0;
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = log->events[i];
    const struct option_seen *seen = &event->option;
    if (event->kind == EVENT_CALL && event->program == program)
      list[count++] = (struct option_call){.time = (double)event->time_ns / 1e9,
                                           .set = seen->set,
                                           .fd = seen->fd,
                                           .socket = seen->socket,
                                           .type = seen->type,
                                           .family = seen->family,
                                           .connected = seen->connected,
                                           .peer = address_from_socket(&seen->peer),
                                           .level = seen->level,
                                           .option = seen->option,
                                           .value = seen->value,
                                           .error = seen->error};
  }
  return (struct option_calls){list, count};
}

struct socket_calls socket_calls_of(struct program *program) {
  settle();
  struct log *log = world_log(the_check.world);
  struct socket_call *list = scrap((log->count + 1) * sizeof *list);
  size_t count = 0;
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = log->events[i];
    if (event->kind == EVENT_SOCKET && event->program == program)
      list[count++] = (struct socket_call){.time = (double)event->time_ns / 1e9,
                                           .created = event->socket.created,
                                           .fd = event->socket.fd,
                                           .family = event->socket.family,
                                           .type = event->socket.type,
                                           .socket = event->socket.socket,
                                           .error = event->socket.error,
                                           .paired = event->socket.paired};
  }
  return (struct socket_calls){list, count};
}

struct socket_calls without_pairs(struct socket_calls calls) {
  struct socket_call *list = scrap((calls.count + 1) * sizeof *list);
  size_t count = 0;
  for (size_t i = 0; i < calls.count; i++)
    if (!calls.list[i].paired)
      list[count++] = calls.list[i];
  return (struct socket_calls){list, count};
}
