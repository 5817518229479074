/* What `wiregrade try http-server` opens. */
#include "grader/sdk/wiregrade.h"

enum { PORT = 8001 };

SCENE(
    visitors,
    "As soon as something listens at 127.0.0.1:8001 it is visited every five seconds: by a client "
    "that sends its request in pieces, and by one that leaves before it is complete. You can "
    "visit it yourself, too; try: http-server & sleep 1; curl -v http://127.0.0.1:8001/") {
  static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8001\r\n\r\n";
  open_shell(localhost());
  double next = 5;
  for (int number = 1; shell_is_open();) {
    if (now() < next)
      continue;
    struct connection *client = tcp_connect(number % 2 ? "slow client" : "leaving client", NULL,
                                            address("127.0.0.1", PORT));
    next = now() + 5;
    if (!client)
      continue;
    size_t length = sizeof request - 1;
    tcp_send_cut(client, request, number % 2 ? length : length / 2, 8, 0.1);
    if (number % 2 == 0)
      tcp_finish(client);
    tcp_await_end(client, 2);
    tcp_close(client);
    number++;
  }
}
