#include "grader/cli/batch_tell.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/batch/changes.h"
#include "grader/result/page.h"
#include "grader/result/safe_text.h"

#include <stdlib.h>
#include <string.h>

enum { BAR_COLUMNS = 20, CHANGES_SHOWN = 6, MINUTE_S = 60 };

struct batch_tell batch_tell_begin(bool json) {
  struct batch_tell tell = {.json = json, .progress = progress_begin()};
  tell.progress.shown = tell.progress.shown && !json;
  return tell;
}

/* ---- while it works ---- */

/* Seconds that what is left will take at the pace so far; -1: nothing is done yet. */
static double left_s(const struct batch_event *event) {
  return event->done ? event->elapsed_s / (double)event->done * (double)(event->total - event->done)
                     : -1;
}

static char *left_words(const struct batch_event *event) {
  double left = left_s(event);
  if (left < 0)
    return memory_text("");
  return left < 2 * MINUTE_S ? language_sentence("  %.0f s left", left)
                             : language_sentence("  %.0f min left", left / MINUTE_S);
}

static char *trouble_words(const struct batch_event *event) {
  scoped_text char *unreadable = event->unreadable
                                     ? language_sentence("  %zu unreadable", event->unreadable)
                                     : memory_text("");
  return event->errors ? language_sentence("%s  %zu with errors", unreadable, event->errors)
                       : steal_pointer(&unreadable);
}

static void bar_show(struct batch_tell *tell, const struct batch_event *event) {
  char bar[BAR_COLUMNS + 1];
  size_t full = event->total ? event->done * BAR_COLUMNS / event->total : BAR_COLUMNS;
  memset(bar, '.', BAR_COLUMNS);
  memset(bar, '#', full);
  bar[BAR_COLUMNS] = '\0';
  scoped_text char *left = left_words(event), *trouble = trouble_words(event);
  double rate = event->elapsed_s > 0 ? (double)event->done / event->elapsed_s * MINUTE_S : 0;
  scoped_text char *line =
      language_sentence("[%s] %zu/%zu  %.0f a minute%s%s  (%u at work)", bar, event->done,
                        event->total, rate, left, trouble, event->working);
  progress_show(&tell->progress, line, 0, 0);
}

static json_t *text_json(const char *text) {
  json_t *json = json_string(text ? text : "");
  return json ? json : json_string("(not UTF-8)");
}

static void json_print(json_t *object) {
  scoped_text char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));
  puts(line ? line : "{}");
  fflush(stdout);
  json_decref(object);
}

static void event_json(const struct batch_event *event) {
  const char *name = !event->file ? "progress" : event->retried ? "retry" : "done";
  json_t *object =
      json_pack("{s:s, s:I, s:I, s:I, s:I, s:i, s:f, s:f}", "event", name, "done",
                (json_int_t)event->done, "total", (json_int_t)event->total, "unreadable",
                (json_int_t)event->unreadable, "errors", (json_int_t)event->errors, "working",
                (int)event->working, "elapsed_s", event->elapsed_s, "left_s", left_s(event));
  if (event->file) {
    json_object_set_new(object, "file", text_json(event->file));
    json_object_set_new(object, "student", text_json(event->student));
    json_object_set_new(object, "reason", text_json(event->reason));
    json_object_set_new(object, "tries", json_integer(event->tries));
  }
  if (event->file && !event->retried) {
    json_object_set_new(object, "state", json_string(gradebook_state_name(event->state)));
    json_object_set_new(object, "score", json_integer(event->score));
    json_object_set_new(object, "max_score", json_integer(event->max_score));
  }
  json_print(object);
}

static void event_line(const struct batch_event *event) {
  struct page page = page_for(stdout);
  bool good = event->state == GRADEBOOK_GRADED && !event->retried;
  scoped_text char *line =
      good ? language_sentence("%zu/%zu  %s  %lld of %lld points", event->done, event->total,
                               event->student, event->score, event->max_score)
           : memory_format("%zu/%zu  %s  %s: %s", event->done, event->total, event->student,
                           event->retried ? _("is tried again")
                                          : _(gradebook_state_name(event->state)),
                           event->reason);
  page_line(&page, PAGE_PLAIN, line);
  fflush(stdout);
}

void batch_tell_event(struct batch_tell *tell, const struct batch_event *event) {
  enum { HEARTBEAT_S = 5 }; /* of JSON, so that its reader sees that it lives */
  if (tell->json && (event->file || event->elapsed_s > tell->told_s + HEARTBEAT_S)) {
    tell->told_s = event->elapsed_s;
    event_json(event);
  } else if (!tell->json && tell->progress.shown) {
    if (event->file && (event->retried || event->state != GRADEBOOK_GRADED)) {
      progress_end(&tell->progress);
      event_line(event);
    }
    bar_show(tell, event);
  } else if (!tell->json && event->file) {
    event_line(event);
  }
}

void batch_tell_end(struct batch_tell *tell) {
  progress_end(&tell->progress);
}

/* ---- at the end ---- */

struct summary {
  const struct batch_tell *tell;
  struct gradebook *book;
  struct page page;
  struct batch_totals *totals;
  char *nobody;      /* names of those who handed nothing in */
  unsigned changed;  /* students */
  long long *graded; /* fresh gradings that may have changed something, and whose they are */
  char **names;
  size_t graded_count;
};

static const char *name_of(const struct gradebook_row *row) {
  return *row->name ? row->name : row->key;
}

static void totals_count(struct batch_totals *totals, const struct gradebook_row *row) {
  totals->students++;
  totals->graded += row->state == GRADEBOOK_GRADED;
  totals->unreadable += row->state == GRADEBOOK_UNREADABLE;
  totals->errors += row->state == GRADEBOOK_ERROR || row->errors > 0;
  totals->waiting += row->state == GRADEBOOK_WAITING || row->outdated;
  totals->no_submission += row->state == GRADEBOOK_NO_SUBMISSION;
}

/* The statement that gives the rows is not to be kept waiting while documents are read. */
static int row_take(void *context, const struct gradebook_row *row) {
  struct summary *summary = context;
  totals_count(summary->totals, row);
  if (row->state == GRADEBOOK_NO_SUBMISSION) {
    char *longer =
        memory_format("%s%s%s", summary->nobody, *summary->nobody ? "; " : "", name_of(row));
    free(summary->nobody);
    summary->nobody = longer;
  } else if ((row->state == GRADEBOOK_UNREADABLE || row->state == GRADEBOOK_ERROR) &&
             !summary->tell->json) {
    scoped_text char *label = memory_format("  %s", _(gradebook_state_name(row->state)));
    scoped_text char *line = memory_format("%s: %s", name_of(row), row->reason);
    page_paragraph(&summary->page, PAGE_PLAIN, label, 14, line, 3);
  }
  if (row->state != GRADEBOOK_GRADED || !row->fresh)
    return 0;
  size_t count = summary->graded_count++;
  summary->graded = memory_resize(summary->graded, (count + 1) * sizeof *summary->graded);
  summary->names = memory_resize(summary->names, (count + 1) * sizeof *summary->names);
  summary->graded[count] = row->grading;
  summary->names[count] = memory_text(name_of(row));
  return 0;
}

static void change_tell(struct summary *summary, const char *name, const json_t *before,
                        const json_t *now) {
  long long score = json_integer_value(json_object_get(now, "score"));
  long long former = json_integer_value(json_object_get(before, "score"));
  struct changes changes = changes_between(before, now);
  if (changes.count || score != former) {
    scoped_text char *words = changes_words(&changes, CHANGES_SHOWN);
    if (summary->tell->json) {
      json_print(json_pack("{s:s, s:o, s:I, s:I, s:s}", "event", "changed", "student",
                           text_json(name), "before", (json_int_t)former, "now", (json_int_t)score,
                           "checks", words));
    } else {
      scoped_text char *line = language_sentence("%s: %lld points, now %lld%s%s", name, former,
                                                 score, *words ? ": " : "", words);
      page_paragraph(&summary->page, PAGE_PLAIN, _("  changed"), 14, line, 0);
    }
    summary->changed++;
  }
  changes_free(&changes);
}

static void changes_tell(struct summary *summary) {
  for (size_t i = 0; i < summary->graded_count; i++) {
    struct failure ignored;
    long long former = gradebook_same_before(summary->book, summary->graded[i]);
    json_t *before = former ? gradebook_document(summary->book, former, &ignored) : NULL;
    json_t *now = before ? gradebook_document(summary->book, summary->graded[i], &ignored) : NULL;
    if (now)
      change_tell(summary, summary->names[i], before, now);
    json_decref(before);
    json_decref(now);
    free(summary->names[i]);
  }
  free(summary->names);
  free(summary->graded);
}

static void totals_json(const struct batch_totals *totals, unsigned changed, const char *path) {
  json_print(json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "event", "summary",
                       "students", (int)totals->students, "graded", (int)totals->graded,
                       "unreadable", (int)totals->unreadable, "errors", (int)totals->errors,
                       "waiting", (int)totals->waiting, "no_submission", (int)totals->no_submission,
                       "changed", (int)changed, "gradebook", text_json(path)));
}

static void totals_print(const struct page *page, const struct summary *summary, const char *path) {
  const struct batch_totals *totals = summary->totals;
  if (*summary->nobody)
    page_paragraph(page, PAGE_PLAIN, _("  handed nothing in:"), 21, summary->nobody, 0);
  page_gap(page);
  scoped_text char *line = language_sentence(
      "Students: %u; graded: %u, unreadable: %u, errors of the grader: %u, not graded yet: %u, "
      "without a submission: %u",
      totals->students, totals->graded, totals->unreadable, totals->errors, totals->waiting,
      totals->no_submission);
  page_paragraph(page, PAGE_STRONG, "", 0, line, 0);
  scoped_text char *where = language_sentence("The gradebook:     %s", path);
  page_command(page, where);
}

int batch_tell_summary(const struct batch_tell *tell, struct gradebook *book, const char *out,
                       struct batch_totals *totals, struct failure *failure) {
  struct summary summary = {.tell = tell,
                            .book = book,
                            .page = page_for(stdout),
                            .totals = totals,
                            .nobody = memory_text("")};
  *totals = (struct batch_totals){0};
  int outcome = gradebook_rows(book, row_take, &summary, failure);
  changes_tell(&summary);
  scoped_text char *path = memory_format("%s/" GRADEBOOK_FILE, out);
  if (outcome == 0 && tell->json)
    totals_json(totals, summary.changed, path);
  else if (outcome == 0)
    totals_print(&summary.page, &summary, path);
  free(summary.nobody);
  return outcome;
}
