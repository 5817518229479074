#include "visit.h"

#include <strings.h>

struct address at_home(void) {
  return address("127.0.0.1", PORT);
}

static struct program *running; /* the server that was started last */

struct program *begin_server(void) {
  return running = start("http-server");
}

struct program *start_server(void) {
  await_tcp_listening(begin_server(), PORT);
  return running;
}

const char *ended_cause(struct program *server) {
  if (exit_status(server) < 0)
    return silence_cause(server);
  return exit_status(server) == 0
             ? "the server ended as if all were done: accept() belongs in a loop without an end"
             : "the server ended with an error (see what it says on stderr): what goes wrong with "
               "one client is to be told, and the next to be served";
}

struct connection *connect_home(struct program *server, const char *what) {
  struct connection *client = tcp_connect("client", "127.0.0.1", at_home());
  EXPECT(client, .message = say("%s cannot connect to 127.0.0.1:8001", what),
         .expected = "a connection",
         .actual = say("%s; the server %s\n%s", strerror(tcp_connect_error()), doing(server),
                       printed(server)),
         .cause = await_exit(server, 0) ? ended_cause(server)
                                        : "is the listening socket closed after a client?");
  return client;
}

/* ---- requests ---- */

const char *long_request_in_lines(size_t length, int line) {
  enum { NAME_LENGTH = 20 };
  static const char end[] = "\r\n\r\n";
  const char *text = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8001";
  for (int i = 1; strlen(text) + (size_t)line + 2 * NAME_LENGTH < length; i++)
    text = say("%s\r\nX-Field-%d: %0*d", text, i, line - NAME_LENGTH, i);
  return say("%s\r\nX-Last: %0*d%s", text,
             (int)(length - strlen(text) - strlen("\r\nX-Last: ") - strlen(end)), 0, end);
}

const char *long_request(size_t length) {
  enum { LINE = 200 };
  return long_request_in_lines(length, LINE);
}

/* ---- responses ---- */

/* The length of the header with its empty line; 0 if there is none. */
static size_t find_empty_line(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i + 1 < length; i++) {
    if (bytes[i] != '\n')
      continue;
    if (bytes[i + 1] == '\n')
      return i + 2;
    if (i + 2 < length && bytes[i + 1] == '\r' && bytes[i + 2] == '\n')
      return i + 3;
  }
  return 0;
}

static struct response response_of(struct stream_so_far stream) {
  struct response response = {.stream = stream,
                              .header_length = find_empty_line(stream.bytes, stream.length)};
  response.has_empty_line = response.header_length > 0;
  if (!response.has_empty_line && stream.length > 0) {
    const uint8_t *last = memrchr(stream.bytes, '\n', stream.length);
    response.header_length = last ? (size_t)(last + 1 - stream.bytes) : stream.length;
  }
  response.status_line =
      say("%.*s", (int)strcspn((const char *)stream.bytes, "\r\n"), (const char *)stream.bytes);
  response.body = stream.bytes + response.header_length;
  response.body_length = stream.length - response.header_length;
  return response;
}

const char *response_status(const struct response *response) {
  return response->status_line + strcspn(response->status_line, " ");
}

static size_t least(size_t one, size_t other) {
  return one < other ? one : other;
}

bool is_as_good(const struct response *response, const struct response *undisturbed) {
  return response->stream.length > 0 &&
         strcmp(response_status(response), response_status(undisturbed)) == 0 &&
         response->has_empty_line == undisturbed->has_empty_line &&
         response->body_length >= least(undisturbed->body_length, BODY_LENGTH);
}

/* One that reads the request byte by byte, and looks for its end in all of it, may take long: as
 * long as it goes on reading, it is waited for. */
static bool await_first_byte(struct connection *client) {
  double until = now() + PATIENCE, cpu = cpu_seconds(running), before;
  size_t unread = tcp_unread(client);
  do {
    before = now();
    if (tcp_await_bytes(client, 1, 1))
      return true;
    size_t still_unread = tcp_unread(client);
    if (still_unread < unread) {
      until = now() + PATIENCE;
      cpu = cpu_seconds(running);
    }
    unread = still_unread;
  } while (tcp_received(client).end == TCP_OPEN && now() > before && now() < until &&
           cpu_seconds(running) - cpu < ASTRAY);
  return false; /* a world that stands still has no time to pass */
}

struct response await_response(struct connection *client) {
  bool more = await_first_byte(client);
  while (more && tcp_received(client).end == TCP_OPEN)
    more = tcp_await_bytes(client, tcp_received(client).length + 1, SILENCE);
  return response_of(tcp_received(client));
}

struct response visit(struct program *server, const char *what, const char *request) {
  struct connection *client = connect_home(server, what);
  tcp_send_text(client, request);
  struct response response = await_response(client);
  tcp_close(client);
  return response;
}

static struct response first_visit(struct program *server) {
  struct connection *client = connect_home(server, "the first client");
  tcp_send_text(client, REQUEST);
  struct response response = await_response(client);
  EXPECT(response.stream.length > 0, .message = "the server does not respond",
         .expected = "a response to a request whose header is complete",
         .actual =
             say("%s; the server %s\n%s", response_text(&response), doing(server), printed(server)),
         .cause = "the header ends at an empty line; the client does not close its side before it "
                  "has the response");
  tcp_close(client);
  return response;
}

struct house open_house(void) {
  fresh_world();
  struct house house = {.server = start_server()};
  house.first = house.usual = first_visit(house.server);
  struct connection *client = tcp_connect("client", "127.0.0.1", at_home());
  struct response second = {0};
  if (client) {
    tcp_send_text(client, REQUEST);
    second = await_response(client);
    tcp_close(client);
  }
  house.serves_one = !client || !is_as_good(&second, &house.first);
  if (!house.serves_one)
    house.usual = second;
  return house;
}

void open_again(struct house *house) {
  if (!house->serves_one && !await_exit(house->server, 0))
    return;
  fresh_world();
  house->server = start_server();
}

/* The value of the field of that name that has so many of them before it. */
static const char *field_after(const struct response *response, const char *name, int before) {
  const char *text = (const char *)response->stream.bytes, *end = text + response->header_length;
  size_t length = strlen(name);
  for (const char *line = text; line < end; line += strcspn(line, "\n") + 1) {
    const char *value = line + length;
    if (strncasecmp(line, name, length) != 0 || *value != ':' || before-- > 0)
      continue;
    value += 1 + strspn(value + 1, " \t");
    size_t size = strcspn(value, "\r\n");
    while (size > 0 && strchr(" \t", value[size - 1]))
      size--;
    return say("%.*s", (int)size, value);
  }
  return NULL;
}

const char *response_field(const struct response *response, const char *name) {
  return field_after(response, name, 0);
}

const char *response_field_again(const struct response *response, const char *name) {
  return field_after(response, name, 1);
}

const char *response_text(const struct response *response) {
  static const char *const ends[] = {"the connection stays open", "FIN", "RST"};
  const char *end = ends[response->stream.end];
  return response->stream.length == 0
             ? say("no byte; %s", end)
             : say("%s, then %s: %s", counted(response->stream.length, "byte"), end,
                   quoted(response->stream.bytes, response->stream.length));
}

void expect_as_good(const struct response *response, const struct response *undisturbed,
                    struct program *server, const char *what, const char *cause) {
  EXPECT(is_as_good(response, undisturbed), .message = say("%s is not served as others are", what),
         .expected = say("as with one client and no disturbance: %s", response_text(undisturbed)),
         .actual =
             say("%s; the server %s\n%s", response_text(response), doing(server), printed(server)),
         .cause = cause);
}

void expect_next(struct program *server, const struct response *undisturbed, const char *after) {
  const char *what = say("the client %s", after);
  struct response response = visit(server, what, REQUEST);
  expect_as_good(&response, undisturbed, server, what,
                 await_exit(server, 0) ? ended_cause(server)
                                       : "what goes wrong with one client is no reason to wait for "
                                         "ever: its end is the end of that connection");
}
