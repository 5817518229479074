/* run/suite.c and result/result.c: a verdict record, as a suite program sends it. Whatever stands
 * in it, the result document that comes of it is one that `wiregrade report` can read. */
#include "grader/fuzz/fuzz.h"

#include "grader/base/scope.h"
#include "grader/result/file.h"
#include "grader/result/result.h"
#include "grader/run/suite.h"

#include <string.h>

static char text[] = "", lab_name[] = "udp";
static struct requirement requirements[] = {
    {.number = 1, .text = text, .hint = text, .read = text},
    {.number = 2, .text = text, .hint = text, .read = text}};
static const struct lab lab = {.name = lab_name,
                               .title = text,
                               .section = text,
                               .points = 10,
                               .requirements = requirements,
                               .requirement_count = 2};

static void take(void *context, json_t *verdict) {
  json_t **kept = context;
  *kept = json_incref(verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  json_t *verdict = NULL;
  struct suite_spec spec = {.take_verdict = take, .context = &verdict};
  suite_take_record(&spec, (const char *)bytes, length);
  if (!verdict)
    return 0;
  static char id[] = "udp.1/works", other[] = "udp.2/works";
  struct judged_check checks[] = {{.id = id, .requirement = 1, .verdict = verdict},
                                  {.id = other, .requirement = 2, .verdict = verdict}};
  json_t *result = result_new("reference", "virtual", 1);
  result_add_lab(result, &lab, checks, 2, true);
  result_finish(result, 1, false);
  scoped_text char *document = json_dumps(result, JSON_INDENT(1));
  FUZZ_HOLDS(document);
  struct failure failure;
  json_t *again = result_read(fuzz_file(document, strlen(document)), &failure);
  FUZZ_HOLDS(again);
  FUZZ_HOLDS(result_number(again, "score") <= result_number(again, "max_score"));
  json_decref(again);
  json_decref(result);
  json_decref(verdict);
  return 0;
}
