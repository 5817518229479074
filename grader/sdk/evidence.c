/* The verdict record (grader/result/verdict.h): what the check concluded, and the moments that tell
 * why. */
#include "grader/sdk/inner.h"

#include "grader/base/language.h"
#include "grader/base/scope.h"
#include "grader/result/timeline.h"
#include "grader/result/verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  EVENTS_MAX = 240,     /* of these, half from the beginning and half from the end */
  EVENTS_FEWEST = 8,    /* with so few a record always fits */
  EVENT_TEXT_MAX = 200, /* bytes of a line or a payload that are shown */
  LINE_MAX_SHOWN = 2000,
  PARAGRAPH_MAX = 16 << 10, /* of what is shown: escaped as JSON it is twice that at most */
};

/* Valid UTF-8 without control characters; everything else as \xHH. */
static json_t *safe_string(const uint8_t *bytes, size_t length, size_t most) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  bool cut = length > most;
  if (cut)
    length = most;
  for (size_t i = 0; i < length;) {
    size_t sequence = bytes[i] >= 0xf0 ? 4 : bytes[i] >= 0xe0 ? 3 : bytes[i] >= 0xc2 ? 2 : 1;
    json_t *probe = NULL;
    if (sequence > 1 && i + sequence <= length)
      probe = json_stringn((const char *)bytes + i, sequence); /* NULL if it is not valid */
    if (probe) {
      json_decref(probe);
      fwrite(bytes + i, 1, sequence, out);
      i += sequence;
    } else if (bytes[i] >= ' ' && bytes[i] < 127) {
      fputc(bytes[i++], out);
    } else {
      fprintf(out, "\\x%02x", bytes[i++]);
    }
  }
  fputs(cut ? "…" : "", out);
  fclose(out);
  json_t *string = json_stringn(text, size);
  free(text);
  return string;
}

/* As safe_string, but line breaks stay. What would make a record too large is left out. */
static json_t *safe_paragraph(const char *text) {
  if (!text)
    return json_string("");
  char *whole = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&whole, &size);
  while (*text) {
    if (ftell(out) > PARAGRAPH_MAX) {
      fputs("…", out);
      break;
    }
    size_t length = strcspn(text, "\n");
    json_t *line = safe_string((const uint8_t *)text, length, LINE_MAX_SHOWN);
    fputs(json_string_value(line), out);
    json_decref(line);
    text += length;
    if (*text == '\n') {
      fputc('\n', out);
      text++;
    }
  }
  fclose(out);
  json_t *string = json_stringn(whole, size);
  free(whole);
  return string;
}

static void program_put(json_t *object, const char *name_key, const char *run_key,
                        const struct program *program) {
  json_object_set_new(object, name_key, json_string(program_name(program)));
  json_object_set_new(object, run_key, json_integer(program_run(program)));
}

/* A peer's or a host's name for a reader: "client 2" is a client, whatever its number. The name
 * itself stays as it is, for checks compare names. */
static const char *name_shown(const char *name) {
  size_t length = strlen(name);
  while (length > 0 && name[length - 1] >= '0' && name[length - 1] <= '9')
    length--;
  if (!name[length] || length < 2 || name[length - 1] != ' ')
    return _(name);
  return say("%s %s", _(scrap_text(name, length - 1)), name + length);
}

/* Who has the address, as seen on the host: a peer, or a program that was seen bound to the port,
 * or the one that was started last there. */
static void party_put(json_t *object, const char *name_key, const char *run_key, struct host *host,
                      struct address address) {
  const struct peer *peer = peer_at(host, address);
  if (peer) {
    json_object_set_new(object, name_key, json_string(name_shown(peer->name)));
    return;
  }
  struct host *owner = address.ip >> 24 == 127 ? host : world_host_of(the_check.world, address.ip);
  for (size_t i = 0; i < the_check.served_count; i++)
    if (the_check.served[i].address.port == address.port &&
        (!owner || program_host(the_check.served[i].program) == owner)) {
      program_put(object, name_key, run_key, the_check.served[i].program);
      return;
    }
  struct program *latest = owner ? host_latest_program(owner) : NULL;
  if (latest)
    program_put(object, name_key, run_key, latest);
  else
    json_object_set_new(object, name_key, json_string(owner ? name_shown(host_name(owner)) : ""));
}

static const char *protocol_name(uint8_t protocol) {
  switch (protocol) {
  case IPPROTO_UDP:
    return "UDP";
  case IPPROTO_TCP:
    return "TCP";
  case IPPROTO_ICMP:
    return "ICMP";
  default:
    return "IP";
  }
}

static json_t *address_string(const struct sockaddr_in *socket_address, bool has_port) {
  char ip[INET_ADDRSTRLEN], text[40];
  inet_ntop(AF_INET, &socket_address->sin_addr, ip, sizeof ip);
  if (has_port)
    snprintf(text, sizeof text, "%s:%u", ip, ntohs(socket_address->sin_port));
  return json_string(has_port ? text : ip);
}

/* "SYN ACK", in the order in which people say it. */
static const char *flags_text(uint8_t flags) {
  static const struct {
    uint8_t flag;
    const char *name;
  } names[] = {{TH_SYN, "SYN"}, {TH_FIN, "FIN"}, {TH_RST, "RST"}, {TH_ACK, "ACK"}};
  const char *text = "";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (flags & names[i].flag)
      text = say("%s%s%s", text, *text ? " " : "", names[i].name);
  return text;
}

static json_t *event_frame(const struct event *event) {
  bool has_port = event->protocol == IPPROTO_UDP || event->protocol == IPPROTO_TCP;
  json_t *object = json_object();
  json_object_set_new(object, "protocol", json_string(protocol_name(event->protocol)));
  json_object_set_new(object, "from", address_string(&event->source, has_port));
  json_object_set_new(object, "to", address_string(&event->destination, has_port));
  json_object_set_new(object, "length", json_integer((json_int_t)event->length));
  if (event->protocol == IPPROTO_TCP)
    json_object_set_new(object, "flags", json_string(flags_text(event->tcp_flags)));
  if (event->lan)
    json_object_set_new(object, "lan", json_string(lan_name(event->lan)));
  if (event->broadcast)
    json_object_set_new(object, "broadcast", json_true());
  if (event->protocol ==
      IPPROTO_ICMP) /* type and code say it all; its payload is a copy of the packet */
    json_object_set_new(
        object, "text",
        json_string(event->length > 1 && event->bytes[0] == 3 && event->bytes[1] == 3
                        ? _("port unreachable: nobody listens there")
                    : event->length > 1 && event->bytes[0] == 3 && event->bytes[1] == 4
                        ? _("fragmentation needed: too big for the next link")
                        : "ICMP"));
  else
    json_object_set_new(object, "text", safe_string(event->bytes, event->length, EVENT_TEXT_MAX));
  party_put(object, "sender", "sender_run", event->host, address_from_socket(&event->source));
  party_put(object, "receiver", "receiver_run", event->host,
            address_from_socket(&event->destination));
  return object;
}

static json_t *event_json(const struct event *event) {
  static const char *const kinds[] = {"start", "line", "frame", "wait", "exit",
                                      "note",  "call", "call",  "call"};
  json_t *object = event->kind == EVENT_FRAME ? event_frame(event) : json_object();
  json_object_set_new(object, "t", json_real((double)event->time_ns / 1e9));
  json_object_set_new(object, "kind", json_string(kinds[event->kind]));
  if (event->program)
    program_put(object, "program", "run", event->program);
  if (event->kind == EVENT_LINE)
    json_object_set_new(object, "stream",
                        json_string(event->stream == STREAM_STDOUT ? "stdout" : "stderr"));
  if (event->kind != EVENT_FRAME)
    json_object_set_new(object, "text", safe_string(event->bytes, event->length, EVENT_TEXT_MAX));
  return object;
}

char *event_words(const struct event *event) {
  json_t *object = event_json(event);
  char *words = timeline_words(object);
  json_decref(object);
  return words;
}

static json_t *events_json(size_t most) {
  json_t *list = json_array();
  if (!the_check.world)
    return list;
  struct log *log = world_log(the_check.world);
  for (size_t i = 0; i < log->count; i++) {
    if (log->count > most && i == most / 2) {
      size_t left_out = log->count - most;
      const char *text = say("%zu events are left out here", left_out);
      json_t *note = json_pack("{s:f, s:s, s:s}", "t", (double)log->events[i]->time_ns / 1e9,
                               "kind", "note", "text", text);
      json_array_append_new(list, note);
      i += left_out;
    }
    json_array_append_new(list, event_json(log->events[i]));
  }
  if (log->frames_left_out > 0)
    json_array_append_new(
        list, json_pack("{s:f, s:s, s:s}", "t", now(), "kind", "note", "text",
                        say("%zu more frames were sent than are kept", log->frames_left_out)));
  return list;
}

static json_t *findings_json(void) {
  json_t *list = json_array();
  for (size_t i = 0; i < the_check.finding_count; i++)
    json_array_append_new(list, safe_string((const uint8_t *)the_check.findings[i],
                                            strlen(the_check.findings[i]), EVENT_TEXT_MAX));
  const char *finding = NULL;
  for (size_t i = 0; the_check.world && (finding = world_finding(the_check.world, i)); i++)
    json_array_append_new(list,
                          safe_string((const uint8_t *)finding, strlen(finding), EVENT_TEXT_MAX));
  return list;
}

static char *record_text(size_t events) {
  static const char *const names[] = {"pass", "fail", "missing", "error"};
  const struct check *check = the_check.check;
  double virtual_s = the_check.virtual_s, real_s = the_check.real_s;
  if (the_check.world) {
    virtual_s += (double)world_now(the_check.world) / 1e9;
    real_s += (double)world_real_now(the_check.world) / 1e9;
  }
  json_t *record = json_object();
  json_object_set_new(record, "check", json_string(say("%s/%s", check->requirement, check->name)));
  json_object_set_new(record, "requirement", json_string(check->requirement));
  json_object_set_new(record, "status", json_string(names[the_check.status]));
  json_object_set_new(record, "message", safe_paragraph(the_check.report.message));
  json_object_set_new(record, "expected", safe_paragraph(the_check.report.expected));
  json_object_set_new(record, "actual", safe_paragraph(the_check.report.actual));
  json_object_set_new(record, "cause", safe_paragraph(the_check.report.cause));
  json_object_set_new(record, "clock",
                      json_string(the_check.clock == CLOCK_REAL ? "real" : "virtual"));
  json_object_set_new(record, "virtual_s", json_real(virtual_s));
  json_object_set_new(record, "end_t", json_real(the_check.world ? now() : 0));
  json_object_set_new(record, "real_s", json_real(real_s));
  json_object_set_new(record, "findings", findings_json());
  json_object_set_new(record, "capture",
                      the_check.capture ? json_string(the_check.capture) : json_null());
  json_object_set_new(record, "events", events_json(events));
  char *text = json_dumps(record, JSON_COMPACT);
  json_decref(record);
  return text;
}

/* Criterion runs each test in a process of its own, and closes what that would inherit; the
 * descriptor is its parent's. Returns the caller's own copy. */
static int verdict_descriptor(const char *number) {
  scoped_fd int parent = (int)syscall(SYS_pidfd_open, getppid(), 0);
  int fd = parent < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, parent, atoi(number), 0);
  if (fd < 0)
    fprintf(stderr, "the descriptor for verdicts cannot be had: %s\n", strerror(errno));
  return fd;
}

char *verdict_record(void) {
  char *text = record_text(EVENTS_MAX);
  for (size_t events = EVENTS_MAX / 2; strlen(text) > VERDICT_MAX && events >= EVENTS_FEWEST;
       events /= 2) {
    free(text);
    text = record_text(events);
  }
  return text;
}

int verdict_open(void) {
  const char *number = getenv("WIREGRADE_VERDICT_FD");
  return number ? verdict_descriptor(number) : -1;
}

void verdict_send(int fd) {
  if (fd < 0)
    return;
  char *text = verdict_record();
  while (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
    if (errno != EINTR) {
      fprintf(stderr, "the verdict cannot be sent: %s\n", strerror(errno));
      break;
    }
  free(text);
}
