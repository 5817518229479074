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

static bool await_first_byte(struct connection *client) {
  double until = now() + PATIENCE, cpu = cpu_seconds(running), before;
  do {
    before = now();
    if (tcp_await_bytes(client, 1, 1))
      return true;
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

struct response first_visit(struct program **server) {
  fresh_world();
  *server = start_server();
  struct response response = visit(*server, "the first client", REQUEST);
  EXPECT(response.stream.length > 0, .message = "the server does not respond",
         .expected = "a response to a request whose header is complete",
         .actual = say("%s; the server %s\n%s", response_text(&response), doing(*server),
                       printed(*server)),
         .cause = "the header ends at an empty line; the client does not close its side before it "
                  "has the response");
  return response;
}

struct house open_house(void) {
  struct house house = {0};
  house.first = first_visit(&house.server);
  struct connection *client = tcp_connect("client", "127.0.0.1", at_home());
  struct response second = {0};
  if (client) {
    tcp_send_text(client, REQUEST);
    second = await_response(client);
    tcp_close(client);
  }
  house.serves_one = !client || !is_as_good(&second, &house.first);
  return house;
}

void open_again(struct house *house) {
  if (!house->serves_one)
    return;
  fresh_world();
  house->server = start_server();
}

const char *response_field(const struct response *response, const char *name) {
  const char *text = (const char *)response->stream.bytes, *end = text + response->header_length;
  size_t length = strlen(name);
  for (const char *line = text; line < end; line += strcspn(line, "\n") + 1) {
    const char *value = line + length;
    if (strncasecmp(line, name, length) != 0 || *value != ':')
      continue;
    value += 1 + strspn(value + 1, " \t");
    size_t size = strcspn(value, "\r\n");
    while (size > 0 && strchr(" \t", value[size - 1]))
      size--;
    return say("%.*s", (int)size, value);
  }
  return NULL;
}

const char *response_text(const struct response *response) {
  static const char *const ends[] = {"the connection stays open", "FIN", "RST"};
  const char *end = ends[response->stream.end];
  return response->stream.length == 0
             ? say("no byte; %s", end)
             : say("%s, then %s: %s", counted(response->stream.length, "byte"), end,
                   quoted(response->stream.bytes, response->stream.length));
}

/* Behind the version, which may be a wrong one: that of the request, say. */
static const char *status_of(const struct response *response) {
  return response->status_line + strcspn(response->status_line, " ");
}

bool is_as_good(const struct response *response, const struct response *undisturbed) {
  return response->stream.end == undisturbed->stream.end &&
         strcmp(status_of(response), status_of(undisturbed)) == 0 &&
         response->has_empty_line == undisturbed->has_empty_line &&
         response->body_length == undisturbed->body_length;
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
