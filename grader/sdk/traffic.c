/* Megabytes: worlds for them, a server of the check's own, and what a program does and uses. */
#include "grader/sdk/inner.h"
#include "grader/world/diagnosis.h"

#include <stdlib.h>
#include <string.h>

/* ---- worlds ---- */

void fresh_world_in_real_time(void) {
  world_end();
  the_check.clock = CLOCK_REAL;
  world_begin();
}

void set_tcp_buffers(struct host *host, int receive, int send) {
  if (!host_set_buffers(host, receive, send))
    check_error("the buffers of TCP sockets cannot be set here: /proc/sys/net/ipv4 is read-only");
}

void leave_out_data(struct host *host) {
  struct failure failure;
  if (host_leave_out_data(host, &failure) < 0)
    check_error(say("%s", failure.sentence));
}

void let_print(void) {
  the_check.long_output = true;
}

void record_transfers(void) {
  the_check.record_transfers = true;
}

/* ---- a program of the check's own ---- */

struct program *start_function(struct host *host, const char *name,
                               int (*function)(const void *context), const void *context) {
  struct failure failure;
  char *const words[] = {(char *)name, NULL};
  struct program_spec spec = {.name = name,
                              .folder = manifest_folder(the_check.manifest),
                              .argv = words,
                              .function = function,
                              .context = context};
  struct program *program = program_start(host, &spec, &failure);
  if (!program)
    check_error(say("%s", failure.sentence));
  return program;
}

/* ---- waiting ---- */

uint64_t tcp_bytes_moved(struct host *host) {
  struct socket_state *states = NULL;
  struct failure failure;
  uint64_t bytes = 0;
  int count = host_sockets(host, IPPROTO_TCP, &states, &failure);
  if (count < 0)
    check_error(say("%s", failure.sentence));
  for (int i = 0; i < count; i++)
    bytes += states[i].bytes_received + states[i].bytes_acknowledged;
  free(states);
  return bytes;
}

size_t tcp_unread(const struct connection *connection) {
  struct address own = tcp_local(connection), other = tcp_remote(connection);
  struct socket_state *states = NULL;
  struct failure failure;
  size_t unread = 0;
  int count = host_sockets(localhost(), IPPROTO_TCP, &states, &failure);
  for (int i = 0; i < count; i++)
    if (address_equal(address_from_socket(&states[i].local), other) &&
        address_equal(address_from_socket(&states[i].remote), own))
      unread = states[i].receive_queue;
  free(states);
  return unread;
}

static bool all_sleep(void) {
  return !world_something_runs(the_check.world);
}

/* Whether bytes still move on a host. A program that is ready to run may have to wait for the CPU,
 * seconds on a busy machine, and one that computes goes on; but time in which nothing of the world
 * wants the CPU is idle, and so is one that naps again and again. */
struct movement {
  struct host *host;
  uint64_t moved;
  double moved_at, toil_then;
};

static double toil(void) {
  return (double)world_toil_ns(the_check.world) / 1e9;
}

static bool is_cycle(void) {
  enum standstill kind = world_standstill(the_check.world, NULL);
  return kind == STANDSTILL_MUTUAL_SEND || kind == STANDSTILL_MUTUAL_RECEIVE;
}

static struct movement movement_begin(struct program *program) {
  struct host *host = program_host(program);
  return (struct movement){host, tcp_bytes_moved(host), now(), toil()};
}

static bool movement_ends(struct movement *movement) {
  static const double STILL = 30, IDLE = 4, IDLE_IN_A_CYCLE = 0.5;
  uint64_t moved = tcp_bytes_moved(movement->host);
  double toil_now = toil();
  if (moved != movement->moved || toil_now < movement->toil_then) {
    movement->moved = moved;
    movement->moved_at = now();
    movement->toil_then = toil_now;
  }
  double still = now() - movement->moved_at;
  if (still > STILL)
    return true;
  double idle = still - (toil_now - movement->toil_then);
  return idle > IDLE_IN_A_CYCLE && all_sleep() && (idle > IDLE || is_cycle());
}

bool await_exit_while_moving(struct program *program, double cpu) {
  static const double STEP = 0.25;
  struct movement movement = movement_begin(program);
  while (!await_exit(program, STEP))
    if (movement_ends(&movement) || cpu_seconds(program) > cpu)
      return false;
  return true;
}

bool await_line_while_moving(struct program *printer, const char *pattern, struct program *other,
                             double cpu) {
  static const double STEP = 0.25;
  struct movement movement = movement_begin(printer);
  for (;;) {
    if (await_line(printer, STDOUT, STEP, pattern) >= 0)
      return true;
    if (await_exit(printer, 0) || movement_ends(&movement) || cpu_seconds(other) > cpu)
      return await_line(printer, STDOUT, 0, pattern) >= 0;
  }
}

bool await_mutual_send(struct program *program, double within) {
  static const double STEP = 0.05, STILL = 0.25;
  double until = now() + within;
  struct movement movement = movement_begin(program);
  while (now() < until && !await_exit(program, STEP)) {
    uint64_t moved = tcp_bytes_moved(program_host(program));
    bool full = all_sleep() && is_mutual_send();
    if (!full && movement_ends(&movement))
      return world_standstill(the_check.world, NULL) == STANDSTILL_SEND_UNREAD;
    if (!full)
      continue;
    if (await_exit(program, STILL))
      return false;
    if (all_sleep() && is_mutual_send() && tcp_bytes_moved(program_host(program)) == moved)
      return true;
  }
  return false;
}

/* ---- what it costs ---- */

/* Looks now and then whether it sleeps, until enough is known. What the kernel says of how long a
 * task had to wait for the CPU will not do: that is counted when the wait is over. */
double busy_share(struct program *program) {
  static const double STEP = 0.007, ENOUGH = 0.25, LIMIT = 30;
  double began = now(), looked = began, used_before = cpu_seconds(program), used = 0, slept = 0;
  while (used + slept < ENOUGH && looked < began + LIMIT) {
    pass(STEP);
    if (all_sleep())
      slept += now() - looked;
    looked = now();
    used = cpu_seconds(program) - used_before;
  }
  return used / (used + slept + 1e-6);
}

size_t peak_memory(struct program *program, size_t *of_files) {
  return program_peak_memory(program, of_files);
}

size_t threads_with_connection(struct program *program, struct address peer) {
  struct sockaddr_in socket_address = address_to_socket(peer);
  return program_threads_connected(program, &socket_address);
}

/* ---- how it sends, receives and waits ---- */

struct transfer_calls transfer_calls_of(struct program *program) {
  struct log *log = world_log(the_check.world);
  struct transfer_call *list = scrap((log->count + 1) * sizeof *list);
  size_t count = 0;
  for (size_t i = 0; i < log->count; i++) {
    const struct event *event = log->events[i];
    const struct transfer_seen *seen = &event->transfer;
    if (event->kind == EVENT_TRANSFER && event->program == program)
      list[count++] = (struct transfer_call){.time = (double)event->time_ns / 1e9,
                                             .kind = (enum transfer_kind)seen->kind,
                                             .call = seen->name,
                                             .process = seen->process,
                                             .thread = seen->thread,
                                             .peer = address_from_socket(&seen->peer),
                                             .nonblocking = seen->nonblocking};
  }
  return (struct transfer_calls){list, count};
}
