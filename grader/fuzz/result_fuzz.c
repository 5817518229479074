/* result/file.c and the reporters: a result document from anywhere, as `wiregrade report` reads it.
 */
#include "grader/fuzz/fuzz.h"

#include "grader/base/scope.h"
#include "grader/result/file.h"
#include "grader/result/page.h"
#include "grader/result/report_junit.h"
#include "grader/result/report_tap.h"
#include "grader/result/report_text.h"

static void text_plain(const json_t *result, FILE *file) {
  struct page page = page_for(file);
  report_text(result, &page);
}

static void check_report(const json_t *result, void (*report)(const json_t *result, FILE *file)) {
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  report(result, file);
  fclose(file);
  FUZZ_HOLDS(fuzz_is_visible(text, length, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct failure failure = {""};
  json_t *result = result_read(fuzz_file(bytes, length), &failure);
  if (!result) {
    FUZZ_HOLDS(*failure.sentence);
    return 0;
  }
  check_report(result, text_plain);
  check_report(result, report_tap);
  check_report(result, report_junit);
  json_decref(result);
  return 0;
}
