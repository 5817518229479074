/* What `wiregrade try broadcast` opens. */
#include "lan.h"

#include <string.h>

static void answer(struct peer *server) {
  struct datagram question;
  while (udp_receive(server, 0, &question))
    udp_send_text(server, question.from, "Response 200 OK");
}

SCENE(
    client,
    "You are at 192.168.1.4. The servers at 192.168.1.2 and 192.168.1.3 answer each datagram that "
    "comes to port 60000; try: broadcast client 192.168.1.255") {
  struct network network = new_network(2);
  struct peer *first = udp_peer_at(network.servers[0], "server 1", "0.0.0.0", PORT);
  struct peer *second = udp_peer_at(network.servers[1], "server 2", "0.0.0.0", PORT);
  open_shell(network.client);
  while (shell_is_open()) {
    answer(first);
    answer(second);
  }
}

SCENE(server,
      "You are at 192.168.1.2. A client at 192.168.1.4 asks everybody, every three seconds; try: "
      "broadcast server") {
  struct network network = new_network(1);
  struct peer *client = udp_peer_at(network.client, "client", "0.0.0.0", 0);
  struct datagram reply;
  open_shell(network.servers[0]);
  for (double next = 3; shell_is_open();) {
    if (now() >= next) {
      udp_send_text(client, address("192.168.1.255", PORT), "Hello World!");
      next += 3;
    }
    while (udp_receive(client, 0, &reply))
      continue;
  }
}
