/* udp-retry: the server that pretends to lose datagrams. */
#define LAB udp_retry
#include "suite/lucky_number.h"

#include "causes.h"
#include "drops.h"
#include "observe.h"

#include <string.h>

enum { PORT = 60000 };

static struct address server_address(void) {
  return address("127.0.0.1", PORT);
}

static struct program *start_server(void) {
  struct program *server = start("udp-flaky-server");
  await_udp_bound(server, PORT);
  return server;
}

CHECK(server_runs_until_told, "udp-retry.1", "udp-flaky-server") {
  expect_runs_until_told(start_server());
}

/* It says the one or the other; `first`: the line from which on it can have done so. */
static void expect_no_line_of_an_answer(struct program *server, size_t first,
                                        const struct address *from, const char *text) {
  struct lines all = lines(server, STDOUT);
  for (size_t i = first; i < all.count; i++)
    EXPECT(!line_matches(all.list[i].text, "The client at %a says %t", from, text) &&
               !line_matches(all.list[i].text, "Packet sent successfully!"),
           .message = "the server says of a datagram that it drops what it says of answered ones",
           .expected = say("“Pretending to drop packet from %s”, and neither of the two lines "
                           "that belong to an answer",
                           address_text(*from)),
           .actual = printed(server), .cause = "decide first, then print");
}

CHECK(server_shows_what_it_does, "udp-retry.1", "udp-flaky-server") {
  enum { MOST = 200, OF_EACH = 4 };
  struct program *server = start("udp-flaky-server");
  struct address listening = await_udp_bound(server, PORT);
  expect_line(server, 2, "Listening at %a", &listening);
  int answered = 0, dropped = 0;
  for (int i = 0; i < MOST && (answered < OF_EACH || dropped < OF_EACH); i++) {
    struct peer *client = udp_peer("client", "127.0.0.1", 0);
    struct address from = peer_address(client);
    static const char control[] = " (\a, \x1b, \x7f)";
    const char *text = say("datagram %d%s", i + 1, answered == 1 ? control : "");
    struct datagram answer;
    size_t lines_before = lines(server, STDOUT).count;
    udp_send_text(client, server_address(), text);
    if (!udp_receive(client, 0.2, &answer)) {
      EXPECT(await_line(server, STDOUT, 1, "Pretending to drop packet from %a", &from) >= 0,
             .message = "the server does not say that it drops a datagram",
             .expected = say("Pretending to drop packet from %s", address_text(from)),
             .actual = printed(server),
             .cause = lines(server, STDOUT).count > lines_before
                          ? missing_line_cause(server, STDOUT, "Pretending to drop packet from %a",
                                               &from)
                          : "there was neither an answer nor a line: print the line where the "
                            "datagram is dropped, and its newline (\\n)");
      pass(0.05);
      expect_no_line_of_an_answer(server, lines_before, &from, text);
      dropped++;
      continue;
    }
    answered++;
    pass(0.05);
    expect_lucky_answer(&answer, server_address(), "");
    expect_line(server, 1, "The client at %a says %t", &from, text);
    struct lines all = lines(server, STDOUT);
    bool said = false, pretended = false;
    for (size_t k = lines_before; k < all.count; k++) {
      said |= line_matches(all.list[k].text, "Packet sent successfully!");
      pretended |= line_matches(all.list[k].text, "Pretending to drop packet from %a", &from);
    }
    EXPECT(said, .message = "the server does not say that it has sent its answer",
           .expected = "Packet sent successfully!", .actual = printed(server),
           .cause = missing_line_cause(server, STDOUT, "Packet sent successfully!"));
    EXPECT(!pretended, .message = "the server says that it drops a datagram, and answers it",
           .expected = "one or the other", .actual = printed(server));
    EXPECT(!udp_receive(client, 0, &answer), .message = "the server answers one datagram twice",
           .expected = "one answer", .actual = quoted(answer.bytes, answer.length),
           .cause = "two came for one question: is sendto() called twice?");
  }
}

CHECK(server_drops_seven_of_ten, "udp-retry.2", "udp-flaky-server") {
  bool dropped[DROPS_NEEDED];
  observe_drops(dropped, DROPS_NEEDED, 50, 0);
  struct drops_judgement judgement = drops_judge(dropped, DROPS_NEEDED);
  if (judgement.right)
    return;
  bool rate = strcmp(judgement.test, "rate") == 0, even = strcmp(judgement.test, "evenness") == 0;
  check_fail((struct failure_report){
      .message = rate   ? say("the server drops %.1f %% of the datagrams", judgement.rate * 100)
                 : even ? "the drops come too evenly (or in bursts) to be independent"
                        : "the drops follow a pattern that repeats",
      .expected = "each datagram is dropped with probability 0.7, independently of the others",
      .actual =
          rate ? say("%.0f of %d dropped", judgement.rate * DROPS_NEEDED, DROPS_NEEDED)
          : even
              ? say("%.1f %% dropped, but the counts in blocks of %zu do not spread as chance would have it",
                    judgement.rate * 100, judgement.period)
              : say("%.1f %% dropped, and what happens to a datagram follows from what happened %zu before it",
                    judgement.rate * 100, judgement.period),
      .cause = drops_cause(&judgement, dropped, DROPS_NEEDED)});
}

CHECK(server_runs_differ, "udp-retry.3", "udp-flaky-server") {
  /* In several seconds: a server that seeds its generator with the time, again and again, drops
   * all or none in each of them, and its runs differ all the same. */
  enum { COUNT = 100, AT_A_TIME = 10 };
  static const double PAUSE = 0.6;
  enum { RUNS = 3 };
  static const double PROMPT = 0.3;
  bool runs[RUNS][COUNT];
  bool prompt = true, same = false;
  for (int i = 0; i < RUNS && !same; i++) {
    fresh_world_next_second();
    prompt &= observe_drops(runs[i], COUNT, AT_A_TIME, PAUSE) < PROMPT;
    same = i > 0 && memcmp(runs[i - 1], runs[i], sizeof runs[i]) == 0;
  }
  if (same && !prompt) { /* one that takes its time to begin may have read it in the same second */
    fresh_world_later();
    observe_drops(runs[1], COUNT, AT_A_TIME, PAUSE);
    same = memcmp(runs[0], runs[1], sizeof runs[0]) == 0;
  }
  EXPECT(!same, .message = "two runs of the server drop the same datagrams",
         .expected = "runs that start in different seconds drop differently",
         .actual = say("of %d datagrams, the same ones were dropped in both runs", COUNT),
         .cause = same_drops_cause(runs[0], COUNT));
}
