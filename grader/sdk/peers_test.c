/* TCP peers, the HTTP client and recorded calls, against small Python programs. */
#include "grader/sandbox/sandbox.h"
#include "grader/sdk/inner.h"
#include "grader/world/inner.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define SERVER                                                                                     \
  "import socket, time\nl = socket.create_server(('127.0.0.1', 8001)); s, _ = l.accept()\n"

static void begin(void) {
  enum sandbox_mode mode;
  struct failure failure;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  the_check = (struct context){.clock = CLOCK_VIRTUAL, .seed = 1};
  if (setjmp(the_check.end) != 0)
    cr_assert_fail("%s: %s", the_check.report.message, the_check.report.actual);
  world_begin();
}

static void end(void) {
  world_end();
}

TestSuite(peers, .init = begin, .fini = end);

static struct program *python(const char *script) {
  struct failure failure;
  struct program_spec spec = {
      .name = "python",
      .folder = "/usr/share",
      .record_calls = true,
      .argv = (char *const *)(const char *const[]){"python3", "-c", script, NULL}};
  struct program *program = program_start(localhost(), &spec, &failure);
  cr_assert(program, "%s", failure.sentence);
  return program;
}

static struct connection *connect_to(const char *script) {
  await_tcp_listening(python(script), 8001);
  struct connection *connection = tcp_connect("client", NULL, address("127.0.0.1", 8001));
  cr_assert(connection);
  return connection;
}

Test(peers, bytes_have_their_times) {
  struct connection *client =
      connect_to(SERVER "s.send(b'one'); time.sleep(2); s.send(b'two'); time.sleep(3); s.close()");
  cr_assert(tcp_await_bytes(client, 6, 10));
  cr_assert_eq(tcp_await_end(client, 10), TCP_FINISHED);
  struct stream_so_far stream = tcp_received(client);
  cr_assert_str_eq((const char *)stream.bytes, "onetwo");
  cr_assert(about(tcp_byte_time(client, 3) - stream.first_time, 2));
  cr_assert_eq(tcp_byte_time(client, 2), stream.first_time);
  cr_assert(about(stream.end_time - stream.last_time, 3));
}

Test(peers, each_piece_is_a_segment) {
  struct connection *client = connect_to(SERVER "while (b := s.recv(100)): print(len(b))");
  tcp_send_cut(client, "0123456789", 10, 1, 0);
  tcp_send_cut(client, "0123456789", 10, 7, 0.5);
  tcp_finish(client);
  struct program *server = host_latest_program(localhost());
  cr_assert(await_exit(server, 5));
  struct lines all = lines(server, STDOUT);
  cr_assert_eq(all.count, 12);
  for (size_t i = 0; i < 10; i++)
    cr_assert_str_eq(all.list[i].text, "1");
  cr_assert_str_eq(all.list[10].text, "7");
  cr_assert_str_eq(all.list[11].text, "3");
  cr_assert_eq(tcp_unacknowledged(client), 0);
}

Test(peers, a_standstill_ends_one_wait_at_once_and_not_the_next) {
  struct connection *client = connect_to(SERVER "s.recv(1)");
  double began = now(), deadline = began + 5;
  cr_assert_not(tcp_await_bytes(client, 1, 5));
  cr_assert_lt(now(), began + 1);
  int waits = 0;
  while (now() < deadline && waits++ < 10)
    tcp_await_bytes(client, 1, deadline - now());
  cr_assert_lt(waits, 3);
}

Test(peers, see_a_reset) {
  struct connection *client = connect_to(SERVER "time.sleep(1); s.close(); time.sleep(9)");
  tcp_send_text(client, "never read");
  cr_assert_eq(tcp_await_end(client, 5), TCP_RESET);
}

Test(peers, see_a_reset_after_a_fin) {
  struct connection *client =
      connect_to(SERVER "s.shutdown(socket.SHUT_WR); time.sleep(2); s.close(); time.sleep(9)");
  cr_assert_eq(tcp_await_end(client, 5), TCP_FINISHED);
  tcp_send_text(client, "never read");
  pass(3);
  cr_assert_eq(tcp_received(client).end, TCP_RESET);
}

Test(peers, reset_and_half_close) {
  struct connection *client =
      connect_to(SERVER "data = s.makefile().read(); s.send(b'<' + data.encode())\n"
                        "s, _ = l.accept()\n"
                        "try: s.recv(1)\nexcept OSError as e: print(e.errno)");
  tcp_send_text(client, "all");
  tcp_finish(client);
  cr_assert(tcp_await_bytes(client, 4, 5));
  cr_assert_str_eq((const char *)tcp_received(client).bytes, "<all");
  tcp_reset(tcp_connect("another", "127.0.0.2", address("127.0.0.1", 8001)));
  struct program *server = host_latest_program(localhost());
  cr_assert(await_exit(server, 5));
  cr_assert_str_eq(lines(server, STDOUT).list[0].text, say("%d", ECONNRESET));
}

Test(peers, listen_and_refuse) {
  cr_assert_null(tcp_connect("nobody", NULL, address("127.0.0.1", 8001)));
  cr_assert_eq(tcp_connect_error(), ECONNREFUSED);
  struct listener *listener = tcp_listen("server", "127.0.0.1", 60000);
  cr_assert_null(tcp_accept(listener, 1));
  struct program *client = python("import socket, time\ntime.sleep(2)\n"
                                  "s = socket.create_connection(('127.0.0.1', 60000))\n"
                                  "print(s.recv(100), s.recv(100))");
  struct connection *connection = tcp_accept(listener, 5);
  cr_assert(connection);
  cr_assert_eq(tcp_local(connection).port, 60000);
  tcp_send_text(connection, "x");
  tcp_close(connection);
  cr_assert(await_exit(client, 5));
  expect_line(client, 0, "b'x' b''");
}

Test(peers, stop_reading_fills_the_queues) {
  struct connection *client =
      connect_to(SERVER "s.settimeout(5)\n"
                        "try: s.sendall(b'x' * 50000000)\nexcept TimeoutError: print('full')");
  tcp_stop_reading(client);
  struct program *server = host_latest_program(localhost());
  expect_line(server, 30, "full");
  cr_assert_eq(tcp_received(client).length, 0);
  tcp_read_on(client);
  tcp_await_end(client, 5);
  cr_assert_gt(tcp_received(client).length, 4000);
}

Test(peers, the_end_comes_with_the_last_bytes) {
  struct connection *client = connect_to(SERVER "import select\np = select.poll()\n"
                                                "p.register(s, select.POLLIN | select.POLLRDHUP)\n"
                                                "print(p.poll()[0][1]); print(s.recv(100))");
  tcp_send_last(client, "last", 4);
  struct program *server = host_latest_program(localhost());
  cr_assert(await_exit(server, 5));
  expect_line(server, 0, say("%d", POLLIN | POLLRDHUP));
  expect_line(server, 0, "b'last'");
}

/* Nothing comes when the other end forgets; what is sent to it then is answered with RST. */
Test(peers, forgotten_connections) {
  struct connection *client =
      connect_to(SERVER "s.settimeout(3)\ntry: s.recv(1)\nexcept TimeoutError: print('nothing')\n"
                        "s.send(b'?')\ntry: s.recv(1)\nexcept OSError as e: print(e.errno)\n"
                        "time.sleep(1); s.close(); time.sleep(9)");
  struct program *server = host_latest_program(localhost());
  settle();
  uint64_t socket = tcp_other_end(client), sockets[] = {socket, socket + 1};
  cr_assert_neq(socket, 0);
  tcp_forget(client);
  expect_line(server, 4, "nothing");
  expect_line(server, 1, say("%d", ECONNRESET));
  cr_assert_eq(tcp_other_end(client), 0);
  cr_assert_eq(sockets_open(server, sockets, 2), 1);
  pass(2);
  cr_assert_eq(sockets_open(server, sockets, 2), 0);
}

Test(peers, nobody_has_accepted_yet) {
  struct connection *client = connect_to(
      "import socket, time\nl = socket.create_server(('127.0.0.1', 8001)); time.sleep(5)\n"
      "s, _ = l.accept(); time.sleep(5)");
  cr_assert_eq(tcp_other_end(client), 0);
  pass(6);
  cr_assert_neq(tcp_other_end(client), 0);
}

/* Keep-alive on a connection whose other end is there changes nothing, and the clock may jump; the
 * times that TCP_INFO tells are the kernel's own, and it may not. */
Test(peers, times_of_the_kernel) {
  connect_to(SERVER "s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
                    "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)\n"
                    "time.sleep(20)\n"
                    "while True: s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 100); "
                    "time.sleep(0.1)");
  double real = (double)world_real_now(the_check.world) / 1e9;
  pass(10);
  double after_jump = (double)world_real_now(the_check.world) / 1e9;
  cr_assert_lt(after_jump - real, 5);
  pass(11);
  cr_assert_geq((double)world_real_now(the_check.world) / 1e9 - after_jump, 0.9);
}

/* A FIN, or bytes, that the program does not reply to: a delayed ACK would be a timer of the
 * kernel, which runs in real time. */
Test(peers, everything_is_acknowledged_at_once) {
  struct connection *client = connect_to(
      SERVER "for i in range(3): s.recv(9); s.send(b'reply')\ns.recv(9); time.sleep(99)");
  for (size_t i = 1; i <= 3; i++) {
    tcp_send_text(client, "request");
    cr_assert(tcp_await_bytes(client, i * strlen("reply"), 1));
  }
  tcp_send_text(client, "last");
  settle();
  cr_assert_lt(host_kernel_timer_ms(localhost()), 0);
  tcp_finish(client);
  settle();
  cr_assert_lt(host_kernel_timer_ms(localhost()), 0);
}

/* Process 1 of a program's namespace closes its files before it ends the other processes. */
Test(peers, what_is_killed_is_gone) {
  enum { TIMES = 30 };
  for (int i = 0; i < TIMES; i++) {
    fresh_world();
    struct connection *client = connect_to(SERVER "time.sleep(9)");
    double before = now();
    kill_at_once(host_latest_program(localhost()));
    cr_assert_eq(tcp_received(client).end, TCP_FINISHED, "the FIN is missing, at round %d", i);
    cr_assert_eq(now(), before);
  }
}

Test(peers, frames_outlive_their_world) {
  static const char text[] = "Hello World!";
  for (int i = 0; i < 2; i++) {
    struct peer *peer = udp_peer("peer", "127.0.0.1", 0);
    udp_send_text(peer, peer_address(peer), text);
    struct frames seen = frames_all();
    cr_assert_eq(seen.count, 1);
    fresh_world();
    cr_assert_eq(seen.list[0].length, strlen(text));
    cr_assert_eq(memcmp(seen.list[0].bytes, text, strlen(text)), 0);
  }
}

Test(peers, a_real_http_client) {
  python(SERVER
         "s.recv(1000); time.sleep(1)\n"
         "s.sendall(b'HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nHe'); time.sleep(1)\n"
         "s.sendall(b'llo'); s.close()\n"
         "s, _ = l.accept(); s.recv(1000); s.send(b'HTTP/1.0 200 OK\\r\\n"
         "Content-Length: 5\\r\\n\\r\\nHe'); s.close()\n"
         "s, _ = l.accept(); time.sleep(1000)");
  await_tcp_listening(host_latest_program(localhost()), 8001);
  struct http_response response = http_get_at(localhost(), "http://127.0.0.1:8001/", 10);
  cr_assert(response.ok, "%s", response.error);
  cr_assert_eq(response.status, 200);
  cr_assert_eq(response.body_length, 5);
  cr_assert_str_eq((const char *)response.body, "Hello");
  cr_assert(strstr(response.header, "Content-Length: 5\r\n"));
  response = http_get_at(localhost(), "http://127.0.0.1:8001/", 10);
  cr_assert_not(response.ok);
  cr_assert(strstr(response.error, "3 bytes remaining"), "%s", response.error);
  double began = now();
  response = http_get_at(localhost(), "http://127.0.0.1:8001/", 10);
  cr_assert_not(response.ok);
  cr_assert(about(now() - began, 10));
}

Test(peers, recorded_calls) {
  struct program *program =
      python("import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
             "s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n"
             "print(s.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST))\n"
             "s.connect(('127.0.0.1', 1)); s.setsockopt(0, 10, 2); print(s.getsockopt(0, 14))\n"
             "t = socket.socket()\n"
             "try: t.getsockopt(0, 14)\nexcept OSError as e: print(e.errno)");
  cr_assert(await_exit(program, 5));
  struct lines all = lines(program, STDOUT);
  cr_assert_eq(all.count, 3);
  cr_assert_str_eq(all.list[0].text, "1");
  cr_assert_str_eq(all.list[1].text, "65535");
  cr_assert_str_eq(all.list[2].text, say("%d", ENOTCONN));
  struct socket_calls sockets = socket_calls_of(program);
  cr_assert_eq(sockets.count, 4);
  cr_assert(sockets.list[0].created && sockets.list[1].created && !sockets.list[2].created);
  cr_assert(sockets.list[0].fd >= 3 && sockets.list[1].fd == sockets.list[0].fd + 1);
  cr_assert(sockets.list[0].type == SOCK_DGRAM && sockets.list[1].type == SOCK_STREAM);
  cr_assert(sockets.list[2].socket == sockets.list[0].socket ||
            sockets.list[2].socket == sockets.list[1].socket);
  struct option_calls calls = option_calls_of(program);
  cr_assert_eq(calls.count, 5);
  cr_assert(calls.list[0].set && calls.list[0].option == SO_BROADCAST && calls.list[0].value == 1);
  cr_assert(!calls.list[0].connected && calls.list[0].type == SOCK_DGRAM);
  cr_assert(!calls.list[1].set && calls.list[1].value == 1);
  cr_assert(calls.list[2].connected && calls.list[2].option == IP_MTU_DISCOVER);
  cr_assert(calls.list[3].option == IP_MTU && calls.list[3].value == 65535);
  cr_assert(calls.list[4].error == ENOTCONN && calls.list[4].socket != calls.list[3].socket);
}

Test(peers, sockets_that_only_the_program_can_make_are_recorded) {
  struct program *program = python("import socket\n"
                                   "a, b = socket.socketpair()\n"
                                   "c = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\n"
                                   "print(a.fileno(), b.fileno(), c.fileno()); c.close()");
  cr_assert(await_exit(program, 5));
  struct socket_calls calls = socket_calls_of(program);
  cr_assert_geq(calls.count, 4);
  for (int i = 0; i < 3; i++)
    cr_assert(calls.list[i].created && calls.list[i].fd == calls.list[0].fd + i);
  cr_assert_eq(calls.list[2].family, AF_NETLINK);
  cr_assert(!calls.list[3].created && calls.list[3].socket == calls.list[2].socket);
}

Test(peers, every_way_to_close_is_recorded) {
  struct program *program =
      python("import ctypes, os, socket\n"
             "range = ctypes.CDLL(None).close_range\n"
             "a, b, c, d = [socket.socket() for _ in 'abcd']\n"
             "null = os.open('/dev/null', os.O_RDONLY)\n"
             "os.dup2(null, a.fileno()); os.dup2(null, b.fileno(), inheritable=False)\n"
             "range(c.fileno(), c.fileno(), 0); range(d.fileno(), d.fileno(), 4)\n"
             "os.dup2(d.fileno(), d.fileno()); os._exit(0)");
  cr_assert(await_exit(program, 5));
  struct socket_calls calls = socket_calls_of(program);
  cr_assert_eq(calls.count, 7, "%zu", calls.count);
  for (size_t i = 0; i < 3; i++) {
    cr_assert_not(calls.list[4 + i].created);
    cr_assert_eq(calls.list[4 + i].socket, calls.list[i].socket);
  }
}

Test(peers, more_descriptors_are_open) {
  struct failure failure;
  struct program_spec spec = {
      .name = "python",
      .folder = "/usr/share",
      .argv = (char *const *)(const char *const[]){
          "python3", "-c", "import os; print(os.dup(1), *os.sys.argv)", "x y", NULL}};
  more_descriptors(4);
  surroundings_give(&spec);
  struct program *program = program_start(localhost(), &spec, &failure);
  cr_assert(await_exit(program, 5));
  expect_line(program, 0, "7 -c x y");
}

Test(peers, differences_are_marked) {
  const char *text = difference("Hello World", 11, "Hello, World", 12);
  cr_assert_str_eq(text,
                   "what came differs from byte 5 on (counted from 0):\n"
                   "       0  48 65 6c 6c 6f 2c 20 57 6f 72 6c 64  Hello, World\n"
                   "                         ^^                         ^\n"
                   "where there should be:\n"
                   "       0  48 65 6c 6c 6f 20 57 6f 72 6c 64     Hello World",
                   "%s", text);
  cr_assert(strstr(difference("abc", 3, "ab", 2), "ends after 2 bytes of 3"));
  cr_assert(strstr(difference("abc", 3, "abcd", 4), "has 1 byte more than 3"));
  cr_assert_str_eq(difference("abc", 3, "abc", 3), "the same 3 bytes");
}

/* ---- likely causes that are told by what a program says when it ends ---- */

static void expect_mistake(const char *script, const char *words) {
  await_exit(python(script), 5);
  const char *cause = own_mistake_cause();
  if (!*words)
    cr_assert_null(cause, "%s", cause);
  else
    cr_assert(cause && strstr(cause, words), "%s", cause);
}

Test(peers, a_program_that_cannot_be_executed_has_that_for_its_cause) {
  struct failure failure;
  struct program_spec spec = {.name = "none",
                              .folder = "/usr/share",
                              .argv = (char *const *)(const char *const[]){"/none/such", NULL}};
  struct program *program = program_start(localhost(), &spec, &failure);
  cr_assert(program, "%s", failure.sentence);
  cr_assert(await_exit(program, 5));
  const char *cause = own_mistake_cause();
  cr_assert(cause && strstr(cause, "cannot be executed: it is not there"), "%s", cause);
}

Test(peers, a_mistake_of_its_own_is_the_cause) {
  expect_mistake("print('NameError: no', flush=True); raise OSError(111, 'refused')", "");
  expect_mistake("import sys; print('TypeError: it goes on', file=sys.stderr)", "");
  expect_mistake("import none_such",
                 "python ended by a mistake of its own: ModuleNotFoundError: No module named");
}
