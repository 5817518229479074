/* http-server: the end of a connection; what is printed; one client after another. */
#define LAB http_server
#include "visit.h"

#include <stdio.h>

/* ---- the end of the connection ---- */

static const char *open_cause(struct program *server, struct connection *client) {
  const char *what = doing(server);
  if (strstr(what, address_text(tcp_local(client))))
    return "it waits for the client to close first, which waits for it: in HTTP/1.0 the server "
           "closes when it has responded";
  return strstr(what, "sleep") && strstr(what, "nano")
             ? "it sleeps before it closes: close() as soon as the response is sent"
             : "close() the socket that accept() returned when the response is sent";
}

/* Of a client that is served; whether it is, is the business of other requirements. */
static void expect_closed(struct house *house, const char *what, const char *request,
                          const char *cause) {
  open_again(house);
  struct connection *client = tcp_connect("client", "127.0.0.1", at_home());
  if (!client)
    return;
  tcp_send_text(client, request);
  struct response response = await_response(client);
  tcp_await_end(client, SILENCE);
  response.stream = tcp_received(client);
  tcp_close(client);
  EXPECT(response.stream.length == 0 || response.stream.end == TCP_FINISHED,
         .message = say("after the response to %s the connection is not closed in order", what),
         .expected = "the response, then FIN", .actual = response_text(&response), .cause = cause);
}

static void check_ends_of_others(void) {
  enum { CLIENTS = 12 };
  struct house house = open_house();
  for (int i = 2; i <= CLIENTS; i++)
    expect_closed(&house, i == 2 ? "a second client" : say("client %d in a row", i), REQUEST,
                  "it was closed for those before: is there something that is done once only, or "
                  "not each time?");
  expect_closed(&house, "a request whose lines end in LF alone", REQUEST_WITH_NEWLINES,
                "each response is the end of its connection, however the request was written");
  expect_closed(&house, "a request with Connection: keep-alive",
                "GET / HTTP/1.1\r\nHost: 127.0.0.1:8001\r\nConnection: keep-alive\r\n\r\n",
                "the client asks for it, and need not be given it: this server closes each "
                "connection when it has responded");
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
    EXPECT(strcmp(response_status(&response), response_status(&usual)) == 0,
           .message = say("%s has another response than a short one", requests[i].what),
           .expected = response_text(&usual), .actual = response_text(&response),
           .cause = "a header of up to 8 KiB is read to its end, and answered as any other");
  }
  check_ends_of_others();
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

static const char *request_with_newlines(void) {
  return say("GET /bunting-%d HTTP/1.1\nHost: 127.0.0.1:8001\nX-Token: %d\n\n",
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

  open_again(&house);
  const char *with_newlines = request_with_newlines();
  response = visit(house.server, "a client", with_newlines);
  if (is_as_good(&response, &house.usual))
    expect_printed(house.server, with_newlines, "with lines that end in LF alone");

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
  enum { CLIENTS = 200, JUDGED_ELSEWHERE = 8 }; /* the words of the first few */
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
    bool other_words = i > JUDGED_ELSEWHERE && undisturbed.body_length >= BODY_LENGTH &&
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
