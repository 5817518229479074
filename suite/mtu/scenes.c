/* What `wiregrade try mtu` opens. */
#include "grader/sdk/wiregrade.h"

SCENE(
    router,
    "You are at 192.168.1.2, on a link with an MTU of 1500. 192.168.1.1 is a router; behind it, on "
    "a link with an MTU of 1280, is 192.168.2.2, where port 60000 is bound; try: mtu 192.168.2.2 "
    "60000, and mtu --probe 192.168.2.2 60000") {
  struct lan *here = new_lan("LAN", 1500), *there = new_lan("far LAN", 1280);
  struct host *far = new_host("far host");
  attach(localhost(), here, "192.168.1.2/24");
  attach(far, there, "192.168.2.2/24");
  new_router("router", here, "192.168.1.1/24", there, "192.168.2.1/24");
  default_route(localhost(), "192.168.1.1");
  default_route(far, "192.168.2.1");
  udp_peer_at(far, "far host", "192.168.2.2", 60000);
  open_shell(localhost());
  while (shell_is_open())
    pass(1);
}
