/* What `wiregrade try udp` opens. */
#include "suite/lucky_number.h"

enum { PORT = 60000 };

SCENE(server, "A server at 127.0.0.1:60000 answers each datagram at once.") {
  struct peer *server = udp_peer("server", "127.0.0.1", PORT);
  struct datagram question;
  open_shell(localhost());
  while (shell_is_open())
    while (udp_receive(server, 0.1, &question))
      udp_send_text(server, question.from, LUCKY_ANSWER "0.25");
}

SCENE(forger, "A server at 127.0.0.1:60000 answers each datagram after a second. Somebody else, at "
              "port 60001, is quicker.") {
  struct peer *server = udp_peer("server", "127.0.0.1", PORT);
  struct peer *forger = udp_peer("forger", "127.0.0.1", PORT + 1);
  struct datagram question;
  open_shell(localhost());
  while (shell_is_open())
    while (udp_receive(server, 0.1, &question)) {
      udp_send_text(forger, question.from, "You are hacked!");
      pass(1);
      udp_send_text(server, question.from, LUCKY_ANSWER "0.25");
    }
}
