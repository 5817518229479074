/* One client and the server. */
#include "service.h"

#include <ctype.h>

struct address at_home(void) {
  return address("127.0.0.1", PORT);
}

/* A program may listen first, and then say on the listening socket what its connections are to
 * inherit. */
static struct program *await_ready(struct program *server, int port) {
  await_tcp_listening(server, port);
  settle();
  pass(0.1);
  settle();
  return server;
}

struct program *start_server(void) {
  return await_ready(start("halfopen-server"), PORT);
}

struct program *start_server_at(const char *host, int port) {
  return await_ready(start("halfopen-server", host, say("%d", port)), port);
}

struct program *start_server_on_lan(struct lan **lan) {
  *lan = new_lan("LAN", 1500);
  attach(localhost(), *lan, SERVER_IP "/24");
  return await_ready(start("halfopen-server", "0.0.0.0"), PORT);
}

struct connection *connect_from(const char *name, const char *ip) {
  struct connection *client = tcp_connect(name, ip, at_home());
  EXPECT(client, .message = say("%s cannot reach the server at 127.0.0.1:60000", name),
         .expected = "a connection", .actual = strerror(tcp_connect_error()),
         .cause = "does it listen on localhost when it is started without arguments?");
  return client;
}

size_t pongs(struct connection *client) {
  struct stream_so_far stream = tcp_received(client);
  const char *end = (const char *)stream.bytes + stream.length;
  size_t count = 0;
  for (const char *at = (const char *)stream.bytes;
       (at = memmem(at, (size_t)(end - at), "pong", strlen("pong"))); at += strlen("pong"))
    count++;
  return count;
}

bool await_pongs(struct connection *client, size_t count, double within) {
  struct stream_so_far stream = tcp_received(client);
  while (pongs(client) < count && stream.end == TCP_OPEN &&
         tcp_await_bytes(client, stream.length + 1, within))
    stream = tcp_received(client);
  return pongs(client) >= count;
}

bool is_accepted(struct connection *client) {
  enum { TRIES = 100 };
  for (int i = 0; i < TRIES; i++) {
    settle();
    if (tcp_other_end(client))
      return true;
    pass(PATIENCE / TRIES);
  }
  return false;
}

const char *too_few_cause(size_t others) {
  return others == 1
             ? "one client at a time: recv() waits for this one while the others wait for the "
               "server; use threads, processes, poll() or its kin"
             : say("with %zu clients there it serves no more: is there a table with so few places?",
                   others);
}

const char *client_text(struct connection *client) {
  static const char *const ends[] = {"the connection is still there", "FIN came", "RST came"};
  struct stream_so_far stream = tcp_received(client);
  const char *came = stream.length ? quoted(stream.bytes, stream.length) : "nothing";
  return stream.end == TCP_OPEN
             ? say("the client got %s; %s", came, ends[stream.end])
             : say("the client got %s; %s at %.3f s", came, ends[stream.end], stream.end_time);
}

/* ---- answers ---- */

void put_pings(char *bytes, size_t count) {
  for (size_t i = 0; i < count * strlen(PING); i++)
    bytes[i] = PING[i % strlen(PING)];
}

/* How many lines are "pong", and nothing but white space around it. What else comes is free. */
static size_t pong_lines(const struct stream_so_far *stream) {
  size_t count = 0, begin = 0;
  for (size_t i = 0; i < stream->length; i++) {
    if (stream->bytes[i] != '\n')
      continue;
    size_t end = i;
    while (begin < end && isspace(stream->bytes[begin]))
      begin++;
    while (end > begin && isspace(stream->bytes[end - 1]))
      end--;
    count += end - begin == strlen("pong") && memcmp(stream->bytes + begin, "pong", 4) == 0;
    begin = i + 1;
  }
  return count;
}

void expect_pongs(struct program *server, struct connection *client, size_t wanted,
                  const char *what, const char *cause) {
  struct stream_so_far stream = tcp_received(client);
  while (pong_lines(&stream) < wanted && stream.end == TCP_OPEN &&
         tcp_await_bytes(client, stream.length + 1, PATIENCE))
    stream = tcp_received(client);
  size_t there = pong_lines(&stream);
  if (there == wanted && stream.end == TCP_OPEN)
    return;
  bool bare = there < wanted && pongs(client) >= wanted;
  check_fail((struct failure_report){
      .message = say("%s does not get its answers", what),
      .expected = say("%s “pong” in all, and the connection stays open", counted(wanted, "line")),
      .actual = say("%s “pong”: %s\nthe server %s\n%s", counted(there, "line"), client_text(client),
                    doing(server), printed(server)),
      .cause = bare && memchr(stream.bytes, '\0', stream.length)
                   ? "a '\\0' is sent too: send strlen(), not sizeof"
               : bare && !memchr(stream.bytes, '\n', stream.length)
                   ? "the answer is a line: a newline ends it"
               : stream.end != TCP_OPEN ? "the server closes a connection whose client is there"
                                        : cause});
}

static const char *unanswered_cause(size_t there, size_t before) {
  return there == before
             ? "none of what came with the end is answered: a client that half-closes says only "
               "that it will send no more, and still reads; read and answer all that came, then "
               "close (POLLIN may be told together with POLLHUP or POLLRDHUP)"
             : "a part of what came before the end is not answered: one recv() need not give all "
               "of it; go on until it returns 0";
}

void expect_pongs_and_end(struct program *server, struct connection *client, size_t before,
                          size_t wanted, const char *what) {
  await_pongs(client, wanted, PATIENCE);
  enum tcp_end end = tcp_await_end(client, PATIENCE);
  size_t there = pongs(client);
  EXPECT(there >= wanted, .message = say("%s does not get all its answers", what),
         .expected = say("%zu times “pong”, then FIN", wanted),
         .actual = say("%zu times: %s\nthe server %s\n%s", there, client_text(client),
                       doing(server), printed(server)),
         .cause = unanswered_cause(there, before));
  EXPECT(
      end == TCP_FINISHED, .message = say("%s gets no FIN after its answers", what),
      .expected = "FIN from the server",
      .actual = say("%s\nthe server %s\n%s", client_text(client), doing(server), printed(server)),
      .cause = end == TCP_RESET
                   ? "RST: SO_LINGER with a time of 0, or bytes that were never read"
                   : "recv() returns 0 when the client has half-closed: close() the socket then, "
                     "in every process that has it");
}
