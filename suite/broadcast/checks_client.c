/* broadcast: the client. */
#include "lan.h"

#include <string.h>

/* More than any right client needs, from its start or from the last reply. */
static const double LONG = 12;

/* A client that has asked, and what it asked. */
struct asking {
  struct network network;
  struct peer *servers[SERVERS_MOST]; /* they hear the question, and answer when they are told to */
  struct program *client;
};

static struct asking start_client(int servers, const char *ip, const char *port) {
  struct asking asking = {.network = new_network(servers)};
  for (int i = 0; i < servers; i++)
    asking.servers[i] = udp_peer_at(asking.network.servers[i], say("server %d", i + 1), "0.0.0.0",
                                    port ? OTHER_PORT : PORT);
  const char *const arguments[] = {"broadcast", "client", ip, port, NULL};
  asking.client = start_with(asking.network.client, "broadcast", arguments);
  return asking;
}

/* Why it sends nothing, by what the kernel's error made it say. */
static const char *unsent_cause(struct program *client) {
  static const struct {
    const char *words, *cause;
  } errors[] = {
      {"denied", "without the socket option SO_BROADCAST the kernel refuses to send to a broadcast "
                 "address: EACCES, “Permission denied”"},
      {"unreachable", "the kernel knows no way there (ENETUNREACH): is SO_DONTROUTE set, or the "
                      "address another one than was given?"},
      {"usage", "it takes its arguments for wrong ones: is the address read by inet_addr()? That "
                "returns -1 for an error, and for 255.255.255.255; inet_pton() does not"},
  };
  struct lines all = lines(client, EITHER);
  for (size_t i = 0; i < all.count; i++)
    for (size_t k = 0; k < sizeof errors / sizeof *errors; k++)
      if (strcasestr(all.list[i].text, errors[k].words))
        return errors[k].cause;
  return silence_cause(client);
}

/* Waits for the client's first datagram, wherever it goes: what it has to be is the business of one
 * requirement only. */
static struct frame await_question(struct asking *asking) {
  struct datagram heard;
  struct datagrams_sent sent = {0};
  double began = now();
  while (sent.count == 0 && now() < began + LONG && !await_exit(asking->client, 0)) {
    udp_receive(asking->servers[0], 0.01, &heard);
    sent = datagrams_sent_by("client");
  }
  sent = datagrams_sent_by("client"); /* it may have ended as soon as it had asked */
  EXPECT(sent.count > 0, .message = "the client sends nothing", .expected = "a datagram",
         .actual = say("none; it %s\n%s", doing(asking->client), printed(asking->client)),
         .cause = unsent_cause(asking->client));
  return sent.list[0];
}

/* From where the client has sent its last datagram. */
static struct address asker_of(void) {
  struct datagrams_sent sent = datagrams_sent_by("client");
  return sent.list[sent.count - 1].source;
}

static void reply(struct asking *asking, int number) {
  udp_send_text(asking->servers[number], asker_of(), ANSWER);
}

/* ---- what it sends ---- */

static bool sends_to_single_hosts(const struct datagrams_sent *sent) {
  for (size_t i = 0; i < sent->count; i++)
    if (!sent->list[i].broadcast)
      return true;
  return false;
}

/* Whether some other datagram is the first one again. */
static bool asks_again(const struct datagrams_sent *sent) {
  const struct frame *first = &sent->list[0];
  for (size_t i = 1; i < sent->count; i++)
    if (sent->list[i].length == first->length &&
        memcmp(sent->list[i].bytes, first->bytes, first->length) == 0)
      return true;
  return false;
}

static void check_question(struct asking *asking, int port) {
  await_exit(asking->client, LONG);
  struct datagrams_sent sent = datagrams_sent_by("client");
  const struct frame *first = &sent.list[0];
  struct address everybody = address(EVERYBODY, port);
  EXPECT(sent.count == 1, .message = "the client sends more than one datagram",
         .expected = "exactly one", .actual = counted(sent.count, "datagram"),
         .cause =
             sends_to_single_hosts(&sent)
                 ? "some go to single hosts: one broadcast reaches them all"
             : !asks_again(&sent)
                 ? "the others hold something else: nobody wants to hear more than the question"
             : sent.list[sent.count - 1].time - first->time < 0.1
                 ? "they leave together: one broadcast reaches all, so send it once"
                 : "it asks again while it waits: send once, and then wait for the replies");
  EXPECT(first->length == strlen(QUESTION) && memcmp(first->bytes, QUESTION, strlen(QUESTION)) == 0,
         .message = "the client's datagram is not what is required",
         .expected = quoted(QUESTION, strlen(QUESTION)),
         .actual = quoted(first->bytes, first->length),
         .cause = bytes_cause(QUESTION, strlen(QUESTION), first->bytes, first->length));
  EXPECT(
      address_equal(first->destination, everybody) && first->broadcast,
      .message = "the client's datagram does not go to where it is told to",
      .expected = say("%s, as an Ethernet broadcast", address_text(everybody)),
      .actual = datagram_text(first),
      .cause =
          first->destination.ip != everybody.ip ? "it goes to another address than the argument's"
          : first->destination.port == __builtin_bswap16(everybody.port)
              ? say("%u is %u with its two bytes swapped: sin_port is in network byte order, "
                    "htons(port)",
                    first->destination.port, everybody.port)
          : port == PORT
              ? say("it goes to port %u: where none is given it is %d", first->destination.port,
                    PORT)
              : say("it goes to port %u: is PORT, the argument, used?", first->destination.port));
}

CHECK(client_broadcasts_once, "broadcast.3", "broadcast") {
  struct asking asking = start_client(2, EVERYBODY, NULL);
  await_question(&asking);
  check_question(&asking, PORT);

  /* Replies are no reason to say anything more, and the port may be another one. */
  enum { REPLIES = 8 };
  fresh_world();
  asking = start_client(2, EVERYBODY, say("%d", OTHER_PORT));
  await_question(&asking);
  for (int i = 0; i < REPLIES; i++) {
    reply(&asking, i % 2);
    pass(i == 0 ? 2.5 : 0.25); /* one, and then silence for a while */
  }
  check_question(&asking, OTHER_PORT);
}

/* ---- what it prints ---- */

static bool is_reply_line(const char *line) {
  return line_matches(line, "Server responded: %t", ANSWER);
}

/* Lines for replies; if there is none in the words that are required, lines in any words, anywhere.
 * Which words these are is the business of one requirement only. */
static size_t count_reply_lines(struct program *client) {
  size_t right = 0, similar = 0;
  for (enum stream stream = STDOUT; stream <= STDERR; stream++) {
    struct lines all = lines(client, stream);
    for (size_t i = 0; i < all.count; i++) {
      right += stream == STDOUT && is_reply_line(all.list[i].text);
      similar += strcasestr(all.list[i].text, "respon") != NULL;
    }
  }
  return right ? right : similar;
}

#define CONNECTED_CAUSE                                                                            \
  "the socket is connected to the broadcast address, from which no reply comes: the kernel drops " \
  "all others; use sendto() on a socket that is not connected"

CHECK(client_shows_a_reply, "broadcast.4", "broadcast") {
  struct asking asking = start_client(1, EVERYBODY, NULL);
  await_question(&asking);
  reply(&asking, 0);
  settle();
  bool connected = udp_is_connected(asking.client, address(EVERYBODY, PORT));
  EXPECT(await_line(asking.client, STDOUT, LONG, "Server responded: %t", ANSWER) >= 0,
         .message = "the client does not print the reply", .expected = "Server responded: " ANSWER,
         .actual = printed(asking.client),
         .cause = connected
                      ? CONNECTED_CAUSE
                      : missing_line_cause(asking.client, STDOUT, "Server responded: %t", ANSWER));

  fresh_world();
  asking = start_client(1, EVERYBODY, say("%d", OTHER_PORT));
  await_question(&asking);
  reply(&asking, 0);
  EXPECT(await_line(asking.client, STDOUT, LONG, "Server responded: %t", ANSWER) >= 0,
         .message = "the client does not print the reply of a server on another port",
         .expected = "Server responded: " ANSWER, .actual = printed(asking.client),
         .cause = udp_is_connected(asking.client, address(EVERYBODY, OTHER_PORT))
                      ? CONNECTED_CAUSE
                      : say("PORT is %d, and so it comes from port %d: is it dropped for that?",
                            OTHER_PORT, OTHER_PORT));

  fresh_world();
  asking = start_client(1, EVERYBODY, NULL);
  await_question(&asking);
  await_exit(asking.client, LONG);
  struct lines all = lines(asking.client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    EXPECT(!is_reply_line(all.list[i].text),
           .message = "the client prints a reply although none has come",
           .expected = "no such line without a reply", .actual = printed(asking.client),
           .cause = "print what recvfrom() has brought, and only when it has returned");
}

/* ---- how long it listens ---- */

struct timetable {
  int servers, replies;       /* server by server, and then the first again */
  double times[SERVERS_MOST]; /* after the question, in order */
};

static const char *timetable_text(const struct timetable *timetable) {
  const char *text = "";
  int i = 0, same = 0;
  for (; i < timetable->replies; i += same) {
    for (same = 0; i + same < timetable->replies; same++)
      if (timetable->times[i + same] > timetable->times[i])
        break;
    text = say("%s%s%s %.2f s", text, i > 0 ? ", " : "", same > 1 ? say("%d at", same) : "one at",
               timetable->times[i]);
  }
  return text;
}

static size_t count_times(const struct timetable *timetable) {
  size_t times = 0;
  for (int i = 0; i < timetable->replies; i++)
    times += i == 0 || timetable->times[i] > timetable->times[i - 1];
  return times;
}

/* Why it has printed so many lines for so many replies. */
static const char *count_cause(struct program *client, size_t shown,
                               const struct timetable *timetable, bool connected) {
  size_t servers = (size_t)timetable->servers, wanted = (size_t)timetable->replies;
  if (connected)
    return CONNECTED_CAUSE;
  if (shown > wanted)
    return say(
        "there are %zu lines, and %s came: is each printed twice, or a line before any reply "
        "has come? Print what recvfrom() has brought, once",
        shown, wanted == 1 ? "one reply" : say("%zu replies", wanted));
  if (shown == 1 && !await_exit(client, 0))
    return "it waits for something else than more replies";
  if (shown == servers && shown < wanted)
    return "one of the servers has replied twice: is a line printed for each server? It is for each "
           "reply";
  if (shown > 1 && shown == count_times(timetable))
    return "of those that come together one is printed: when there is something to be read there "
           "may be several datagrams; read on while there are any";
  return shown == 1
             ? "only one of them is printed, though all say the same: is a reply dropped because "
               "its text was there before? Each is from another server"
             : say("after %s no more are printed: is there room for so many only?",
                   counted(shown, "line"));
}

static void check_replies(const struct timetable *timetable) {
  struct asking asking = start_client(timetable->servers, EVERYBODY, NULL);
  double asked = await_question(&asking).time;
  double last_reply = asked;
  struct address asker = {0};
  size_t due = 0; /* on a busy machine and the real clock the last ones may be late */
  for (int i = 0; i < timetable->replies; i++) {
    if (asked + timetable->times[i] > now())
      pass(asked + timetable->times[i] - now());
    /* Those of the same time together: on the virtual clock the client sees none of them alone. */
    if (i == 0 || timetable->times[i] > timetable->times[i - 1])
      asker = asker_of();
    udp_send_text(asking.servers[i % timetable->servers], asker, ANSWER);
    last_reply = now();
    due += last_reply < asked + at_least(PATIENCE);
  }
  settle();
  bool connected = udp_is_connected(asking.client, address(EVERYBODY, PORT));
  await_exit(asking.client, LONG);
  const char *when = timetable_text(timetable);
  size_t shown = count_reply_lines(asking.client), wanted = (size_t)timetable->replies;
  struct datagrams_sent sent = datagrams_sent_by("client");
  double asked_last = sent.list[sent.count - 1].time;
  double latest = last_reply > asked_last ? last_reply : asked_last;
  bool ended = await_exit(asking.client, 0);
  double end = ended ? exit_time(asking.client) : -1;

  EXPECT(!ended || end >= asked + at_least(PATIENCE),
         .message = "the client does not listen for 5 s",
         .expected = say("replies: %s. It ends 5 s after its question, or later", when),
         .actual = say("it %s %.3f s after its question\n%s", doing(asking.client), end - asked,
                       printed(asking.client)),
         .cause = end - last_reply < at_most(0)
                      ? "it ends with a reply: nobody can know whether that is the last, so wait "
                        "until the time is over"
                      : say("it ends %.1f s after its question: wait until 5 s are over, whether a "
                            "reply has come or not",
                            end - asked));
  EXPECT(shown >= due && shown <= wanted,
         .message = "the client does not print one line for each reply",
         .expected = say("%s, for the replies: %s", counted(wanted, "line"), when),
         .actual = say("%s\n%s", counted(shown, "line"), printed(asking.client)),
         .cause = count_cause(asking.client, shown, timetable, connected));
  if (due > 0)
    expect_success(asking.client, "broadcast client, with replies,");
  EXPECT(end <= latest + at_most(PATIENCE), .message = "the client listens for too long",
         .expected = say("replies: %s. It ends at most 5 s after the last", when),
         .actual = say("it ended %.3f s after the last reply, %.3f s after its question",
                       end - last_reply, end - asked),
         .cause = end - asked >= 2 * at_least(PATIENCE)
                      ? "the time is waited for more than once: the end is 5 s after the question, "
                        "or at most after the last reply"
                      : "the wait is longer than 5 s");
}

CHECK(client_hears_all_replies, "broadcast.5", "broadcast") {
  static const struct timetable timetables[] = {
      {1, 1, {0}},
      {5, 5, {0, 0.3, 0.3, 1.9, 4.75}},
      {1, 1, {4.75}},
      {2, 3, {0, 0.2, 0.7}},
      {20, 20, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}},
  };
  for (size_t i = 0; i < sizeof timetables / sizeof *timetables; i++) {
    if (i > 0)
      fresh_world();
    check_replies(&timetables[i]);
  }
}

CHECK(client_gives_up, "broadcast.6", "broadcast") {
  struct asking asking = start_client(2, EVERYBODY, NULL);
  double asked = await_question(&asking).time;
  await_exit(asking.client, LONG);
  expect_failure(asking.client, "broadcast client, without any reply,");
  EXPECT(says_timed_out(asking.client, STDERR),
         .message = "the message does not say that it timed out",
         .expected = "the words “timed out” (or “time out”, “timeout”) on stderr",
         .actual = printed(asking.client),
         .cause =
             says_timed_out(asking.client, STDOUT)
                 ? "the words are on stdout: errors belong on stderr"
                 : "there is a message, and it does not say what happened: perror() makes of a "
                   "time-out “Resource temporarily unavailable”; say that it timed out");
  struct datagrams_sent sent = datagrams_sent_by("client");
  double asked_last = sent.list[sent.count - 1].time, end = exit_time(asking.client);
  EXPECT(end >= asked + at_least(PATIENCE) && end <= asked_last + at_most(PATIENCE),
         .message = say("without any reply the client ends after %.3f s", end - asked),
         .expected = "5 s after its question", .actual = say("%.3f s after it", end - asked),
         .cause = say("the time-out is %.1f s: it is to be 5 s", end - asked_last));
}

/* ---- the limited broadcast address ---- */

/* What becomes of a client that asks at that address, and gets so many replies: early and late. */
struct outcome {
  struct frame question;
  struct program *client;
  size_t sent, shown;
  bool success, failure; /* status 0, or another one */
};

static struct outcome ask_at(const char *ip, const char *port, int replies) {
  static const double LATEST = 4.5;
  struct asking asking = start_client(2, ip, port);
  struct outcome outcome = {.question = await_question(&asking), .client = asking.client};
  for (int i = 0; i < replies; i++) {
    if (i == replies - 1)
      pass(LATEST);
    reply(&asking, i % 2);
  }
  bool ended = await_exit(asking.client, LONG);
  outcome.sent = datagrams_sent_by("client").count;
  outcome.shown = count_reply_lines(asking.client);
  outcome.success = ended && exit_status(asking.client) == 0;
  outcome.failure = ended && exit_status(asking.client) != 0;
  return outcome;
}

static const char *shown_less_cause(const struct outcome *limited, int replies) {
  if (limited->shown + 1 < (size_t)replies)
    return "which address it has asked at is no matter for its replies: each has its line";
  return "the last of them comes 4.5 s after the question: it is to listen for 5 s, as always";
}

/* What it does with the usual address, right or wrong, is other requirements' business. */
static void expect_the_same(const char *port, int replies) {
  struct outcome usual = ask_at(EVERYBODY, port, replies);
  fresh_world();
  struct outcome limited = ask_at(EVERYBODY_HERE, port, replies);
  struct address wanted = address(EVERYBODY_HERE, usual.question.destination.port);
  EXPECT(address_equal(limited.question.destination, wanted) && limited.question.broadcast,
         .message = "told to ask at " EVERYBODY_HERE ", the client asks somewhere else",
         .expected = say("a datagram to %s, as an Ethernet broadcast", address_text(wanted)),
         .actual = datagram_text(&limited.question),
         .cause = limited.question.destination.ip == wanted.ip
                      ? "PORT is an argument with this address as with any other"
                      : "the address is to be used as it is given: 255.255.255.255 is everybody on "
                        "this LAN, and no other address stands for it");
  EXPECT(limited.sent <= usual.sent,
         .message = "asking at " EVERYBODY_HERE ", the client sends more than one datagram",
         .expected = "the same as with " EVERYBODY, .actual = counted(limited.sent, "datagram"),
         .cause = "one datagram to " EVERYBODY_HERE " reaches all hosts of the LAN");
  EXPECT(limited.shown >= usual.shown && limited.success >= usual.success,
         .message = "asking at " EVERYBODY_HERE ", the client does not take all replies",
         .expected = say("the same as with " EVERYBODY ", for %d replies", replies),
         .actual = say("%s\n%s", doing(limited.client), printed(limited.client)),
         .cause = limited.shown < usual.shown ? shown_less_cause(&limited, replies) : NULL);
  EXPECT(limited.failure >= usual.failure,
         .message = "asking at " EVERYBODY_HERE ", the client does not fail without any reply",
         .expected = "the same as with " EVERYBODY,
         .actual = say("%s\n%s", doing(limited.client), printed(limited.client)),
         .cause = "no reply is a failure, wherever it has asked: another status than 0");
}

CHECK(client_can_use_the_limited_broadcast, "broadcast.8", "broadcast") {
  expect_the_same(NULL, 3);
  fresh_world();
  expect_the_same(say("%d", OTHER_PORT), 0);
}
