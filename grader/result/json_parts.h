/* Pieces that the JSON reports are made of. Called by them only. */
#pragma once

#include "grader/result/safe_text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Puts the text, which it frees, into the object; an empty one only if `always`. */
void json_put_text(json_t *object, const char *key, char *text, bool always);
/* One line of a member of `from`, made safe, if it has such a text. */
void json_put_line(json_t *object, const char *key, const json_t *from, const char *from_key,
                   enum safe_destination destination, size_t room);
void json_put_number(json_t *object, const char *key, const json_t *from, const char *from_key);
