/* What the checks of this lab share: running codec, and what its messages name. */
#pragma once

#include "grader/sdk/wiregrade.h"

enum { PATIENCE = 60 };

struct program *run_codec(const char *encoder, const char *decoder, const char *text);
/* `unit` so many times, between a beginning and an end. */
const char *text_of(const char *begin, const char *unit, const char *end, size_t units);
/* Wherever it stands, on lines of its own. */
bool output_holds(struct output output, const char *wanted);
/* Whether a message has one of the names that programs and libraries have for the encoding. */
bool names_encoding(struct output message, const char *encoding);
