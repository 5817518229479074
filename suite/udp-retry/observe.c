#include "observe.h"

enum { PORT = 60000 };

#define QUESTION "Hello, I'm a client."

/* Notes the answers that come in `within` seconds; false if there is none any more. Two to one
 * question are not its business. */
static bool take_answers(struct peer *const *clients, size_t count, double within, bool *dropped) {
  bool any = false;
  struct datagram answer;
  pass(within);
  for (size_t i = 0; i < count; i++)
    while (udp_receive(clients[i], 0, &answer)) {
      dropped[i] = false;
      any = true;
    }
  return any;
}

static size_t count_pretended(struct program *server) {
  struct lines all = lines(server, STDOUT);
  struct address any;
  size_t count = 0;
  for (size_t i = 0; i < all.count; i++)
    count += line_matches(all.list[i].text, "Pretending to drop packet from %A", &any);
  return count;
}

bool await_fate(struct program *server, struct peer *client, const char *text,
                struct datagram *answer) {
  enum { TRIES = 1000 };
  static const double STEP = 0.01;
  size_t pretended = count_pretended(server);
  udp_send_text(client, address("127.0.0.1", PORT), text);
  for (int i = 0; i < TRIES; i++) {
    if (udp_receive(client, STEP, answer))
      return true;
    if (count_pretended(server) > pretended || await_exit(server, 0))
      return false;
  }
  return false;
}

/* One after the other, until one has been answered: how long does the server take for one? Returns
 * how many were asked. */
static size_t ask_singly(struct program *server, struct peer *const *clients, size_t count,
                         bool *dropped, double *longest) {
  for (size_t i = 0; i < count; i++) {
    struct datagram answer;
    double sent = now();
    dropped[i] = !await_fate(server, clients[i], QUESTION, &answer);
    double took = now() - sent;
    if (took > *longest)
      *longest = took;
    if (!dropped[i])
      return i + 1;
  }
  return count;
}

void observe_drops(bool *dropped, size_t count, size_t at_a_time, double pause) {
  enum { MOST_AT_A_TIME = 50 }; /* as many as the server's receive buffer holds with ease */
  enum { ROUNDS_MOST = 50 };
  static const double QUICK = 0.1;
  struct peer *clients[MOST_AT_A_TIME];
  struct address to = address("127.0.0.1", PORT);
  struct program *server = start("udp-flaky-server");
  await_udp_bound(server, PORT);
  double longest = 0;
  for (size_t i = 0; i < at_a_time; i++)
    clients[i] = udp_peer(say("client %d", (int)i + 1), "127.0.0.1", 0);
  size_t first = ask_singly(server, clients, at_a_time, dropped, &longest);
  double within = longest > QUICK ? longest * (double)at_a_time : QUICK;
  for (size_t done = 0; done < count; done += at_a_time) {
    for (size_t i = first; i < at_a_time; i++)
      udp_send_text(clients[i], to, QUESTION);
    settle();
    for (size_t i = first; i < at_a_time; i++)
      dropped[done + i] = true;
    for (int i = 0; i < ROUNDS_MOST && take_answers(&clients[first], at_a_time - first, within,
                                                    &dropped[done + first]);
         i++)
      ; /* a server may take its time for each of them */
    pass(pause);
    first = 0;
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
