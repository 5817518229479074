/* udp: the clients, the promiscuous one and the safe one. */
#include "suite/udp/exchange.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Starts the client against a peer that plays the server, and waits for its question. */
static struct program *start_client(const char *name, struct peer **server,
                                    struct datagram *question) {
  *server = udp_peer("server", "127.0.0.1", PORT);
  struct program *client = start_with(localhost(), name, (const char *const[]){name, NULL});
  EXPECT(udp_receive(*server, 2 * PATIENCE, question),
         .message = say("%s sends nothing to 127.0.0.1:60000", name), .expected = "one datagram",
         .actual = say("none; it %s\n%s", doing(client), printed(client)));
  return client;
}

/* Of all that it sent, wherever it went; but a resolver's questions are not the client's. */
static void expect_one_question(struct program *client, const char *name) {
  enum { DNS = 53 };
  await_exit(client, PATIENCE);
  struct frames all = frames_sent(), sent = frames_to_port(PORT);
  size_t count = all.count - frames_to_port(DNS).count;
  EXPECT(count == 1, .message = say("%s sends more than one datagram", name),
         .expected = "exactly one datagram", .actual = counted(count, "datagram"),
         .cause = "send once, and then wait for the reply");
  EXPECT(sent.count == 1 && sent.list[0].length == strlen(QUESTION) &&
             memcmp(sent.list[0].bytes, QUESTION, strlen(QUESTION)) == 0,
         .message = say("the datagram of %s is not what is required", name),
         .expected = quoted(QUESTION, strlen(QUESTION)),
         .actual = sent.count ? quoted(sent.list[0].bytes, sent.list[0].length)
                              : "none went to the server",
         .cause = sent.count ? bytes_cause(QUESTION, strlen(QUESTION), sent.list[0].bytes,
                                           sent.list[0].length)
                             : NULL);
}

CHECK(client_sends_one_datagram, "udp.7", "udp-client") {
  struct peer *server;
  struct datagram question;
  struct program *client = start_client("udp-client", &server, &question);
  struct address wanted = address("0.0.0.0", question.from.port);
  await_exit(client, 12); /* nor does it ask again when the reply is late */
  udp_send_text(server, question.from, lucky_reply());
  expect_one_question(client, "udp-client");
  expect_line(client, 0, "Requesting from %a", &wanted);
}

static void check_reply(bool at_once) {
  struct peer *server;
  struct datagram question;
  struct program *client = start_client("udp-client", &server, &question);
  if (!at_once)
    pass(0.3);
  const char *reply = lucky_reply();
  udp_send_text(server, question.from, reply);
  EXPECT(await_line(client, STDOUT, PATIENCE, "The server replied %t", reply) >= 0,
         .message = say("udp-client does not print a reply that comes %s",
                        at_once ? "at once" : "0.3 s after its datagram"),
         .expected = say("The server replied %s", reply), .actual = printed(client),
         .cause = at_once
                      ? "one that comes 0.3 s after it is taken: is what is there already when it "
                        "begins to receive thrown away?"
                      : missing_line_cause(client, STDOUT, "The server replied %t", reply));
  await_exit(client, PATIENCE);
  expect_success(client, "udp-client, after the reply,");
}

CHECK(client_shows_the_reply, "udp.8", "udp-client") {
  check_reply(false);
  fresh_world();
  check_reply(true);
}

#define FORGED "You are hacked!"
#define FORGED_WELL LUCKY_ANSWER "0.5" /* one cannot tell by the text */

/* The kernel answers a datagram that no socket takes with ICMP "port unreachable". */
static bool kernel_refused_any(void) {
  enum { UNREACHABLE = 3 };
  struct frames all = frames_all();
  for (size_t i = 0; i < all.count; i++)
    if (all.list[i].protocol == IPPROTO_ICMP && all.list[i].icmp_type == UNREACHABLE)
      return true;
  return false;
}

static const char *too_careful_cause(struct program *client, bool refused, const char *reply) {
  if (refused)
    return "the kernel refused the forged datagram: is the socket connected with connect()? That "
           "belongs in udp-client-safe; this client is to show the danger";
  struct lines all = lines(client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    if (line_matches(all.list[i].text, "The server replied %t", reply))
      return "the forged datagram was received and passed over: is its sender looked at? That "
             "belongs in udp-client-safe; this client is to show the danger";
  return missing_line_cause(client, STDOUT, "The server replied %t", FORGED);
}

static bool shows_somewhere(struct program *client, const char *text) {
  for (enum stream stream = STDOUT; stream <= STDERR; stream++)
    if (strstr((const char *)output_of(client, stream).bytes, text))
      return true;
  return false;
}

/* With what words it shows a reply, and where, is the business of another requirement; but who
 * drops a forged one may say so, and shows the true one then. */
static bool takes_forged(struct program *client, const char *reply) {
  struct lines all = lines(client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    if (line_matches(all.list[i].text, "The server replied %t", FORGED))
      return true;
  return shows_somewhere(client, FORGED) && !shows_somewhere(client, reply);
}

static void check_promiscuous(const char *ip, int port, const char *whom) {
  struct peer *server, *forger = udp_peer("forger", ip, port);
  struct datagram question;
  struct program *client = start_client("udp-client", &server, &question);
  pass(0.05); /* it waits now; what it does with a reply that comes at once is not this */
  udp_send_text(forger, question.from, FORGED);
  settle();
  bool refused = kernel_refused_any();
  const char *reply = lucky_reply();
  udp_send_text(server, question.from, reply);
  await_exit(client, PATIENCE);
  EXPECT(takes_forged(client, reply),
         .message = say("udp-client does not show a forged reply from %s that comes first", whom),
         .expected = "The server replied " FORGED, .actual = printed(client),
         .cause = too_careful_cause(client, refused, reply));
}

CHECK(client_is_promiscuous, "udp.9", "udp-client") {
  check_promiscuous("127.0.0.1", 0, "another port");
  fresh_world();
  check_promiscuous("127.0.0.2", PORT, "another host");
}

static bool shows_as_reply(const char *line, const char *text) {
  return line_matches(line, "The server replied %t", text);
}

/* A client took a forged reply; what does it do with one from another host, on the same port? The
 * other host is asked in the same world: its moments belong to the story. */
static const char *forgery_cause(const char *name, struct peer *server, bool other_port) {
  if (!other_port)
    return "it came from another host, with the right port: compare the address too, or connect() "
           "the socket, so that the kernel does both";
  struct peer *forger = udp_peer("forger of another host", "127.0.0.9", PORT);
  struct program *again = start_with(localhost(), name, (const char *const[]){name, NULL});
  struct datagram question;
  if (!udp_receive(server, 2 * PATIENCE, &question))
    return NULL;
  settle();
  udp_send_text(forger, question.from, FORGED);
  await_exit(again, 1);
  struct lines all = lines(again, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    if (shows_as_reply(all.list[i].text, FORGED))
      return "it takes a datagram from anybody: connect() the socket, or compare the address that "
             "recvfrom() returns, host and port, with the server's";
  return "it came from the right host, and from another port than the server's: compare the port "
         "too, or connect() the socket, so that the kernel does both";
}

enum { MANY_FORGERS = 6, LARGE_ONE = 20 };

static void check_safe(const char *name, int forgers, const char *const ips[], const int ports[],
                       int datagrams, const char *whom) {
  enum { LARGEST = 65507 };
  static char large[LARGEST + 1];
  memset(large, 'x', LARGEST);
  struct peer *server, *forger[MANY_FORGERS];
  struct datagram question;
  for (int i = forgers; i-- > 0;) /* any port, when those that want one have it */
    forger[i] = udp_peer("forger", ips[i], ports[i]);
  struct program *client = start_client(name, &server, &question);
  settle(); /* it may connect its socket after it has asked */
  for (int i = 0; i < datagrams; i++) {
    static const char *const texts[] = {FORGED, FORGED_WELL, ""};
    udp_send_text(forger[i % forgers], question.from,
                  i == LARGE_ONE ? large : texts[i / forgers % 3]);
    pass(0.002);
  }
  settle();
  bool gave_up = datagrams > 0 && await_exit(client, 0);
  const char *reply = lucky_reply();
  udp_send_text(server, question.from, reply);
  await_exit(client, PATIENCE);
  struct lines all = lines(client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    EXPECT(!shows_as_reply(all.list[i].text, FORGED) &&
               !shows_as_reply(all.list[i].text, FORGED_WELL),
           .message = say("%s takes a forged reply from %s", name, whom),
           .expected = say("The server replied %s", reply), .actual = all.list[i].text,
           .cause = forgery_cause(name, server, ports[0] != PORT));
  EXPECT(await_line(client, STDOUT, 0, "The server replied %t", reply) >= 0,
         .message = say("%s does not print the true reply", name),
         .expected = say("The server replied %s", reply), .actual = printed(client),
         .cause = gave_up ? "it ended when a forged datagram had come, before the true reply did: "
                            "drop the forged one, and go on receiving"
                          : missing_line_cause(client, STDOUT, "The server replied %t", reply));
  expect_success(client, say("%s, after the true reply,", name));
  expect_one_question(client, name);
  struct address any = address("0.0.0.0", question.from.port), connected = question.from;
  bool requested = false;
  for (size_t i = 0; i < all.count; i++)
    requested |= line_matches(all.list[i].text, "Requesting from %a", &any) ||
                 line_matches(all.list[i].text, "Requesting from %a", &connected);
  EXPECT(requested, .message = say("%s does not print where it asks from", name),
         .expected = say("Requesting from %s, or %s", address_text(any), address_text(connected)),
         .actual = printed(client),
         .cause = missing_line_cause(client, STDOUT, "Requesting from %a", &any));
}

CHECK(safe_client_drops_forgeries, "udp.10", "udp-client-safe") {
  static const char *const ips[] = {"127.0.0.1", "127.0.0.2",  "127.0.0.3",
                                    "127.0.0.1", "127.0.0.10", "127.0.0.1"};
  static const int ports[] = {0, PORT, 0, PORT + 1, PORT, PORT / 10};
  check_safe("udp-client-safe", 1, ips, ports, 3, "another port");
  fresh_world();
  check_safe("udp-client-safe", 1, ips + 1, ports + 1, 3, "another host");
  fresh_world();
  check_safe("udp-client-safe", MANY_FORGERS, ips, ports, 130, "many others");
  fresh_world();
  check_safe("udp-client-safe", 1, ips, ports, 0, "nobody");
}

CHECK(safe_client_gives_up, "udp.11", "udp-client-safe") {
  struct program *client = start("udp-client-safe");
  await_exit(client, at_most(10));
  EXPECT(frames_to_port(PORT).count > 0,
         .message = "udp-client-safe sends nothing to 127.0.0.1:60000",
         .expected = "a question, and the end when nobody answers it",
         .actual = say("nothing was sent; it %s\n%s", doing(client), printed(client)));
  EXPECT(await_exit(client, 0), .message = "udp-client-safe, with nobody listening, does not end",
         .expected = "an exit status that is not 0, and a message on stderr, within 10 s",
         .actual = say("%s\n%s", why_standing_still(), printed(client)),
         .cause = udp_is_connected(client, server_address())
                      ? "the socket is connected, so recv() has failed with ECONNREFUSED, and the "
                        "program received again: end with a message on such an error"
                      : "a socket that is not connected is not told that nobody listens: connect() "
                        "it, or give the wait an end (SO_RCVTIMEO, poll())");
  expect_failure(client, "udp-client-safe, with nobody listening,");
}
