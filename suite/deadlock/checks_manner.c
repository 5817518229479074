/* deadlock: how the clients do it: their calls, their threads, their memory, their CPU time. */
#define LAB deadlock
#include "service.h"

#include <signal.h>

/* Waits until no byte moves any more: the server pauses, and the client has done what it can. */
static void await_stillness(void) {
  static const double STEP = 0.1, LONG = 10;
  double until = now() + LONG;
  uint64_t moved = tcp_bytes_moved(localhost());
  for (;;) {
    pass(STEP);
    uint64_t moved_now = tcp_bytes_moved(localhost());
    if (moved_now == moved || now() > until)
      return;
    moved = moved_now;
  }
}

/* ---- deadlock.8 ---- */

/* The client's calls on its connection, in a few words each. */
static const char *calls_text(const struct transfer_calls *calls, size_t threads) {
  const char *text = say("%s around the connection", counted(threads, "thread"));
  for (size_t i = 0; i < calls->count; i++)
    text = say("%s; thread %d calls %s%s", text, calls->list[i].thread, calls->list[i].call,
               calls->list[i].kind == TRANSFER_WAITS ? ""
               : calls->list[i].nonblocking          ? " (never waits)"
                                                     : " (may wait)");
  return text;
}

/* How many threads have sent, received or waited for the connection. */
static size_t threads_in(const struct transfer_calls *calls) {
  size_t count = 0;
  for (size_t i = 0; i < calls->count; i++) {
    bool first = true;
    for (size_t k = 0; k < i; k++)
      first &= calls->list[k].thread != calls->list[i].thread;
    count += first;
  }
  return count;
}

static struct transfer_calls calls_on_connection(struct program *client) {
  struct transfer_calls all = transfer_calls_of(client), kept = {.count = 0};
  struct transfer_call *list =
      (struct transfer_call *)say("%*s", (int)(all.count * sizeof *list + 1), "");
  for (size_t i = 0; i < all.count; i++)
    if (all.list[i].peer.port == PORT)
      list[kept.count++] = all.list[i];
  kept.list = list;
  return kept;
}

static size_t count_kind(const struct transfer_calls *calls, bool waits, bool nonblocking) {
  size_t count = 0;
  for (size_t i = 0; i < calls->count; i++)
    count +=
        waits ? calls->list[i].kind == TRANSFER_WAITS
              : calls->list[i].kind != TRANSFER_WAITS && calls->list[i].nonblocking == nonblocking;
  return count;
}

static struct program *client_in_the_middle(const char *name, const char *bytes, size_t pause_at) {
  struct answering answering = {.pause_at = pause_at};
  set_tcp_buffers(localhost(), SMALL_RECEIVE, SMALL_SEND);
  leave_out_data(localhost());
  let_print();
  record_transfers();
  struct program *server = start_answering(&answering);
  struct program *client = start_client_of(name, bytes);
  /* One that has stuck before shows its calls as well. */
  await_line_while_moving(server, PAUSED, client, CPU_LIMIT);
  await_stillness();
  pass(0.3);
  return client;
}

static void check_manner(const char *name) {
  struct program *client = client_in_the_middle(name, "1000000", 100000);
  if (calls_on_connection(client).count ==
      0) { /* that it must take so many is deadlock.5's affair */
    fresh_world();
    client = client_in_the_middle(name, "16", CHUNK);
  }
  size_t threads = threads_with_connection(client, at_home());
  struct transfer_calls calls = calls_on_connection(client);
  const char *seen = calls_text(&calls, threads);
  EXPECT(calls.count > 0, .message = "the client sends nothing", .expected = "calls that send",
         .actual = say("it %s\n%s", doing(client), printed(client)));
  if (strcmp(name, "upper-poll") == 0) {
    EXPECT(count_kind(&calls, true, false) > 0,
           .message = "upper-poll does not wait for its connection in poll() or its kin",
           .expected = "poll, ppoll, select, pselect, epoll_wait or epoll_pwait on the connection",
           .actual = seen, .cause = "ask poll() for POLLIN and POLLOUT, and do what it says");
    EXPECT(threads_in(&calls) == 1, .message = "upper-poll uses several threads",
           .expected = "one thread that waits for both directions at once", .actual = seen,
           .cause =
               "one poll() can ask for POLLIN and POLLOUT at once, so no second thread is needed");
  } else if (strcmp(name, "upper-threads") == 0) {
    EXPECT(threads >= 2 || threads_in(&calls) >= 2,
           .message = "upper-threads does not use two threads (or processes)",
           .expected = "one that sends, while another one reads", .actual = seen,
           .cause = "start one for one of the directions: pthread_create(), or fork()");
  } else {
    EXPECT(
        count_kind(&calls, false, false) == 0,
        .message = "upper-nonblocking makes calls on its connection that may wait",
        .expected = "O_NONBLOCK on the socket, or MSG_DONTWAIT in each call that sends or receives",
        .actual = seen,
        .cause = count_kind(&calls, false, true) > 0
                     ? "some calls never wait, and others may: MSG_DONTWAIT holds for one call "
                       "only, so each needs it; or O_NONBLOCK on the socket, for all"
                     : "fcntl(fd, F_SETFL, flags | O_NONBLOCK), or setblocking(False) in Python; "
                       "that poll() was asked before does not make it so");
  }
}

EACH_CURE(manner, "deadlock.8", check_manner)

/* ---- deadlock.9 ---- */

/* Whoever keeps what it sends or receives needs as much more memory as there are more bytes: 13.4
 * MiB with the many ones. 8 MiB are allowed; what is between is not counted as a growth, since
 * runtimes that collect garbage (node) take nearly 10 before they begin to. Most programs need not
 * go so far: who takes hardly more for some million bytes has kept none of them. */
enum {
  FEW_BYTES = 2200000,
  MANY_BYTES = 14000000,
  MEGABYTE = 1 << 20,
  MEMORY_HARDLY = 1,
  MEMORY_MORE = 8,
  MEMORY_DOUBT = 4,
  MEMORY_MOST = 64
};

struct memory {
  bool known;
  size_t peak, of_files;
};

/* Why it does not sleep. `at_end`: all but the last bytes has gone both ways. */
static const char *busy_cause(const char *name, bool at_end) {
  if (strcmp(name, "upper-nonblocking") == 0)
    return "it asks again and again: where neither send() nor recv() could do anything, sleep a "
           "little, or wait in poll()";
  return at_end
             ? "nothing is left to be sent, and it does not sleep: is POLLOUT still asked for, so "
               "that poll() returns at once, or is the time-out of poll() 0?"
             : "neither direction can go on, and it does not sleep: is the time-out of poll() 0? "
               "-1 waits";
}

static void expect_idle(struct program *client, const char *name, bool at_end) {
  const char *when = at_end ? "before it sends the last bytes" : "in the middle";
  double share = busy_share(client);
  EXPECT(share < 0.8, .message = say("the client uses the CPU while the server pauses %s", when),
         .expected =
             "it sleeps until there is something to do: less than 80 % of the time on the CPU",
         .actual = say("%.0f %%; it %s", share * 100, doing(client)),
         .cause = busy_cause(name, at_end));
}

static struct memory run_and_measure(const char *name, size_t bytes, size_t pause_at) {
  enum { LARGE_RECEIVE = 131072, LARGE_SEND = 262144 };
  struct answering answering = {.pause_at = pause_at, .hold_last = bytes};
  fresh_world_in_real_time();
  set_tcp_buffers(localhost(), LARGE_RECEIVE, LARGE_SEND);
  leave_out_data(localhost());
  let_print();
  struct program *server = start_answering(&answering);
  struct program *client = start_client_of(name, say("%zu", bytes));
  if (pause_at > 0) {
    if (!await_line_while_moving(server, PAUSED, client, CPU_LIMIT))
      return (struct memory){.known = false};
    await_stillness();
    if (!await_exit(client, 0))
      expect_idle(client, name, false);
    send_signal(server, SIGCONT);
  }
  struct memory memory = {.known = await_line_while_moving(server, HOLDING, client, CPU_LIMIT)};
  if (memory.known && pause_at > 0) {
    await_stillness();
    if (!await_exit(client, 0))
      expect_idle(client, name, true);
  }
  pass(0.1);
  memory.known = memory.known && !await_exit(client, 0);
  memory.peak = peak_memory(client, &memory.of_files);
  return memory;
}

static bool grows(const struct memory *large, const struct memory *small, size_t megabytes) {
  return large->peak >= small->peak + megabytes * MEGABYTE;
}

static void check_thrift(const char *name) {
  size_t bytes = FEW_BYTES;
  struct memory small = run_and_measure(name, CHUNK, 0);
  struct memory large = run_and_measure(name, bytes, bytes / 2);
  if (small.known && large.known && grows(&large, &small, MEMORY_HARDLY)) {
    bytes = MANY_BYTES;
    large = run_and_measure(name, bytes, 0);
  }
  if (!small.known || !large.known) /* it did not come so far: deadlock.7 has something to say */
    return;
  EXPECT(!grows(&large, &small, MEMORY_MORE + MEMORY_DOUBT) &&
             large.peak - large.of_files < (size_t)MEMORY_MOST * MEGABYTE,
         .message = "the client's memory grows with the number of bytes",
         .expected = say("with %zu bytes at most %d MiB more than with 16, and less than %d MiB",
                         bytes, MEMORY_MORE, MEMORY_MOST),
         .actual = say("%.1f MiB at the peak, with 16 bytes %.1f MiB",
                       (double)large.peak / MEGABYTE, (double)small.peak / MEGABYTE),
         .cause = "do not build the whole message, nor keep what has come: one chunk is enough");
}

EACH_CURE(thrift, "deadlock.9", check_thrift)
