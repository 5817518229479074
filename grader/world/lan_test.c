/* LANs: what the switch does with frames, and that the clock knows of those on their way. */
#include "grader/sandbox/sandbox.h"
#include "grader/world/lan.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <math.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 60000 };

static const uint32_t SERVER = 0xc0a80102, CLIENT = 0xc0a80104, NETWORK = 0xc0a80100;

static struct world *world;
static struct lan *lan;
static struct host *server, *client;
static struct failure failure;

static struct host *host_at(const char *name, uint32_t ip) {
  struct host *host = host_create(world, name, &failure);
  cr_assert(host, "%s", failure.sentence);
  cr_assert_eq(lan_attach(lan, host, ip, 24, &failure), 0, "%s", failure.sentence);
  return host;
}

static void begin(void) {
  enum sandbox_mode mode;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  world = world_create(&(struct world_options){.clock = CLOCK_VIRTUAL, .seed = 1}, &failure);
  cr_assert(world, "%s", failure.sentence);
  lan = lan_create(world, "LAN", 1500, &failure);
  cr_assert(lan, "%s", failure.sentence);
  server = host_at("server", SERVER);
  client = host_at("client", CLIENT);
}

static void end(void) {
  world_destroy(world);
}

TestSuite(lan, .init = begin, .fini = end);

static struct program *python(struct host *host, const char *script) {
  struct program_spec spec = {
      .name = host_name(host),
      .folder = "/usr/share",
      .argv = (char *const *)(const char *const[]){"python3", "-c", script, NULL}};
  struct program *program = program_start(host, &spec, &failure);
  cr_assert(program, "%s", failure.sentence);
  return program;
}

static int udp_socket(struct host *host, int port) {
  int fd = host_socket(host, AF_INET, SOCK_DGRAM, 0, &failure), yes = 1;
  cr_assert_geq(fd, 0, "%s", failure.sentence);
  setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  cr_assert_eq(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
  return fd;
}

static void send_text(int fd, uint32_t ip, const char *text) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(ip)};
  cr_assert_eq(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to),
               (ssize_t)strlen(text));
}

/* What has come, '.' between datagrams. */
static const char *received(int fd) {
  static char text[4096];
  size_t at = 0;
  ssize_t length = 0;
  while ((length = recv(fd, text + at, sizeof text - at - 2, 0)) >= 0) {
    at += (size_t)length;
    text[at++] = '.';
  }
  text[at] = '\0';
  return text;
}

static void settle(void) {
  cr_assert_eq(world_settle(world, SECONDS), WORLD_UNTIL);
}

static void pass(int64_t ns) {
  world_run(world, world_now(world) + ns, NULL, NULL);
}

static bool has_ended(void *program) {
  return program_ended(program, NULL);
}

static const char *run_to_the_end(struct program *program) {
  static char text[4096];
  size_t length = 0;
  cr_assert_eq(world_run(world, 1000 * SECONDS, has_ended, program), WORLD_UNTIL, "%s",
               program_doing(program));
  const uint8_t *bytes = program_output(program, STREAM_STDERR, &length);
  cr_assert_eq(length, 0, "%.*s", (int)length, bytes);
  bytes = program_output(program, STREAM_STDOUT, &length);
  length = length < sizeof text ? length : sizeof text - 1;
  memcpy(text, bytes ? bytes : (const uint8_t *)"", length);
  text[length] = '\0';
  return text;
}

static size_t frames(bool (*chosen)(const struct event *event)) {
  const struct log *log = world_log(world);
  size_t count = 0;
  for (size_t i = 0; i < log->count; i++)
    count += log->events[i]->kind == EVENT_FRAME && chosen(log->events[i]);
  return count;
}

static bool is_broadcast(const struct event *event) {
  return event->broadcast;
}

static bool is_too_big(const struct event *event) {
  return event->protocol == IPPROTO_ICMP && event->bytes[0] == ICMP_DEST_UNREACH &&
         event->bytes[1] == ICMP_FRAG_NEEDED;
}

static bool is_segment(const struct event *event) {
  return event->protocol == IPPROTO_TCP;
}

static bool is_datagram(const struct event *event) {
  return event->protocol == IPPROTO_UDP;
}

/* ---- forwarding ---- */

Test(lan, carries_datagrams_between_hosts) {
  int from = udp_socket(client, 0), to = udp_socket(server, PORT);
  send_text(from, SERVER, "one");
  send_text(from, SERVER, "two");
  settle();
  cr_assert_str_eq(received(to), "one.two.");
  cr_assert_eq(frames(is_datagram), 2);
  cr_assert_eq(frames(is_broadcast), 0);
}

Test(lan, a_host_reaches_itself_without_the_switch) {
  int from = udp_socket(server, 0), to = udp_socket(server, PORT);
  send_text(from, SERVER, "here");
  settle();
  cr_assert_str_eq(received(to), "here.");
}

Test(lan, carries_a_broadcast_to_twenty_hosts) {
  enum { HOSTS = 20 };
  int from = udp_socket(client, 0), to[HOSTS];
  for (int i = 0; i < HOSTS; i++)
    to[i] = udp_socket(host_at("one of many", NETWORK + 10 + (uint32_t)i), PORT);
  send_text(from, NETWORK + 255, "all");
  settle();
  for (int i = 0; i < HOSTS; i++)
    cr_assert_str_eq(received(to[i]), "all.");
  cr_assert_eq(frames(is_broadcast), 1);
}

Test(lan, carries_the_limited_broadcast_where_there_is_a_default_route) {
  cr_assert_eq(host_default_route(client, NETWORK + 1, &failure), 0, "%s", failure.sentence);
  int from = udp_socket(client, 0), to = udp_socket(server, PORT);
  send_text(from, INADDR_BROADCAST, "all");
  settle();
  cr_assert_str_eq(received(to), "all.");
}

/* ---- treatments ---- */

Test(lan, drops_what_it_is_told_to) {
  int from = udp_socket(client, 0), to = udp_socket(server, PORT);
  host_treat_outgoing(client, (struct lan_treatment){.drop = 1});
  send_text(from, SERVER, "lost");
  settle();
  host_treat_outgoing(client, (struct lan_treatment){0});
  host_treat_incoming(server, (struct lan_treatment){.drop = 1});
  send_text(from, SERVER, "lost too");
  settle();
  host_treat_incoming(server, (struct lan_treatment){0});
  send_text(from, SERVER, "not lost");
  settle();
  cr_assert_str_eq(received(to), "not lost.");
  cr_assert_eq(frames(is_datagram), 3, "the log has what was sent");
}

static const char *lossy_exchange(void) {
  int from = udp_socket(client, 0), to = udp_socket(server, PORT);
  host_treat_outgoing(client, (struct lan_treatment){.drop = 0.5});
  for (int letter = 'a'; letter <= 'z'; letter++)
    send_text(from, SERVER, (char[]){(char)letter, '\0'});
  settle();
  return received(to);
}

Test(lan, drops_the_same_frames_with_the_same_seed) {
  char *first = strdup(lossy_exchange());
  size_t length = strlen(first);
  cr_assert(length > 2 * 4 && length < 2 * 22, "%s", first);
  end();
  begin();
  cr_assert_str_eq(lossy_exchange(), first);
  free(first);
}

Test(lan, delays_on_the_worlds_clock) {
  host_treat_outgoing(client, (struct lan_treatment){.delay_ns = 20 * SECONDS});
  host_treat_outgoing(server, (struct lan_treatment){.delay_ns = 5 * SECONDS});
  python(server, "import socket\n"
                 "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 60000))\n"
                 "data, sender = s.recvfrom(100); s.sendto(data, sender)");
  const char *took = run_to_the_end(
      python(client, "import socket, time\n"
                     "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); time.sleep(1)\n"
                     "t = time.monotonic(); s.sendto(b'x', ('192.168.1.2', 60000))\n"
                     "s.recv(100); print(time.monotonic() - t)"));
  cr_assert(fabs(atof(took) - 25) < 0.01, "%s", took);
  cr_assert_lt(world_real_now(world), 20 * SECONDS);
}

Test(lan, delays_for_those_too_who_never_sleep) {
  host_treat_outgoing(server, (struct lan_treatment){.delay_ns = 300 * MILLISECONDS});
  int from = udp_socket(server, 0);
  struct program *other = python(client, "import time; time.sleep(0.2); print(time.monotonic())");
  struct program *busy =
      python(client, "import socket, time\n"
                     "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 60000))\n"
                     "s.setblocking(False); end = time.monotonic() + 2\n"
                     "while time.monotonic() < end:\n"
                     "  try: print(s.recv(9)); break\n"
                     "  except BlockingIOError: pass");
  pass(100 * MILLISECONDS);
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(CLIENT)};
  cr_assert_eq(sendto(from, "late", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
  cr_assert_str_eq(run_to_the_end(busy), "b'late'\n");
  cr_assert(program_ended(other, NULL), "it sleeps for as long as the other one is busy");
}

Test(lan, duplicates_and_reorders) {
  int from = udp_socket(client, 0), to = udp_socket(server, PORT);
  host_treat_outgoing(client, (struct lan_treatment){.duplicate = 1});
  send_text(from, SERVER, "x");
  settle();
  cr_assert_str_eq(received(to), "x.x.");
  host_treat_outgoing(client, (struct lan_treatment){.reorder = 1});
  send_text(from, SERVER, "1");
  send_text(from, SERVER, "2");
  settle();
  cr_assert_str_eq(received(to), "2.1.");
  send_text(from, SERVER, "3"); /* and nothing after it */
  settle();
  cr_assert_str_eq(received(to), "");
  pass(20 * MILLISECONDS);
  cr_assert_str_eq(received(to), "3.");
}

Test(lan, a_cut_link_is_dead_both_ways_and_can_be_mended) {
  int at_client = udp_socket(client, PORT), at_server = udp_socket(server, PORT);
  host_cut(server, true);
  send_text(at_client, SERVER, "in");
  send_text(at_server, CLIENT, "out");
  settle();
  cr_assert_str_eq(received(at_server), "");
  cr_assert_str_eq(received(at_client), "");
  host_cut(server, false);
  send_text(at_server, CLIENT, "again");
  settle();
  cr_assert_str_eq(received(at_client), "again.");
}

Test(lan, forges_a_sender) {
  int to = udp_socket(server, PORT);
  cr_assert_eq(lan_forge_udp(lan, CLIENT, 7, SERVER, PORT, "odd", 3, &failure), 0);
  settle();
  struct sockaddr_in from = {0};
  socklen_t size = sizeof from;
  char text[8];
  cr_assert_eq(recvfrom(to, text, sizeof text, 0, (struct sockaddr *)&from, &size), 3);
  cr_assert_eq(ntohl(from.sin_addr.s_addr), CLIENT);
  cr_assert_eq(ntohs(from.sin_port), 7);
  cr_assert_eq(lan_forge_udp(lan, CLIENT, 7, NETWORK + 255, PORT, "even", 4, &failure), 0);
  settle();
  cr_assert_str_eq(received(to), "even.");
  cr_assert_eq(lan_forge_udp(lan, CLIENT, 7, 0x01020304, PORT, "", 0, &failure), -1);
}

/* ---- MTU ---- */

Test(lan, a_router_says_what_is_too_big) {
  struct lan *narrow = lan_create(world, "narrow", 1280, &failure);
  struct host *far = host_create(world, "far", &failure);
  cr_assert_eq(lan_attach(narrow, far, 0x0a000002, 24, &failure), 0, "%s", failure.sentence);
  cr_assert_eq(lan_router(lan, NETWORK + 1, narrow, 0x0a000001, &failure), 0, "%s",
               failure.sentence);
  cr_assert_eq(host_default_route(client, NETWORK + 1, &failure), 0, "%s", failure.sentence);
  cr_assert_eq(host_default_route(far, 0x0a000001, &failure), 0, "%s", failure.sentence);
  int to = udp_socket(far, PORT);
  const char *said = run_to_the_end(
      python(client, "import socket, time\n"
                     "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                     "s.setsockopt(0, 10, 2); s.connect(('10.0.0.2', 60000))\n"
                     "print(s.getsockopt(0, 14)); s.send(b'x' * 1472); time.sleep(1)\n"
                     "print(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))\n"
                     "print(s.getsockopt(0, 14)); s.send(b'it fits')"));
  cr_assert_str_eq(said, "1500\n90\n1280\n", "%s", said);
  settle();
  cr_assert_str_eq(received(to), "it fits.");
  cr_assert_eq(frames(is_too_big), 1);
}

Test(lan, routers_pass_on_to_routers) {
  struct lan *middle = lan_create(world, "middle", 1400, &failure);
  struct lan *narrow = lan_create(world, "narrow", 1280, &failure);
  struct host *far = host_create(world, "far", &failure);
  cr_assert_eq(lan_attach(narrow, far, 0x0a000202, 24, &failure), 0, "%s", failure.sentence);
  cr_assert_eq(lan_router(lan, NETWORK + 1, middle, 0x0a000101, &failure), 0);
  cr_assert_eq(lan_router(middle, 0x0a000102, narrow, 0x0a000201, &failure), 0);
  cr_assert_eq(host_default_route(client, NETWORK + 1, &failure), 0, "%s", failure.sentence);
  cr_assert_eq(host_default_route(far, 0x0a000201, &failure), 0, "%s", failure.sentence);
  int to = udp_socket(far, PORT);
  const char *said = run_to_the_end(python(
      client, "import socket, time\n"
              "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              "s.setsockopt(0, 10, 2); s.connect(('10.0.2.2', 60000))\n"
              "for size in 1472, 1372, 1252:\n"
              "  s.send(b'x' * size); time.sleep(1)\n"
              "  s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR); print(s.getsockopt(0, 14))"));
  cr_assert_str_eq(said, "1400\n1280\n1280\n", "%s", said);
  settle();
  cr_assert_eq(strlen(received(to)), 1253);
  cr_assert_eq(frames(is_too_big), 3, "the second one passes both routers");
}

Test(lan, an_interface_has_the_mtu_of_its_lan) {
  static const int mtus[] = {1280, 1400, 1500, 9000, 65535};
  for (size_t i = 0; i < sizeof mtus / sizeof *mtus; i++) {
    struct lan *other = lan_create(world, "other", mtus[i], &failure);
    struct host *host = host_create(world, "host", &failure),
                *peer = host_create(world, "p", &failure);
    cr_assert_eq(lan_attach(other, host, 0x0a000002, 24, &failure), 0, "%s", failure.sentence);
    cr_assert_eq(lan_attach(other, peer, 0x0a000003, 24, &failure), 0, "%s", failure.sentence);
    int to = udp_socket(peer, PORT), from = udp_socket(host, 0);
    char *text = calloc(1, 65536);
    memset(text, 'x', (size_t)mtus[i] - 28);
    send_text(from, 0x0a000003, text);
    settle();
    cr_assert_eq(recv(to, text, 65536, MSG_TRUNC), mtus[i] - 28);
    free(text);
  }
}

/* ---- TCP ---- */

#define SEND_MEGABYTES                                                                             \
  "import socket, hashlib, time\n"                                                                 \
  "data = bytes(i * 7 % 251 for i in range(65536)) * 160\n"                                        \
  "s = socket.create_connection(('192.168.1.2', 60000))\n"
#define RECEIVE_MEGABYTES                                                                          \
  "import socket, hashlib, time\n"                                                                 \
  "l = socket.create_server(('', 60000)); s, _ = l.accept(); h = hashlib.sha256(); n = 0\n"        \
  "while (data := s.recv(65536)): h.update(data); n += len(data)\n"                                \
  "print(n, h.hexdigest())"

static bool listens(void *unused) {
  (void)unused;
  struct socket_state *states = NULL;
  int count = host_sockets(server, IPPROTO_TCP, &states, &failure);
  bool found = false;
  for (int i = 0; i < count; i++)
    found |= states[i].state == TCP_LISTEN;
  free(states);
  return found;
}

/* Both programs must print the same. */
static void exchange(const char *receive, const char *send) {
  struct program *receiver = python(server, receive);
  cr_assert_eq(world_run(world, 10 * SECONDS, listens, NULL), WORLD_UNTIL);
  char *sent = strdup(run_to_the_end(python(client, send)));
  cr_assert_str_eq(run_to_the_end(receiver), sent);
  cr_assert_gt(strlen(sent), 10);
  free(sent);
}

Test(lan, carries_ten_megabytes_of_tcp_intact) {
  exchange(RECEIVE_MEGABYTES,
           SEND_MEGABYTES "s.sendall(data); print(len(data), hashlib.sha256(data).hexdigest())");
  cr_assert_gt(frames(is_segment), 160 * 65536 / 1460, "no segment larger than the link");
}

Test(lan, tcp_stands_loss_and_disorder) {
  host_treat_outgoing(client, (struct lan_treatment){.drop = 0.01, .reorder = 0.02});
  host_treat_outgoing(server, (struct lan_treatment){.drop = 0.01, .duplicate = 0.02});
  exchange(RECEIVE_MEGABYTES, SEND_MEGABYTES "data = data[:1000000]; s.sendall(data)\n"
                                             "print(len(data), hashlib.sha256(data).hexdigest())");
}

/* A lost segment comes again when the kernel's own timer has fired, in real time; a receiver with a
 * time-out of 30 s must not lose its patience before. */
Test(lan, the_clock_does_not_jump_over_a_retransmission) {
  struct program *receiver =
      python(server, "import socket\nl = socket.create_server(('', 60000)); s, _ = l.accept()\n"
                     "s.settimeout(30)\n"
                     "try: print(s.recv(100))\nexcept TimeoutError: print('lost patience')");
  cr_assert_eq(world_run(world, 10 * SECONDS, listens, NULL), WORLD_UNTIL);
  struct program *sender =
      python(client, "import socket, time\ns = socket.create_connection(('192.168.1.2', 60000))\n"
                     "time.sleep(1); s.send(b'here'); time.sleep(50)");
  pass(SECONDS / 2);
  host_treat_outgoing(client, (struct lan_treatment){.drop = 1});
  pass(SECONDS * 6 / 10);
  host_treat_outgoing(client, (struct lan_treatment){0});
  cr_assert_str_eq(run_to_the_end(receiver), "b'here'\n");
  program_kill(sender);
}

/* The window is shut until the receiver reads again, 2 s later; what opens it then is an
 * acknowledgement, or the answer to a probe. The sender's own patience is 30 s. */
Test(lan, the_clock_does_not_jump_over_a_zero_window) {
  struct program *receiver =
      python(server, "import socket, time\nl = socket.create_server(('', 60000))\n"
                     "l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); s, _ = l.accept()\n"
                     "time.sleep(2); n = 0\n"
                     "while (data := s.recv(65536)): n += len(data)\n"
                     "print('bytes:', n)");
  cr_assert_eq(world_run(world, 10 * SECONDS, listens, NULL), WORLD_UNTIL);
  const char *said = run_to_the_end(
      python(client, "import socket\ns = socket.create_connection(('192.168.1.2', 60000))\n"
                     "s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096); s.settimeout(30)\n"
                     "s.sendall(b'x' * 500000); print('bytes:', 500000)"));
  cr_assert_str_eq(said, "bytes: 500000\n");
  cr_assert_str_eq(run_to_the_end(receiver), "bytes: 500000\n");
}
