/* sdk/evidence.c: what programs printed and sent becomes a verdict record, that a result document,
 * and that a report which a reader can be shown. */
#include "grader/fuzz/fuzz.h"
#include "grader/fuzz/sdk.h"

#include "grader/base/scope.h"
#include "grader/result/report_text.h"
#include "grader/result/result.h"
#include "grader/result/verdict.h"
#include "grader/run/suite.h"
#include "grader/world/frame.h"

#include <stdlib.h>
#include <string.h>

static char nothing[] = "", lab_name[] = "udp", check_id[] = "udp.1/works";
static struct requirement requirement = {
    .number = 1, .text = nothing, .hint = nothing, .read = nothing};
static const struct lab lab = {.name = lab_name,
                               .title = nothing,
                               .section = nothing,
                               .points = 10,
                               .requirements = &requirement,
                               .requirement_count = 1};

/* ---- what was seen ---- */

static void event_add(struct fuzz_input *input) {
  struct event event = {.kind = (enum event_kind)(fuzz_number(input, 1) % (EVENT_TRANSFER + 1))};
  event.time_ns = (int64_t)fuzz_number(input, 4);
  event.stream = (enum event_stream)(event.time_ns & 1);
  event.broadcast = event.time_ns & 2;
  scoped_text char *bytes = fuzz_piece(input, &event.length);
  event.bytes = (const uint8_t *)bytes;
  if (event.kind == EVENT_FRAME) {
    event.raw = event.bytes;
    event.raw_length = event.length;
    if (!packet_read(event.raw, event.raw_length, &event))
      return;
  }
  log_append(world_log(the_check.world), &event);
}

/* ---- what becomes of it ---- */

static void take(void *context, json_t *verdict) {
  json_t **kept = context;
  *kept = json_incref(verdict);
}

static void check_report(json_t *verdict) {
  struct judged_check judged = {.id = check_id, .requirement = 1, .verdict = verdict};
  json_t *result = result_new("reference", "virtual", 1);
  result_add_lab(result, &lab, &judged, 1, true);
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  struct page page = page_for(file);
  report_text(result, &page);
  fclose(file);
  FUZZ_HOLDS(fuzz_is_visible(text, length, true));
  json_decref(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static const struct check check = {.requirement = "udp.1", .name = "works"};
  struct fuzz_input input = {bytes, length};
  fuzz_check();
  the_check.check = &check;
  the_check.status = (enum verdict_status)(fuzz_number(&input, 1) % (VERDICT_ERROR + 1));
  size_t ignored;
  scoped_text char *message = fuzz_piece(&input, &ignored);
  scoped_text char *actual = fuzz_piece(&input, &ignored);
  the_check.report.message = message;
  the_check.report.actual = actual;
  while (input.left > 0)
    event_add(&input);
  scoped_text char *record = verdict_record();
  FUZZ_HOLDS(record && strlen(record) <= VERDICT_MAX);
  json_t *verdict = NULL;
  struct suite_spec spec = {.take_verdict = take, .context = &verdict};
  suite_take_record(&spec, record, strlen(record));
  FUZZ_HOLDS(verdict);
  check_report(verdict);
  json_decref(verdict);
  return 0;
}
