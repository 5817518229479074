/* What `wiregrade try udp-retry` opens. */
#include "suite/lucky_number.h"

enum { PORT = 60000 };

SCENE(silent,
      "A server is bound to 127.0.0.1:60000, and never answers: what does udp-retry-client do?") {
  udp_peer("server", "127.0.0.1", PORT);
  open_shell(localhost());
  while (shell_is_open())
    pass(1);
}

SCENE(lossy, "A server at 127.0.0.1:60000 answers every third datagram, and drops the others.") {
  struct peer *server = udp_peer("server", "127.0.0.1", PORT);
  struct datagram question;
  open_shell(localhost());
  for (int number = 1; shell_is_open();)
    while (udp_receive(server, 0.1, &question))
      if (number++ % 3 == 0)
        udp_send_text(server, question.from, LUCKY_ANSWER "0.25");
}

SCENE(forger,
      "A server at 127.0.0.1:60000 answers each datagram after half a second. A forger at another "
      "port is quicker: ten datagrams come before.") {
  struct peer *server = udp_peer("server", "127.0.0.1", PORT);
  struct peer *forger = udp_peer("forger", "127.0.0.1", PORT + 1);
  struct datagram question;
  open_shell(localhost());
  while (shell_is_open())
    while (udp_receive(server, 0.1, &question)) {
      for (int i = 0; i < 10; i++) {
        udp_send_text(forger, question.from, "You are hacked!");
        pass(0.05);
      }
      udp_send_text(server, question.from, LUCKY_ANSWER "0.25");
      while (udp_receive(server, 0, &question)) /* repeated meanwhile */
        continue;
    }
}
