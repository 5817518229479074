/* What `wiregrade try http-search` opens. */
#include "web.h"

static void open_web(enum certificate certificate, bool proxy) {
  struct web web = make_web(certificate, 0);
  set_plain_reply(&web);
  if (proxy) {
    put_variable("http_proxy", PROXY_URL);
    put_variable("https_proxy", PROXY_URL);
  }
  open_shell(localhost());
  while (shell_is_open())
    pass(1);
}

SCENE(web, "www.google.com, www.baidu.com and baidu.com are played, and answer briefly.") {
  open_web(CERTIFICATE_GOOD, false);
}

SCENE(proxy, "The same, and http_proxy and https_proxy name a proxy.") {
  open_web(CERTIFICATE_GOOD, true);
}

SCENE(expired, "The same without the proxy, and all certificates have expired.") {
  open_web(CERTIFICATE_EXPIRED, false);
}
