/* What `wiregrade try services` opens. */
#include "grader/sdk/wiregrade.h"

SCENE(renumbered,
      "The ports in this world's /etc/services are not the usual ones: ssh is at 2222, domain at "
      "5353, and mysql is missing.") {
  put_file("/etc/nsswitch.conf", "services: files\nprotocols: files\n");
  put_file("/etc/services", "ssh\t2222/tcp\ntelnet\t23/tcp\ndomain\t5353/tcp\ndomain\t5353/udp\n");
  open_shell(localhost());
  while (shell_is_open())
    pass(1);
}
