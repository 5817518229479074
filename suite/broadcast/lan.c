#include "lan.h"

#include <netinet/in.h>
#include <string.h>

const char *server_ip(int number) {
  return say("192.168.1.%d", number < 2 ? number + 2 : number + 3);
}

static struct host *new_host_on(struct lan *lan, const char *name, const char *ip) {
  struct host *host = new_host(name);
  attach(host, lan, say("%s/24", ip));
  default_route(host, "192.168.1.1");
  return host;
}

struct network new_network(int servers) {
  struct network network = {0};
  struct lan *lan = new_lan("LAN", 1500);
  for (int i = 0; i < servers; i++)
    network.servers[i] = new_host_on(lan, say("server %d", i + 1), server_ip(i));
  network.client = new_host_on(lan, "client", CLIENT_IP);
  return network;
}

struct datagrams_sent datagrams_sent_by(const char *host) {
  enum { DNS = 53 };
  struct datagrams_sent sent = {0};
  struct frames all = frames_all();
  for (size_t i = 0; i < all.count && sent.count < DATAGRAMS_MOST; i++)
    if (all.list[i].protocol == IPPROTO_UDP && all.list[i].destination.port != DNS &&
        strcmp(all.list[i].host, host) == 0)
      sent.list[sent.count++] = all.list[i];
  return sent;
}

const char *datagram_text(const struct frame *datagram) {
  return say("%s to %s%s: %s", counted(datagram->length, "byte"),
             address_text(datagram->destination),
             datagram->broadcast ? ", as an Ethernet broadcast" : ", to one host",
             quoted(datagram->bytes, datagram->length));
}

static size_t add_option(const char **arguments, bool equals_sign, const char *name,
                         const char *value) {
  if (!value)
    return 0;
  if (equals_sign) {
    arguments[0] = say("--%s=%s", name, value);
    return 1;
  }
  arguments[0] = say("--%s", name);
  arguments[1] = value;
  return 2;
}

struct option_forms option_forms(const char *role, const char *ip, const char *port,
                                 enum option_order order) {
  struct option_forms forms = {0};
  for (size_t i = 0; i < OPTION_FORMS; i++) {
    bool role_first = i % 2 == 0, equals_sign = i >= OPTION_FORMS / 2;
    const char **arguments = forms.arguments[i];
    size_t count = 0;
    arguments[count++] = "broadcast";
    if (role_first)
      arguments[count++] = role;
    if (order == IP_FIRST)
      count += add_option(arguments + count, equals_sign, "serverIp", ip);
    count += add_option(arguments + count, equals_sign, "serverPort", port);
    if (order == PORT_FIRST)
      count += add_option(arguments + count, equals_sign, "serverIp", ip);
    if (!role_first)
      arguments[count] = role;
  }
  return forms;
}

const char *option_command(const struct option_forms *forms) {
  const char *command = "";
  for (size_t i = 0; forms->arguments[0][i]; i++)
    command = say("%s%s%s", command, i > 0 ? " " : "", forms->arguments[0][i]);
  return command;
}
