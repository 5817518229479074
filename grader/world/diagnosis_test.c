/* Standstills are told apart, and said at once. */
#include "grader/sandbox/sandbox.h"
#include "grader/world/diagnosis.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct world *world;
static struct host *host;

static void begin_on(enum world_clock clock) {
  struct failure failure;
  enum sandbox_mode mode;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  world = world_create(&(struct world_options){.clock = clock, .seed = 1}, &failure);
  cr_assert(world, "%s", failure.sentence);
  host = host_create(world, "localhost", &failure);
  cr_assert(host, "%s", failure.sentence);
}

static void begin(void) {
  begin_on(CLOCK_VIRTUAL);
}

static void end(void) {
  world_destroy(world);
}

TestSuite(standstill, .init = begin, .fini = end);

static struct program *python(const char *name, const char *script) {
  struct failure failure;
  struct program_spec spec = {
      .name = name,
      .folder = "/usr/share",
      .argv = (char *const *)(const char *const[]){"python3", "-c", script, NULL}};
  struct program *program = program_start(host, &spec, &failure);
  cr_assert(program, "%s", failure.sentence);
  return program;
}

static bool never(void *unused) {
  (void)unused;
  return false;
}

/* Runs until the world stands still, and expects that kind of standstill, and these words. */
static void expect(enum standstill kind, const char *words) {
  cr_assert_eq(world_run(world, 1000 * SECONDS, never, NULL), WORLD_STANDSTILL);
  char *text = NULL;
  enum standstill seen = world_standstill(world, &text);
  cr_expect_eq(seen, kind, "%d, not %d: %s", seen, kind, text);
  cr_expect(strstr(text, words), "%s", text);
  free(text);
}

#define SERVER "import socket\nl = socket.create_server(('127.0.0.1', 60000))\ns, _ = l.accept()\n"
#define CLIENT                                                                                     \
  "import socket, time\ntime.sleep(1)\ns = socket.create_connection(('127.0.0.1', 60000))\n"

Test(standstill, mutual_send) {
  python("server", SERVER "while (data := s.recv(1024)): s.sendall(data)");
  python("client", CLIENT "s.sendall(b'x' * 100000000)");
  expect(STANDSTILL_MUTUAL_SEND, "both blocked in sending to each other");
  char *text = NULL;
  world_standstill(world, &text);
  cr_expect(strstr(text, "→ client sleeps in sendto on descriptor 3, TCP 127.0.0.1:"), "%s", text);
  cr_expect(strstr(text, "kB not delivered"), "%s", text);
  free(text);
}

Test(standstill, mutual_send_by_poll) {
  python("server", SERVER "while (data := s.recv(1024)): s.sendall(data)");
  python("client", CLIENT "import select\np = select.poll(); p.register(s, select.POLLOUT)\n"
                          "s.setblocking(False)\n"
                          "while True: p.poll(); s.send(b'x' * 100000)");
  expect(STANDSTILL_MUTUAL_SEND, "client sleeps in poll on descriptor 3");
}

Test(standstill, mutual_send_by_threads_is_none) {
  python("server", SERVER "while (data := s.recv(1024)): s.sendall(data)");
  struct program *client =
      python("client", CLIENT "import threading\n"
                              "def read():\n  while s.recv(65536): pass\n"
                              "t = threading.Thread(target=read); t.start()\n"
                              "s.sendall(b'x' * 10000000); s.shutdown(1); t.join()");
  cr_assert_eq(world_run(world, 100 * SECONDS, never, NULL), WORLD_STANDSTILL);
  cr_assert(program_ended(client, NULL));
  cr_assert_eq(world_standstill(world, NULL), STANDSTILL_NONE);
}

Test(standstill, mutual_receive) {
  python("server", SERVER "data = s.makefile().read(); s.sendall(data.upper().encode())");
  python("client", CLIENT "s.sendall(b'no half-close'); s.recv(100)");
  expect(STANDSTILL_MUTUAL_RECEIVE, "half-close");
}

Test(standstill, nobody_accepts) {
  python("server", SERVER "import threading; threading.Event().wait()");
  python("client", CLIENT "t = socket.create_connection(('127.0.0.1', 60000)); t.recv(1)");
  expect(STANDSTILL_ACCEPT, "1 connection waits in the queue of port 60000, and nobody accepts");
}

Test(standstill, waits_for_a_child) {
  python("parent", "import os, signal\nif os.fork() == 0: signal.pause()\nos.wait()");
  expect(STANDSTILL_CHILD, "waits for a child's end");
}

Test(standstill, waits_for_a_lock) {
  python("program", "import threading; l = threading.Lock(); l.acquire(); l.acquire()");
  expect(STANDSTILL_LOCK, "lock");
}

Test(standstill, says_what_each_waits_for) {
  struct program *program =
      python("program", "import socket, select\ns = socket.socket(type=socket.SOCK_DGRAM)\n"
                        "s.bind(('127.0.0.1', 60000)); e = select.epoll()\n"
                        "e.register(s, select.EPOLLIN); e.poll()");
  cr_assert_eq(world_run(world, 1000 * SECONDS, never, NULL), WORLD_STANDSTILL);
  char *text = program_doing(program);
  cr_expect_str_eq(text,
                   "sleeps in epoll_wait on descriptor 3, UDP 127.0.0.1:60000 (nothing to be read)",
                   "%s", text);
  free(text);
}

/* Without the virtual clock's proof of quiescence: found within 2 s of its happening. */
Test(standstill_real, mutual_send, .fini = end) {
  begin_on(CLOCK_REAL);
  python("server", SERVER "while (data := s.recv(1024)): s.sendall(data)");
  python("client", CLIENT "s.sendall(b'x' * 100000000)");
  int64_t limit = 20 * SECONDS;
  while (world_standstill(world, NULL) != STANDSTILL_MUTUAL_SEND && world_now(world) < limit)
    world_run(world, world_now(world) + SECONDS / 10, NULL, NULL);
  cr_assert_lt(world_now(world), limit);
}
