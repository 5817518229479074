/* http-server: where a request ends, however it comes. */
#define LAB http_server
#include "visit.h"

/* ---- the header's end ---- */

static const char *early_cause(const char *then) {
  return strstr(then, "end")
             ? "the end of the client's side does not complete a header: nobody is to be answered"
             : "a pause is not the end of the header: an empty line is, however long it takes";
}

/* Ends the check if anything was sent yet. */
static void expect_nothing_yet(struct connection *client, const char *so_far, size_t length,
                               const char *then) {
  struct stream_so_far stream = tcp_received(client);
  EXPECT(
      stream.length == 0, .message = "the server responds before the request's header is complete",
      .expected = say("no byte after %s%s", quoted(so_far, length), then),
      .actual = quoted(stream.bytes, stream.length),
      .cause = strstr(then, "by themselves")
                   ? "a piece that begins or ends with the end of a line has no empty line: look "
                     "for it in all that has come"
               : strstr(then, "another client")
                   ? "the bytes of two clients are mixed: each connection needs its own buffer, "
                     "and its own length"
               : strstr(then, "long lines")
                   ? "a line that is longer than what it is read into leaves its end for the next "
                     "time: by itself it is no empty line"
               : strstr(then, "Expect")
                   ? "100 Continue, too, comes after the header of a request, if at all"
               : *then && strstr(then, " s") ? early_cause(then)
               : length > 2 && so_far[length - 1] == '\n'
                   ? "the end of the first line is not the end of the header: an empty line is"
                   : "one recv() is not one request: an empty line ends the header, and nothing "
                     "else");
}

/* Sends a request in pieces, with a pause at each of `count` cuts, where nothing may come yet. */
static struct response send_in_pieces(struct house *house, const char *what, const char *request,
                                      const size_t cuts[], size_t count) {
  size_t sent = 0;
  open_again(house);
  struct connection *client = connect_home(house->server, what);
  for (size_t i = 0; i < count; i++) {
    size_t length = cuts[i] - sent;
    tcp_send(client, request + sent, length);
    sent = cuts[i];
    pass(0.01);
    expect_nothing_yet(client, request, sent,
                       i > 0 ? say(", the last %zu of them by themselves", length) : "");
  }
  tcp_send_text(client, request + sent);
  struct response response = await_response(client);
  tcp_close(client);
  return response;
}

static void check_pieces(struct house *house, const char *request, size_t first, size_t second) {
  struct response response = send_in_pieces(house, "a client whose request comes in three pieces",
                                            request, (const size_t[]){first, second}, 2);
  expect_as_good(&response, &house->usual, house->server,
                 say("a request that is cut behind %s, and again behind the next %s",
                     quoted(request, first), quoted(request + first, second - first)),
                 "the empty line may come in pieces: look for it in all that has come");
}

/* Pieces that look like an empty line, or begin or end with one's half, and are none: the end of a
 * line, by itself and with the line after it. */
static void check_ends_of_lines(struct house *house, const char *request) {
  enum { BEFORE_THE_EMPTY_LINE = 3 };
  size_t last = strlen(request) - BEFORE_THE_EMPTY_LINE;
  for (size_t end = strcspn(request, "\n"), next; end < last; end = next) {
    next = end + 1 + strcspn(request + end + 1, "\n");
    size_t begin = request[end - 1] == '\r' ? end - 1 : end;
    check_pieces(house, request, begin, end + 1);
    check_pieces(house, request, end, end + 1);
    if (next < last) {
      check_pieces(house, request, begin, next + 1);
      check_pieces(house, request, end, next + 1);
    }
  }
}

static void check_cut(struct house *house, const char *request, size_t cut) {
  struct response response =
      send_in_pieces(house, "a client whose request comes in two pieces", request, &cut, 1);
  expect_as_good(&response, &house->usual, house->server,
                 say("a request that is cut behind %s", quoted(request, cut)),
                 "the empty line may come in two pieces: look for it in all that has come");
}

static void check_byte_by_byte(struct house *house, const char *request) {
  open_again(house);
  struct connection *client =
      connect_home(house->server, "a client whose request comes byte by byte");
  for (size_t i = 0; request[i]; i++) {
    expect_nothing_yet(client, request, i, ", which came byte by byte");
    tcp_send(client, request + i, 1);
  }
  struct response response = await_response(client);
  tcp_close(client);
  expect_as_good(&response, &house->usual, house->server,
                 say("a client that sends %s byte by byte", quoted(request, strlen(request))),
                 "each recv() gives one byte then: look for the empty line in all that has come");
}

/* A line that somebody reads into an array of `size` bytes, whose end then stands by itself: LF, or
 * CR LF with `more` of 1. */
static const char *with_line_of(const char *request, int size, int more) {
  const char *name = say("X-%d-%d: ", size, more);
  return say("%s%s%0*d\r\n", request, name, size + more - (int)strlen(name) - 2, 0);
}

/* An end of a line that comes into the reader's hands by itself, since the line is as long as what
 * it reads into, is no empty line. */
static void check_long_lines(struct house *house) {
  enum { SIZES = 6 };
  static const int sizes[][SIZES] = {
      {64, 128, 256, 512, 1024}, {80, 100, 200, 255, 500, 1000}, {2048}, {4096}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const char *request = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8001\r\n";
    for (int j = 0; j < SIZES && sizes[i][j]; j++)
      for (int more = 0; more < 2; more++)
        if (strlen(request) + (size_t)sizes[i][j] + 8 < LONGEST)
          request = with_line_of(request, sizes[i][j], more);
    const char *whole = say("%s\r\n", request);
    open_again(house);
    struct response response = visit(house->server, "a client with long lines", whole);
    if (!is_as_good(&response, &house->usual))
      continue;
    open_again(house);
    struct connection *client = connect_home(house->server, "a client with long lines");
    tcp_send_text(client, request);
    pass(0.1);
    expect_nothing_yet(client, request, strlen(request), ", which has long lines");
    tcp_send_text(client, "\r\n");
    await_response(client);
    tcp_close(client);
  }
}

/* Neither later, nor at the end of the client's side. (To give up such a client is free.) What
 * becomes of the next client is another requirement's business. */
static void check_unfinished(struct house *house) {
  static const double SPINNING = 2;
  const char *long_one = long_request(2000);
  open_again(house);
  struct response response = visit(house->server, "a client with a longer request", long_one);
  bool takes_long_ones = is_as_good(&response, &house->usual);
  const struct {
    const char *request;
    size_t length;
    double silence;
  } beginnings[] = {{REQUEST, 0, 15},
                    {REQUEST, 1, 2.5},
                    {REQUEST, 16, 6.5},
                    {REQUEST, 40, 15},
                    {REQUEST, strlen(REQUEST) - 2, 2.5},
                    {REQUEST, strlen(REQUEST) - 1, 2.5},
                    {REQUEST_WITH_NEWLINES, strlen(REQUEST_WITH_NEWLINES) - 1, 2.5},
                    {long_one, strlen(long_one) - 2, 2.5}};
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
    if (beginnings[i].request == long_one && !takes_long_ones)
      continue;
    const char *request = beginnings[i].request;
    size_t length = beginnings[i].length;
    fresh_world();
    struct program *server = start_server();
    struct connection *client = connect_home(server, "a client that says no more");
    tcp_send(client, request, length);
    tcp_await_end(client, beginnings[i].silence);
    expect_nothing_yet(client, request, length, say(" and %g s", beginnings[i].silence));
    double cpu = cpu_seconds(server);
    tcp_finish(client);
    tcp_await_end(client, 1);
    expect_nothing_yet(client, request, length, " and the end of the client's side");
    if (cpu_seconds(server) - cpu >
        SPINNING) /* another requirement's business, and it takes long */
      return;
  }
}

/* Nor is what a client expects a reason to say something before. */
static void check_expectation(void) {
  static const char part[] =
      "GET / HTTP/1.1\r\nHost: 127.0.0.1:8001\r\nExpect: 100-continue\r\nAccept: */*\r\n";
  fresh_world();
  struct program *server = start_server();
  struct connection *client = connect_home(server, "a client that expects 100 Continue");
  tcp_send_text(client, part);
  pass(0.1);
  expect_nothing_yet(client, part, strlen(part), ", which has Expect: 100-continue");
}

/* Neither another client's request completes this one's, nor that it is long. */
static void check_apart(const struct response *usual) {
  enum { PART = 70 * 1024, LINE = 1000 };
  fresh_world();
  struct program *server = start_server();
  struct connection *slow = connect_home(server, "a slow client");
  tcp_send(slow, REQUEST, 40);
  pass(0.1);
  struct connection *second = tcp_connect("another client", "127.0.0.1", at_home());
  if (second) {
    tcp_send_text(second, REQUEST);
    pass(0.5);
    expect_nothing_yet(slow, REQUEST, 40, ", when another client's request is complete");
  }

  fresh_world();
  server = start_server();
  struct connection *client = connect_home(server, "a client with a long header");
  tcp_send_cut(client, long_request_in_lines(2 * PART, LINE), PART, LONGEST, 0.01);
  tcp_await_bytes(client, 1, 1);
  struct stream_so_far so_far = tcp_received(client);
  size_t status = strlen(usual->status_line);
  EXPECT(status == 0 || so_far.length < status ||
             memcmp(so_far.bytes, usual->status_line, status) != 0,
         .message = say("the server responds when %d KiB have come, and the header is not complete",
                        PART / 1024),
         .expected = "no byte, or a status of 4xx, or the end of the connection",
         .actual = quoted(so_far.bytes, so_far.length),
         .cause = "a full buffer is not the end of the header: answer with 431, or close");
}

CHECK(waits_for_the_empty_line, "http-server.5", "http-server") {
  static const char with_newlines[] = REQUEST_WITH_NEWLINES;
  static const char short_one[] = "GET / HTTP/1.0\r\n\r\n";
  struct house house = open_house();
  check_byte_by_byte(&house, REQUEST);
  for (size_t cut = 1; cut < strlen(REQUEST); cut++)
    check_cut(&house, REQUEST, cut);
  check_ends_of_lines(&house, REQUEST);

  open_again(&house);
  struct response plain = visit(house.server, "a client whose lines end in LF", with_newlines);
  expect_as_good(&plain, &house.usual, house.server, "a request whose lines end in LF alone",
                 "LF LF is an empty line too");
  check_byte_by_byte(&house, with_newlines);
  check_ends_of_lines(&house, with_newlines);
  for (size_t cut = strlen(with_newlines) - 3; cut < strlen(with_newlines); cut++)
    check_cut(&house, with_newlines, cut);
  for (size_t cut = 3; cut < strlen(short_one); cut += 2)
    check_cut(&house, short_one, cut);

  check_long_lines(&house);
  check_unfinished(&house);
  check_expectation();
  check_apart(&house.usual);
}
