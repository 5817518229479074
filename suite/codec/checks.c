/* codec: text to bytes and back, in any two of five encodings. */
#define LAB codec
#include "mistakes.h"

#include <string.h>

/* ---- no argument ---- */

static const char *const examples[] = {"Hello World!", "浣犲ソ锛屼笘鐣岋紒"};

static const char *examples_cause(struct program *codec, struct lines seen) {
  if (seen.count > 2)
    return "exactly two lines: no headings, no empty lines";
  if (seen.count == 1 && strstr(seen.list[0].text, examples[0]) &&
      strstr(seen.list[0].text, examples[1]))
    return "both stand on one line: print a newline after the first";
  if (seen.count > 0 && strcmp(seen.list[0].text, examples[0]) != 0)
    return strncmp(examples[0], seen.list[0].text, strlen(seen.list[0].text)) == 0
               ? "the first line ends too early: is a length one too small?"
               : "the first line is not what is required, letter for letter";
  struct conversion asked = {"utf-8", "gbk", "你好，世界！", examples[1]};
  struct conversion_run run = conversion_run(&asked, codec);
  const char *second = seen.count == 2 ? seen.list[1].text : "";
  run.out = (struct output){(const uint8_t *)second, strlen(second)};
  return mistake_cause(&run, 1);
}

CHECK(shows_two_examples, "codec.1", "codec") {
  struct program *codec = start("codec");
  await_exit(codec, PATIENCE);
  struct lines seen = lines(codec, STDOUT);
  bool same = seen.count == 2;
  for (size_t i = 0; same && i < 2; i++)
    same = strcmp(seen.list[i].text, examples[i]) == 0;
  EXPECT(same, .message = "codec without arguments does not print the two lines, and nothing else",
         .expected = say("%s\n%s", examples[0], examples[1]), .actual = printed(codec),
         .cause = examples_cause(codec, seen));
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

/* Makes run `number`; the ones before it went well. */
static void expect_conversion(const struct conversion *wanted, struct conversion_run *runs,
                              size_t number) {
  struct program *codec = run_codec(wanted->encoder, wanted->decoder, wanted->text);
  const char *what = say("codec %s %s", wanted->encoder, wanted->decoder);
  runs[number] = conversion_run(wanted, codec);
  EXPECT(prints_text(codec, &wanted->result, 1),
         .message = say("%s does not make of \"%s\" what it should", what, wanted->text),
         .expected = wanted->result, .actual = say("%s\nit %s", printed(codec), doing(codec)),
         .cause = mistake_cause_asking(runs, number + 1));
  expect_success(codec, what);
}

static void expect_conversions(const struct conversion *conversions, size_t count) {
  enum { MOST = 32 };
  struct conversion_run runs[MOST];
  for (size_t i = 0; i < count && i < MOST; i++)
    expect_conversion(&conversions[i], runs, i);
}

/* No text holds what implementations of GBK disagree on (the euro sign, the bytes 0x80 and 0xff,
 * characters for private use), or what a terminal or a line would lose (NUL, CR, LF, white space at
 * the end). */
CHECK(converts_any_two, "codec.2", "codec") {
  static const struct conversion conversions[] = {
      {"ascii", "latin-1", "Hello World!", "Hello World!"},
      {"ascii", "utf-8", "~plain~ <\x7f>", "~plain~ <\x7f>"},
      {"ascii", "utf-16le", "Hello!", "效汬Ⅿ"},
      {"ascii", "gbk", "Hello World!", "Hello World!"},
      {"latin-1", "ascii", "Hello World!", "Hello World!"},
      {"latin-1", "utf-8", "cafÃ© Ã¤Ã¶Ã¼", "café äöü"},
      {"latin-1", "latin-1", "þ, ÿ.", "þ, ÿ."},
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
  expect_conversions(conversions, sizeof conversions / sizeof *conversions);
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
  expect_conversions(conversions, sizeof conversions / sizeof *conversions);
}

CHECK(names_in_any_case, "codec.2", "codec") {
  static const struct conversion conversions[] = {
      {"UTF-8", "GBK", "你好，世界！", "浣犲ソ锛屼笘鐣岋紒"},
      {"Gbk", "Latin-1", "你好", "ÄãºÃ"},
      {"LATIN-1", "Utf-8", "cafÃ©", "café"},
      {"ASCII", "UTF-16LE", "Hello!", "效汬Ⅿ"},
      {"Utf-16le", "Ascii", "效汬Ⅿ", "Hello!"},
  };
  expect_conversions(conversions, sizeof conversions / sizeof *conversions);
}

CHECK(converts_all_lines, "codec.2", "codec") {
  static const char *const wanted[] = {"premiÃ¨re ligne", "å¥½", "", "derniÃ¨re"};
  enum { LINES = sizeof wanted / sizeof *wanted };
  struct conversion asked = {"utf-8", "latin-1", "première ligne\n好\n\ndernière\n", NULL};
  struct program *codec = run_codec(asked.encoder, asked.decoder, asked.text);
  struct conversion_run run = conversion_run(&asked, codec);
  bool begins_well = prints_text(codec, wanted, 1);
  EXPECT(
      prints_text(codec, wanted, LINES),
      .message = "codec utf-8 latin-1 does not convert a text of several lines",
      .expected = say("%s\n%s\n%s\n%s", wanted[0], wanted[1], wanted[2], wanted[3]),
      .actual = printed(codec),
      .cause =
          begins_well
              ? "after the first line nothing comes out right: read stdin to its end, not to the end of a line"
              : mistake_cause_asking(&run, 1));
  expect_success(codec, "codec utf-8 latin-1, with several lines,");
}

/* What it prints is open: extra lines are allowed. */
CHECK(takes_no_text, "codec.2", "codec") {
  expect_success(run_codec("utf-8", "gbk", ""), "codec utf-8 gbk, without any text on stdin,");
}

CHECK(converts_zero_bytes, "codec.2", "codec") {
  static const char wanted[] = "H\0e\0l\0l\0o\0";
  struct conversion asked = {"utf-16le", "latin-1", "Hello", NULL};
  struct program *codec = run_codec(asked.encoder, asked.decoder, asked.text);
  struct conversion_run run = conversion_run(&asked, codec);
  struct output output = run.out;
  size_t length = sizeof wanted - 1;
  EXPECT(memmem(output.bytes, output.length, wanted, length),
         .message = "codec utf-16le latin-1 does not make of \"Hello\" what it should",
         .expected = quoted(wanted, length),
         .actual = output.length ? quoted(output.bytes, output.length) : printed(codec),
         .cause = mistake_cause_asking(&run, 1));
}

/* ---- unknown encodings, and much text ---- */

static void expect_usage_error(const char *encoder, const char *decoder) {
  struct program *codec = run_codec(encoder, decoder, "Hello World!");
  const char *what = say("codec %s %s", encoder, decoder);
  bool ended = await_exit(codec, 0);
  EXPECT(
      ended && exit_status(codec) == 2,
      .message = say("%s, an encoding that does not exist, does not end with status 2", what),
      .expected = "exit status 2", .actual = say("%s\nit %s", printed(codec), doing(codec)),
      .cause =
          !ended ? NULL
          : exit_status(codec) == 0
              ? "the text is converted all the same: an unknown name must not fall back to another encoding"
              : "a wrong argument is a usage error, and not a failure at run time: exit(2)");
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

/* Why only the beginning of `wanted` came, `length` bytes of it; NULL if this was no fixed size. */
static const char *fixed_size_cause(const struct long_conversion *of, const char *text,
                                    size_t length) {
  enum { SMALLEST = 1 << 9, LARGEST = 1 << 20 };
  for (size_t size = SMALLEST; size <= LARGEST; size *= 2) {
    if (length == size)
      return say("the output ends after exactly %zu bytes: is its buffer of a fixed size?", size);
    struct conversion asked = {of->encoder, of->decoder, say("%.*s", (int)size, text), NULL};
    bool cut_off = false;
    const char *result = converted_leaving_out(&asked, &cut_off);
    if (result && strlen(result) == length)
      return say("this is what the first %zu bytes of the input give: read stdin up to its end",
                 size);
  }
  return NULL;
}

static const char *long_conversion_cause(const struct long_conversion *of, const char *text,
                                         const char *wanted, struct program *codec) {
  struct output output = output_of(codec, STDOUT);
  if (await_exit(codec, 0) && exit_status(codec) != 0 && printed_anything(codec, STDERR))
    return "a little text is converted, so these messages are about a piece of the text whose end cuts a character in two: keep its first bytes for the next piece";
  bool is_beginning =
      output.length < strlen(wanted) && memcmp(output.bytes, wanted, output.length) == 0;
  const char *cause = is_beginning ? fixed_size_cause(of, text, output.length) : NULL;
  return cause ? cause
         : is_beginning
             ? "the rest is missing: is a buffer too small, or is not all of stdin read?"
             : "is the text converted in pieces, and the end of a piece cuts a character in two?";
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
  EXPECT(output_holds(output, wanted),
         .message = say("%s does not make of them what it should", what),
         .expected = say("the same as with a little text, %zu bytes in all", strlen(wanted)),
         .actual =
             say("%s\n%s\nit %s", difference(wanted, strlen(wanted), output.bytes, output.length),
                 messages.count ? say("on stderr: %s", messages.list[0].text) : "", doing(codec)),
         .cause = long_conversion_cause(of, text, wanted, codec));
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
