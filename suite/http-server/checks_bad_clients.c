/* http-server: a restart, and clients that leave, break off, or ask too much. */
#define LAB http_server
#include "visit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

CHECK(can_be_restarted, "http-server.8", "http-server") {
  /* The server's end is closed first, if need be by its own end, and the client's then: so it is
   * the server's that the kernel remembers (TIME_WAIT). */
  record_calls();
  for (int runs = 0; runs < 2; runs++) {
    fresh_world();
    struct program *server = start_server();
    struct connection *client = connect_home(server, "the first client");
    tcp_send_text(client, REQUEST);
    await_response(client);
    if (runs == 0) {
      stop(server);
      tcp_close(client);
    } else {
      tcp_close(client);
      stop(server);
    }
    struct program *again = begin_server();
    struct connection *next = tcp_connect_when_ready(again, localhost(), at_home());
    EXPECT(next, .message = "right after a request the server cannot be started again",
           .expected = "the new run listens at once",
           .actual = say("it %s\n%s", doing(again), printed(again)),
           .cause = port_taken_cause(server, again));
    tcp_send_text(next, REQUEST);
    EXPECT(tcp_await_bytes(next, 1, PATIENCE),
           .message = "a server that was started again does not respond",
           .expected = "a response, as in its first run",
           .actual = say("it %s\n%s", doing(again), printed(again)));
  }
}

CHECK(server_runs_until_told, "http-server.8", "http-server") {
  expect_runs_until_told(start_server());
  fresh_world();
  expect_ends_when_interrupted(start_server());
}

/* ---- clients that leave ---- */

/* One after another leaves, of the same server; whether it spins, too. */
static void check_leaving(const struct response *undisturbed, const char *request, size_t length,
                          int clients) {
  const char *what =
      length ? say("with %zu bytes of its request sent", length) : "without having sent anything";
  fresh_world();
  struct program *server = start_server();
  for (int i = 0; i < clients; i++) {
    if (i > 0)
      what = say("%s, the %s one", what, i == 1 ? "second" : "third");
    struct connection *client = connect_home(server, "a client that will leave");
    tcp_send(client, request, length);
    pass(0.2);
    tcp_close(client);
    pass(0.1);
    double before = cpu_seconds(server);
    pass(1);
    double used = cpu_seconds(server) - before;
    EXPECT(!await_exit(server, 0), .message = say("the server ends when a client leaves %s", what),
           .expected = "it goes on to serve the next",
           .actual = say("it %s\n%s", doing(server), printed(server)),
           .cause = ended_cause(server));
    EXPECT(used < 0.05, .message = say("the server spins when a client leaves %s", what),
           .expected = "less than 0.05 s of CPU time in the next second",
           .actual = say("%.3f s", used),
           .cause = "recv() returns 0 at the end of the stream, and again and again: leave the "
                    "loop");
  }
  expect_next(server, undisturbed, say("after one that left %s", what));
}

CHECK(bears_clients_that_leave, "http-server.9", "http-server") {
  static const char first_lines[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8001\r\n";
  static const size_t sent[] = {20, 0, sizeof REQUEST - 1 - 1, sizeof first_lines - 1, 1};
  struct house house = open_house();
  for (size_t i = 0; i < sizeof sent / sizeof *sent; i++)
    check_leaving(&house.usual, REQUEST, sent[i], 1);
  enum { IN_A_ROW = 3, MUCH = 1500 };
  check_leaving(&house.usual, long_request(2000), MUCH, house.serves_one ? 1 : IN_A_ROW);
}

/* ---- clients that are a nuisance ---- */

/* A header of 64 KiB: many lines of 1 KiB, or one that holds nearly all. */
static const char *huge_request(bool one_line) {
  enum { SIZE = 65536, LINE = 1024 };
  static const char begin[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8001\r\n";
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  size_t left = SIZE - strlen(begin) - strlen("\r\n");
  fputs(begin, out);
  for (int i = 0; left > 0; i++) {
    size_t line = one_line || left < 2 * LINE ? left : LINE;
    int name = fprintf(out, "X-%d: ", i);
    fprintf(out, "%0*d\r\n", (int)line - name - 2, 0);
    left -= line;
  }
  fputs("\r\n", out);
  fclose(out);
  const char *request = say("%s", text);
  free(text);
  return request;
}

/* As anybody is answered, whatever is wrong with that; or refused. */
static bool is_answer(const struct response *response, const struct response *undisturbed) {
  return strcmp(response->status_line, undisturbed->status_line) == 0 ||
         strstr(response->status_line, " 200") || strstr(response->status_line, " 4");
}

static void check_huge(const struct response *undisturbed, bool one_line) {
  const char *request = huge_request(one_line);
  const char *what = say("a header of %zu bytes in %s", strlen(request),
                         one_line ? "one long line" : "many lines");
  fresh_world();
  struct program *server = start_server();
  struct connection *client = connect_home(server, "the first client");
  tcp_send_cut(client, request, strlen(request), 8192, 0.01);
  struct response response = await_response(client);
  bool closed = response.stream.end != TCP_OPEN;
  EXPECT(response.stream.length > 0 ? is_answer(&response, undisturbed) : closed,
         .message = say("%s is neither read nor refused", what),
         .expected = "the response, or one of 4xx, or the end of the connection",
         .actual =
             say("%s; the server %s\n%s", response_text(&response), doing(server), printed(server)),
         .cause = await_exit(server, 0)
                      ? ended_cause(server)
                      : "with a full buffer recv() is called for 0 bytes, and returns 0: answer "
                        "with 431, or close, when there is no more room");
  tcp_close(client);
  expect_next(server, undisturbed, say("after one with %s", what));
}

/* Whether the server can be stopped and let go on while a client is there, as below. */
static bool stands_being_stopped(const struct response *undisturbed) {
  fresh_world();
  struct program *server = start_server();
  struct connection *client = connect_home(server, "the first client");
  pass(0.2);
  send_signal(server, SIGSTOP);
  pass(0.1);
  send_signal(server, SIGCONT);
  pass(0.1);
  tcp_send_text(client, REQUEST);
  struct response response = await_response(client);
  return is_as_good(&response, undisturbed);
}

static void check_resets(const struct response *undisturbed) {
  fresh_world();
  struct program *server = start_server();
  tcp_reset(connect_home(server, "the first client"));
  expect_next(server, undisturbed, "after one that broke off at once");

  struct connection *client = connect_home(server, "a second client");
  pass(0.2);
  tcp_send(client, REQUEST, 20);
  tcp_reset(client);
  expect_next(server, undisturbed, "after one that broke off in its request");

  if (!stands_being_stopped(undisturbed))
    return;
  for (int resets = 0; resets < 2; resets++) {
    fresh_world();
    server = start_server();
    client = connect_home(server, "the first client");
    pass(0.2);
    send_signal(server, SIGSTOP); /* so that all of this comes before it can respond */
    tcp_send_text(client, REQUEST);
    (resets ? tcp_reset : tcp_close)(client);
    send_signal(server, SIGCONT);
    pass(0.1);
    expect_next(server, undisturbed,
                resets ? "after one that broke off before the response"
                       : "after one that left before the response");
  }
}

CHECK(bears_nuisances, "http-server.11", "http-server") {
  struct response undisturbed = open_house().usual;
  check_huge(&undisturbed, false);
  check_huge(&undisturbed, true);
  check_resets(&undisturbed);

  fresh_world();
  struct program *server = start_server();
  struct connection *client = connect_home(server, "the first client");
  tcp_shrink_buffers(client, 1);
  tcp_stop_reading(client);
  tcp_send_text(client, REQUEST);
  pass(2);
  tcp_reset(client);
  expect_next(server, &undisturbed, "after one that did not read");
}
