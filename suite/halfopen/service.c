/* One client and the server. */
#include "service.h"

struct address at_home(void) {
  return address("127.0.0.1", PORT);
}

/* A program may listen first, and then say on the listening socket what its connections are to
 * inherit. */
static struct program *await_ready(struct program *server) {
  await_tcp_listening(server, PORT);
  settle();
  pass(0.1);
  settle();
  return server;
}

struct program *start_server(void) {
  return await_ready(start("halfopen-server"));
}

struct program *start_server_on_lan(struct lan **lan) {
  *lan = new_lan("LAN", 1500);
  attach(localhost(), *lan, SERVER_IP "/24");
  return await_ready(start("halfopen-server", "0.0.0.0"));
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
  double deadline = now() + within;
  size_t there = pongs(client);
  while (there < count && now() < deadline) {
    struct stream_so_far stream = tcp_received(client);
    if (stream.end != TCP_OPEN)
      break;
    tcp_await_bytes(client, stream.length + 1, deadline - now());
    there = pongs(client);
  }
  return there >= count;
}

bool is_accepted(struct connection *client) {
  enum { TRIES = 40 };
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
