#include "grader/result/diagram.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/result.h"
#include "grader/result/timeline.h"

#include <stdlib.h>
#include <string.h>

enum {
  ROW = 24,       /* of words */
  FRAME_ROW = 34, /* of an arrow, with its words above it */
  PAUSES = 60,    /* what pauses take on the average, at most */
  PAUSE = 160,    /* what one takes at most */
  FOOT = 22,
};
static const double SECONDS_MAX = 1e9;
static const double COMPRESSED_S = 0.5; /* shorter pauses are never compressed */
static const double SHORT_S = 0.001;    /* what is shorter is no pause */
static const double SILENCE_S = 0.1;    /* at the end: worth telling */

/* ---- life lines ---- */

static int lane_add(struct diagram *diagram, const char *name, long long run) {
  bool full = diagram->lane_count == DIAGRAM_LANES_MAX - 1;
  if (diagram->lane_count == DIAGRAM_LANES_MAX)
    return DIAGRAM_LANES_MAX - 1;
  diagram->lanes[diagram->lane_count] = (struct diagram_lane){
      .name = full ? _("others") : name, .first_run = run, .run = run, .is_crowd = full};
  return (int)diagram->lane_count++;
}

/* Whether the line is that of the program now, or was before that was started again. */
static bool lane_is(const struct diagram_lane *lane, const char *name, long long run, bool now) {
  return !lane->is_crowd && strcmp(lane->name, name) == 0 &&
         (now ? run == lane->run : run >= lane->first_run && run <= lane->run);
}

static int lane_find(const struct diagram *diagram, const char *name, long long run) {
  for (int now = 1; now >= 0; now--)
    for (size_t i = 0; i < diagram->lane_count; i++)
      if (lane_is(&diagram->lanes[i], name, run, now != 0))
        return (int)i;
  return DIAGRAM_NOBODY;
}

/* The one who has this name; `starts`: begins to be there now. */
static int lane_of(struct diagram *diagram, const char *name, long long run, bool starts) {
  if (!*name)
    return DIAGRAM_NOBODY;
  int found = lane_find(diagram, name, run);
  for (size_t i = 0; starts && found < 0 && i < diagram->lane_count; i++) {
    struct diagram_lane *lane = &diagram->lanes[i];
    if (lane->is_program && lane->has_ended && strcmp(lane->name, name) == 0) {
      lane->run = run;
      found = (int)i;
    }
  }
  return found >= 0 ? found : lane_add(diagram, name, run);
}

static void lane_address(struct diagram *diagram, int number, const char *address) {
  if (number < 0 || !*address)
    return;
  struct diagram_lane *lane = &diagram->lanes[number];
  if (!lane->address)
    lane->address = address;
  else if (strcmp(lane->address, address) != 0)
    lane->varies = true;
}

static int frame_end_lane(struct diagram *diagram, const json_t *event, const char *name_key,
                          const char *run_key, const char *address_key) {
  const char *name = result_text(event, name_key), *address = result_text(event, address_key);
  int lane = lane_of(diagram, *name ? name : address, result_number(event, run_key), false);
  lane_address(diagram, lane, *name ? address : "");
  return lane;
}

static void row_find_lanes(struct diagram *diagram, struct diagram_row *row) {
  const json_t *event = row->event;
  if (row->kind == DIAGRAM_FRAME) {
    row->lane = frame_end_lane(diagram, event, "sender", "sender_run", "from");
    row->other = json_is_true(json_object_get(event, "broadcast"))
                     ? DIAGRAM_EVERYBODY
                     : frame_end_lane(diagram, event, "receiver", "receiver_run", "to");
    return;
  }
  row->lane = lane_of(diagram, result_text(event, "program"), result_number(event, "run"),
                      row->kind == DIAGRAM_START);
  if (row->lane < 0)
    return;
  struct diagram_lane *lane = &diagram->lanes[row->lane];
  lane->is_program = !lane->is_crowd;
  if (row->kind == DIAGRAM_START || row->kind == DIAGRAM_EXIT)
    lane->has_ended = row->kind == DIAGRAM_EXIT;
}

/* ---- rows ---- */

static enum diagram_kind kind_of(const json_t *event) {
  static const struct {
    const char *name;
    enum diagram_kind kind;
  } kinds[] = {{"start", DIAGRAM_START}, {"line", DIAGRAM_LINE},  {"frame", DIAGRAM_FRAME},
               {"exit", DIAGRAM_EXIT},   {"wait", DIAGRAM_WORDS}, {"call", DIAGRAM_WORDS}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (timeline_kind_is(event, kinds[i].name))
      return kinds[i].kind;
  return DIAGRAM_NOTE;
}

static double seconds_of(const json_t *object, const char *key) {
  double seconds = json_number_value(json_object_get(object, key));
  return seconds > SECONDS_MAX ? SECONDS_MAX : seconds > 0 ? seconds : 0;
}

static struct diagram_row *row_add(struct diagram *diagram, enum diagram_kind kind, double t) {
  double before = diagram->row_count ? diagram->rows[diagram->row_count - 1].t : t;
  struct diagram_row *row = &diagram->rows[diagram->row_count++];
  *row = (struct diagram_row){.kind = kind,
                              .lane = DIAGRAM_NOBODY,
                              .other = DIAGRAM_NOBODY,
                              .t = t > before ? t : before,
                              .pause = t > before ? t - before : 0,
                              .height = kind == DIAGRAM_FRAME ? FRAME_ROW : ROW};
  return row;
}

static void rows_add(struct diagram *diagram, const struct timeline_choice *choice) {
  const json_t *frame = NULL;
  for (size_t i = 0; i < choice->count; i++) {
    const json_t *event = choice->moments[i];
    double t = seconds_of(event, "t");
    if (i == choice->head && choice->left_out > 0)
      row_add(diagram, DIAGRAM_LEFT_OUT, t)->count = choice->left_out;
    struct diagram_row *row = row_add(diagram, kind_of(event), t);
    row->event = event;
    row_find_lanes(diagram, row);
    if (row->kind == DIAGRAM_FRAME) {
      row->repeated = timeline_frame_is_repeated(event, frame);
      frame = event;
    }
  }
}

/* ---- time ---- */

static int doubles_compare(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

/* The longest pause that is drawn to scale: one that is several times as long as all shorter ones
 * together would leave no room for them. */
static double longest_to_scale(double *pauses, size_t count, double *sum) {
  qsort(pauses, count, sizeof *pauses, doubles_compare);
  double total = 0;
  for (size_t i = 0; i < count; i++)
    total += pauses[i];
  while (count > 0) {
    double longest = pauses[count - 1], rest = total - longest;
    if (longest < COMPRESSED_S || longest <= 4 * rest)
      break;
    total = rest;
    count--;
  }
  *sum = total > 0 ? total : 0;
  return count > 0 ? pauses[count - 1] : 0;
}

static void pauses_scale(struct diagram *diagram) {
  scoped_text double *pauses = memory_zeroed(diagram->row_count + 1, sizeof *pauses);
  double sum;
  size_t count = 0;
  for (size_t i = 0; i < diagram->row_count; i++)
    pauses[i] = diagram->rows[i].pause;
  double longest = longest_to_scale(pauses, diagram->row_count, &sum);
  for (size_t i = 0; i < diagram->row_count; i++) {
    diagram->rows[i].compressed = diagram->rows[i].pause > longest;
    count += diagram->rows[i].pause >= SHORT_S && !diagram->rows[i].compressed;
  }
  if (count == 0)
    return;
  double by_sum = PAUSES * (double)count / sum, by_one = PAUSE / longest;
  diagram->scale = by_sum < by_one ? by_sum : by_one;
}

/* ---- places ---- */

static void lanes_place(struct diagram *diagram) {
  size_t count = diagram->lane_count;
  double needed = 2.0 * DIAGRAM_EDGE + (count > 1 ? (double)(count - 1) * DIAGRAM_LANE_GAP : 0);
  diagram->width = needed > DIAGRAM_WIDTH ? needed : DIAGRAM_WIDTH;
  double room = diagram->width - 2.0 * DIAGRAM_EDGE;
  for (size_t i = 0; i < count; i++)
    diagram->lanes[i].x = DIAGRAM_EDGE + (count > 1 ? room * (double)i / (double)(count - 1) : 0);
}

static void rows_place(struct diagram *diagram) {
  double y = DIAGRAM_HEAD;
  for (size_t i = 0; i < diagram->row_count; i++) {
    struct diagram_row *row = &diagram->rows[i];
    y += row->compressed ? DIAGRAM_BREAK : row->pause * diagram->scale;
    y += row->height;
    row->y = y;
  }
  diagram->height = y + FOOT;
}

/* A line is that of a program that is there from its first start to its last end. */
static void lanes_extend(struct diagram *diagram) {
  for (size_t i = 0; i < diagram->lane_count; i++) {
    struct diagram_lane *lane = &diagram->lanes[i];
    lane->begin = DIAGRAM_HEAD;
    lane->end = diagram->height;
  }
  for (size_t i = diagram->row_count; i-- > 0;) {
    const struct diagram_row *row = &diagram->rows[i];
    if (row->lane < 0)
      continue;
    struct diagram_lane *lane = &diagram->lanes[row->lane];
    if (row->kind == DIAGRAM_START)
      lane->begin = row->y;
    if (row->kind == DIAGRAM_EXIT && lane->has_ended && lane->end >= diagram->height)
      lane->end = row->y;
  }
}

struct diagram diagram_make(const json_t *check, size_t most) {
  struct timeline_choice choice;
  timeline_choose(json_object_get(check, "events"), most, &choice);
  struct diagram diagram = {.rows = memory_zeroed(choice.count + 2, sizeof *diagram.rows)};
  rows_add(&diagram, &choice);
  double end = seconds_of(check, "end_t");
  if (diagram.row_count > 0 && end - diagram.rows[diagram.row_count - 1].t >= SILENCE_S)
    row_add(&diagram, DIAGRAM_SILENCE, end);
  free(choice.moments);
  pauses_scale(&diagram);
  lanes_place(&diagram);
  rows_place(&diagram);
  lanes_extend(&diagram);
  return diagram;
}

void diagram_free(struct diagram *diagram) {
  free(diagram->rows);
  diagram->rows = NULL;
}
