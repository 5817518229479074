/* What `wiregrade try tcp` opens. */
#include "exchange.h"

SCENE(server,
      "A server at 127.0.0.1:60000 takes 16 bytes and answers with 16, the first 7 of them half a "
      "second before the others; try: tcp-client") {
  struct listener *listener = tcp_listen("server", "127.0.0.1", PORT);
  open_shell(localhost());
  while (shell_is_open()) {
    struct connection *client = tcp_accept(listener, 0.1);
    if (!client)
      continue;
    if (tcp_await_bytes(client, MESSAGE_SIZE, PATIENCE)) {
      tcp_send(client, RESPONSE, 7);
      pass(0.5);
      tcp_send_text(client, &RESPONSE[7]);
    }
    tcp_close(client);
  }
}

SCENE(client,
      "Every three seconds a client connects to 127.0.0.1:60000 and sends 16 bytes, one at a time; "
      "every second of them leaves after 9; try: tcp-server") {
  open_shell(localhost());
  double next = 3;
  for (int number = 1; shell_is_open(); number++) {
    if (now() < next)
      continue;
    struct connection *client = tcp_connect("client", NULL, address("127.0.0.1", PORT));
    next = now() + 3;
    if (!client)
      continue;
    tcp_send_cut(client, REQUEST, number % 2 ? MESSAGE_SIZE : 9, 1, 0.05);
    tcp_finish(client);
    tcp_await_end(client, 2);
    tcp_close(client);
  }
}
