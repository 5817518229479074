/* Which mistake is behind a wrong conversion. */
#include "mistakes.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>

/* ---- converting ---- */

struct bytes {
  char *data;
  size_t length;
  int error; /* 0; EILSEQ: something in it cannot be converted; EINVAL: it is cut off at the end */
};

/* iconv's name of one of this lab's encodings. */
static const char *iconv_name(const char *encoding) {
  return strcasecmp(encoding, "latin-1") == 0 ? "ISO-8859-1" : encoding;
}

static char *room_for(size_t length) {
  return (char *)say("%*s", (int)length, "");
}

/* `leave_out`: goes on behind each byte that cannot be converted; the error is that of the last. */
static struct bytes recode(struct bytes from, const char *from_name, const char *to_name,
                           bool leave_out) {
  iconv_t conversion = iconv_open(to_name, from_name);
  if (conversion == (iconv_t)-1)
    check_error(say("iconv cannot convert from %s to %s", from_name, to_name));
  enum { GROWTH = 4, MARK = 4 }; /* a byte is at most a character of four; and a byte order mark */
  size_t room = GROWTH * from.length + MARK;
  struct bytes to = {.data = room_for(room)};
  char *in = from.data, *out = to.data;
  for (size_t left = from.length; left > 0;) {
    errno = 0;
    if (iconv(conversion, &in, &left, &out, &room) != (size_t)-1)
      break;
    to.error = errno;
    if (!leave_out || errno == EINVAL)
      break;
    in++;
    left--;
  }
  iconv_close(conversion);
  to.length = (size_t)(out - to.data);
  return to;
}

static struct bytes bytes_of(const char *text) {
  return (struct bytes){.data = (char *)say("%s", text), .length = strlen(text)};
}

const char *converted_leaving_out(const struct conversion *asked, bool *cut_off) {
  struct bytes wire = recode(bytes_of(asked->text), "UTF-8", iconv_name(asked->encoder), false);
  if (wire.error)
    return NULL;
  struct bytes seen = recode(wire, iconv_name(asked->decoder), "UTF-8", true);
  *cut_off = seen.error == EINVAL;
  return say("%.*s", (int)seen.length, seen.data);
}

bool is_in_gb18030(const char *text) {
  return !recode(bytes_of(text), "UTF-8", "GB18030", false).error;
}

/* ---- the mistakes ---- */

enum way { AS_ASKED, SWAPPED, DIRECTLY, INPUT_IN_ENC, UNCHANGED, ENDS_AT_ZERO };

static const struct mistake {
  enum way way;
  const char *encoding, *taken_for; /* NULL: as it should be */
  const char *cause;                /* NULL: see way_cause */
} mistakes[] = {
    {UNCHANGED, NULL, NULL, NULL},
    {SWAPPED, NULL, NULL, NULL},
    {DIRECTLY, NULL, NULL, NULL},
    {INPUT_IN_ENC, NULL, NULL, NULL},
    {ENDS_AT_ZERO, NULL, NULL, NULL},
    {AS_ASKED, "utf-16le", "UTF-16BE",
     "the high byte of each unit comes first, which is UTF-16BE; in utf-16le the low byte does"},
    {AS_ASKED, "utf-16le", "UTF-16",
     "a byte order mark (ff fe) stands in front: iconv and Python put it there for \"UTF-16\", not for \"UTF-16LE\""},
    {AS_ASKED, "utf-16le", "UCS-2LE",
     "characters beyond U+FFFF are missing, as in UCS-2; UTF-16 has surrogate pairs for them"},
    {AS_ASKED, "latin-1", "ISO-8859-15",
     "this is latin-9, ISO-8859-15, which has other characters than latin-1 in eight places; latin-1 is ISO-8859-1"},
    {AS_ASKED, "latin-1", "WINDOWS-1252",
     "this is windows-1252, which has letters at 0x80 to 0x9f, or nothing; latin-1, ISO-8859-1, has control characters there"},
    {AS_ASKED, "gbk", "EUC-CN",
     "a character of GBK is missing, as in GB 2312 (EUC-CN), which is only a part of GBK"},
    {AS_ASKED, "gbk", "GB18030", "this is GB 18030, which has characters that GBK lacks"},
};

static const char *way_cause(enum way way, const struct conversion *asked) {
  const char *encoder = asked->encoder, *decoder = asked->decoder;
  switch (way) {
  case UNCHANGED:
    return say("the text comes out as it went in: the bytes were read as %s again, not as %s",
               encoder, decoder);
  case SWAPPED:
    return say(
        "the two names have changed places: encode as %s, the first, and decode as %s, the second",
        encoder, decoder);
  case DIRECTLY:
    return say(
        "the text was converted directly from %s to %s, so that its characters stay; it is the bytes that must stay: encode the text as %s, read these bytes as %s",
        encoder, decoder, encoder, decoder);
  case INPUT_IN_ENC:
    return say("stdin was read as %s; it is in UTF-8, whatever the names are", encoder);
  default:
    return "the bytes end at the first 0, as a string of C does; count them, do not use strlen()";
  }
}

/* What the program would write with this mistake, and which encoding would fail. */
struct prediction {
  struct bytes text;
  const char *fails; /* NULL: none */
};

static const char *name_with(const struct mistake *mistake, const char *encoding) {
  return mistake->encoding && strcasecmp(mistake->encoding, encoding) == 0 ? mistake->taken_for
                                                                           : iconv_name(encoding);
}

static struct prediction in_two_steps(struct bytes input, const char *input_name,
                                      const char *encoder, const char *decoder,
                                      const struct mistake *mistake) {
  struct bytes wire = recode(input, input_name, name_with(mistake, encoder), false);
  if (wire.error)
    return (struct prediction){.fails = encoder};
  if (mistake->way == ENDS_AT_ZERO)
    wire.length = strnlen(wire.data, wire.length);
  struct bytes text = recode(wire, name_with(mistake, decoder), "UTF-8", false);
  return (struct prediction){text, text.error ? decoder : NULL};
}

static struct prediction predict(const struct mistake *mistake, const struct conversion *asked) {
  struct bytes input = bytes_of(asked->text), bytes;
  const char *encoder = asked->encoder, *decoder = asked->decoder;
  switch (mistake->way) {
  case UNCHANGED:
    return (struct prediction){.text = input};
  case SWAPPED:
    return in_two_steps(input, "UTF-8", decoder, encoder, mistake);
  case DIRECTLY:
    bytes = recode(input, iconv_name(encoder), "UTF-8", false);
    if (bytes.error)
      return (struct prediction){.fails = encoder};
    bytes = recode(bytes, "UTF-8", iconv_name(decoder), false);
    return (struct prediction){bytes, bytes.error ? decoder : NULL};
  case INPUT_IN_ENC:
    return in_two_steps(input, iconv_name(encoder), encoder, decoder, mistake);
  default:
    return in_two_steps(input, "UTF-8", encoder, decoder, mistake);
  }
}

/* ---- which of them explains what was seen ---- */

struct conversion_run conversion_run(const struct conversion *asked, struct program *codec) {
  return (struct conversion_run){.asked = *asked,
                                 .out = output_of(codec, STDOUT),
                                 .message = output_of(codec, STDERR),
                                 .status = await_exit(codec, 0) ? exit_status(codec) : 0};
}

static size_t without_end(const void *bytes, size_t length) {
  while (length > 0 && isspace(((const uint8_t *)bytes)[length - 1]))
    length--;
  return length;
}

static bool explains(const struct mistake *mistake, const struct conversion_run *run) {
  struct prediction would = predict(mistake, &run->asked);
  if (would.fails) {
    const char *other = would.fails == run->asked.encoder ? run->asked.decoder : run->asked.encoder;
    return run->status > 0 &&
           (names_encoding(run->message, would.fails) || !names_encoding(run->message, other));
  }
  size_t length = without_end(run->out.bytes, run->out.length);
  return length > 0 && length == without_end(would.text.data, would.text.length) &&
         memcmp(run->out.bytes, would.text.data, length) == 0;
}

enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

/* Takes from the candidates those that do not explain the run; returns how many are left. */
static size_t keep_what_explains(bool *is_candidate, const struct conversion_run *run) {
  size_t left = 0;
  for (size_t i = 0; i < MISTAKES; i++) {
    is_candidate[i] = is_candidate[i] && explains(&mistakes[i], run);
    left += is_candidate[i];
  }
  return left;
}

static size_t keep_what_explains_all(bool *is_candidate, const struct conversion_run *runs,
                                     size_t count) {
  size_t left = 0;
  for (size_t i = 0; i < MISTAKES; i++)
    is_candidate[i] = true;
  for (size_t i = 0; i < count; i++)
    left = keep_what_explains(is_candidate, &runs[i]);
  return left;
}

static const char *cause_of_candidate(const bool *is_candidate, const struct conversion *asked) {
  size_t i = 0;
  while (!is_candidate[i])
    i++;
  return mistakes[i].cause ? mistakes[i].cause : way_cause(mistakes[i].way, asked);
}

const char *mistake_cause(const struct conversion_run *runs, size_t count) {
  bool is_candidate[MISTAKES];
  if (keep_what_explains_all(is_candidate, runs, count) != 1)
    return NULL;
  return cause_of_candidate(is_candidate, &runs[count - 1].asked);
}

/* The cause, if it is that the program does not know a name; NULL if it is not. */
static const char *unknown_name_cause(const struct conversion_run *run) {
  const struct conversion *asked = &run->asked;
  enum { USAGE_ERROR = 2 };
  if (run->status != USAGE_ERROR && !memmem(run->message.bytes, run->message.length,
                                            "unknown encoding", strlen("unknown encoding")))
    return NULL;
  char *encoder = (char *)say("%s", asked->encoder), *decoder = (char *)say("%s", asked->decoder);
  for (char *letter = encoder; *letter; letter++)
    *letter = (char)tolower(*letter);
  for (char *letter = decoder; *letter; letter++)
    *letter = (char)tolower(*letter);
  bool is_lower = strcmp(encoder, asked->encoder) == 0 && strcmp(decoder, asked->decoder) == 0;
  if (!is_lower &&
      output_holds(output_of(run_codec(encoder, decoder, asked->text), STDOUT), asked->result))
    return say("“codec %s %s” works: compare the names without regard to case, with strcasecmp()",
               encoder, decoder);
  return say("it refuses a name as if there were no such encoding: it must know %s and %s", encoder,
             decoder);
}

const char *mistake_cause_asking(const struct conversion_run *runs, size_t count) {
  /* Each tells many of the mistakes apart. */
  static const struct conversion more[] = {
      {"utf-8", "gbk", "你好，世界！", NULL},
      {"gbk", "latin-1", "你好", NULL},
      {"latin-1", "utf-8", "cafÃ©", NULL},
      {"utf-16le", "latin-1", "Hello", NULL},
  };
  const char *cause = unknown_name_cause(&runs[count - 1]);
  if (cause)
    return cause;
  bool is_candidate[MISTAKES];
  size_t left = keep_what_explains_all(is_candidate, runs, count);
  for (size_t i = 0; left > 1 && i < sizeof more / sizeof *more; i++) {
    struct program *codec = run_codec(more[i].encoder, more[i].decoder, more[i].text);
    struct conversion_run run = conversion_run(&more[i], codec);
    left = keep_what_explains(is_candidate, &run);
  }
  if (left == 1)
    return cause_of_candidate(is_candidate, &runs[count - 1].asked);
  return "encode the text as the first name says, and decode those bytes as the second says";
}
