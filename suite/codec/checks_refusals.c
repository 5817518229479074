/* codec: what cannot be converted. */
#define LAB codec
#include "mistakes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Before the bad character, or the bad bytes, stands `good` so many times. */
struct bad_text {
  const char *encoder, *decoder;
  bool encoding;             /* encoding fails, else decoding */
  const char *good, *result; /* and what becomes of it */
  int good_units;            /* its characters, or its bytes as encoded */
  const char *bad, *rest;
  int into; /* where the bad sequence begins within `bad` */
  const char *what;
};

/* A message with hundreds of numbers names none. */
static bool names_number(struct output message, int number) {
  enum { NUMBERS_MOST = 200 };
  int count = 0;
  bool found = false;
  for (size_t i = 0; i < message.length; i++) {
    if (!isdigit(message.bytes[i]))
      continue;
    char *end = NULL;
    found |= strtol((const char *)message.bytes + i, &end, 10) == number;
    i = (size_t)(end - (const char *)message.bytes);
    count++;
  }
  return found && count <= NUMBERS_MOST;
}

/* Whether it has a number that may be meant for a position: none that belongs to a word, as in
 * UTF-8 or 0xe4. */
static bool has_number(struct output message) {
  for (size_t i = 0; i < message.length; i++) {
    if (!isdigit(message.bytes[i]))
      continue;
    bool in_word = i > 0 && (isalpha(message.bytes[i - 1]) || strchr("-_", message.bytes[i - 1]));
    while (isdigit(message.bytes[i]))
      i++;
    if (!in_word && !isalpha(message.bytes[i]))
      return true;
  }
  return false;
}

/* Asks the program where one byte cannot be decoded: its first is its last. */
static bool counts_bytes_from_0(void) {
  struct output message = output_of(run_codec("utf-8", "ascii", "abcdefghijké"), STDERR);
  return names_number(message, 11) && !names_number(message, 12);
}

/* Chosen by the number that stands in place of the position. */
static const char *position_cause(struct output message, const struct bad_text *bad, int times) {
  int units = times * bad->good_units + bad->into;
  if (names_number(message, units + 1))
    return bad->encoding || !counts_bytes_from_0()
               ? "counted from 1: positions start at 0"
               : "this is the second byte of the sequence; its position is that of its first byte";
  if (bad->encoding && names_number(message, times * (int)strlen(bad->good)))
    return "this is the position of a byte; when text is encoded, characters are counted";
  if (!has_number(message))
    return "the message holds no position; iconv() leaves its pointer there, a UnicodeError of Python has .start";
  return "the index of the character when text is encoded, of the byte when bytes are decoded; both from 0";
}

/* False if even the good part does not come out right: this is another requirement's business. */
static bool converts_good_part(const struct bad_text *bad, int times) {
  struct program *codec =
      run_codec(bad->encoder, bad->decoder, text_of("", bad->good, "", (size_t)times));
  return output_holds(output_of(codec, STDOUT), text_of("", bad->result, "", (size_t)times));
}

/* Why it went on without a message: chosen by what stands in the output where the bad character or
 * bytes would be. */
static const char *no_failure_cause(const struct bad_text *bad, int times, struct output out,
                                    struct output message) {
  const char *good = text_of("", bad->result, "", (size_t)times);
  if (message.length > 0)
    return NULL;
  if (bad->encoding && strcmp(bad->encoder, "gbk") == 0 && is_in_gb18030(bad->bad) &&
      out.length > strlen(good) && !memchr(out.bytes, '?', out.length))
    return "GBK lacks this character; GB 18030 has it: is that what is used for gbk?";
  if (memmem(out.bytes, out.length, "\xef\xbf\xbd", 3))
    return "what cannot be decoded comes out as U+FFFD: it is replaced (errors='replace'), where codec must fail";
  if (bad->encoding && out.length > strlen(good) && out.bytes[strlen(good)] == '?')
    return "what cannot be encoded comes out as “?”: it is replaced (errors='replace', //TRANSLIT), where codec must fail";
  struct conversion asked = {.encoder = bad->encoder, .decoder = bad->decoder};
  asked.text =
      text_of("", bad->good, say("%s%s", bad->encoding ? "" : bad->bad, bad->rest), (size_t)times);
  bool cut_off = false;
  const char *without = converted_leaving_out(&asked, &cut_off);
  if (!without || !output_holds(out, without))
    return "the error is noticed nowhere: what do the functions return that encode and decode?";
  if (cut_off)
    return "the last bytes are the beginning of a character whose end is missing: an error too (EINVAL of iconv())";
  return "what cannot be converted is left out (errors='ignore', //IGNORE), where codec must fail";
}

static void expect_refusal(const struct bad_text *bad, int times) {
  int position = times * bad->good_units + bad->into;
  struct program *codec =
      run_codec(bad->encoder, bad->decoder,
                text_of("", bad->good, say("%s%s", bad->bad, bad->rest), (size_t)times));
  const char *what = say("codec %s %s, with %s,", bad->encoder, bad->decoder, bad->what);
  struct output out = output_of(codec, STDOUT), message = output_of(codec, STDERR);
  expect_failure_because(
      codec, what, (struct failure_causes){.succeeds = no_failure_cause(bad, times, out, message)});
  EXPECT(
      out.length == 0, .message = say("%s prints something on stdout", what),
      .expected = "nothing on stdout", .actual = printed(codec),
      .cause =
          "what stands before the bad place is printed already: convert everything first, and print it then");
  const char *encoding = bad->encoding ? bad->encoder : bad->decoder;
  const char *other = bad->encoding ? bad->decoder : bad->encoder;
  const char *why = bad->encoding ? say("the text cannot be encoded as %s", encoding)
                                  : say("the bytes cannot be decoded as %s", encoding);
  EXPECT(names_encoding(message, encoding),
         .message = say("%s does not say which encoding it is that fails", what),
         .expected = say("a message on stderr that names %s", encoding), .actual = printed(codec),
         .cause = names_encoding(message, other)
                      ? say("it blames %s, but %s", other, why)
                      : say("the message names no encoding: say that %s", why));
  EXPECT(names_number(message, position), .message = say("%s does not say at which position", what),
         .expected = say("a message on stderr with the position, %d", position),
         .actual = printed(codec), .cause = position_cause(message, bad, times));
}

/* Whether it takes a long text as a whole: who converts pieces by themselves cuts characters in
 * two, which is the business of another requirement. */
static bool converts_in_one(void) {
  enum { LETTERS = 60001 };
  struct program *codec = run_codec("utf-8", "latin-1", text_of("x", "é", "", LETTERS));
  return output_holds(output_of(codec, STDOUT), text_of("x", "Ã©", "", LETTERS));
}

/* At two positions: a number in a message may be anything, a line of the program for example. And
 * the first of them behind more than most programs read at once; who does not come so far is the
 * business of another requirement. False if there was nothing to judge. */
static bool expect_refusals(const struct bad_text *list, size_t count) {
  enum { FAR = 30001 };
  static const int times[] = {23, 37};
  bool any = false;
  for (size_t i = 0; i < count; i++)
    if (converts_good_part(&list[i], times[0])) {
      for (size_t k = 0; k < sizeof times / sizeof *times; k++)
        expect_refusal(&list[i], times[k]);
      if (!any && converts_in_one() && converts_good_part(&list[i], FAR))
        expect_refusal(&list[i], FAR);
      any = true;
    }
  return any;
}

CHECK(says_what_cannot_be_encoded, "codec.3", "codec") {
  static const struct bad_text list[] = {
      {"ascii", "utf-8", true, "abc", "abc", 3, "é", "xyz", 0, "a letter that ascii lacks"},
      {"ascii", "gbk", true, "a\n", "a\n", 2, "好", "", 0,
       "a character that ascii lacks, at the end"},
      {"latin-1", "gbk", true, "Äã", "你", 2, "好", "Äã", 0, "a character that latin-1 lacks"},
      {"latin-1", "gbk", true, "Äã", "你", 2, "Ā", "Äã", 0,
       "the first character that latin-1 lacks (U+0100)"},
      {"gbk", "latin-1", true, "你好，", "ÄãºÃ£¬", 3, "ö", "a好", 0, "a letter that gbk lacks"},
      {"gbk", "utf-16le", true, "亁丂", "碁䂁", 2, "🐍", "亁", 0, "a character that gbk lacks"},
  };
  if (!expect_refusals(list, sizeof list / sizeof *list))
    expect_refusal(list, 1);
}

/* Beyond U+10FFFF (f4 90 80 80) implementations differ: glibc's iconv() reads it. */
CHECK(says_which_bytes_are_not_utf_8, "codec.3", "codec") {
  static const struct bad_text list[] = {
      {"utf-8", "ascii", false, "abc", "abc", 3, "é", "xyz", 0, "bytes that ascii lacks"},
      {"latin-1", "ascii", false, "a\n", "a\n", 2, "ý", "", 0,
       "a byte at the end that ascii lacks"},
      {"utf-16le", "ascii", false, "效", "He", 2, "聁", "效", 1,
       "the first byte that ascii lacks (80)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "é", "xyz", 0,
       "bytes that are not UTF-8 (e9 78)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "å¥", "z", 0,
       "bytes that are not UTF-8 (e5 a5 7a)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "¿", "z", 0, "bytes that are not UTF-8 (bf)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "À¯", "z", 0, "bytes that are not UTF-8 (c0 af)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "í\xc2\xa0\xc2\xa1", "z", 0,
       "bytes that are not UTF-8 (ed a0 a1)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "å¥", "", 0,
       "UTF-8 that ends within a character"},
      {"gbk", "utf-8", false, "浣犲ソ", "你好", 6, "你", "a", 0,
       "bytes that are not UTF-8 (c4 e3)"},
  };
  if (!expect_refusals(list, sizeof list / sizeof *list))
    expect_refusal(list, 1);
}

CHECK(says_which_bytes_are_not_gbk_or_utf_16, "codec.3", "codec") {
  static const struct bad_text list[] = {
      {"latin-1", "gbk", false, "aÄã", "a你", 3, "ä", " z", 0, "bytes that are not GBK (e4 20)"},
      {"latin-1", "gbk", false, "aÄã", "a你", 3, "å\x7f", " z", 0,
       "bytes that are not GBK (e5 7f)"},
      {"utf-8", "gbk", false, "你好，世界！", "浣犲ソ锛屼笘鐣岋紒", 18, "好", " a", 2,
       "bytes that are not GBK (bd 20)"},
      {"utf-8", "gbk", false, "你好，世界！", "浣犲ソ锛屼笘鐣岋紒", 18, "好", "", 2,
       "GBK that ends within a character"},
      {"latin-1", "utf-16le", false, "éeäN", "早令", 4, "AÜ", "éeäN", 0,
       "half a surrogate pair, the second half (41 dc)"},
      {"latin-1", "utf-16le", false, "éeäN", "早令", 4, "AØ", "éeäN", 0,
       "half a surrogate pair, the first half (41 d8)"},
      {"utf-8", "utf-16le", false, "aéb", "썡抩", 4, "a", "", 0, "an odd number of bytes"},
  };
  expect_refusals(list, sizeof list / sizeof *list);
}
