/* How fast the switch is: lan_bench. Ten megabytes of TCP from one host to another, five times. */
#include "grader/sandbox/sandbox.h"
#include "grader/world/lan.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 5, MEGABYTES = 10 };

static _Noreturn void give_up(const struct failure *failure) {
  fprintf(stderr, "lan_bench: %s\n", failure->sentence);
  exit(3);
}

static struct program *python(struct host *host, const char *script) {
  struct failure failure;
  struct program_spec spec = {
      .name = "python3",
      .folder = "/usr/share",
      .argv = (char *const *)(const char *const[]){"python3", "-c", script, NULL}};
  struct program *program = program_start(host, &spec, &failure);
  if (!program)
    give_up(&failure);
  return program;
}

static bool is_connected(void *host) {
  struct socket_state *states = NULL;
  struct failure failure;
  int count = host_sockets(host, IPPROTO_TCP, &states, &failure);
  bool found = false;
  for (int i = 0; i < count; i++)
    found |= states[i].state == TCP_ESTABLISHED;
  free(states);
  return found;
}

static bool has_ended(void *program) {
  return program_ended(program, NULL);
}

static double seconds_of_one_transfer(void) {
  struct failure failure;
  struct world_options options = {.clock = CLOCK_VIRTUAL, .seed = 1};
  struct world *world = world_create(&options, &failure);
  struct lan *lan = world ? lan_create(world, "LAN", 1500, &failure) : NULL;
  struct host *hosts[2] = {0};
  for (uint32_t i = 0; lan && i < 2; i++) {
    hosts[i] = host_create(world, i ? "client" : "server", &failure);
    if (!hosts[i] || lan_attach(lan, hosts[i], 0x0a000001 + i, 24, &failure) < 0)
      give_up(&failure);
  }
  if (!lan)
    give_up(&failure);
  struct program *server =
      python(hosts[0], "import socket\nl = socket.create_server(('', 60000)); s, _ = l.accept()\n"
                       "while s.recv(1 << 20): pass");
  python(hosts[1], "import socket, time\ntime.sleep(1)\n"
                   "s = socket.create_connection(('10.0.0.1', 60000)); time.sleep(1)\n"
                   "s.sendall(bytes(10 << 20))");
  world_run(world, 60 * SECONDS, is_connected, hosts[0]);
  int64_t began = world_real_now(world);
  world_run(world, 600 * SECONDS, has_ended, server);
  double seconds = (double)(world_real_now(world) - began) / 1e9;
  world_destroy(world);
  return seconds;
}

static int by_size(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

int main(void) {
  enum sandbox_mode mode;
  struct failure failure;
  double seconds[RUNS];
  if (sandbox_enter(&mode, &failure) < 0)
    give_up(&failure);
  for (int i = 0; i < RUNS; i++)
    seconds[i] = seconds_of_one_transfer();
  qsort(seconds, RUNS, sizeof *seconds, by_size);
  printf("TCP through the switch: %d MB in %.3f s at the median of %d runs (%.0f MB/s)\n",
         MEGABYTES, seconds[RUNS / 2], RUNS, MEGABYTES / seconds[RUNS / 2]);
}
