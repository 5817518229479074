/* codec: text to bytes and back, in any two of five encodings. */
#define LAB codec
#include "grader/sdk/wiregrade.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 60 };

static struct program *run_codec(const char *encoder, const char *decoder, const char *text) {
  next_input(text, strlen(text));
  struct program *codec = start("codec", encoder, decoder);
  await_exit(codec, PATIENCE);
  return codec;
}

/* `unit` so many times, between a beginning and an end. */
static const char *text_of(const char *begin, const char *unit, const char *end, size_t units) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  fputs(begin, out);
  while (units-- > 0)
    fputs(unit, out);
  fputs(end, out);
  fclose(out);
  const char *kept = say("%s", text);
  free(text);
  return kept;
}

/* Wherever it stands, on lines of its own. */
static bool output_holds(struct output output, const char *wanted) {
  size_t length = strlen(wanted);
  while (length > 0 && wanted[length - 1] == '\n')
    length--;
  const uint8_t *found = memmem(output.bytes, output.length, wanted, length);
  return found && (found == output.bytes || found[-1] == '\n') &&
         (found + length == output.bytes + output.length || isspace(found[length]));
}

/* ---- no argument ---- */

CHECK(shows_two_examples, "codec.1", "codec") {
  static const char *const wanted[] = {"Hello World!", "浣犲ソ锛屼笘鐣岋紒"};
  struct program *codec = start("codec");
  await_exit(codec, PATIENCE);
  struct lines seen = lines(codec, STDOUT);
  bool same = seen.count == 2;
  for (size_t i = 0; same && i < 2; i++)
    same = strcmp(seen.list[i].text, wanted[i]) == 0;
  EXPECT(same, .message = "codec without arguments does not print the two lines, and nothing else",
         .expected = say("%s\n%s", wanted[0], wanted[1]), .actual = printed(codec),
         .cause = seen.count == 2 && strcmp(seen.list[1].text, "你好，世界！") == 0
                      ? "the bytes were decoded as UTF-8, not as GBK"
                  : seen.count > 2 ? "exactly two lines: no headings, no empty lines"
                                   : NULL);
  expect_success(codec, "codec without arguments");
}

/* ---- any two encodings ---- */

/* Whether these lines are printed, one below the other. A few more, before or after, do no harm; a
 * program that prints what all encodings would give has not been asked for one. */
static bool prints_text(struct program *codec, const char *const *wanted, size_t count) {
  enum { MORE = 4 };
  struct lines seen = lines(codec, STDOUT);
  for (size_t first = 0; first + count <= seen.count && seen.count <= count + MORE; first++) {
    size_t same = 0;
    while (same < count && strcmp(seen.list[first + same].text, wanted[same]) == 0)
      same++;
    if (same == count)
      return true;
  }
  return false;
}

struct conversion {
  const char *encoder, *decoder, *text, *result;
};

static void expect_conversion(const struct conversion *wanted) {
  struct program *codec = run_codec(wanted->encoder, wanted->decoder, wanted->text);
  const char *what = say("codec %s %s", wanted->encoder, wanted->decoder);
  EXPECT(prints_text(codec, &wanted->result, 1),
         .message = say("%s does not make of \"%s\" what it should", what, wanted->text),
         .expected = wanted->result, .actual = say("%s\nit %s", printed(codec), doing(codec)),
         .cause =
             "encode the text as the first name says, and decode those bytes as the second says");
  expect_success(codec, what);
}

/* No text holds what implementations of GBK disagree on (the euro sign, the bytes 0x80 and 0xff,
 * characters for private use), or what a terminal or a line would lose (NUL, CR, LF, white space at
 * the end). */
CHECK(converts_any_two, "codec.2", "codec") {
  static const struct conversion conversions[] = {
      {"ascii", "latin-1", "Hello World!", "Hello World!"},
      {"ascii", "utf-8", "~plain~", "~plain~"},
      {"ascii", "utf-16le", "Hello!", "效汬Ⅿ"},
      {"ascii", "gbk", "Hello World!", "Hello World!"},
      {"latin-1", "ascii", "Hello World!", "Hello World!"},
      {"latin-1", "utf-8", "cafÃ© Ã¤Ã¶Ã¼", "café äöü"},
      {"latin-1", "utf-16le", "éeäN", "早令"},
      {"latin-1", "gbk", "ÄãºÃ", "你好"},
      {"utf-8", "ascii", "Hello World!", "Hello World!"},
      {"utf-8", "latin-1", "naïve café, 好", "naÃ¯ve cafÃ©, å¥½"},
      {"utf-8", "utf-16le", "aéb", "썡抩"},
      {"utf-8", "gbk", "你好，世界！", "浣犲ソ锛屼笘鐣岋紒"},
      {"utf-16le", "ascii", "效汬Ⅿ", "Hello!"},
      {"utf-16le", "latin-1", "早仗", "ée×N"},
      {"utf-16le", "utf-8", "꧃꧃", "éé"},
      {"utf-16le", "gbk", "早的", "閑剉"},
      {"gbk", "ascii", "Hello World!", "Hello World!"},
      {"gbk", "latin-1", "你好，世界！", "ÄãºÃ£¬ÊÀ½ç£¡"},
      {"gbk", "utf-8", "浣犲ソ锛屼笘鐣岋紒", "你好，世界！"},
      {"gbk", "utf-16le", "亁丂", "碁䂁"},
  };
  for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
    expect_conversion(&conversions[i]);
}

CHECK(converts_what_lookalikes_do_not, "codec.2", "codec") {
  static const struct conversion conversions[] = {
      /* 0x81 to 0x9f are control characters in latin-1; windows-1252 has letters there, or nothing
       */
      {"utf-8", "latin-1", "世界！", "ä¸\xc2\x96ç\xc2\x95\xc2\x8cï¼\xc2\x81"},
      /* in GBK, but not in GB 2312 */
      {"gbk", "latin-1", "镕", "éF"},
      {"latin-1", "gbk", "éF", "镕"},
      /* beyond 0xffff: two units of UTF-16, four bytes of UTF-8 */
      {"utf-16le", "latin-1", "𠁀", "@Ø@Ü"},
      {"latin-1", "utf-16le", "@Ø@Ü", "𠁀"},
      {"utf-8", "gbk", "🐍", "馃悕"},
  };
  for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
    expect_conversion(&conversions[i]);
}

CHECK(names_in_any_case, "codec.2", "codec") {
  static const struct conversion conversions[] = {
      {"UTF-8", "GBK", "你好，世界！", "浣犲ソ锛屼笘鐣岋紒"},
      {"Gbk", "Latin-1", "你好", "ÄãºÃ"},
      {"LATIN-1", "Utf-8", "cafÃ©", "café"},
      {"ASCII", "UTF-16LE", "Hello!", "效汬Ⅿ"},
      {"Utf-16le", "Ascii", "效汬Ⅿ", "Hello!"},
  };
  for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
    expect_conversion(&conversions[i]);
}

CHECK(converts_all_lines, "codec.2", "codec") {
  static const char *const wanted[] = {"premiÃ¨re ligne", "å¥½", "", "derniÃ¨re"};
  enum { LINES = sizeof wanted / sizeof *wanted };
  struct program *codec = run_codec("utf-8", "latin-1", "première ligne\n好\n\ndernière\n");
  EXPECT(prints_text(codec, wanted, LINES),
         .message = "codec utf-8 latin-1 does not convert a text of several lines",
         .expected = say("%s\n%s\n%s\n%s", wanted[0], wanted[1], wanted[2], wanted[3]),
         .actual = printed(codec),
         .cause = "is stdin read up to its end, or only up to the end of a line?");
  expect_success(codec, "codec utf-8 latin-1, with several lines,");
}

CHECK(converts_zero_bytes, "codec.2", "codec") {
  static const char wanted[] = "H\0e\0l\0l\0o\0";
  struct program *codec = run_codec("utf-16le", "latin-1", "Hello");
  struct output output = output_of(codec, STDOUT);
  size_t length = sizeof wanted - 1;
  EXPECT(memmem(output.bytes, output.length, wanted, length),
         .message = "codec utf-16le latin-1 does not make of \"Hello\" what it should",
         .expected = quoted(wanted, length), .actual = quoted(output.bytes, output.length),
         .cause =
             "every other byte is 0 here; a string of C ends at the first, bytes have a length");
}

/* ---- what cannot be converted ---- */

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

/* The names that programs and libraries have for it, without what is no letter or digit. */
static const char *const *other_names(const char *encoding) {
  static const char *const ascii[] = {"ascii", "ansix34", NULL};
  static const char *const latin[] = {"latin1", "iso88591", NULL};
  static const char *const utf_8[] = {"utf8", NULL};
  static const char *const utf_16[] = {"utf16", NULL};
  static const char *const gbk[] = {"gbk", "cp936", "ms936", "windows936", NULL};
  return strcmp(encoding, "ascii") == 0     ? ascii
         : strcmp(encoding, "latin-1") == 0 ? latin
         : strcmp(encoding, "utf-8") == 0   ? utf_8
         : strcmp(encoding, "gbk") == 0     ? gbk
                                            : utf_16;
}

static bool names_encoding(struct output message, const char *encoding) {
  char *plain = calloc(1, message.length + 1);
  size_t length = 0;
  for (size_t i = 0; plain && i < message.length; i++)
    if (isalnum(message.bytes[i]))
      plain[length++] = (char)tolower(message.bytes[i]);
  bool named = false;
  for (const char *const *name = other_names(encoding); plain && *name; name++)
    named |= strstr(plain, *name) != NULL;
  free(plain);
  return named;
}

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

/* The cause, if the position is one that is often taken for the right one. */
static const char *position_cause(struct output message, const struct bad_text *bad, int times) {
  int units = times * bad->good_units + bad->into;
  if (names_number(message, units + 1))
    return bad->encoding || bad->into == 0
               ? "positions are counted from 0"
               : "the position of a sequence is that of its first byte, counted from 0";
  if (bad->encoding && names_number(message, times * (int)strlen(bad->good)))
    return "this is the position of a byte; when text is encoded, characters are counted";
  return "the index of the character when text is encoded, of the byte when bytes are decoded; both from 0";
}

/* False if even the good part does not come out right: this is another requirement's business. */
static bool converts_good_part(const struct bad_text *bad, int times) {
  struct program *codec =
      run_codec(bad->encoder, bad->decoder, text_of("", bad->good, "", (size_t)times));
  return output_holds(output_of(codec, STDOUT), text_of("", bad->result, "", (size_t)times));
}

static void expect_refusal(const struct bad_text *bad, int times) {
  int position = times * bad->good_units + bad->into;
  struct program *codec =
      run_codec(bad->encoder, bad->decoder,
                text_of("", bad->good, say("%s%s", bad->bad, bad->rest), (size_t)times));
  const char *what = say("codec %s %s, with %s,", bad->encoder, bad->decoder, bad->what);
  expect_failure(codec, what);
  struct output out = output_of(codec, STDOUT), message = output_of(codec, STDERR);
  EXPECT(out.length == 0, .message = say("%s prints something on stdout", what),
         .expected = "nothing on stdout: convert everything first, and print it then",
         .actual = printed(codec));
  const char *encoding = bad->encoding ? bad->encoder : bad->decoder;
  EXPECT(names_encoding(message, encoding),
         .message = say("%s does not say which encoding it is that fails", what),
         .expected = say("a message on stderr that names %s", encoding), .actual = printed(codec),
         .cause = bad->encoding ? "the text cannot be encoded: that is the first name"
                                : "the bytes cannot be decoded: that is the second name");
  EXPECT(names_number(message, position), .message = say("%s does not say at which position", what),
         .expected = say("a message on stderr with the position, %d", position),
         .actual = printed(codec), .cause = position_cause(message, bad, times));
}

/* At two positions: a number in a message may be anything, a line of the program for example.
 * False if there was nothing to judge. */
static bool expect_refusals(const struct bad_text *list, size_t count) {
  static const int times[] = {23, 37};
  bool any = false;
  for (size_t i = 0; i < count; i++)
    if (converts_good_part(&list[i], times[0])) {
      for (size_t k = 0; k < sizeof times / sizeof *times; k++)
        expect_refusal(&list[i], times[k]);
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
      {"latin-1", "ascii", false, "a\n", "a\n", 2, "ÿ", "", 0,
       "a byte at the end that ascii lacks"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "é", "xyz", 0,
       "bytes that are not UTF-8 (e9 78)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "å¥", "z", 0,
       "bytes that are not UTF-8 (e5 a5 7a)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "¿", "z", 0, "bytes that are not UTF-8 (bf)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "À¯", "z", 0, "bytes that are not UTF-8 (c0 af)"},
      {"latin-1", "utf-8", false, "aÃ©", "aé", 3, "í\xc2\xa0\xc2\x80", "z", 0,
       "bytes that are not UTF-8 (ed a0 80)"},
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

/* ---- unknown encodings, and much text ---- */

static void expect_usage_error(const char *encoder, const char *decoder) {
  struct program *codec = run_codec(encoder, decoder, "Hello World!");
  const char *what = say("codec %s %s", encoder, decoder);
  bool ended = await_exit(codec, 0);
  EXPECT(ended && exit_status(codec) == 2,
         .message = say("%s, an encoding that does not exist, does not end with status 2", what),
         .expected = "exit status 2", .actual = say("%s\nit %s", printed(codec), doing(codec)),
         .cause = ended
                      ? "a wrong argument is a usage error, and not a failure at run time: exit(2)"
                      : NULL);
}

CHECK(refuses_unknown_encodings, "codec.4", "codec") {
  expect_usage_error("klingon", "utf-8");
  expect_usage_error("utf-8", "klingon");
  expect_usage_error("ascii", "x-no-such-encoding");
}

struct long_conversion {
  const char *encoder, *decoder;
  struct {
    const char *begin, *unit, *end; /* `unit` stands there any number of times */
  } text, result;
};

/* False if not even a little text comes out right: this is another requirement's business. */
static bool converts_little(const struct long_conversion *of) {
  struct program *codec =
      run_codec(of->encoder, of->decoder, text_of(of->text.begin, of->text.unit, of->text.end, 2));
  return output_holds(output_of(codec, STDOUT),
                      text_of(of->result.begin, of->result.unit, of->result.end, 2));
}

static void expect_long_conversion(const struct long_conversion *of) {
  enum { MIB = 1 << 20 };
  size_t units = (MIB - strlen(of->text.begin) - strlen(of->text.end)) / strlen(of->text.unit);
  const char *text = text_of(of->text.begin, of->text.unit, of->text.end, units);
  const char *wanted = text_of(of->result.begin, of->result.unit, of->result.end, units);
  struct program *codec = run_codec(of->encoder, of->decoder, text);
  struct output output = output_of(codec, STDOUT);
  struct lines messages = lines(codec, STDERR);
  const char *what =
      say("codec %s %s, with %zu bytes of text,", of->encoder, of->decoder, strlen(text));
  EXPECT(
      output_holds(output, wanted), .message = say("%s does not make of them what it should", what),
      .expected = say("the same as with a little text, %zu bytes in all", strlen(wanted)),
      .actual =
          say("%s\n%s\nit %s", difference(wanted, strlen(wanted), output.bytes, output.length),
              messages.count ? say("on stderr: %s", messages.list[0].text) : "", doing(codec)),
      .cause =
          "is a buffer too small? or is the text converted in pieces, and the end of a piece cuts a character in two?");
  expect_success(codec, what);
}

CHECK(converts_a_mebibyte, "codec.4", "codec") {
  static const struct long_conversion list[] = {
      {"utf-8", "gbk", {"aaaa", "你好，世界！", ""}, {"aaaa", "浣犲ソ锛屼笘鐣岋紒", ""}},
      {"gbk", "utf-8", {"bbbb", "浣犲ソ锛屼笘鐣岋紒\n", ""}, {"bbbb", "你好，世界！\n", ""}},
      {"utf-8", "utf-16le", {"aé", "é", "b"}, {"썡", "쎩", "抩"}},
      {"utf-8", "latin-1", {"", "é", ""}, {"", "Ã©", ""}},
      {"ascii", "utf-8", {"a", "plain", ""}, {"a", "plain", ""}},
  };
  enum { COUNT = sizeof list / sizeof *list };
  bool any = false;
  for (size_t i = 0; i < COUNT; i++)
    if (converts_little(&list[i]) || (!any && i + 1 == COUNT)) {
      expect_long_conversion(&list[i]);
      any = true;
    }
}
