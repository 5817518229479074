/* Where the moments of a check stand in its diagram. */
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/diagram.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static json_t *moment(double t, const char *kind, const char *program, int run) {
  return json_pack("{s:f, s:s, s:s, s:i, s:s}", "t", t, "kind", kind, "program", program, "run",
                   run, "text", "words");
}

static json_t *frame(double t, const char *sender, const char *receiver) {
  return json_pack("{s:f, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "t", t, "kind", "frame",
                   "protocol", "UDP", "from", "127.0.0.1:4000", "to", "127.0.0.1:60000", "sender",
                   sender, "receiver", receiver, "text", "x", "length", 1);
}

static json_t *check_of(json_t *events, double end) {
  return json_pack("{s:o, s:f}", "events", events, "end_t", end);
}

static double distance(const struct diagram *diagram, size_t row) {
  return diagram->rows[row].y - diagram->rows[row - 1].y;
}

Test(diagram, time_is_to_scale) {
  const double times[] = {0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3};
  json_t *events = json_array();
  for (size_t i = 0; i < 7; i++)
    json_array_append_new(events, frame(times[i], "client", "server"));
  json_t *check = check_of(events, 6.3);
  struct diagram diagram = diagram_make(check, 60);
  cr_assert_eq(diagram.row_count, 7);
  for (size_t i = 2; i < 7; i++) {
    double more = distance(&diagram, i) - distance(&diagram, i - 1);
    double seconds = (times[i] - times[i - 1]) - (times[i - 1] - times[i - 2]);
    cr_expect_float_eq(more, seconds * diagram.scale, 0.01);
    cr_expect_not(diagram.rows[i].compressed);
  }
  cr_expect(distance(&diagram, 6) > 2 * distance(&diagram, 2));
  diagram_free(&diagram);
  json_decref(check);
}

Test(diagram, a_long_silence_is_compressed_and_leaves_room_for_the_rest) {
  json_t *check = check_of(json_pack("[o, o, o, o]", frame(0, "a", "b"), frame(0.1, "a", "b"),
                                     frame(7200, "a", "b"), frame(7200.2, "a", "b")),
                           7200.2);
  struct diagram diagram = diagram_make(check, 60);
  cr_expect(diagram.rows[2].compressed);
  cr_expect_not(diagram.rows[1].compressed);
  cr_expect_not(diagram.rows[3].compressed);
  cr_expect_float_eq(distance(&diagram, 3) - distance(&diagram, 1), 0.1 * diagram.scale, 0.01);
  cr_expect(diagram.rows[3].pause * diagram.scale > 20, "it can be seen");
  cr_expect(diagram.height < 600, "%f", diagram.height);
  diagram_free(&diagram);
  json_decref(check);
}

Test(diagram, the_silence_before_the_end_is_told) {
  json_t *check = check_of(json_pack("[o]", moment(0, "start", "server", 1)), 5);
  struct diagram diagram = diagram_make(check, 60);
  cr_assert_eq(diagram.row_count, 2);
  cr_expect_eq(diagram.rows[1].kind, DIAGRAM_SILENCE);
  cr_expect_float_eq(diagram.rows[1].pause, 5, 1e-9);
  diagram_free(&diagram);
  json_decref(check);
}

Test(diagram, programs_of_one_name_side_by_side_or_one_after_the_other) {
  json_t *twins = check_of(json_pack("[o, o, o]", moment(0, "start", "upper", 1),
                                     moment(1, "start", "upper", 2), moment(2, "line", "upper", 1)),
                           2);
  struct diagram diagram = diagram_make(twins, 60);
  cr_expect_eq(diagram.lane_count, 2);
  cr_expect_eq(diagram.rows[1].lane, 1);
  cr_expect_eq(diagram.rows[2].lane, 0);
  diagram_free(&diagram);
  json_decref(twins);

  json_t *late = frame(3, "upper", "client");
  json_object_set_new(late, "sender_run", json_integer(1));
  json_t *again =
      check_of(json_pack("[o, o, o, o]", moment(0, "start", "upper", 1),
                         moment(1, "exit", "upper", 1), moment(2, "start", "upper", 2), late),
               3);
  diagram = diagram_make(again, 60);
  cr_expect_eq(diagram.lane_count, 2, "one for both runs, one for the client");
  cr_expect_eq(diagram.rows[3].lane, 0, "who was there before has the same line");
  diagram_free(&diagram);
  json_decref(again);
}

Test(diagram, a_crowd_shares_the_last_line) {
  json_t *events = json_array();
  for (int i = 0; i < 200; i++) {
    scoped_text char *name = memory_format("client %d", i);
    json_array_append_new(events, frame(i, name, "server"));
  }
  json_t *check = check_of(events, 200);
  struct diagram diagram = diagram_make(check, 1000);
  cr_expect_eq(diagram.lane_count, DIAGRAM_LANES_MAX);
  cr_expect(diagram.lanes[DIAGRAM_LANES_MAX - 1].is_crowd);
  cr_expect_eq(diagram.rows[199].lane, DIAGRAM_LANES_MAX - 1);
  cr_expect_eq(diagram.rows[199].other, 1);
  diagram_free(&diagram);
  json_decref(check);
}

Test(diagram, a_huge_log_is_cut_and_says_so) {
  json_t *events = json_array();
  for (int i = 0; i < 5000; i++)
    json_array_append_new(events, frame(i, "a", "b"));
  json_t *check = check_of(events, 4999);
  struct diagram diagram = diagram_make(check, 20);
  size_t left_out = 0;
  for (size_t i = 0; i < diagram.row_count; i++)
    left_out += diagram.rows[i].kind == DIAGRAM_LEFT_OUT ? diagram.rows[i].count : 0;
  cr_expect_eq(diagram.row_count, 20);
  cr_expect_eq(left_out, 5000 - 19);
  diagram_free(&diagram);
  json_decref(check);
}

Test(diagram, whatever_the_times_are_it_stays_finite_and_in_order) {
  const double times[] = {-5, 1e300, 0, 1e-300, 3, -1e300, 1e9, 2};
  json_t *events = json_array();
  for (size_t i = 0; i < 8; i++)
    json_array_append_new(events, frame(times[i], i % 2 ? "" : "a", i % 3 ? "" : "b"));
  json_t *check = check_of(events, 1e300);
  struct diagram diagram = diagram_make(check, 60);
  for (size_t i = 1; i < diagram.row_count; i++)
    cr_expect(distance(&diagram, i) > 0 && isfinite(diagram.rows[i].y));
  cr_expect(diagram.height < 2000, "%f", diagram.height);
  diagram_free(&diagram);
  json_decref(check);
}
