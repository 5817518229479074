#include "calls.h"

#include <netinet/in.h>
#include <string.h>

static const char *call_text(const struct option_call *call) {
  static const struct {
    int level, option;
    const char *name;
  } names[] = {{IPPROTO_IP, IP_MTU_DISCOVER, "IP_MTU_DISCOVER"},
               {IPPROTO_IP, IP_MTU, "IP_MTU"},
               {SOL_SOCKET, SO_TYPE, "SO_TYPE"},
               {SOL_SOCKET, SO_BROADCAST, "SO_BROADCAST"},
               {SOL_SOCKET, SO_DONTROUTE, "SO_DONTROUTE"}};
  const char *name = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (call->level == names[i].level && call->option == names[i].option)
      name = names[i].name;
  if (!name)
    return NULL;
  const char *outcome = call->error ? say("fails: %s", strerror(call->error))
                                    : say("%s %ld", call->set ? "is set to" : "is", call->value);
  return say("%s of socket %d%s %s", name, call->fd, call->connected ? " (connected)" : "",
             outcome);
}

const char *calls_text(struct option_calls calls) {
  enum { SHOWN = 8 };
  const char *text = "";
  int shown = 0;
  for (size_t i = 0; i < calls.count && shown < SHOWN; i++) {
    const char *line = call_text(&calls.list[i]);
    if (line)
      text = say("%s%s%s", text, shown++ ? "\n" : "", line);
  }
  return shown ? text : "no such option was set or read";
}

bool is_call(const struct option_call *call, bool set, int level, int option) {
  return call->set == set && call->level == level && call->option == option;
}

bool is_of_udp_socket(const struct option_call *call) {
  return call->type == SOCK_DGRAM && (call->family == AF_INET || call->family == AF_INET6);
}

bool reads_mtu(struct option_calls calls, int port) {
  for (size_t i = 0; i < calls.count; i++)
    if (is_call(&calls.list[i], false, IPPROTO_IP, IP_MTU) && !calls.list[i].error &&
        is_of_udp_socket(&calls.list[i]) && (port == 0 || calls.list[i].peer.port == port))
      return true;
  return false;
}

struct address asked_about(struct option_calls calls) {
  size_t i = 0;
  while (!is_call(&calls.list[i], false, IPPROTO_IP, IP_MTU) || calls.list[i].error ||
         !is_of_udp_socket(&calls.list[i]))
    i++;
  return calls.list[i].peer;
}
