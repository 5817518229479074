/* The LAN of this lab, what was on it, and what the programs said of it: for its checks, not for
 * others. */
#pragma once

#define LAB broadcast
#include "grader/sdk/wiregrade.h"

enum { PORT = 60000, OTHER_PORT = 61000, SERVERS_MOST = 20, DATAGRAMS_MOST = 64 };

#define EVERYBODY "192.168.1.255"
#define EVERYBODY_HERE "255.255.255.255" /* whatever the network's address is */
#define CLIENT_IP "192.168.1.4"

#define QUESTION "Hello World!"
#define ANSWER "Response 200 OK"

/* How long the client waits for replies. */
#define PATIENCE 5.0

/* 192.168.1.0/24: a client, and hosts for servers. All of them have a default route, which takes
 * 255.255.255.255 to the LAN. */
struct network {
  struct host *client, *servers[SERVERS_MOST];
};

struct network new_network(int servers);
/* 192.168.1.2, .3, .5, …: the client is .4 */
const char *server_ip(int number);

/* All UDP datagrams that the host has sent so far, but those of a resolver. */
struct datagrams_sent {
  struct frame list[DATAGRAMS_MOST];
  size_t count; /* never more than there is room for */
};
struct datagrams_sent datagrams_sent_by(const char *host);

/* "12 bytes to 192.168.1.255:60000, as an Ethernet broadcast: "Hello World!"" */
const char *datagram_text(const struct frame *datagram);

/* The forms that options may have: before the role or after it, with '=' or with a space. A program
 * need not take all of them. */
enum { OPTION_FORMS = 4, ARGUMENTS_MOST = 8 };
struct option_forms {
  const char *arguments[OPTION_FORMS][ARGUMENTS_MOST]; /* as start_with wants them */
};
/* They name what they give, so that either may come first. */
enum option_order { IP_FIRST, PORT_FIRST };
/* --serverIp and --serverPort; NULL: that one is left out. */
struct option_forms option_forms(const char *role, const char *ip, const char *port,
                                 enum option_order order);
/* The first form as a command line, for reports. */
const char *option_command(const struct option_forms *forms);
