/* http-search: replies, and what is printed of them. */
#define LAB http_search
#include "causes.h"

#include <string.h>
#include <strings.h>

#define KEYWORD "kingfisher"
#define CLOSE "Connection: close\r\n"

#define AT_ONCE ((struct pace){0, 0})

static const uint8_t *find(struct output in, const char *text, size_t length) {
  return memmem(in.bytes, in.length, text, length);
}

/* Without each CR that stands before an LF: in a text that is no more than shown, the ends of lines
 * are free. */
static struct output with_plain_newlines(const void *bytes, size_t length) {
  char *text = (char *)say("%*s", (int)length, "");
  size_t kept = 0;
  for (size_t i = 0; i < length; i++) {
    const char *byte = (const char *)bytes + i;
    if (*byte != '\r' || i + 1 == length || byte[1] != '\n')
      text[kept++] = *byte;
  }
  text[kept] = '\0';
  return (struct output){(const uint8_t *)text, kept};
}

/* ---- what is printed ---- */

/* `left_open`: the server has said all, and has not closed the connection. */
static void expect_end(const struct search *search, const char *after, bool left_open) {
  EXPECT(!search->endless, .message = say("%s does not end after %s", search->name, after),
         .expected = "it prints the reply and ends",
         .actual = say("%s\n%s", search->waits_for, printed(search->program)),
         .cause = no_end_cause(search, left_open));
}

/* Where the output stops being the text: from the place on where the text's first line stands. */
static const char *deviation(const struct search *search, struct output output,
                             struct output text) {
  size_t line = strcspn((const char *)text.bytes, "\n");
  const uint8_t *begin = find(output, (const char *)text.bytes, line);
  if (!begin)
    return printed(search->program);
  return difference(text.bytes, text.length, begin, output.length - (size_t)(begin - output.bytes));
}

/* Why the text is not printed as it came. */
static const char *alteration_cause(const struct search *search, struct output output,
                                    struct output text) {
  struct output complaints = output_of(search->program, STDERR);
  complaints = with_plain_newlines(complaints.bytes, complaints.length);
  if (find(complaints, (const char *)text.bytes, text.length))
    return "it is printed on stderr: it belongs on stdout";
  if (find(output, "\\n", 2))
    return "the bytes are printed as a program's text has them: decode them";
  size_t line = strcspn((const char *)text.bytes, "\n"), same = 0;
  const uint8_t *begin = find(output, (const char *)text.bytes, line < 8 ? line : 8);
  size_t left = begin ? output.length - (size_t)(begin - output.bytes) : 0;
  while (same < left && same < text.length && begin[same] == text.bytes[same])
    same++;
  return same < left && same < text.length && text.bytes[same] > 127 && begin[same] == '?'
             ? "what is not ASCII comes as “?”: print the bytes as they came, or decode them as UTF-8"
             : NULL;
}

/* What stands after the text, which may be followed by a newline, and by lines of the program's
 * own; but not by a piece of the text again. */
static void expect_nothing_after(const char *what, struct output text, const uint8_t *end,
                                 size_t length) {
  struct output rest = {end, length};
  EXPECT(length == 0 || end[0] == '\n', .message = say("something follows the end of %s", what),
         .expected = "nothing, or a newline", .actual = quoted(end, length),
         .cause = find(rest, (const char *)text.bytes, text.length)
                      ? say("%s is printed twice: as it comes, and once more at the end", what)
                      : "print as many bytes as were received, and no more");
  EXPECT(!find(rest, (const char *)text.bytes, text.length),
         .message = say("%s is printed twice", what), .expected = "it is printed once",
         .actual = counted(text.length + length, "byte"));
}

/* A line of the header of which nothing else that is printed would have the text. */
static bool is_telling(const char *line) {
  return strncasecmp(line, "Connection:", strlen("Connection:")) != 0;
}

static void expect_no_header(struct output output, const char *header) {
  for (const char *line = header; *line && *line != '\r'; line = strchr(line, '\n') + 1) {
    size_t length = strcspn(line, "\r\n");
    EXPECT(!is_telling(line) || !find(output, line, length),
           .message = "the header of the reply is printed too",
           .expected = "the body, and not the header", .actual = say("%.*s", (int)length, line),
           .cause = "the body begins after the first empty line");
  }
}

static void check_body(const char *name) {
  /* An empty line in it is not the one that ends the header. */
  static const char body[] = "<!-- the body -->\n"
                             "    indented, and\ta tab\r\n"
                             "\r\n"
                             "naïve Ω, 你好，世界, 🜚, \\x41, %41, &amp;\n"
                             "100 %d or %s or %n, 100 % plain\n"
                             "\n\n"
                             "and a last line without a newline";
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  const char *secret = say("kingfisher-%d", random_between(100000, 999999));
  struct reply reply =
      make_reply(BY_LENGTH, say("Server: %s\r\n" CLOSE, secret), body, strlen(body));
  set_reply(&web, &reply, reply.length, AT_ONCE, ORIGIN_CLOSES);
  struct search one = search(&web, name, KEYWORD);
  expect_question(&one);
  expect_end(&one, "a reply", false);
  struct output bytes = output_of(one.program, STDOUT);
  struct output output = with_plain_newlines(bytes.bytes, bytes.length);
  struct output text = with_plain_newlines(body, strlen(body));
  const uint8_t *begin = find(output, (const char *)text.bytes, text.length);
  EXPECT(begin, .message = say("%s does not print the body as it came", name),
         .expected = "the body, whole and unaltered", .actual = deviation(&one, output, text),
         .cause = alteration_cause(&one, output, text));
  expect_no_header(output, reply.header);
  EXPECT(!find(output, secret, strlen(secret)), .message = "the header of the reply is printed too",
         .expected = "the body, and not the header", .actual = printed(one.program));
  const uint8_t *end = begin + text.length;
  expect_nothing_after("the body", text, end, output.length - (size_t)(end - output.bytes));
  expect_success(one.program, say("%s, with a whole reply,", name));
}

CHECK(easy_prints_the_body, "http-search.6", "search-easy") {
  check_body("search-easy");
}

CHECK(http_prints_the_body, "http-search.6", "search-http") {
  check_body("search-http");
}

CHECK(tls_prints_the_reply, "http-search.6", "search-tls") {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  const char *body = make_text(600, false);
  struct reply reply = make_reply(BY_LENGTH, "Server: kingfisher\r\n" CLOSE, body, strlen(body));
  set_reply(&web, &reply, reply.length, AT_ONCE, ORIGIN_CLOSES);
  struct search one = search(&web, "search-tls", KEYWORD);
  expect_question(&one);
  expect_end(&one, "a reply", false);
  struct output bytes = output_of(one.program, STDOUT);
  struct output output = with_plain_newlines(bytes.bytes, bytes.length);
  struct output text = with_plain_newlines(reply.bytes, reply.length);
  const uint8_t *begin = find(output, (const char *)text.bytes, text.length);
  EXPECT(begin, .message = "search-tls does not print the whole reply",
         .expected = "the header and the body, as they came",
         .actual = deviation(&one, output, text),
         .cause = find(output, body, strlen(body)) ? "the header is to be printed too, here"
                                                   : alteration_cause(&one, output, text));
  const uint8_t *end = begin + text.length;
  expect_nothing_after("the reply", text, end, output.length - (size_t)(end - output.bytes));
  expect_success(one.program, "search-tls, with a whole reply,");
}

/* ---- framing ---- */

/* What a program does with the simplest of replies, and how it asks: what is wrong there is the
 * business of other requirements, and a server respects it. */
struct habits {
  bool closes;   /* it asks the server to close when it has replied */
  bool old;      /* it asks by HTTP/1.0, where there are no chunks */
  bool succeeds; /* it ends with status 0 */
  bool ascii;    /* it prints other text wrongly */
  bool alters;   /* it prints any text wrongly */
};

static struct habits observe(struct web *web, const char *name, bool ascii) {
  const char *body = make_text(200, ascii), *connection = "";
  struct reply reply = make_reply(BY_LENGTH, CLOSE, body, strlen(body));
  set_reply(web, &reply, reply.length, AT_ONCE, ORIGIN_CLOSES);
  struct search one = search(web, name, KEYWORD);
  const struct request *request = &expect_question(&one)->request;
  bool printed_well = find(output_of(one.program, STDOUT), body, strlen(body));
  if (!printed_well && !ascii)
    return observe(web, name, true);
  request_field(request, "Connection", &connection);
  bool old = strstr(request_line(request), " HTTP/1.0") != NULL;
  return (struct habits){.closes = old || strcasestr(connection, "close"),
                         .old = old,
                         .succeeds = !one.endless && exit_status(one.program) == 0,
                         .ascii = ascii,
                         .alters = !printed_well};
}

/* Whether the text is there, if not as it was: of each line its number and what stands at its end,
 * in this order, in upper or lower case. */
static bool has_all_lines(struct output in, const struct reply *reply) {
  const char *text = (const char *)in.bytes, *line = reply->body;
  for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
    const char *number = line + strcspn(line, "0123456789"), *last = memrchr(line, '(', end - line);
    const char *words[] = {say("%.*s", (int)strcspn(number, " "), number),
                           say("%.*s", last ? (int)(end - last) : 0, last ? last : "")};
    for (int i = 0; i < 2; i++) {
      text = strcasestr(text, words[i]);
      if (!text)
        return false;
      text += strlen(words[i]);
    }
  }
  return true;
}

/* So long without a byte may be taken for the end by mistake. */
static const double SILENCE = 1;

static void expect_whole(const struct search *search, enum framing framing,
                         const struct reply *reply, const char *how, struct pace pace,
                         struct habits habits) {
  struct output output = output_of(search->program, STDOUT);
  struct output text = {(const uint8_t *)reply->body, reply->body_length};
  const char *what = say("%s, %s", reply->name, how);
  bool whole = habits.alters ? has_all_lines(output, reply) ||
                                   has_all_lines(output_of(search->program, STDERR), reply)
                             : find(output, reply->body, reply->body_length) != NULL;
  EXPECT(whole || search->endless, .message = say("the body is not printed whole: %s", what),
         .expected = say("%s, as they were sent", counted(reply->body_length, "byte")),
         .actual = deviation(search, output, text),
         .cause = framing_cause(search, framing, reply, pace.piece));
  expect_end(search, what, !habits.closes && framing != BY_CLOSE);
  if (!habits.succeeds)
    return;
  EXPECT(pace.pause < SILENCE || exit_status(search->program) == 0,
         .message = say("%s, with %s, does not end with status 0", search->name, what),
         .expected = "exit status 0",
         .actual = say("it %s\n%s", search->did, printed(search->program)),
         .cause = say("%g s without a byte are no end, and no failure: is there a time-out?",
                      pace.pause));
  expect_success(search->program, say("%s, with %s,", search->name, what));
}

/* `to_close`: it asks the server to close, by another requirement. */
static void check_framing(const char *name, const enum framing *framings, size_t framing_count,
                          bool to_close) {
  static const struct {
    const char *how;
    size_t length;
    struct pace pace;
  } ways[] = {{"in one segment", 500, {0, 0}},
              {"byte by byte", 60, {1, 0.001}},
              {"in segments with 1.2 s between them", 500, {250, 1.2}},
              {"in segments of 700 bytes", 20000, {700, 0.001}},
              {"all at once", 1 << 20, {0, 0}}};
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct habits habits = observe(&web, name, false);
  for (size_t i = 0; i < framing_count; i++) {
    if (framings[i] == BY_CHUNKS && habits.old)
      continue;
    bool closes = to_close || habits.closes || framings[i] == BY_CLOSE;
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
      const char *body = make_text(ways[k].length, habits.ascii);
      struct reply reply = make_reply(framings[i], closes ? CLOSE : "", body, ways[k].length);
      set_reply(&web, &reply, reply.length, ways[k].pace,
                closes ? ORIGIN_CLOSES : ORIGIN_STAYS_OPEN);
      struct search one = search(&web, name, KEYWORD);
      expect_whole(&one, framings[i], &reply, ways[k].how, ways[k].pace, habits);
    }
  }
}

static const enum framing FRAMINGS[] = {BY_LENGTH, BY_CHUNKS, BY_CLOSE};

CHECK(easy_understands_framing, "http-search.7", "search-easy") {
  check_framing("search-easy", FRAMINGS, 3, false);
}

CHECK(http_understands_framing, "http-search.7", "search-http") {
  check_framing("search-http", FRAMINGS, 3, false);
}

CHECK(tls_reads_to_the_end, "http-search.7", "search-tls") {
  static const enum framing unchunked[] = {BY_LENGTH, BY_CLOSE};
  check_framing("search-tls", unchunked, 2, true);
}
