/* deadlock: what many bytes do. All of it is in real time, since programs are not to be slowed down
 * a million times, and nothing is judged by its times. */
#define LAB deadlock
#include "service.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>

/* Buffers in which a million bytes have room, as they have on a usual machine; and more than 10
 * times as many bytes as all four of the small ones hold, which are also more than 1 MiB. */
enum { LARGE_BUFFER = 4 << 20, BULK = 1200000 };

static void begin(int receive, int send) {
  fresh_world_in_real_time();
  set_tcp_buffers(localhost(), receive, send);
  leave_out_data(localhost());
  let_print();
}

/* What came of one run of a client. */
struct outcome {
  const char *name;
  struct program *client;
  bool ended;
  int status;
  double received; /* as it says; -1 if it does not */
  bool moved;      /* some byte has come back, as far as anybody tells */
};

static struct outcome run_client(const char *name, const char *bytes) {
  struct outcome outcome = {.name = name, .client = start_client_of(name, bytes)};
  outcome.ended = await_exit_while_moving(outcome.client, CPU_LIMIT);
  if (outcome.ended)
    outcome.status = exit_status(outcome.client);
  outcome.received = last_total(outcome.client, TOTAL_RECEIVED);
  outcome.moved = outcome.received > 0;
  struct lines all = lines(outcome.client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    outcome.moved |= strncmp(all.list[i].text, "The first chunk received", 24) == 0;
  return outcome;
}

/* Whether the client has said that it will send no more. */
static bool has_half_closed(void) {
  struct frames all = frames_all();
  for (size_t i = 0; i < all.count; i++)
    if (all.list[i].protocol == IPPROTO_TCP && all.list[i].destination.port == PORT &&
        (all.list[i].tcp_flags & TH_FIN))
      return true;
  return false;
}

/* Why a client, and the server with it, stand still. */
static const char *standstill_cause(const char *name, bool is_mutual, const char *server_does) {
  if (is_mutual && strcmp(name, "upper") == 0)
    return "both only send, as this program is to do; but so many bytes have room in the system's own "
           "buffers: are the sockets' made smaller (SO_SNDBUF, SO_RCVBUF)?";
  if (is_mutual && strcmp(name, "upper-poll") == 0)
    return "that poll() says there is room means room for something: send() of more than that waits "
           "for the rest, unless it is given MSG_DONTWAIT; and meanwhile nothing is read";
  if (is_mutual || strstr(server_does, "send") || strstr(server_does, "write"))
    return "the server waits for room for its answer, and the client does not read while it still "
           "sends: neither of the two may wait for the other alone";
  if (!has_half_closed())
    return "the client has sent no FIN, so the server waits for more: shutdown(fd, SHUT_WR) behind "
           "the last byte";
  return NULL;
}

static void expect_ended(const struct outcome *outcome, struct program *server, const char *what) {
  if (outcome->ended)
    return;
  check_fail((struct failure_report){
      .message = say("%s does not come to an end", what),
      .expected = "it sends them all, reads the whole answer, and ends",
      .actual = say("%s\n%s", why_standing_still(), printed(outcome->client)),
      .cause = standstill_cause(outcome->name, is_mutual_send(), doing(server))});
}

/* Why a client fails, or tells another number of bytes. */
static const char *failure_cause(const struct outcome *outcome, const struct outcome *small,
                                 double bytes) {
  if (refused_cause())
    return refused_cause();
  if (outcome->received >= 0 && outcome->received != bytes)
    return total_cause(outcome->received, bytes, 0);
  return outcome->status > 0 && small->ended && small->status == 0
             ? "with 16 bytes it does not fail: is there a limit on BYTES?"
             : NULL;
}

/* Ends the check unless it is as good as with 16 bytes: what is wrong with those is the business of
 * other requirements. */
static void expect_as_good(const struct outcome *outcome, const struct outcome *small,
                           struct program *server, const char *what, double bytes) {
  expect_ended(outcome, server, what);
  EXPECT(outcome->status == 0 || (outcome->status > 0 && small->ended && small->status > 0),
         .message = say("%s fails", what), .expected = "exit status 0",
         .actual = say("it %s\n%s", doing(outcome->client), printed(outcome->client)),
         .cause = failure_cause(outcome, small, bytes));
  EXPECT(outcome->received == bytes || !small->ended || small->received != CHUNK,
         .message = say("%s says another number of bytes", what),
         .expected = say("at the end: %.0f bytes received", bytes),
         .actual = printed(outcome->client), .cause = failure_cause(outcome, small, bytes));
}

/* ---- deadlock.3 ---- */

static bool announces(struct program *client, double bytes) {
  struct lines all = lines(client, STDOUT);
  double number = 0;
  for (size_t i = 0; i < all.count; i++)
    if (line_matches(all.list[i].text, "Sending %n bytes of data, in chunks of 16 bytes",
                     &number) &&
        number == bytes)
      return true;
  return false;
}

/* Who does not come to the end has deadlock.5 or deadlock.7 to mend. */
static void check_many_bytes(const char *name) {
  static const struct answering answering = {0};
  double wanted = strcmp(name, "upper") == 0 ? 65536 : 1000000;
  const char *bytes = say("%.0f", wanted);
  begin(LARGE_BUFFER, LARGE_BUFFER);
  struct program *server = start_answering(&answering);
  struct program *client = start_client_of(name, bytes);
  if (!await_exit_while_moving(client, CPU_LIMIT))
    return;
  double answered = bytes_answered(server), other = other_text_at(server);
  if (answered < 0)
    return;
  EXPECT(other < 0, .message = say("not all of the %s bytes are what they should be", bytes),
         .expected = say("“%s”, again and again, to the last byte", CHUNK_TEXT),
         .actual = say("another byte after %.0f of them", other),
         .cause = "send() may take a part of a chunk: go on with the rest of that chunk, and then "
                  "with the next");
  EXPECT(answered == wanted,
         .message = say("asked for %s bytes, the client sends another number", bytes),
         .expected = say("%s bytes, and then FIN", bytes), .actual = say("%.0f bytes", answered),
         .cause = "count what send() has taken, not what it was given");
  EXPECT(announces(client, wanted),
         .message = say("asked for %s bytes, the client says another number", bytes),
         .expected = say("Sending %s bytes of data, in chunks of 16 bytes", bytes),
         .actual = printed(client));
}

EACH_PROGRAM(client_sends_many, "deadlock.3", check_many_bytes)

/* ---- deadlock.5 ---- */

static void check_sizes(const char *name) {
  static const struct {
    const char *bytes;
    double count;
  } sizes[] = {{"16", 16}, {"65536", 65536}, {"1000000", 1000000}};
  bool naive = strcmp(name, "upper") == 0;
  struct outcome small = {.client = NULL};
  bool server_counts = false;
  for (size_t i = 0; i < (naive ? 2 : 3); i++) {
    begin(LARGE_BUFFER, LARGE_BUFFER);
    struct program *server = start_server_of(name);
    const char *what =
        say("“%s client 127.0.0.1 %s”, with “%s server 127.0.0.1”,", name, sizes[i].bytes, name);
    struct outcome outcome = run_client(name, sizes[i].bytes);
    double processed = await_total(server, TOTAL_PROCESSED, sizes[i].count, PATIENCE_IN_REALITY);
    if (i == 0) {
      small = outcome;
      server_counts = processed == CHUNK;
      EXPECT(outcome.moved || (outcome.ended && outcome.status == 0),
             .message = say("%s does not work", what),
             .expected = "16 bytes go to the server, and come back",
             .actual = say("the client %s\n%s\nthe server %s\n%s", doing(outcome.client),
                           printed(outcome.client), doing(server), printed(server)),
             .cause = outcome.ended ? refused_cause()
                                    : standstill_cause(name, is_mutual_send(), doing(server)));
    }
    expect_as_good(&outcome, &small, server, what, sizes[i].count);
    EXPECT(!server_counts || processed == sizes[i].count,
           .message = say("the server's total for %s bytes is wrong", sizes[i].bytes),
           .expected = say("at the end: %s bytes have been processed so far.", sizes[i].bytes),
           .actual = printed(server), .cause = total_cause(processed, sizes[i].count, 0));
  }
}

EACH_PROGRAM(sizes_work, "deadlock.5", check_sizes)

/* ---- deadlock.6 ---- */

CHECK(upper_deadlocks, "deadlock.6", "upper") {
  enum { FAR_TOO_MANY = 2000000 }; /* more than 20 times what all four buffers hold */
  static const struct answering answering = {.limit = FAR_TOO_MANY, .begins_paused = true};
  static const double LONG = 60, A_WHILE = 1.3;
  set_tcp_buffers(localhost(), SMALL_RECEIVE, SMALL_SEND);
  leave_out_data(localhost());
  let_print();
  struct program *server = start_answering(&answering);
  struct program *client = start_client_of("upper", "99999999");
  if (await_line(server, STDOUT, LONG, PAUSED) >= 0)
    pass(0.1);
  send_signal(server, SIGCONT);
  if (await_mutual_send(client, LONG)) {
    EXPECT(!await_exit(client, A_WHILE),
           .message = "“upper client” is blocked, and then ends by itself",
           .expected = "both ends stay blocked in sending",
           .actual = say("the client %s\n%s", doing(client), printed(client)),
           .cause = "has the socket a time-out (SO_SNDTIMEO, settimeout())? The naive client waits "
                    "for ever");
    return;
  }
  bool went_on = !await_exit(client, 0) && lines(server, STDOUT).count > 1;
  EXPECT(false, .message = "“upper client” does not show the deadlock",
         .expected = "against a server that answers as it reads, with far more bytes than the four "
                     "buffers hold, both end blocked in sending, all four queues are full, and no "
                     "byte moves any more",
         .actual = say("%s\nthe client %s\n%s",
                       went_on ? say("more than %d bytes went through", FAR_TOO_MANY)
                               : why_standing_still(),
                       doing(client), printed(client)),
         .cause =
             bytes_answered(server) > FAR_TOO_MANY
                 ? "it reads while it still sends: this one is to send everything before it reads "
                   "anything, in one process, by calls that wait"
             : await_exit(client, 0)
                 ? "it has ended by itself: no time-out (SO_SNDTIMEO) and no call that does not "
                   "wait; this one is to wait for ever"
                 : "this one is to send everything before it reads anything, by calls that wait");
}

/* ---- deadlock.7 ---- */

static void check_bulk(const char *name) {
  static const struct answering answering = {0};
  const char *bytes = say("%d", BULK);
  begin(SMALL_RECEIVE, SMALL_SEND);
  struct program *server = start_answering(&answering);
  struct outcome small = run_client(name, "16");
  stop(server);

  begin(SMALL_RECEIVE, SMALL_SEND);
  server = start_answering(&answering);
  const char *what =
      say("“%s client 127.0.0.1 %s”, with a server that answers as it reads,", name, bytes);
  struct outcome outcome = run_client(name, bytes);
  expect_as_good(&outcome, &small, server, what, BULK);
  EXPECT(outcome.received < 0 || outcome.received == BULK,
         .message = say("%s says another number of bytes", what),
         .expected = say("at the end: %d bytes received", BULK), .actual = printed(outcome.client),
         .cause = failure_cause(&outcome, &small, BULK));
  double answered = bytes_answered(server);
  EXPECT(answered == BULK, .message = say("%s does not send so many", what),
         .expected = say("%d bytes", BULK), .actual = say("the server got %.0f", answered),
         .cause =
             "send() may take less than it was given: go on behind what it took, and count it");

  begin(SMALL_RECEIVE, SMALL_SEND);
  server = start_server_of(name);
  what = say("“%s client 127.0.0.1 %s”, with “%s server 127.0.0.1”,", name, bytes, name);
  outcome = run_client(name, bytes);
  expect_as_good(&outcome, &small, server, what, BULK);
  double processed = await_total(server, TOTAL_PROCESSED, BULK, PATIENCE_IN_REALITY);
  EXPECT(processed < 0 || processed == BULK, .message = "the server's total is wrong",
         .expected = say("at the end: %d bytes have been processed so far.", BULK),
         .actual = printed(server), .cause = total_cause(processed, BULK, 0));
}

EACH_CURE(finishes, "deadlock.7", check_bulk)
