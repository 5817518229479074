#include "observe.h"

enum { PORT = 60000 };

#define QUESTION "Hello, I'm a client."

static const double A_WHILE = 0.1;

/* Notes the answers that come in a short while. Returns how many clients have one that had none:
 * two to one question are not its business. */
static size_t take_answers(struct peer *const *clients, size_t count, bool *dropped) {
  size_t news = 0;
  struct datagram answer;
  pass(A_WHILE);
  for (size_t i = 0; i < count; i++)
    while (udp_receive(clients[i], 0, &answer)) {
      news += dropped[i];
      dropped[i] = false;
    }
  return news;
}

static size_t count_pretended(struct program *server) {
  struct lines all = lines(server, STDOUT);
  struct address any;
  size_t count = 0;
  for (size_t i = 0; i < all.count; i++)
    count += line_matches(all.list[i].text, "Pretending to drop packet from %A", &any);
  return count;
}

enum fate await_fate(struct program *server, struct peer *client, const char *text,
                     struct datagram *answer) {
  enum { TRIES = 1000 };
  static const double STEP = 0.01;
  size_t pretended = count_pretended(server);
  udp_send_text(client, address("127.0.0.1", PORT), text);
  for (int i = 0; i < TRIES && !await_exit(server, 0); i++) {
    if (udp_receive(client, STEP, answer))
      return FATE_ANSWERED;
    if (count_pretended(server) > pretended)
      return FATE_DROPPED;
  }
  return FATE_UNKNOWN;
}

/* One after the other, until one is not dropped. Returns how many were asked; how long the server
 * took to answer goes to *took. */
static size_t ask_singly(struct program *server, struct peer *const *clients, size_t count,
                         bool *dropped, double *took) {
  enum fate fate = FATE_DROPPED;
  size_t asked = 0;
  for (; asked < count && fate == FATE_DROPPED; asked++) {
    struct datagram answer;
    double sent = now();
    fate = await_fate(server, clients[asked], QUESTION, &answer);
    dropped[asked] = fate != FATE_ANSWERED;
    if (fate == FATE_ANSWERED)
      *took = now() - sent;
  }
  return asked;
}

/* All at once. Waits until the server has said of each what becomes of it, or for `within` seconds
 * in which there is no answer any more. */
static void ask_together(struct program *server, struct peer *const *clients, size_t count,
                         bool *dropped, double within) {
  size_t pretended = count_pretended(server), answered = 0;
  for (size_t i = 0; i < count; i++) {
    udp_send_text(clients[i], address("127.0.0.1", PORT), QUESTION);
    dropped[i] = true;
  }
  settle();
  double until = now() + within;
  do {
    size_t news = take_answers(clients, count, dropped);
    answered += news;
    if (news > 0)
      until = now() + within;
  } while (now() < until && answered + count_pretended(server) - pretended < count);
}

void observe_drops(bool *dropped, size_t count, size_t at_a_time, size_t of_a_client,
                   double pause) {
  enum { MOST_AT_A_TIME = 50 }; /* as many as the server's receive buffer holds with ease */
  struct peer *clients[MOST_AT_A_TIME];
  struct program *server = start("udp-flaky-server");
  await_udp_bound(server, PORT);
  double took = 0, within = A_WHILE;
  for (size_t done = 0; done < count; done += at_a_time) {
    for (size_t i = 0; i < at_a_time && done / at_a_time % of_a_client == 0; i++)
      clients[i] = udp_peer(say("client %d", (int)(done / of_a_client + i) + 1), "127.0.0.1", 0);
    size_t first = 0;
    if (done == 0) {
      first = ask_singly(server, clients, at_a_time, dropped, &took);
      within = took > A_WHILE ? took * (double)at_a_time : A_WHILE;
    }
    ask_together(server, &clients[first], at_a_time - first, &dropped[done + first], within);
    pass(pause);
  }
}

size_t sent_after_reply(double but_within) {
  struct frames all = frames_all();
  const struct frame *reply = NULL;
  size_t count = 0;
  for (size_t i = 0; i < all.count; i++) {
    const struct frame *frame = &all.list[i];
    if (!reply && frame->source.port == PORT)
      reply = frame;
    else if (reply && frame->destination.port == PORT)
      count += but_within == 0 || frame->time > reply->time + but_within;
  }
  return count;
}

size_t sending_moments(struct frames sent, double times[], size_t most) {
  size_t count = 0;
  for (size_t i = 0; i < sent.count && count < most; i++)
    if (count == 0 || sent.list[i].time - times[count - 1] > at_most(0))
      times[count++] = sent.list[i].time;
  return count;
}
