/* The event log: its order, and that it has an end. */
#include "grader/world/log.h"

#include <criterion/criterion.h>
#include <netinet/tcp.h>
#include <string.h>

static struct log events;

static void end(void) {
  log_clear(&events);
}

TestSuite(event_log, .fini = end);

enum { ACKNOWLEDGES = TH_ACK, PUSHES = TH_PUSH | TH_ACK };

/* A segment with so many bytes. Returns log_append()'s. */
static size_t add_segment(uint8_t flags, size_t length) {
  static const uint8_t packet[64];
  return log_append(&events, &(struct event){.kind = EVENT_FRAME,
                                             .protocol = IPPROTO_TCP,
                                             .tcp_flags = flags,
                                             .raw = packet,
                                             .raw_length = 40 + length,
                                             .bytes = packet + 40,
                                             .length = length});
}

static size_t add_at(int64_t time_ns, const char *text) {
  return log_append(&events, &(struct event){.kind = EVENT_NOTE,
                                             .time_ns = time_ns,
                                             .bytes = (const uint8_t *)text,
                                             .length = strlen(text)});
}

Test(event_log, is_in_the_order_of_times_and_then_of_arrival) {
  cr_expect_eq(add_at(5, "c"), 0);
  cr_expect_eq(add_at(3, "a"), 0, "what was seen late is not where it belongs");
  cr_expect_eq(add_at(3, "b"), 1, "two of one time changed places");
  cr_expect_eq(add_at(7, "d"), 3);
  char order[5] = "";
  for (size_t i = 0; i < events.count; i++)
    order[i] = (char)events.events[i]->bytes[0];
  cr_expect_str_eq(order, "abcd");
}

Test(event_log, counts_the_frames_that_it_does_not_keep) {
  for (int i = 0; i < LOG_FRAMES_MAX; i++)
    cr_assert_neq(add_segment(PUSHES, 1), SIZE_MAX);
  cr_expect_eq(add_segment(PUSHES, 1), SIZE_MAX);
  cr_expect_eq(events.frames_left_out, 1);
  cr_expect_eq(events.count, LOG_FRAMES_MAX);
}

Test(event_log, is_not_filled_by_segments_that_the_kernel_sends_by_itself) {
  for (int i = 0; i < 2 * LOG_FRAMES_MAX; i++)
    add_segment(ACKNOWLEDGES, 0);
  cr_expect_eq(events.frames_left_out, 0);
  cr_expect_eq(events.count, LOG_FRAMES_MAX / 2);
  cr_expect_neq(add_segment(PUSHES, 1), SIZE_MAX, "data is not kept any more");
  cr_expect_neq(add_segment(ACKNOWLEDGES, 1), SIZE_MAX, "data is taken for an acknowledgement");
}
