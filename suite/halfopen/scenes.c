/* What `wiregrade try halfopen` opens. */
#include "service.h"

SCENE(
    vanishing,
    "You are at 192.168.1.2. As soon as your server listens there (try: halfopen-server 0.0.0.0), "
    "a client at 192.168.1.3 connects, says ping, and three seconds later its cable is pulled "
    "out; ten seconds later it is put in again, and all begins anew.") {
  struct lan *lan = new_lan("LAN", 1500);
  struct host *client_host = new_host("client");
  attach(localhost(), lan, SERVER_IP "/24");
  attach(client_host, lan, "192.168.1.3/24");
  open_shell(localhost());
  struct connection *client = NULL;
  double cut_at = 0;
  while (shell_is_open()) {
    if (!client) {
      client = tcp_connect_at(client_host, "client", NULL, address(SERVER_IP, PORT));
      if (!client) {
        pass(1);
        continue;
      }
      tcp_send_text(client, PING);
      cut_at = now() + 3;
    } else if (cut_at > 0 && now() >= cut_at) {
      cut_links(client_host);
      cut_at = -now();
    } else if (cut_at < 0 && now() + cut_at >= 10) {
      mend_links(client_host);
      tcp_reset(client);
      client = NULL;
    }
  }
}
