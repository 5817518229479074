/* The sequence diagram as SVG. Each moment is a group with a title, which is what a screen reader
 * reads and what a pointer is told. */
#include "grader/result/report_html_parts.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/report_parts.h"
#include "grader/result/result.h"
#include "grader/result/timeline.h"

#include <string.h>

static const double COLUMN = 7.25;  /* of a character of 12 pixels */
static const double MIDDLE = 10;    /* of a row of words, above its line */
static const double TALL = 900;     /* pixels: names stand below it, too */
static const double PAUSE_S = 1e-3; /* shorter pauses are not written out */

struct drawing {
  FILE *file;
  const struct diagram *diagram;
  double reached[DIAGRAM_LANES_MAX]; /* the moment before on each life line; 0: none */
  double middle;                     /* of the row before; 0: there is none */
  double told_t;                     /* the time that was written last */
};

static unsigned columns_within(double pixels) {
  return pixels > 2 * COLUMN ? (unsigned)(pixels / COLUMN) : 2;
}

static double row_middle(const struct diagram_row *row) {
  return row->kind == DIAGRAM_FRAME ? row->y : row->y - MIDDLE;
}

/* A text of one line, `columns` at most. */
static void put_words(FILE *file, const char *class, double x, double y, const char *anchor,
                      const char *text, unsigned columns) {
  fprintf(file, "<text class=\"%s\" x=\"%.0f\" y=\"%.0f\"%s>", class, x, y, anchor);
  html_fitted(file, text, columns);
  fputs("</text>", file);
}

#define ANCHOR_BEGIN ""
#define ANCHOR_MIDDLE " text-anchor=\"middle\""
#define ANCHOR_END " text-anchor=\"end\""

/* ---- what stands still: names, life lines, the line of time ---- */

static void lane_head(FILE *file, const struct diagram_lane *lane, double y) {
  enum { HALF = 76, NAME_COLUMNS = 20 };
  const char *address = lane->address ? lane->address : "", *colon = strrchr(address, ':');
  scoped_text char *shown = colon && lane->varies
                                ? memory_format("%.*s", (int)(colon - address), address)
                                : memory_text(address);
  fputs("<g role=\"img\"><title>", file);
  html_text(file, lane->name);
  fprintf(file,
          "%s</title><rect class=\"name%s\" x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"38\" "
          "rx=\"5\"/>",
          lane->is_program ? _(", a program") : "", lane->is_program ? " program" : "",
          lane->x - HALF, y + 2, 2 * HALF);
  put_words(file, "who", lane->x, y + (*shown ? 18 : 25), ANCHOR_MIDDLE, lane->name, NAME_COLUMNS);
  if (*shown)
    put_words(file, "faint", lane->x, y + 33, ANCHOR_MIDDLE, shown, NAME_COLUMNS);
  fputs("</g>\n", file);
}

static void lanes_draw(FILE *file, const struct diagram *diagram) {
  for (size_t i = 0; i < diagram->lane_count; i++) {
    const struct diagram_lane *lane = &diagram->lanes[i];
    fprintf(file, "<path class=\"lane\" d=\"M%.0f 40V%.0f\"/>", lane->x, diagram->height);
    if (lane->is_program)
      fprintf(file, "<path class=\"life\" d=\"M%.0f %.0fV%.0f\"/>", lane->x, lane->begin - MIDDLE,
              lane->end - MIDDLE);
  }
  fprintf(file, "<path class=\"axis\" d=\"M%d %dV%.0f\"/>\n", DIAGRAM_AXIS, DIAGRAM_HEAD,
          diagram->height);
  for (size_t i = 0; i < diagram->lane_count; i++) {
    lane_head(file, &diagram->lanes[i], 0);
    if (diagram->height > TALL)
      lane_head(file, &diagram->lanes[i], diagram->height);
  }
}

/* A pause that is not to scale: what crosses it is torn. */
static void break_draw(const struct drawing *drawing, const struct diagram_row *row) {
  FILE *file = drawing->file;
  double width = drawing->diagram->width, middle = row->y - row->height - DIAGRAM_BREAK / 2.0;
  int teeth = (int)((width - DIAGRAM_AXIS) / 16) + 1;
  fprintf(file, "<path class=\"torn\" d=\"M%d %.0f", DIAGRAM_AXIS - 8, middle - 7);
  for (int i = 0; i < teeth; i++)
    fputs("l8 -5l8 5", file);
  fputs("v14", file);
  for (int i = 0; i < teeth; i++)
    fputs("l-8 -5l-8 5", file);
  fprintf(file, "z\"/><text class=\"pause\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">",
          (width + DIAGRAM_AXIS) / 2, middle + 3);
  scoped_text char *pause = memory_format(row->pause < 10 ? "%.3g" : "%.1f", row->pause);
  language_print(file, "%s s pass (not to scale)", pause);
  fputs("</text>\n", file);
}

static void time_draw(struct drawing *drawing, const struct diagram_row *row) {
  FILE *file = drawing->file;
  double middle = row_middle(row);
  if (!row->compressed && row->pause >= PAUSE_S && drawing->middle > 0) {
    fprintf(file, "<text class=\"pause\" x=\"%d\" y=\"%.0f\" text-anchor=\"end\">+",
            DIAGRAM_AXIS - 8, (drawing->middle + middle) / 2 + 4);
    fprintf(file, row->pause < 10 ? "%.2g s</text>" : "%.0f s</text>", row->pause);
  }
  if (row->t - drawing->told_t >= 0.0005 || drawing->middle <= 0) {
    fprintf(file, "<path class=\"axis\" d=\"M%d %.0fh6\"/>", DIAGRAM_AXIS - 3, middle);
    fprintf(file, "<text class=\"time\" x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%.3f</text>",
            DIAGRAM_AXIS - 8, middle + 4, row->t);
    drawing->told_t = row->t;
  }
  drawing->middle = middle;
}

/* ---- frames ---- */

static char *frame_label(const struct diagram_row *row) {
  const json_t *event = row->event;
  const char *protocol = result_text(event, "protocol"), *text = result_text(event, "text");
  const char *flags = result_text(event, "flags");
  long long length = result_number(event, "length");
  if (strcmp(protocol, "ICMP") == 0)
    return memory_format("%s: %s", protocol, text);
  if (length == 0 && strcmp(protocol, "UDP") != 0)
    return memory_format("%s %s", protocol, *flags ? flags : text);
  if (row->repeated)
    return language_sentence("the same %lld byte%s", length, report_plural(length));
  if (!strstr(flags, "FIN") && !strstr(flags, "RST"))
    flags = "";
  return language_sentence("%s%s%s, %lld byte%s%s%s", protocol, *flags ? " " : "", flags, length,
                           report_plural(length), *text ? ": " : "", text);
}

static const char *frame_class(const json_t *event) {
  if (strcmp(result_text(event, "protocol"), "ICMP") == 0 ||
      strstr(result_text(event, "flags"), "RST"))
    return "frame refused";
  return json_is_true(json_object_get(event, "broadcast")) ? "frame broadcast" : "frame";
}

/* From `from` to `to`, at the height y, with its head. */
static void arrow_draw(FILE *file, const char *class, double from, double to, double y) {
  double back = to > from ? -9 : 9;
  fprintf(file,
          "<path class=\"%s\" d=\"M%.0f %.0fH%.0f\"/><path class=\"head %s\" d=\"M%.0f %.0fl%.0f "
          "-4v8z\"/>",
          class, from, y, to + back / 2, class, to, y, back);
}

/* The port at one end, outside of the arrow, where the life line has had several. */
static void port_draw(FILE *file, const struct diagram_lane *lane, const char *address, bool left,
                      double y) {
  const char *colon = strrchr(address, ':');
  if (lane && (lane->varies || lane->is_crowd) && colon)
    put_words(file, "port", left ? lane->x - 5 : lane->x + 5, y + 4,
              left ? ANCHOR_END : ANCHOR_BEGIN, colon, 6);
}

static void broadcast_draw(const struct drawing *drawing, const struct diagram_row *row,
                           const char *label) {
  const struct diagram *diagram = drawing->diagram;
  double from = diagram->lanes[row->lane].x, least = from, most = from;
  for (size_t i = 0; i < diagram->lane_count; i++)
    if ((int)i != row->lane) {
      double x = diagram->lanes[i].x;
      arrow_draw(drawing->file, frame_class(row->event), from, x, row->y);
      least = x < least ? x : least;
      most = x > most ? x : most;
    }
  double room = most - least > 200 ? most - least : 400;
  put_words(drawing->file, "words", most > least ? (least + most) / 2 : from + 8, row->y - 7,
            most > least ? ANCHOR_MIDDLE : ANCHOR_BEGIN, label, columns_within(room - 20));
}

static void frame_draw(const struct drawing *drawing, const struct diagram_row *row) {
  const struct diagram *diagram = drawing->diagram;
  FILE *file = drawing->file;
  scoped_text char *label = frame_label(row);
  if (row->other == DIAGRAM_EVERYBODY && row->lane >= 0) {
    broadcast_draw(drawing, row, label);
    return;
  }
  const struct diagram_lane *sender = row->lane >= 0 ? &diagram->lanes[row->lane] : NULL;
  const struct diagram_lane *receiver = row->other >= 0 ? &diagram->lanes[row->other] : NULL;
  if (sender == receiver) { /* to itself, or from nowhere to nowhere */
    double x = sender ? sender->x : DIAGRAM_EDGE;
    bool left = diagram->lane_count > 1 && x > diagram->width / 2;
    double out = left ? -34 : 34;
    fprintf(file, "<path class=\"%s loop\" d=\"M%.0f %.0fh%.0fv12H%.0f\"/>",
            frame_class(row->event), x, row->y - 12, out, x);
    arrow_draw(file, frame_class(row->event), x + out, x, row->y);
    put_words(file, "words", x + (left ? -42 : 42), row->y - 2, left ? ANCHOR_END : ANCHOR_BEGIN,
              label, columns_within(diagram->width / 2));
    return;
  }
  double from = sender ? sender->x : receiver->x - 110, to = receiver ? receiver->x : from + 110;
  bool right = to > from;
  double room = right ? to - from : from - to;
  arrow_draw(file, frame_class(row->event), from, to, row->y);
  port_draw(file, sender, result_text(row->event, "from"), right, row->y);
  port_draw(file, receiver, result_text(row->event, "to"), !right, row->y);
  put_words(file, "words", (from + to) / 2, row->y - 7, ANCHOR_MIDDLE, label,
            columns_within(room - 16));
}

/* ---- moments of one program ---- */

/* Words beside a life line, on the side that has more room; in a box if its class is given. */
static void beside_draw(const struct drawing *drawing, const struct diagram_row *row,
                        const char *box, const char *class, const char *text) {
  const struct diagram *diagram = drawing->diagram;
  FILE *file = drawing->file;
  double x = row->lane >= 0 ? diagram->lanes[row->lane].x : DIAGRAM_AXIS + 8;
  bool left = diagram->lane_count > 1 && x > diagram->width / 2;
  double room = (left ? x - DIAGRAM_AXIS : diagram->width - x) - 24;
  if (box) {
    unsigned columns = html_columns(text, columns_within(room));
    double width = columns * COLUMN + 12;
    fprintf(file,
            "<rect class=\"%s\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"19\" rx=\"3\"/>", box,
            left ? x - 8 - width : x + 8, row->y - MIDDLE - 10, width);
  }
  put_words(file, class, left ? x - 14 : x + 14, row->y - MIDDLE + 4,
            left ? ANCHOR_END : ANCHOR_BEGIN, text, columns_within(room));
}

static void line_draw(const struct drawing *drawing, const struct diagram_row *row) {
  const char *text = result_text(row->event, "text");
  bool complains = strcmp(result_text(row->event, "stream"), "stderr") == 0;
  beside_draw(drawing, row, complains ? "said error" : "said", "words",
              *text ? text : _("(an empty line)"));
}

static void end_draw(const struct drawing *drawing, const struct diagram_row *row, bool start) {
  const char *text = result_text(row->event, "text");
  scoped_text char *words = language_sentence("%s: %s", start ? "starts" : "ends", text);
  double y = row->y - MIDDLE;
  if (row->lane >= 0) {
    double x = drawing->diagram->lanes[row->lane].x;
    if (start)
      fprintf(drawing->file, "<circle class=\"born\" cx=\"%.0f\" cy=\"%.0f\" r=\"5\"/>", x, y);
    else
      fprintf(drawing->file, "<path class=\"%s\" d=\"M%.0f %.0fl10 10m0 -10l-10 10\"/>",
              strstr(text, _("killed")) ? "dead killed" : "dead", x - 5, y - 5);
  }
  beside_draw(drawing, row, NULL, "faint", words);
}

static void wait_draw(const struct drawing *drawing, const struct diagram_row *row) {
  if (row->lane >= 0 && timeline_kind_is(row->event, "wait")) {
    double from = drawing->reached[row->lane], to = row->y - MIDDLE;
    if (from > 0)
      fprintf(drawing->file,
              "<rect class=\"wait\" x=\"%.0f\" y=\"%.0f\" width=\"6\" height=\"%.0f\"/>",
              drawing->diagram->lanes[row->lane].x - 3, from, to - from);
  }
  beside_draw(drawing, row, NULL, "faint", result_text(row->event, "text"));
}

static void across_draw(const struct drawing *drawing, const struct diagram_row *row,
                        const char *text) {
  double room = drawing->diagram->width - DIAGRAM_AXIS - 10;
  fprintf(drawing->file,
          "<rect class=\"note\" x=\"%d\" y=\"%.0f\" width=\"%.0f\" height=\"19\" rx=\"3\"/>",
          DIAGRAM_AXIS + 8, row->y - MIDDLE - 10, room - 4);
  put_words(drawing->file, "faint", DIAGRAM_AXIS + 6 + room / 2, row->y - MIDDLE + 4, ANCHOR_MIDDLE,
            text, columns_within(room - 16));
}

/* ---- all of it ---- */

static void title_put(FILE *file, const struct diagram_row *row) {
  scoped_text char *words = row->kind == DIAGRAM_LEFT_OUT
                                ? language_sentence("%zu more moments", row->count)
                            : row->kind == DIAGRAM_SILENCE
                                ? memory_text(_("nothing more happened, and the check ended here"))
                                : timeline_words_with(row->event, _("to"));
  fprintf(file, "<title>%.3f s: ", row->t);
  html_text(file, words);
  fputs("</title>", file);
}

static void row_draw(struct drawing *drawing, const struct diagram_row *row) {
  FILE *file = drawing->file;
  if (row->compressed)
    break_draw(drawing, row);
  fputs("<g role=\"img\">", file);
  title_put(file, row);
  time_draw(drawing, row);
  switch (row->kind) {
  case DIAGRAM_FRAME:
    frame_draw(drawing, row);
    break;
  case DIAGRAM_LINE:
    line_draw(drawing, row);
    break;
  case DIAGRAM_START:
  case DIAGRAM_EXIT:
    end_draw(drawing, row, row->kind == DIAGRAM_START);
    break;
  case DIAGRAM_WORDS:
    wait_draw(drawing, row);
    break;
  case DIAGRAM_NOTE:
    across_draw(drawing, row, result_text(row->event, "text"));
    break;
  case DIAGRAM_LEFT_OUT: {
    scoped_text char *words = language_sentence("⋮ %zu more moments", row->count);
    across_draw(drawing, row, words);
    break;
  }
  case DIAGRAM_SILENCE:
    across_draw(drawing, row, _("nothing more happened; the check ended here"));
    break;
  }
  fputs("</g>\n", file);
  if (row->lane >= 0)
    drawing->reached[row->lane] = row_middle(row);
}

void html_diagram(FILE *file, const struct diagram *diagram) {
  if (diagram->row_count == 0)
    return;
  double height = diagram->height + (diagram->height > TALL ? DIAGRAM_HEAD : 0);
  language_print(
      file,
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"What happened, as a "
      "diagram\">\n<svg class=\"sequence\" role=\"group\" aria-label=\"Moments in their "
      "order\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n",
      diagram->width, height, diagram->width, height);
  struct drawing drawing = {.file = file, .diagram = diagram};
  lanes_draw(file, diagram);
  for (size_t i = 0; i < diagram->row_count; i++)
    row_draw(&drawing, &diagram->rows[i]);
  fputs("</svg></div>\n", file);
}
