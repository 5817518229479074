#include "grader/result/json_parts.h"

#include "grader/result/feedback.h"
#include "grader/result/result.h"

#include <stdlib.h>

void json_put_text(json_t *object, const char *key, char *text, bool always) {
  if (*text || always)
    json_object_set_new(object, key, json_string(text));
  free(text);
}

void json_put_line(json_t *object, const char *key, const json_t *from, const char *from_key,
                   enum safe_destination destination, size_t room) {
  json_put_text(object, key, feedback_line(destination, result_text(from, from_key), room), false);
}

void json_put_number(json_t *object, const char *key, const json_t *from, const char *from_key) {
  json_object_set_new(object, key, json_integer(result_number(from, from_key)));
}
