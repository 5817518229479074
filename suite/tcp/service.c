/* One client and the server: starting it, being served, and comparing how. */
#include "service.h"

struct address at_home(void) {
  return address("127.0.0.1", PORT);
}

struct program *start_server(void) {
  struct program *server = start("tcp-server");
  await_tcp_listening(server, PORT);
  return server;
}

struct connection *connect_from(const char *name, const char *ip) {
  struct connection *client = tcp_connect(name, ip, at_home());
  EXPECT(client, .message = "the server cannot be reached at 127.0.0.1:60000",
         .expected = "a connection", .actual = strerror(tcp_connect_error()));
  return client;
}

struct connection *connect_home(void) {
  return connect_from("client", "127.0.0.1");
}

struct service finish_request(struct program *server, struct connection *client,
                              const char *request, size_t sent) {
  tcp_send(client, request + sent, MESSAGE_SIZE - sent);
  if (tcp_await_end(client, PATIENCE) == TCP_OPEN)
    tcp_finish(client); /* a server that waits for that (tcp.4) is not to hold up the others */
  tcp_await_end(client, PATIENCE);
  struct service service = {.response = tcp_received(client), .server = server};
  tcp_close(client);
  service.request_shown =
      await_line(server, STDOUT, PATIENCE, "Receiving request: %t", request) >= 0;
  return service;
}

const char *service_text(const struct service *service) {
  static const char *const ends[] = {"the connection stays open", "FIN", "RST"};
  return say("%s, then %s%s", quoted(service->response.bytes, service->response.length),
             ends[service->response.end],
             service->request_shown ? "; it prints the request"
                                    : "; it does not print the request");
}

struct service serve_first(size_t cut) {
  struct program *server = start_server();
  struct connection *client = connect_home();
  if (cut > 0)
    tcp_send(client, REQUEST, cut);
  pass(0.1);
  return finish_request(server, client, REQUEST, cut);
}

struct service expect_to_serve(void) {
  struct service service = serve_first(0);
  /* To close a socket with bytes that were not read means RST. */
  EXPECT(
      service.response.length > 0 || service.request_shown || service.response.end == TCP_FINISHED,
      .message = "the server does not serve anybody",
      .expected = "its client's 16 bytes are read, and answered", .actual = service_text(&service));
  return service;
}

static bool is_right(const struct stream_so_far *response) {
  return response->length == strlen(RESPONSE) &&
         memcmp(response->bytes, RESPONSE, response->length) == 0;
}

bool is_as_good(const struct service *service, const struct service *undisturbed) {
  bool same = is_right(&undisturbed->response)
                  ? is_right(&service->response)
                  : !undisturbed->response.length == !service->response.length;
  return same &&
         (service->response.end == TCP_FINISHED || undisturbed->response.end != TCP_FINISHED) &&
         (service->request_shown || !undisturbed->request_shown);
}

void expect_as_good(const struct service *service, const struct service *undisturbed,
                    struct program *server, const char *what, const char *cause) {
  EXPECT(is_as_good(service, undisturbed), .message = say("%s is not served as others are", what),
         .expected = say("as with one client and no disturbance: %s", service_text(undisturbed)),
         .actual =
             say("%s; the server %s\n%s", service_text(service), doing(server), printed(server)),
         .cause = cause);
}
