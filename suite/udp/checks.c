/* udp: a promiscuous client, and the server that it asks. */
#define LAB udp
#include "suite/lucky_number.h"

#include <stdlib.h>
#include <string.h>

enum { PORT = 60000 };

#define QUESTION "Hello, I'm a client."

static struct address server_address(void) {
  return address("127.0.0.1", PORT);
}

static struct program *start_server(void) {
  struct program *server = start("udp-server");
  await_udp_bound(server, PORT);
  return server;
}

/* Asks once and returns the answer's text. */
static struct datagram ask(struct peer *client, const char *text) {
  struct datagram answer;
  udp_send_text(client, server_address(), text);
  EXPECT(udp_receive(client, 2, &answer), .message = "the server does not answer a datagram",
         .expected = "one datagram, back to the sender, within 2 s", .actual = "nothing came",
         .cause = "is sendto() given the address that recvfrom() returned?");
  return answer;
}

/* ---- the server ---- */

CHECK(server_announces_itself, "udp.1", "udp-server") {
  struct program *server = start("udp-server");
  struct address bound = await_udp_bound(server, PORT);
  struct address wanted = server_address();
  EXPECT(
      address_equal(bound, wanted), .message = "the server is not bound to 127.0.0.1 only",
      .expected = address_text(wanted), .actual = address_text(bound),
      .cause =
          bound.ip == 0
              ? "it is bound to every interface (INADDR_ANY, or an empty host): any machine could reach it"
              : NULL);
  const char *besides = udp_bound_besides(server, wanted);
  EXPECT(!besides, .message = "the server is bound to other addresses than 127.0.0.1 too",
         .expected = say("%s, and nothing else", address_text(wanted)),
         .actual = say("also %s", besides),
         .cause = "one socket, bound to 127.0.0.1, is all that it needs");
  expect_line(server, 2, "Listening at %a", &wanted);
}

CHECK(server_shows_datagrams, "udp.2", "udp-server") {
  char long_text[401] = "";
  while (strlen(long_text) + 1 < sizeof long_text)
    strcat(long_text, "0123456789");
  const char *const texts[] = {QUESTION, "x", "What's the time, \"please\"?",
                               "a b  c; 100 % \\o/, 50 %d or %s", long_text};
  struct program *server = start_server();
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct peer *client = udp_peer("client", i % 2 ? "127.0.0.2" : "127.0.0.1", 0);
    struct address from = peer_address(client);
    udp_send_text(client, server_address(), texts[i]);
    expect_line(server, 2, "The client at %a says %t", &from, texts[i]);
  }
}

CHECK(server_answers_once, "udp.3", "udp-server") {
  static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.1"};
  enum { CLIENTS = sizeof hosts / sizeof *hosts, QUESTIONS = 2 };
  struct peer *clients[CLIENTS];
  start_server();
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = udp_peer(say("client %d", i + 1), hosts[i], 0);
    for (int k = 0; k < QUESTIONS; k++) {
      struct datagram answer = ask(clients[i], QUESTION);
      expect_lucky_answer(&answer, server_address(), "");
    }
  }
  pass(2);
  for (int i = 0; i < CLIENTS; i++) {
    struct datagram second;
    EXPECT(!udp_receive(clients[i], 0, &second), .message = "there are more answers than questions",
           .expected = "one datagram for each question, to the one that asked",
           .actual = say("client %d got one more: %s", i + 1, quoted(second.bytes, second.length)));
  }
}

/* Asks by *client, and if that gets no answer, by a new one: a server that has a limit of clients,
 * or of questions, is the business of other requirements. */
static bool ask_patiently(struct peer **client, const void *bytes, size_t length,
                          struct datagram *answer) {
  for (int attempt = 0; attempt < 2; attempt++) {
    if (!*client || attempt > 0)
      *client = udp_peer("client", "127.0.0.1", 0);
    udp_send(*client, server_address(), bytes, length);
    if (udp_receive(*client, 2, answer))
      return true;
  }
  return false;
}

enum { ANSWERS = 32 };

static void collect_answers(const char *texts[ANSWERS]) {
  start_server();
  struct peer *client = NULL;
  struct datagram answer;
  for (int i = 0; i < ANSWERS; i++) {
    EXPECT(ask_patiently(&client, QUESTION, strlen(QUESTION), &answer),
           .message = "the server does not answer a datagram",
           .expected = "one datagram, within 2 s",
           .actual = say("nothing came for question %d", i + 1));
    texts[i] = (const char *)answer.bytes;
  }
}

static int count_distinct(const char *const texts[ANSWERS]) {
  int distinct = 0;
  for (int i = 0; i < ANSWERS; i++) {
    bool seen = false;
    for (int k = 0; k < i; k++)
      seen |= strcmp(texts[i], texts[k]) == 0;
    distinct += !seen;
  }
  return distinct;
}

static int count_repeated(const char *const texts[ANSWERS]) {
  int repeated = 0;
  for (int i = 1; i < ANSWERS; i++)
    repeated += strcmp(texts[i], texts[i - 1]) == 0;
  return repeated;
}

static bool is_same_sequence(const char *const first[ANSWERS], const char *const second[ANSWERS]) {
  for (int i = 0; i < ANSWERS; i++)
    if (strcmp(first[i], second[i]) != 0)
      return false;
  return true;
}

CHECK(server_numbers_differ, "udp.4", "udp-server") {
  /* Even numbers of one digit after the point, drawn at random, repeat 12 times with a probability
   * below 1e-4. */
  enum { DISTINCT_LEAST = 4, REPEATED_MOST = 11 };
  const char *first[ANSWERS], *second[ANSWERS];
  collect_answers(first);
  int distinct = count_distinct(first), repeated = count_repeated(first);
  EXPECT(distinct >= DISTINCT_LEAST && repeated <= REPEATED_MOST,
         .message = "the number does not differ from answer to answer",
         .expected = say("%d answers with different numbers", ANSWERS),
         .actual = say("%d different among %d, %d times the same as before; the first: %s",
                       distinct, ANSWERS, repeated, first[0]),
         .cause = distinct <= 2 ? "is the generator seeded anew, with the time, before each answer?"
                                : NULL);
  fresh_world();
  collect_answers(second);
  if (is_same_sequence(first, second)) {
    fresh_world_later();
    collect_answers(second);
  }
  EXPECT(!is_same_sequence(first, second),
         .message = "two runs of the server give the same numbers, in the same order",
         .expected = "other numbers in a run that starts in another second",
         .actual = say("both begin with %s, %s", first[0], first[1]),
         .cause = "the generator is not seeded (srand, random.seed)");
}

CHECK(server_serves_many, "udp.5", "udp-server") {
  enum { CLIENTS = 20, ROUNDS = 3, SILENT = 3 };
  struct peer *clients[CLIENTS], *silent[SILENT];
  struct datagram answer;
  start_server();
  for (int i = 0; i < SILENT; i++) { /* known to the server, but with no more questions */
    silent[i] = udp_peer(say("silent client %d", i + 1), "127.0.0.1", 0);
    ask(silent[i], QUESTION);
  }
  pass(0.1);
  for (int i = 0; i < SILENT; i++)
    while (udp_receive(silent[i], 0, &answer))
      ; /* how many answers there are to one question is another requirement */
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < CLIENTS; i++)
      clients[i] = udp_peer(say("client %d", round * CLIENTS + i + 1), "127.0.0.1", 0);
    for (int i = 0; i < CLIENTS; i++)
      udp_send_text(clients[(i * 7 + round) % CLIENTS], server_address(),
                    say("client %d, round %d", i, round));
    for (int i = 0; i < CLIENTS; i++)
      EXPECT(
          udp_receive(clients[i], 2, &answer),
          .message = "a client gets no answer when many ask at once",
          .expected = say("each of %d clients gets an answer of its own", CLIENTS),
          .actual = say("client %d of round %d got none", i + 1, round + 1),
          .cause =
              "is the sender's address kept in one place that the next datagram overwrites, or does the server end early?");
  }
  pass(0.1);
  for (int i = 0; i < SILENT; i++)
    EXPECT(!udp_receive(silent[i], 0, &answer),
           .message = "a client gets an answer that it did not ask for",
           .expected = "an answer goes to the client that asked, and to no other",
           .actual = say("a client that had asked nothing more got %s",
                         quoted(answer.bytes, answer.length)),
           .cause = "the answer went to another client than the one that asked");
}

static struct datagram answer_to(struct program *server, struct peer **client, const void *bytes,
                                 size_t length, const char *what) {
  struct datagram answer;
  EXPECT(
      ask_patiently(client, bytes, length, &answer), .message = say("%s is not answered", what),
      .expected = "an answer to it, as to any other",
      .actual = say("nothing came within 2 s; the server %s\n%s", doing(server), printed(server)),
      .cause =
          length == 0
              ? "an empty datagram is not the end of anything: recvfrom() gives 0, and all is well"
              : "does the server end, or skip it, when the text is too long or cannot be decoded?");
  return answer;
}

/* Whether it is the text that is required and a number, of whatever size. */
static bool is_numbered(const struct datagram *answer) {
  const char *text = (const char *)answer->bytes, *number = text + strlen(LUCKY_ANSWER);
  if (strncmp(text, LUCKY_ANSWER, strlen(LUCKY_ANSWER)) != 0)
    return false;
  char *end = NULL;
  strtod(number, &end);
  return end > number && end == text + answer->length;
}

/* What is wrong with every answer is the business of another requirement, and so is how large its
 * number is, which may be wrong in some of them. */
static void expect_like(const struct datagram *odd, const struct datagram *ordinary,
                        const char *what) {
  bool number = !is_numbered(ordinary) || is_numbered(odd);
  EXPECT(number, .message = say("the answer to %s is not what is required", what),
         .expected = say("an answer like that to an ordinary datagram, %s",
                         quoted(ordinary->bytes, ordinary->length)),
         .actual = quoted(odd->bytes, odd->length));
  bool usual_sender = !address_equal(ordinary->from, server_address()) ||
                      address_equal(odd->from, server_address());
  EXPECT(usual_sender, .message = say("the answer to %s comes from another address", what),
         .expected = address_text(ordinary->from), .actual = address_text(odd->from));
}

CHECK(server_survives_odd_datagrams, "udp.6", "udp-server") {
  enum { LARGEST = 65507 };
  static uint8_t large[LARGEST];
  memset(large, 'x', sizeof large);
  const struct {
    const void *bytes;
    size_t length;
    const char *what;
  } odd[] = {
      {"", 0, "an empty datagram"},
      {large, LARGEST, "a datagram of 65507 bytes"},
      {"\xe4\xbd\xa0\xe5\xa5\xbd", 6, "a datagram in UTF-8 that is not ASCII"},
      {"\xff\xfe\x80 \xc3(", 6, "a datagram that is not even UTF-8"},
      {QUESTION, strlen(QUESTION), "an ordinary datagram after these"},
  };
  struct program *server = start_server();
  struct peer *client = NULL;
  struct datagram ordinary =
      answer_to(server, &client, QUESTION, strlen(QUESTION), "an ordinary datagram");
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    struct datagram answer = answer_to(server, &client, odd[i].bytes, odd[i].length, odd[i].what);
    expect_like(&answer, &ordinary, odd[i].what);
  }
  EXPECT(!await_exit(server, 0), .message = "the server ends after an odd datagram",
         .expected = "it goes on", .actual = doing(server));
}

/* ---- the clients ---- */

/* Starts the client against a peer that plays the server, and waits for its question. */
static struct program *start_client(const char *name, struct peer **server,
                                    struct datagram *question) {
  *server = udp_peer("server", "127.0.0.1", PORT);
  struct program *client = start_with(localhost(), name, (const char *const[]){name, NULL});
  EXPECT(udp_receive(*server, 5, question),
         .message = say("%s sends nothing to 127.0.0.1:60000", name), .expected = "one datagram",
         .actual = say("none within 5 s; it %s\n%s", doing(client), printed(client)));
  return client;
}

/* Of all that it sent, wherever it went; but a resolver's questions are not the client's. */
static void expect_one_question(struct program *client, const char *name) {
  enum { DNS = 53 };
  await_exit(client, 3);
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
         .cause = sent.count && sent.list[0].length == strlen(QUESTION) + 1 &&
                          sent.list[0].bytes[strlen(QUESTION)] == 0
                      ? "21 bytes: the terminating NUL of the C string is sent too"
                      : NULL);
}

#define TRUE_REPLY LUCKY_ANSWER "0.7310585786300049"

CHECK(client_sends_one_datagram, "udp.7", "udp-client") {
  struct peer *server;
  struct datagram question;
  struct program *client = start_client("udp-client", &server, &question);
  struct address wanted = address("0.0.0.0", question.from.port);
  udp_send_text(server, question.from, TRUE_REPLY);
  expect_one_question(client, "udp-client");
  expect_line(client, 0, "Requesting from %a", &wanted);
}

CHECK(client_shows_the_reply, "udp.8", "udp-client") {
  struct peer *server;
  struct datagram question;
  struct program *client = start_client("udp-client", &server, &question);
  pass(0.3);
  udp_send_text(server, question.from, TRUE_REPLY);
  expect_line(client, 2, "The server replied %t", TRUE_REPLY);
  await_exit(client, 5);
  expect_success(client, "udp-client, after the reply,");
}

#define FORGED "You are hacked!"
#define FORGED_WELL LUCKY_ANSWER "0.5" /* one cannot tell by the text */

static void check_promiscuous(const char *ip, int port, const char *whom) {
  struct peer *server, *forger = udp_peer("forger", ip, port);
  struct datagram question;
  struct program *client = start_client("udp-client", &server, &question);
  settle(); /* it waits now */
  udp_send_text(forger, question.from, FORGED);
  settle();
  udp_send_text(server, question.from, TRUE_REPLY);
  await_exit(client, 5);
  struct lines all = lines(client, STDOUT);
  bool shown = false;
  for (size_t i = 0; i < all.count; i++)
    shown |= line_matches(all.list[i].text, "The server replied %t", FORGED);
  EXPECT(
      shown,
      .message = say("udp-client does not show a forged reply from %s that comes first", whom),
      .expected = "The server replied " FORGED, .actual = printed(client),
      .cause =
          "this client is to show the danger: it takes what comes first, from anybody; connect() and checks of the "
          "sender belong in udp-client-safe");
}

CHECK(client_is_promiscuous, "udp.9", "udp-client") {
  check_promiscuous("127.0.0.1", 0, "another port");
  fresh_world();
  check_promiscuous("127.0.0.2", PORT, "another host");
}

static bool shows_as_reply(const char *line, const char *text) {
  return line_matches(line, "The server replied %t", text);
}

static void check_safe(const char *name, int forgers, const char *const ips[], const int ports[],
                       int datagrams, const char *whom) {
  struct peer *server, *forger[4];
  struct datagram question;
  for (int i = 0; i < forgers; i++)
    forger[i] = udp_peer("forger", ips[i], ports[i]);
  struct program *client = start_client(name, &server, &question);
  settle(); /* it may connect its socket after it has asked */
  for (int i = 0; i < datagrams; i++) {
    udp_send_text(forger[i % forgers], question.from, i % 2 ? FORGED_WELL : FORGED);
    pass(0.002);
  }
  udp_send_text(server, question.from, TRUE_REPLY);
  await_exit(client, 5);
  struct lines all = lines(client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    EXPECT(
        !shows_as_reply(all.list[i].text, FORGED) && !shows_as_reply(all.list[i].text, FORGED_WELL),
        .message = say("%s takes a forged reply from %s", name, whom),
        .expected = "The server replied " TRUE_REPLY, .actual = all.list[i].text,
        .cause =
            "connect() the socket, or compare the address that recvfrom() returns, host and port, with the server's");
  expect_line(client, 0, "The server replied %t", TRUE_REPLY);
  expect_success(client, say("%s, after the true reply,", name));
  expect_one_question(client, name);
  struct address any = address("0.0.0.0", question.from.port), connected = question.from;
  bool requested = false;
  for (size_t i = 0; i < all.count; i++)
    requested |= line_matches(all.list[i].text, "Requesting from %a", &any) ||
                 line_matches(all.list[i].text, "Requesting from %a", &connected);
  EXPECT(requested, .message = say("%s does not print where it asks from", name),
         .expected = say("Requesting from %s, or %s", address_text(any), address_text(connected)),
         .actual = printed(client));
}

CHECK(safe_client_drops_forgeries, "udp.10", "udp-client-safe") {
  static const char *const ips[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.10"};
  static const int ports[] = {0, PORT, 0, PORT};
  check_safe("udp-client-safe", 1, ips, ports, 2, "another port");
  fresh_world();
  check_safe("udp-client-safe", 1, ips + 1, ports + 1, 2, "another host");
  fresh_world();
  check_safe("udp-client-safe", 4, ips, ports, 60, "many others");
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
  expect_failure(client, "udp-client-safe, with nobody listening,");
}
