/* Worlds: readiness, capture, terminals, kernel timers, clean death. */
#include "grader/sandbox/sandbox.h"
#include "grader/world/world.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world *world;
static struct host *host;

static void begin_with(struct world_options options) {
  struct failure failure;
  enum sandbox_mode mode;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  options.seed = 1;
  world = world_create(&options, &failure);
  cr_assert(world, "%s", failure.sentence);
  host = host_create(world, "localhost", &failure);
  cr_assert(host, "%s", failure.sentence);
}

static void begin(enum world_clock clock) {
  begin_with((struct world_options){.clock = clock});
}

static struct program *start(const char *name, const char *const *argv) {
  struct failure failure;
  struct program_spec spec = {.name = name, .folder = "/usr/share", .argv = (char *const *)argv};
  struct program *program = program_start(host, &spec, &failure);
  cr_assert(program, "%s", failure.sentence);
  return program;
}

static struct program *python(const char *name, const char *script) {
  return start(name, (const char *const[]){"python3", "-c", script, NULL});
}

static bool has_ended(void *program) {
  return program_ended(program, NULL);
}

static const char *output_of(struct program *program, enum event_stream stream) {
  static char text[4096];
  size_t length = 0;
  const uint8_t *bytes = program_output(program, stream, &length);
  length = length < sizeof text ? length : sizeof text - 1;
  memcpy(text, bytes ? bytes : (const uint8_t *)"", length);
  text[length] = '\0';
  return text;
}

static void run_to_the_end(struct program *program) {
  cr_assert_eq(world_run(world, 1000 * SECONDS, has_ended, program), WORLD_UNTIL, "%s",
               program_doing(program));
}

/* ---- readiness ---- */

static bool listens(void *unused) {
  (void)unused;
  struct socket_state *states = NULL;
  struct failure failure;
  int count = host_sockets(host, IPPROTO_TCP, &states, &failure);
  bool found = false;
  for (int i = 0; i < count; i++)
    found |= states[i].state == TCP_LISTEN && ntohs(states[i].local.sin_port) == 8001 &&
             states[i].local.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
  free(states);
  return found;
}

Test(world, knows_when_a_server_is_ready) {
  begin(CLOCK_VIRTUAL);
  cr_assert_not(listens(NULL));
  python(
      "server",
      "import socket, time; time.sleep(3); s = socket.create_server(('127.0.0.1', 8001)); s.accept()");
  cr_assert_eq(world_run(world, 10 * SECONDS, listens, NULL), WORLD_UNTIL);
  double ready = (double)world_now(world) / 1e9;
  cr_assert(fabs(ready - 3) < 0.5, "ready after %.3f s", ready);
  world_destroy(world);
}

/* ---- what is on the wire, and when ---- */

Test(world, captures_each_datagram_once_with_its_time) {
  begin(CLOCK_VIRTUAL);
  run_to_the_end(python(
      "sender", "import socket, time\n"
                "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                "for i in range(5): s.sendto(b'x' * i, ('127.0.0.1', 60000)); time.sleep(2)"));
  const struct log *log = world_log(world);
  double times[8];
  size_t count = 0;
  for (size_t i = 0; i < log->count; i++)
    if (log->events[i]->kind == EVENT_FRAME && log->events[i]->protocol == IPPROTO_UDP) {
      cr_assert_lt(count, 5);
      cr_assert_eq(log->events[i]->length, count);
      times[count++] = (double)log->events[i]->time_ns / 1e9;
    }
  cr_assert_eq(count, 5);
  for (size_t i = 1; i < count; i++)
    cr_assert(fabs(times[i] - times[i - 1] - 2) < 0.002, "gap %zu is %.6f s", i,
              times[i] - times[i - 1]);
  world_destroy(world);
}

/* ---- terminals ---- */

Test(world, keeps_stdout_and_stderr_apart_on_terminals) {
  begin(CLOCK_VIRTUAL);
  struct program *program = python(
      "printer",
      "import os, sys\n"
      "sys.stderr.write('to err\\n'); print('to out', os.isatty(1), os.isatty(2), os.environ['TERM'],\n"
      "  os.get_terminal_size().columns, os.environ['TZ'], sys.stdin.read() == '')");
  run_to_the_end(program);
  cr_assert_str_eq(output_of(program, STREAM_STDOUT), "to out True True dumb 80 UTC True\n");
  cr_assert_str_eq(output_of(program, STREAM_STDERR), "to err\n");
  world_destroy(world);
}

/* A C program's stdout is line-buffered there, as by hand: what it has printed shows while it
 * waits. */
Test(world, shows_lines_that_were_not_flushed) {
  begin(CLOCK_VIRTUAL);
  struct program *program =
      start("printer", (const char *const[]){"perl", "-e", "print \"line\\n\"; sleep 60", NULL});
  world_run(world, 1 * SECONDS, NULL, NULL);
  cr_assert_not(program_ended(program, NULL));
  cr_assert_str_eq(output_of(program, STREAM_STDOUT), "line\n");
  world_destroy(world);
}

/* ---- the kernel's own timers ---- */

/* Nagle's algorithm holds the second byte back until the first is acknowledged, which the other
 * side's kernel delays by some 40 ms. All programs are asleep meanwhile; a jump to their time-outs
 * would be wrong. */
Test(world, respects_timers_of_the_kernel) {
  begin_with((struct world_options){.clock = CLOCK_VIRTUAL, .delayed_acks = true});
  python("server", "import socket\n"
                   "s = socket.create_server(('127.0.0.1', 8001)); c, _ = s.accept()\n"
                   "c.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)\n"
                   "c.settimeout(60); got = b''\n"
                   "while len(got) < 2: got += c.recv(1)\n"
                   "c.sendall(got); c.recv(1)");
  cr_assert_eq(world_run(world, 10 * SECONDS, listens, NULL), WORLD_UNTIL);
  struct program *client =
      python("client", "import socket, time\n"
                       "c = socket.create_connection(('127.0.0.1', 8001)); time.sleep(1)\n"
                       "c.settimeout(60); t = time.monotonic(); c.send(b'a'); c.send(b'b')\n"
                       "print(c.recv(2)); print('waited', time.monotonic() - t)");
  run_to_the_end(client);
  const char *said = strstr(output_of(client, STREAM_STDOUT), "waited ");
  cr_assert(said, "%s", output_of(client, STREAM_STDERR));
  double waited = atof(said + strlen("waited "));
  cr_assert(waited > 0.02 && waited < 1, "waited %.3f s", waited);
  world_destroy(world);
}

/* What worlds have instead: each segment is acknowledged at once. */
Test(world, acknowledges_at_once) {
  begin(CLOCK_VIRTUAL);
  python("server", "import socket\n"
                   "s = socket.create_server(('127.0.0.1', 8001)); c, _ = s.accept()\n"
                   "got = b''\n"
                   "while len(got) < 2: got += c.recv(1)\n"
                   "c.sendall(got); c.recv(1)");
  cr_assert_eq(world_run(world, 10 * SECONDS, listens, NULL), WORLD_UNTIL);
  struct program *client =
      python("client", "import socket, time\n"
                       "c = socket.create_connection(('127.0.0.1', 8001)); time.sleep(1)\n"
                       "t = time.monotonic(); c.send(b'a'); c.send(b'b')\n"
                       "c.recv(2); print(time.monotonic() - t)");
  run_to_the_end(client);
  double waited = atof(output_of(client, STREAM_STDOUT));
  cr_assert(waited > 0 && waited < 0.005, "waited %.3f s", waited);
  world_destroy(world);
}

/* A receiver that opens its window late: the sender's kernel may have to probe. Nothing is lost,
 * and nobody times out. */
Test(world, respects_a_window_that_opens_late) {
  begin(CLOCK_VIRTUAL);
  struct program *server =
      python("server", "import socket, time\n"
                       "s = socket.create_server(('127.0.0.1', 8001)); c, _ = s.accept()\n"
                       "time.sleep(0.5); n = 0\n"
                       "while True:\n"
                       "  d = c.recv(65536)\n"
                       "  if not d: break\n"
                       "  n += len(d)\n"
                       "print('got', n)");
  cr_assert_eq(world_run(world, 10 * SECONDS, listens, NULL), WORLD_UNTIL);
  struct program *client =
      python("client", "import socket\n"
                       "c = socket.create_connection(('127.0.0.1', 8001)); c.settimeout(100)\n"
                       "c.sendall(bytes(10000000)); c.close(); print('sent')");
  run_to_the_end(client);
  run_to_the_end(server);
  cr_assert_str_eq(output_of(client, STREAM_STDOUT), "sent\n");
  cr_assert_str_eq(output_of(server, STREAM_STDOUT), "got 10000000\n");
  cr_assert_lt(world_now(world), 20 * SECONDS);
  world_destroy(world);
}

/* ---- peers ---- */

static void peer_count(void *context, uint32_t events) {
  char bytes[100];
  (void)events;
  if (recv(((int *)context)[0], bytes, sizeof bytes, 0) > 0)
    ((int *)context)[1]++;
}

static bool peer_has_ten(void *context) {
  return ((int *)context)[1] == 10;
}

Test(world, runs_the_graders_own_sockets_inside_a_host) {
  begin(CLOCK_VIRTUAL);
  struct failure failure;
  int state[2] = {host_socket(host, AF_INET, SOCK_DGRAM, 0, &failure), 0};
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(60000), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  cr_assert(state[0] >= 0 && bind(state[0], (struct sockaddr *)&address, sizeof address) == 0);
  struct watch *watch = world_watch(world, state[0], EPOLLIN, peer_count, state);
  python("sender", "import socket, time\n"
                   "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                   "for i in range(10): time.sleep(7); s.sendto(b'x', ('127.0.0.1', 60000))");
  cr_assert_eq(world_run(world, 100 * SECONDS, peer_has_ten, state), WORLD_UNTIL);
  cr_assert(fabs((double)world_now(world) / 1e9 - 70) < 0.5);
  world_unwatch(watch);
  close(state[0]);
  world_destroy(world);
}

Test(world, has_addresses_for_those_who_ask_whether_there_are_any) {
  begin(CLOCK_VIRTUAL);
  struct program *program =
      python("asks", "import socket\n"
                     "print(socket.getaddrinfo('localhost', 1, socket.AF_INET, socket.SOCK_DGRAM,\n"
                     "                         0, socket.AI_ADDRCONFIG)[0][4])\n"
                     "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                     "s.connect(('127.0.0.1', 1)); print(s.getsockname()[0])");
  run_to_the_end(program);
  cr_assert_str_eq(output_of(program, STREAM_STDOUT), "('127.0.0.1', 1)\n127.0.0.1\n", "%s",
                   output_of(program, STREAM_STDERR));
  world_destroy(world);
}

Test(world, gives_no_program_the_port_of_a_server) {
  begin(CLOCK_VIRTUAL);
  struct program *program =
      start("range", (const char *const[]){"cat", "/proc/sys/net/ipv4/ip_local_port_range", NULL});
  run_to_the_end(program);
  int first = 0, last = 0;
  cr_assert_eq(sscanf(output_of(program, STREAM_STDOUT), "%d %d", &first, &last), 2);
  cr_assert(first >= 32768 && last == 59999, "%d to %d", first, last);
  world_destroy(world);
}

Test(world, ends_a_program_that_takes_all_memory) {
  begin(CLOCK_VIRTUAL);
  struct program *program =
      python("hog", "import time\nx = []\nwhile True: x.append(b'x' * 100000000)");
  run_to_the_end(program);
  bool found = false;
  for (size_t i = 0; world_finding(world, i); i++)
    found |=
        strncmp(world_finding(world, i), "hog used more than", strlen("hog used more than")) == 0;
  cr_assert(found);
  world_destroy(world);
}

/* ---- the end ---- */

static int count_in(const char *folder) {
  DIR *entries = opendir(folder);
  int count = 0;
  for (const struct dirent *entry; (entry = readdir(entries));)
    count += entry->d_name[0] != '.';
  closedir(entries);
  return count;
}

Test(world, leaves_nothing_behind) {
  begin(CLOCK_VIRTUAL); /* what is opened once for all worlds is there now */
  world_destroy(world);
  int before = count_in("/proc/self/fd"), after = 0;
  for (int i = 0; i < 5; i++) {
    begin(CLOCK_VIRTUAL);
    struct program *program =
        start("daemon", (const char *const[]){"sh", "-c",
                                              "trap '' TERM INT HUP; (setsid sleep 999 &); "
                                              "sleep 999 & setsid sh -c 'sleep 999' & wait",
                                              NULL});
    world_run(world, 2 * SECONDS, NULL, NULL);
    cr_assert_not(program_ended(program, NULL));
    world_destroy(world);
  }
  after = count_in("/proc/self/fd");
  cr_assert_eq(after, before, "%d descriptors before, %d after", before, after);
  cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
}

Test(world, a_program_that_cannot_be_executed_says_so) {
  begin(CLOCK_VIRTUAL);
  struct program *program = start("nothing", (const char *const[]){"./no-such-program", NULL});
  run_to_the_end(program);
  cr_assert_eq(program_exec_error(program), ENOENT);
  world_destroy(world);
}

/* Two runs of the same world are the same, to the nanosecond of what the programs see: seeds, ids,
 * the wall clock. */
Test(world, is_reproducible) {
  char first[4096] = "";
  for (int i = 0; i < 3; i++) {
    begin(CLOCK_VIRTUAL);
    struct program *program =
        start("ids", (const char *const[]){"sh", "-c", "echo $$; date +%s; exec sleep 5", NULL});
    run_to_the_end(program);
    if (i == 0)
      snprintf(first, sizeof first, "%s", output_of(program, STREAM_STDOUT));
    cr_assert_str_eq(output_of(program, STREAM_STDOUT), first);
    world_destroy(world);
  }
}

Test(world, its_wall_clock_is_the_programs) {
  for (enum world_clock clock = CLOCK_VIRTUAL; clock <= CLOCK_REAL; clock++) {
    begin(clock);
    struct program *program = start("date", (const char *const[]){"date", "+%s", NULL});
    run_to_the_end(program);
    long long seen = atoll(output_of(program, STREAM_STDOUT));
    long long told = (long long)(world_wall_clock(world) / SECONDS);
    cr_assert(told - seen >= 0 && told - seen <= 10, "%lld seen, %lld told", seen, told);
    world_destroy(world);
  }
}
