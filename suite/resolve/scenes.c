/* What `wiregrade try resolve` opens. */
#include "network.h"

SCENE(names,
      "A name server knows www.baidu.com (10.1.2.3), www.example.org (an alias of it), and nothing "
      "else; /etc/hosts knows printer.lan (10.9.9.9).") {
  struct dns *dns = begin_network("10.9.9.9\tprinter.lan\n");
  dns_address(dns, "www.baidu.com", "10.1.2.3");
  dns_alias(dns, "www.example.org", "www.baidu.com");
  open_shell(localhost());
  while (shell_is_open())
    pass(1);
}

SCENE(silence, "The name server never answers.") {
  dns_silence(begin_network(""));
  open_shell(localhost());
  while (shell_is_open())
    pass(1);
}
