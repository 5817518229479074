/* udp-retry: what to do about loss. The client; checks_server.c has the server. */
#define LAB udp_retry
#include "suite/lucky_number.h"

#include "causes.h"
#include "observe.h"

#include <stdlib.h>
#include <string.h>

enum { PORT = 60000, ATTEMPTS = 6 };

#define QUESTION "Hello, I'm a client."
#define FORGED "You are hacked!"
#define FORGED_WELL "Here's your lucky number:0.5" /* one cannot tell by the text */

/* How long the client waits after each datagram, and when the last wait ends after the first
 * datagram. */
static const double WAITS[ATTEMPTS] = {0.1, 0.2, 0.4, 0.8, 1.6, 3.2};
static const double WHOLE = 6.3;

/* More than any right client needs, of a runtime that takes seconds to begin, too. */
static const double PATIENCE = 30;
/* The same, from its first datagram on. */
static const double TO_ITS_END = 12;

static struct address server_address(void) {
  return address("127.0.0.1", PORT);
}

/* ---- the client against a silent server ---- */

static struct program *start_client(struct peer **server) {
  *server = udp_peer("silent server", "127.0.0.1", PORT);
  return start("udp-retry-client");
}

/* Runs the client to its end against a server that is bound but silent. */
static struct program *run_client_to_the_end(struct frames *sent) {
  struct peer *server;
  struct datagram first;
  struct program *client = start_client(&server);
  udp_receive(server, PATIENCE, &first);
  await_exit(client, TO_ITS_END);
  *sent = frames_to_port(PORT);
  EXPECT(sent->count > 0, .message = "udp-retry-client sends nothing to 127.0.0.1:60000",
         .expected = "datagrams", .actual = say("none; it %s\n%s", doing(client), printed(client)));
  return client;
}

#define NEW_SOCKET_CAUSE                                                                             \
  "each attempt has a new socket, so another port, and a reply to an earlier one is lost: make one " \
  "socket, before the loop"

CHECK(client_repeats_itself, "udp-retry.4", "udp-retry-client") {
  struct frames sent;
  run_client_to_the_end(&sent);
  for (size_t i = 0; i < sent.count; i++) {
    const struct frame *frame = &sent.list[i];
    EXPECT(frame->length == strlen(QUESTION) && memcmp(frame->bytes, QUESTION, frame->length) == 0,
           .message = say("datagram %zu is not what is required", i + 1),
           .expected = quoted(QUESTION, strlen(QUESTION)),
           .actual = quoted(frame->bytes, frame->length),
           .cause = bytes_cause(QUESTION, strlen(QUESTION), frame->bytes, frame->length));
    EXPECT(frame->source.port == sent.list[0].source.port,
           .message = say("datagram %zu comes from another port than the first", i + 1),
           .expected = address_text(sent.list[0].source), .actual = address_text(frame->source),
           .cause = NEW_SOCKET_CAUSE);
  }
}

CHECK(client_says_how_long_it_waits, "udp-retry.5", "udp-retry-client") {
  struct frames sent;
  struct program *client = run_client_to_the_end(&sent);
  struct lines all = lines(client, STDOUT);
  double times[ATTEMPTS];
  size_t moments = sending_moments(sent, times, ATTEMPTS), found = 0;
  double seconds;
  for (size_t i = 0; i < all.count && found < ATTEMPTS; i++) {
    if (!line_matches(all.list[i].text, "Waiting up to %n seconds for a reply", &seconds))
      continue;
    double difference = seconds - WAITS[found];
    EXPECT(difference < 1e-6 && difference > -1e-6,
           .message = say("line %zu about waiting names another time", found + 1),
           .expected = say("Waiting up to %g seconds for a reply", WAITS[found]),
           .actual = all.list[i].text,
           .cause = announced_cause(found, seconds, WAITS[found], 2 * WAITS[found], sent));
    /* Long before the end of its wait: on the real clock a busy machine may have kept the client
     * from printing for a while, right behind its datagram, and the line from being read. */
    EXPECT(found == 0 || found >= moments ||
               all.list[i].time > (times[found - 1] + times[found]) / 2,
           .message = say("line %zu about waiting comes before the wait before it", found + 1),
           .expected = say("“%s” when that wait is over", all.list[i].text),
           .actual = say("at %.3f s", all.list[i].time),
           .cause = "print the line in the loop, before each wait");
    EXPECT(found >= moments || all.list[i].not_before <= times[found] + WAITS[found] / 2,
           .message = say("line %zu about waiting comes after its wait", found + 1),
           .expected = say("“%s” before the wait, at %.3f s", all.list[i].text, times[found]),
           .actual = say("at %.3f s", all.list[i].time), .cause = "print first, then wait");
    found++;
  }
  EXPECT(found == ATTEMPTS, .message = "not every wait is announced",
         .expected = "six lines: Waiting up to 0.1 (0.2, 0.4, 0.8, 1.6, 3.2) seconds for a reply",
         .actual = say("%s of that form\n%s", counted(found, "line"), printed(client)),
         .cause = found > 0 ? say("%zu waits are announced, and %zu attempts made: count them from "
                                  "1 to 6",
                                  found, moments)
                            : missing_line_cause(client, STDOUT,
                                                 "Waiting up to %n seconds for a reply", &seconds));
}

static bool backs_off(struct frames sent) {
  bool right = sent.count == ATTEMPTS;
  for (size_t i = 1; right && i < sent.count; i++)
    right = about(sent.list[i].time - sent.list[i - 1].time, WAITS[i - 1]);
  return right;
}

CHECK(client_backs_off, "udp-retry.6", "udp-retry-client") {
  struct frames sent;
  run_client_to_the_end(&sent);
  EXPECT(backs_off(sent), .message = "the datagrams do not come with exponential back-off",
         .expected = "6 datagrams, with gaps of 0.1, 0.2, 0.4, 0.8, 1.6 s",
         .actual = say("%s, with gaps of %s s", counted(sent.count, "datagram"), gaps_text(sent)),
         .cause = gaps_cause(sent));
}

CHECK(client_gives_up, "udp-retry.7", "udp-retry-client") {
  struct frames sent;
  struct program *client = run_client_to_the_end(&sent);
  expect_failure_because(client, "udp-retry-client, without any reply,",
                         (struct failure_causes){.still_runs = too_long_cause(sent)});
  EXPECT(says_timed_out(client, STDERR), .message = "the message does not say that it timed out",
         .expected = "the words “timed out” (or “time out”, “timeout”) on stderr",
         .actual = printed(client),
         .cause = says_timed_out(client, STDOUT)
                      ? "the words are on stdout: errors belong on stderr"
                      : "there is a message, and it does not say what happened: it timed out");
  double after = exit_time(client) - sent.list[0].time;
  double last = exit_time(client) - sent.list[sent.count - 1].time;
  bool last_is_right = !backs_off(sent) || about(last, WAITS[ATTEMPTS - 1]);
  EXPECT(about(after, WHOLE) && last_is_right,
         .message = say("it gives up %.3f s after the first datagram", after),
         .expected = "6.3 s after the first: 0.1 + 0.2 + 0.4 + 0.8 + 1.6, and 3.2 for the last",
         .actual = say("%.3f s after the first, %.3f s after the last", after, last),
         .cause = last < at_most(0)  ? "it does not wait any more after the last datagram"
                  : about(last, 3.2) ? "the waits before the last are not what they should be"
                                     : say("the last wait is %.3f s long, not 3.2 s", last));
}

/* ---- the client and replies ---- */

/* Waits until the client has sent `count` datagrams: the first and the last. False if it ends
 * before. */
static bool await_attempt(struct peer *server, struct program *client, int count,
                          struct datagram *first, struct datagram *last) {
  for (int i = 0; i < count; i++) {
    if (!udp_receive(server, PATIENCE, last) || await_exit(client, 0))
      return false;
    if (i == 0)
      *first = *last;
  }
  return true;
}

/* Replies to the latest attempt, or to the first. With a client that busy-waits the clock may have
 * moved beyond the wait by then: its next datagram may cross the reply. */
static void check_reply_in_wait(int attempt, double part, bool to_first) {
  struct peer *server;
  struct datagram first, last;
  struct program *client = start_client(&server);
  bool sent = await_attempt(server, client, attempt, &first, &last);
  EXPECT(sent || attempt > 1, .message = "udp-retry-client sends nothing to 127.0.0.1:60000",
         .expected = "a datagram",
         .actual = say("none; it %s\n%s", doing(client), printed(client)));
  if (!sent)
    return; /* it gave up earlier: that is another requirement's business */
  if (part > 0)
    pass(WAITS[attempt - 1] * part);
  if (await_exit(client, 0))
    return;
  const char *when = part > 0 ? say("%.0f %% into wait %d%s", part * 100, attempt,
                                    to_first && attempt > 1 ? " (to the first attempt)" : "")
                              : say("at the very beginning of wait %d", attempt);
  double replied = now();
  bool lost_reply = to_first && !address_equal(first.from, last.from);
  bool missed = replied >= last.time + WAITS[attempt - 1];
  if (missed && attempt == ATTEMPTS)
    return;
  const char *reply = lucky_reply();
  udp_send_text(server, to_first ? first.from : last.from, reply);
  await_exit(client, 8);
  size_t more = sent_after_reply(missed ? at_most(0) : 0);
  EXPECT(more == 0, .message = say("after a reply that came %s it sends again", when),
         .expected = "nothing more is sent after a reply",
         .actual = say("%s more", counted(more, "datagram")),
         .cause = lost_reply ? NEW_SOCKET_CAUSE
                  : part > 0 ? "does the loop go on after the reply, or is the reply noticed only "
                               "when the wait is over?"
                             : "later in a wait one is taken: is what is there already when the "
                               "wait begins thrown away?");
  EXPECT(await_line(client, STDOUT, 0, "The server replied %t", reply) >= 0,
         .message = say("a reply %s is not printed", when),
         .expected = say("The server replied %s", reply), .actual = printed(client),
         .cause = lost_reply ? NEW_SOCKET_CAUSE
                             : missing_line_cause(client, STDOUT, "The server replied %t", reply));
  expect_success(client, say("udp-retry-client, with a reply %s,", when));
  double late = exit_time(client) - replied;
  EXPECT(late <= at_most(0.1), .message = say("a reply %s does not end it at once", when),
         .expected = "it ends as soon as the reply is there",
         .actual = say("it ended %.3f s after the reply", late),
         .cause =
             await_line(client, STDOUT, 0, "The server replied %t", reply) <= replied + at_most(0.1)
                 ? "it prints the reply at once, and goes on waiting: end when it is there"
                 : "it sleeps through its whole wait, and looks for a reply only then");
}

CHECK(client_takes_a_reply_in_any_wait, "udp-retry.8", "udp-retry-client") {
  for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
    check_reply_in_wait(attempt, 0.02, false);
    fresh_world();
    check_reply_in_wait(attempt, 0.85, true);
    fresh_world();
  }
  check_reply_in_wait(1, 0, false);
  fresh_world();
  check_reply_in_wait(2, 0, false);
}

/* ---- forgers ---- */

/* Two measurements: each may be as far from the truth as the clock allows. */
static bool as_long(double one, double other) {
  return about(one, other) || about(other, one);
}

/* For how long every run is watched, however it ends: a client that never gives up (udp-retry.6)
 * has sent more in the longer one. */
static const double WATCHED = 10;

static bool is_watched(struct frames sent, size_t i) {
  return i < sent.count && sent.list[i].time - sent.list[0].time < WATCHED;
}

static void expect_same_schedule(struct frames calm, struct frames disturbed, const char *by) {
  bool same = true;
  for (size_t i = 1; same && (is_watched(calm, i) || is_watched(disturbed, i)); i++)
    same = i < calm.count && i < disturbed.count &&
           as_long(disturbed.list[i].time - disturbed.list[0].time,
                   calm.list[i].time - calm.list[0].time);
  EXPECT(same, .message = say("%s moves the client's schedule", by),
         .expected = say("the gaps that it has without: %s s", gaps_text(calm)),
         .actual = say("%s s", gaps_text(disturbed)), .cause = schedule_cause(calm, disturbed));
}

static void expect_no_forged_reply(struct program *client) {
  struct lines all = lines(client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    EXPECT(!line_matches(all.list[i].text, "The server replied %t", FORGED) &&
               !line_matches(all.list[i].text, "The server replied %t", FORGED_WELL),
           .message = "the client takes a forged reply", .expected = "forged datagrams are dropped",
           .actual = all.list[i].text, .cause = forgery_cause(client, server_address()));
}

/* Runs the client against a silent server while forgers send `count` datagrams, `at_once` together,
 * every `pause`. */
static struct program *run_client_with_forgers(struct frames *sent, int count, int at_once,
                                               double pause) {
  static const char *const texts[] = {FORGED, FORGED_WELL, ""};
  static const struct {
    const char *ip;
    int port;
  } from[] = {{"127.0.0.1", 0},
              {"127.0.0.2", PORT},
              {"127.0.0.1", PORT + 1},
              {"127.0.0.10", PORT},
              {"127.0.0.1", PORT / 10}};
  enum { FORGERS = sizeof from / sizeof *from };
  struct peer *server, *forgers[FORGERS];
  struct datagram question;
  for (size_t i = FORGERS; i-- > 0;) /* any port, when those that want one have it */
    forgers[i] = udp_peer(say("forger at %s", from[i].ip), from[i].ip, from[i].port);
  struct program *client = start_client(&server);
  EXPECT(udp_receive(server, PATIENCE, &question),
         .message = "udp-retry-client sends nothing to 127.0.0.1:60000", .expected = "a datagram",
         .actual = say("none; it %s\n%s", doing(client), printed(client)));
  for (int i = 0; i < count && !await_exit(client, 0);) {
    pass(pause);
    for (int k = 0; k < at_once && i < count; k++, i++)
      udp_send_text(forgers[i % FORGERS], question.from, texts[i / FORGERS % 3]);
  }
  await_exit(client, TO_ITS_END);
  *sent = frames_to_port(PORT);
  return client;
}

/* What the client does when a true reply comes early in its first wait, after a forged one or not.
 */
struct reaction {
  struct program *client;
  size_t sent;
  bool missed;  /* the reply came when the wait was over */
  double after; /* the reply: its end */
};

static struct reaction react(bool forged) {
  struct peer *server, *forger = udp_peer("forger", "127.0.0.1", 0);
  struct datagram question;
  struct reaction reaction = {.client = start_client(&server)};
  EXPECT(await_attempt(server, reaction.client, 1, &question, &question),
         .message = "udp-retry-client sends nothing to 127.0.0.1:60000", .expected = "a datagram",
         .actual = say("none; it %s\n%s", doing(reaction.client), printed(reaction.client)));
  settle(); /* it may connect its socket after it has asked */
  if (forged) {
    udp_send_text(forger, question.from, FORGED);
    udp_send_text(forger, question.from, FORGED_WELL);
  }
  pass(0.03);
  double replied = now();
  reaction.missed = replied >= question.time + WAITS[0];
  udp_send_text(server, question.from, lucky_reply());
  await_exit(reaction.client, 8);
  reaction.sent = frames_to_port(PORT).count;
  reaction.after = exit_time(reaction.client) - replied;
  return reaction;
}

CHECK(client_ignores_forgers, "udp-retry.9", "udp-retry-client") {
  struct frames calm, disturbed;
  run_client_to_the_end(&calm);
  fresh_world();
  struct program *client = run_client_with_forgers(&disturbed, 60, 1, 0.07);
  expect_no_forged_reply(client);
  expect_same_schedule(calm, disturbed, "a forger");

  /* The true reply is taken as if there had been no forged one; what it does with a reply is
   * another requirement. */
  fresh_world();
  struct reaction without = react(false);
  fresh_world();
  struct reaction with = react(true);
  expect_no_forged_reply(with.client);
  bool as_many = with.missed || without.missed || with.sent == without.sent;
  EXPECT(as_many && with.after <= at_most(without.after) + 0.02,
         .message = "after a forged datagram the true reply is not taken as it is without",
         .expected = say("as without: %s, and its end %.3f s after the reply",
                         counted(without.sent, "datagram"), without.after),
         .actual = say("%s, and its end %.3f s after the reply", counted(with.sent, "datagram"),
                       with.after),
         .cause = "go on waiting, in the same wait, after a datagram from somebody else");
}

CHECK(client_stands_a_flood, "udp-retry.10", "udp-retry-client") {
  enum { FLOOD = 1000, AT_ONCE = 20 };
  struct frames calm, disturbed;
  run_client_to_the_end(&calm);
  fresh_world();
  struct program *client = run_client_with_forgers(&disturbed, FLOOD, AT_ONCE, 0.06);
  expect_no_forged_reply(client);
  expect_same_schedule(calm, disturbed, "a flood of forged datagrams");
}

/* ---- client and server together ---- */

/* When the server answered a client first, whose datagrams are `sent` from `first_sent` on, and
 * which started when `first_answer` answers had been given; a negative time if it never did. */
static double time_answered(struct frames sent, size_t first_sent, size_t first_answer) {
  struct frames answers = frames_from_port(PORT);
  for (size_t i = first_answer; i < answers.count; i++)
    for (size_t k = first_sent; k < sent.count; k++)
      if (address_equal(answers.list[i].destination, sent.list[k].source))
        return answers.list[i].time;
  return -1;
}

/* With what words, and where, is another requirement. */
static bool shows_a_reply(struct program *client) {
  for (enum stream stream = STDOUT; stream <= STDERR; stream++) {
    const char *output = (const char *)output_of(client, stream).bytes;
    if (strcasestr(output, "server replied") || strcasestr(output, "lucky number:"))
      return true;
  }
  return false;
}

/* One run of the client; returns whether the server answered it. What else it must do with a reply,
 * or when none comes, is another requirement. */
static bool check_one_of_many(int run) {
  size_t before = frames_to_port(PORT).count, answers_before = frames_from_port(PORT).count;
  struct program *client = start("udp-retry-client");
  await_exit(client, 70); /* whatever its schedule: that is another requirement too */
  struct frames sent = frames_to_port(PORT);
  EXPECT(sent.count > before, .message = "udp-retry-client sends nothing to the server",
         .expected = "datagrams",
         .actual = say("none in run %d; it %s\n%s", run, doing(client), printed(client)));
  double answered = time_answered(sent, before, answers_before);
  if (shows_a_reply(client))
    return answered >= 0;
  expect_failure(client, "udp-retry-client, without a reply to show,");
  EXPECT(answered < 0 || exit_time(client) < answered + at_most(0.05),
         .message = "the client does not show the reply that the server sent",
         .expected = say("the reply of %.3f s, shown", answered),
         .actual = say("it timed out at %.3f s", exit_time(client)));
  return answered >= 0;
}

CHECK(client_and_server_agree, "udp-retry.11", "udp-flaky-server", "udp-retry-client") {
  /* A right server drops all six in 12 % of the runs. Both outcomes are to be seen; that one of
   * them never comes, in so many runs, has a probability of 1e-8. A server that has never answered
   * by LEAST will not: each of these runs takes 6 s, on the real clock too. */
  enum { LEAST = 12, MOST = 150 };
  await_udp_bound(start("udp-flaky-server"), PORT);
  int answered = 0, run = 0;
  while (run < LEAST || (run < MOST && answered == run))
    answered += check_one_of_many(++run);
}
