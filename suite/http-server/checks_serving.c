/* http-server: requests, however they come; and one client after another. */
#define LAB http_server
#include "visit.h"

#include <stdio.h>

/* ---- the end of the connection ---- */

enum { LONGEST = 8192 };

/* A request of that many bytes, in lines of so many, or somewhat more. */
static const char *long_request_in_lines(size_t length, int line) {
  enum { NAME_LENGTH = 20 };
  static const char end[] = "\r\n\r\n";
  const char *text = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8001";
  for (int i = 1; strlen(text) + (size_t)line + 2 * NAME_LENGTH < length; i++)
    text = say("%s\r\nX-Field-%d: %0*d", text, i, line - NAME_LENGTH, i);
  return say("%s\r\nX-Last: %0*d%s", text,
             (int)(length - strlen(text) - strlen("\r\nX-Last: ") - strlen(end)), 0, end);
}

/* With no line that is long, and not many. */
static const char *long_request(size_t length) {
  enum { LINE = 200 };
  return long_request_in_lines(length, LINE);
}

static const char *open_cause(struct program *server, struct connection *client) {
  const char *what = doing(server);
  if (strstr(what, address_text(tcp_local(client))))
    return "it waits for the client to close first, which waits for it: in HTTP/1.0 the server "
           "closes when it has responded";
  return strstr(what, "sleep") && strstr(what, "nano")
             ? "it sleeps before it closes: close() as soon as the response is sent"
             : "close() the socket that accept() returned when the response is sent";
}

CHECK(closes_in_order, "http-server.4", "http-server") {
  /* No piece ends within the empty line. */
  static const struct {
    size_t length, piece;
    int line;
    const char *what;
  } requests[] = {{0, 0, 0, "a short request"},
                  {2000, 0, 200, "a request of 2000 bytes, in one piece"},
                  {2000, 700, 200, "a request of 2000 bytes, in pieces of 700"},
                  {LONGEST, 0, 200, "a request of 8 KiB, in one piece"},
                  {LONGEST, 1000, 200, "a request of 8 KiB, in pieces of 1000 bytes"},
                  {LONGEST, 0, 40, "a request of 8 KiB, in short lines"},
                  {LONGEST, 0, 7900, "a request of 8 KiB, most of it in one line"}};
  struct response usual = {0};
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    fresh_world();
    struct program *server = start_server();
    struct connection *client = connect_home(server, "the first client");
    const char *request =
        requests[i].length ? long_request_in_lines(requests[i].length, requests[i].line) : REQUEST;
    size_t piece = requests[i].piece ? requests[i].piece : strlen(request);
    tcp_send_cut(client, request, strlen(request), piece, 0.01);
    struct response response = await_response(client);
    tcp_await_end(client, SILENCE);
    response.stream = tcp_received(client);
    if (i == 0)
      usual = response;
    EXPECT(response.stream.length > 0, .message = say("%s is not responded to", requests[i].what),
           .expected = "the response, then FIN",
           .actual = say("%s; the server %s\n%s", response_text(&response), doing(server),
                         printed(server)),
           .cause = "is there a buffer that is too small, or is the end of the header looked for "
                    "in the last piece only?");
    EXPECT(response.stream.end != TCP_RESET,
           .message = say("after %s the connection is broken off, not closed", requests[i].what),
           .expected = "the response, then FIN", .actual = response_text(&response),
           .cause = i == 0 ? "all had been read: is SO_LINGER set, with a time of 0? close() then "
                             "breaks the connection off"
                           : "close() of a socket with bytes that were not read sends RST: read "
                             "the whole header first, however long it is");
    EXPECT(response.stream.end == TCP_FINISHED,
           .message = say("after the response to %s the connection stays open", requests[i].what),
           .expected = "the server closes it",
           .actual = say("%s; the server %s", response_text(&response), doing(server)),
           .cause = open_cause(server, client));
    EXPECT(strcmp(response.status_line, usual.status_line) == 0,
           .message = say("%s has another response than a short one", requests[i].what),
           .expected = response_text(&usual), .actual = response_text(&response),
           .cause = "a header of up to 8 KiB is read to its end, and answered as any other");
  }
  struct house house = open_house(); /* what follows is of a second client only */
  struct response response = house.usual;
  EXPECT(response.stream.end == TCP_FINISHED,
         .message = "after the response to a second client the connection is not closed in order",
         .expected = "the response, then FIN", .actual = response_text(&response),
         .cause = "it was closed for the first client: is there something that is done once only?");
}

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

/* Neither another client's request completes this one's, nor that it is long. */
static void check_apart(const struct response *usual) {
  enum { PART = 20480 };
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
  tcp_send_cut(client, long_request_in_lines(2 * PART, 200), PART, LONGEST, 0.01);
  tcp_await_bytes(client, 1, 1);
  struct stream_so_far so_far = tcp_received(client);
  size_t status = strlen(usual->status_line);
  EXPECT(so_far.length < status || memcmp(so_far.bytes, usual->status_line, status) != 0,
         .message = say("the server responds when %d KiB have come, and the header is not complete",
                        PART / 1024),
         .expected = "no byte, or a status of 4xx, or the end of the connection",
         .actual = quoted(so_far.bytes, so_far.length),
         .cause = "a full buffer is not the end of the header: answer with 431, or close");
}

CHECK(waits_for_the_empty_line, "http-server.5", "http-server") {
  static const char with_newlines[] = "GET / HTTP/1.0\nHost: 127.0.0.1:8001\nAccept: */*\n\n";
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

  /* Neither later, nor at the end of the client's side. (To give up such a client is free.) What
   * becomes of the next client is another requirement's business. */
  static const size_t beginnings[] = {0, 1, 16, 40, sizeof REQUEST - 1 - 2};
  static const double silences[] = {2.5, 2.5, 6.5, 2.5, 2.5};
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
    fresh_world();
    struct program *server = start_server();
    struct connection *client = connect_home(server, "a client that says no more");
    tcp_send(client, REQUEST, beginnings[i]);
    tcp_await_end(client, silences[i]);
    expect_nothing_yet(client, REQUEST, beginnings[i], say(" and %g s", silences[i]));
    tcp_finish(client);
    tcp_await_end(client, 1);
    expect_nothing_yet(client, REQUEST, beginnings[i], " and the end of the client's side");
  }
  check_apart(&house.usual);
}

/* ---- what it prints ---- */

/* Behind the end of one line of the output and the beginning of the next, with what Python puts
 * around bytes; `at` itself if there is no end of a line. */
static const char *behind_junction(const char *at) {
  const char *next = at + strspn(at, "'\"),\r");
  if (*next != '\n')
    return at;
  next += strspn(next, "\r\n ");
  next += *next == '(';
  next += *next == 'b' && (next[1] == '\'' || next[1] == '"');
  return next + (*next == '\'' || *next == '"');
}

/* Where the output goes on after that line of the request; NULL if it is not there. A server that
 * prints each piece by itself, as it came, may cut it. */
static const char *find_line(const char *output, const char *end, const char *line, size_t length) {
  for (const char *from = output; from < end; from++) {
    const char *at = from;
    size_t same = 0;
    while (same < length && *at == line[same]) {
      at++;
      same++;
      if (same < length && *at != line[same])
        at = behind_junction(at);
    }
    if (same == length)
      return at;
  }
  return NULL;
}

/* Where the output goes on after all lines of the request; NULL if one is missing. */
static const char *find_request(struct output output, const char *request) {
  const char *at = (const char *)output.bytes, *end = at + output.length;
  for (const char *line = request; *line && at; line += strcspn(line, "\n") + 1) {
    size_t length = strcspn(line, "\r\n");
    at = length ? find_line(at, end, line, length) : at;
  }
  return at;
}

static const char *unprinted_cause(struct program *server, const char *request) {
  if (find_request(output_of(server, STDERR), request))
    return "the request was printed on stderr; it belongs on stdout";
  const char *first_line = say("%.*s", (int)strcspn(request, "\r"), request);
  const char *path = say("%.*s", (int)strcspn(request, "%\r"), request);
  if (!find_request(output_of(server, STDOUT), first_line) &&
      find_request(output_of(server, STDOUT), path))
    return "the line is there up to a percent sign: what was received is no format, print it with "
           "\"%s\", and not with printf(request)";
  if (find_request(output_of(server, STDOUT), first_line))
    return "a part of it is there, and some lines are not: print all that was received";
  return "nothing of it is printed on stdout: print the bytes themselves, and a newline at the end";
}

static void expect_printed(struct program *server, const char *request, const char *how) {
  enum { TRIES = 10 };
  for (int i = 0; i < TRIES && !find_request(output_of(server, STDOUT), request); i++)
    pass(0.1);
  EXPECT(find_request(output_of(server, STDOUT), request),
         .message = say("the server does not print the request, which came %s", how),
         .expected = say("all lines of the header, or its text in one line, escaped: %s",
                         quoted(request, strlen(request))),
         .actual = printed(server), .cause = unprinted_cause(server, request));
}

static const char *request_with_token(void) {
  return say("GET /kingfisher-%d?of=100%%25&as=%%d%%s HTTP/1.1\r\nHost: 127.0.0.1:8001\r\n"
             "X-Token: %d\r\n\r\n",
             random_between(1000, 9999), random_between(100000, 999999));
}

CHECK(prints_the_request, "http-server.6", "http-server") {
  struct house house = open_house();
  for (int i = 0; i < 2; i++) {
    open_again(&house);
    const char *request = request_with_token();
    visit(house.server, "a client", request);
    expect_printed(house.server, request, "in one piece");
  }

  /* Whether it is read to its end is another requirement's business. */
  open_again(&house);
  const char *long_one = long_request(LONGEST);
  struct response response = visit(house.server, "a client", long_one);
  if (is_as_good(&response, &house.usual))
    expect_printed(house.server, long_one, "in one piece and has 8 KiB");

  /* Between two lines: that it prints each piece by itself is all right. */
  open_again(&house);
  const char *request = request_with_token();
  size_t first = strcspn(request, "\n") + 1;
  struct connection *client = connect_home(house.server, "a client");
  tcp_send(client, request, first);
  pass(0.05);
  bool too_early = tcp_received(client).length > 0;
  tcp_send_text(client, request + first);
  await_response(client);
  tcp_close(client);
  if (!too_early) /* to take a piece for the request is another requirement's business */
    expect_printed(house.server, request, "in two pieces");
}

/* ---- one client after another ---- */

CHECK(serves_one_after_another, "http-server.7", "http-server") {
  enum { CLIENTS = 200 };
  struct house house = open_house();
  struct response undisturbed = house.usual;
  struct program *server = house.server;
  for (int i = 2 + !house.serves_one; i <= CLIENTS; i++) {
    const char *what = say("client %d in a row", i);
    struct response response = visit(server, what, REQUEST);
    expect_as_good(&response, &undisturbed, server, what,
                   await_exit(server, 0)
                       ? say("it ended after %d clients: is there a limit? accept() belongs in a "
                             "loop without one",
                             i - 1)
                       : "accept() belongs in a loop; are the sockets closed?");
    bool other_words = undisturbed.body_length >= BODY_LENGTH &&
                       memcmp(response.body, undisturbed.body, BODY_LENGTH) != 0;
    EXPECT(!other_words, .message = say("%s gets another body than those before it", what),
           .expected = quoted(undisturbed.body, undisturbed.body_length),
           .actual = difference(undisturbed.body, undisturbed.body_length, response.body,
                                response.body_length),
           .cause = "is it put together in a buffer that still holds something, or that moves on?");
  }

  fresh_world();
  server = start_server();
  struct connection *slow = connect_home(server, "a slow client");
  tcp_send(slow, REQUEST, 20);
  pass(0.2);
  struct connection *second = connect_home(server, "a client that comes while another is slow");
  tcp_send_text(second, REQUEST);
  pass(0.5);
  tcp_send_text(slow, &REQUEST[20]);
  struct response of_slow = await_response(slow);
  tcp_close(slow);
  struct response of_second = await_response(second);
  tcp_close(second);
  EXPECT(of_slow.stream.length > 0, .message = "a slow client is not served when another waits",
         .expected = response_text(&undisturbed),
         .actual =
             say("%s; the server %s\n%s", response_text(&of_slow), doing(server), printed(server)));
  expect_as_good(&of_second, &undisturbed, server, "a client that came while another was slow",
                 "it waits in the backlog, or is served at once: is the listening socket still "
                 "open?");
}
