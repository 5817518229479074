#include "grader/batch/changes.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/result/feedback.h"
#include "grader/result/result.h"

#include <stdlib.h>
#include <string.h>

/* The status of a check in a document; "" if it is not there. */
static const char *status_of(const json_t *document, const char *id) {
  size_t lab_index, check_index;
  const json_t *lab, *check;
  foreach_lab (document, lab_index, lab)
    foreach_check (lab, check_index, check)
      if (strcmp(result_text(check, "id"), id) == 0)
        return result_text(check, "status");
  return "";
}

static void change_add(struct changes *changes, const char *check, const char *before,
                       const char *now) {
  if (strcmp(before, now) == 0)
    return;
  changes->changes =
      memory_resize(changes->changes, (changes->count + 1) * sizeof *changes->changes);
  changes->changes[changes->count++] = (struct change){check, before, now};
}

struct changes changes_between(const json_t *before, const json_t *now) {
  struct changes changes = {0};
  size_t lab_index, check_index;
  const json_t *lab, *check;
  foreach_lab (now, lab_index, lab)
    foreach_check (lab, check_index, check) {
      const char *id = result_text(check, "id");
      change_add(&changes, id, status_of(before, id), result_text(check, "status"));
    }
  foreach_lab (before, lab_index, lab)
    foreach_check (lab, check_index, check) {
      const char *id = result_text(check, "id");
      if (*status_of(now, id) == '\0')
        change_add(&changes, id, result_text(check, "status"), "");
    }
  return changes;
}

void changes_free(struct changes *changes) {
  free(changes->changes);
  *changes = (struct changes){0};
}

char *changes_words(const struct changes *changes, size_t most) {
  char *words = memory_text("");
  for (size_t i = 0; i < changes->count && i < most; i++) {
    const struct change *change = &changes->changes[i];
    char *longer = language_sentence("%s%s%s %s, now %s", words, i ? "; " : "", change->check,
                                     *change->before ? change->before : N_("not judged"),
                                     *change->now ? change->now : N_("not judged"));
    free(words);
    words = longer;
  }
  if (changes->count > most) {
    char *longer = language_sentence("%s; and %zu more", words, changes->count - most);
    free(words);
    words = longer;
  }
  return words;
}
