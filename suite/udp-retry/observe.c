#include "observe.h"

enum { PORT = 60000 };

/* Notes the answers that come in a short while; false if there is none any more. Two to one
 * question are not its business. */
static bool take_answers(struct peer *const *clients, size_t count, bool *dropped) {
  bool any = false;
  struct datagram answer;
  pass(0.1);
  for (size_t i = 0; i < count; i++)
    while (udp_receive(clients[i], 0, &answer)) {
      dropped[i] = false;
      any = true;
    }
  return any;
}

double observe_drops(bool *dropped, size_t count, size_t at_a_time, double pause) {
  enum { MOST_AT_A_TIME = 50 }; /* as many as the server's receive buffer holds with ease */
  enum { ROUNDS_MOST = 50 };
  struct peer *clients[MOST_AT_A_TIME];
  struct address server = address("127.0.0.1", PORT);
  await_udp_bound(start("udp-flaky-server"), PORT);
  double ready = now();
  for (size_t i = 0; i < at_a_time; i++)
    clients[i] = udp_peer(say("client %d", (int)i + 1), "127.0.0.1", 0);
  for (size_t done = 0; done < count; done += at_a_time) {
    for (size_t i = 0; i < at_a_time; i++)
      udp_send_text(clients[i], server, "Hello, I'm a client.");
    settle();
    for (size_t i = 0; i < at_a_time; i++)
      dropped[done + i] = true;
    for (int i = 0; i < ROUNDS_MOST && take_answers(clients, at_a_time, &dropped[done]); i++)
      ; /* a server may take its time for each of them */
    pass(pause);
  }
  return ready;
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
