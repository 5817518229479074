/* http-search: what is asked, of whom. */
#define LAB http_search
#include "causes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEYWORD "kingfisher"
#define PROMPT "Input search keyword:"

/* The byte that %XX at the beginning of the text stands for; negative if there is no such thing. */
static int percent_byte(const char *text) {
  char hex[3] = "";
  if (text[0] != '%' || !isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
    return -1;
  memcpy(hex, text + 1, 2);
  return (int)strtol(hex, NULL, 16);
}

/* The text with %XX and + taken for what they stand for. (%00 ends it.) */
static const char *decoded(const char *text) {
  char *out = (char *)say("%s", text), *end = out;
  for (; *text; text++) {
    int byte = percent_byte(text);
    if (byte >= 0)
      text += 2;
    else
      byte = *text == '+' ? ' ' : (unsigned char)*text;
    *end++ = (char)byte;
  }
  *end = '\0';
  return out;
}

/* ---- the prompt, and the line ---- */

static const uint8_t *find_printed(struct program *program, enum stream stream, const char *text) {
  struct output output = output_of(program, stream);
  return memmem(output.bytes, output.length, text, strlen(text));
}

/* Whether it said anything to the LAN: asked for a name, or for a connection. */
static bool tried(void) {
  struct frames all = frames_all();
  for (size_t i = 0; i < all.count; i++)
    if (!all.list[i].on_loopback && strcmp(all.list[i].host, "localhost") == 0)
      return true;
  return false;
}

/* How the word is encoded, and what else comes with it, is the business of other requirements. */
static bool has_word(const struct question *questions, size_t count, const char *word) {
  for (size_t i = 0; i < count; i++)
    if (strcasestr(decoded((const char *)questions[i].request.bytes), word))
      return true;
  return false;
}

static bool asked_for(const struct search *search, const char *word) {
  return has_word(search->questions, search->count, word) ||
         has_word(search->rest, search->rest_count, word);
}

/* What stands where the prompt should. */
static const char *prompt_cause(struct program *program) {
  struct output output = output_of(program, STDOUT);
  const uint8_t *reply = memmem(output.bytes, output.length, "HTTP/1.1 ", strlen("HTTP/1.1 "));
  if (!reply)
    reply = memmem(output.bytes, output.length, "All is well", strlen("All is well"));
  size_t length = reply ? (size_t)(reply - output.bytes) : output.length;
  return length == 0 ? "nothing is printed before the reply: print the prompt, then read the line"
                     : say("it asks in other words: %s", quoted(output.bytes, length));
}

static void check_reading(const char *name) {
  /* Not more of the words than this is looked for: what becomes of their ends, of spaces and other
   * characters is the business of other requirements. */
#define FIRST "ngfish"
#define SECOND "rmora"
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search search = search_with_input(&web, name, "kingfisher\ncormorant\n");
  EXPECT(find_printed(search.program, STDOUT, PROMPT) ||
             find_printed(search.program, STDERR, PROMPT),
         .message = "the prompt is not printed", .expected = "\"" PROMPT " \"",
         .actual = printed(search.program), .cause = prompt_cause(search.program));
  const char *reading = say("%s reads one line from stdin", name);
  EXPECT(tried(), .message = say("%s makes nothing of the line that it is given", name),
         .expected = reading,
         .actual = say("it %s, and nothing went out to the network\n%s", search.did,
                       printed(search.program)));
  EXPECT(!asked_for(&search, SECOND), .message = say("%s reads more than one line", name),
         .expected = reading, .actual = asked(&search),
         .cause = "fgets(), getline(), input() or readline() read one line; read() takes all");
  EXPECT(search.count + search.rest_count == 0 || asked_for(&search, FIRST),
         .message = say("%s does not search for the line that it is given", name),
         .expected = reading, .actual = asked(&search));

  search = search_with_input(&web, name, "kingfisher cormorant\n");
  EXPECT(!asked_for(&search, FIRST) || asked_for(&search, SECOND),
         .message = say("%s reads one word, not one line", name), .expected = reading,
         .actual = asked(&search), .cause = "scanf(\"%s\") ends at a space; fgets() does not");
#undef FIRST
#undef SECOND
}

CHECK(easy_reads_a_line, "http-search.1", "search-easy") {
  check_reading("search-easy");
}

CHECK(http_reads_a_line, "http-search.1", "search-http") {
  check_reading("search-http");
}

CHECK(tls_reads_a_line, "http-search.1", "search-tls") {
  check_reading("search-tls");
}

/* ---- the requests ---- */

/* A keyword in the target that is encoded more than need be is another requirement's business. */
static bool is_target(const char *got, const char *path) {
  size_t length = strlen(path);
  return strncmp(got, path, length) == 0 && strcmp(decoded(got + length), KEYWORD) == 0;
}

/* Whether anything but empty lines came besides whole requests. */
static bool asked_more(const struct search *search) {
  for (size_t i = 0; i < search->rest_count; i++) {
    const struct request *rest = &search->rest[i].request;
    for (size_t k = 0; k < rest->length; k++)
      if (rest->bytes[k] != '\r' && rest->bytes[k] != '\n')
        return true;
  }
  return false;
}

static const char *more_cause(const struct search *search) {
  return *search->rest[0].request.bytes ? "the empty line is the end"
                                        : "in C, is the terminating NUL of a text sent as well?";
}

/* Exactly one request was made: GET, of this URL. */
static const struct request *expect_one_get(const struct search *search, const char *url,
                                            const char *host, const char *path) {
  const char *expected = say("exactly one request: GET %s%s" KEYWORD, url, path), *value = "none";
  const struct question *question = expect_question(search);
  const struct request *request = &question->request;
  EXPECT(search->count == 1 && strcmp(question->url, url) == 0 &&
             is_target(request_target(request), path) &&
             strncmp(request_line(request), "GET ", 4) == 0,
         .message = say("%s does not ask what is required", search->name), .expected = expected,
         .actual = asked(search), .cause = get_cause(search, url, path, KEYWORD));
  EXPECT(!asked_more(search), .message = say("%s sends more than one request", search->name),
         .expected = expected, .actual = asked(search), .cause = more_cause(search));
  size_t hosts = request_field(request, "Host", &value);
  int port = strncmp(url, "https:", 6) == 0 ? 443 : 80;
  EXPECT(hosts == 1 &&
             (strcasecmp(value, host) == 0 || strcasecmp(value, say("%s:%d", host, port)) == 0),
         .message = say("the request's Host is not %s", host), .expected = say("Host: %s", host),
         .actual = hosts > 1 ? counted(hosts, "Host line") : say("Host: %s", value),
         .cause = hosts == 0 ? "a request by HTTP/1.1 must have a Host line"
                  : hosts > 1
                      ? "one Host line is enough"
                      : say("%s is connected to, so the server is asked for this name", host));
  return request;
}

CHECK(easy_gets_google, "http-search.2", "search-easy") {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search one = search(&web, "search-easy", KEYWORD);
  expect_one_get(&one, "https://www.google.com", "www.google.com", "/?q=");
}

/* A line of the request that ends in LF alone. */
static bool has_bare_newline(const struct request *request) {
  const uint8_t *bytes = request->bytes;
  for (size_t i = 0; i < request->length; i++)
    if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
      return true;
  return false;
}

CHECK(http_gets_baidu, "http-search.3", "search-http") {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search one = search(&web, "search-http", KEYWORD);
  const struct request *request =
      expect_one_get(&one, "http://www.baidu.com", "www.baidu.com", "/?q=");
  const char *target = request_target(request), *line = request_line(request);
  const char *expected = say("GET %s HTTP/1.1", target);
  EXPECT(strcmp(line, expected) == 0, .message = "the request's first line is not what is required",
         .expected = expected, .actual = line,
         .cause = strstr(line, "HTTP/1.0") ? "the version is HTTP/1.1" : NULL);
  EXPECT(!has_bare_newline(request), .message = "a line of the request does not end in CR LF",
         .expected = "\\r\\n at the end of every line, the empty one too",
         .actual = quoted(request->bytes, request->length),
         .cause = "HTTP's lines end in CR LF, on every system");
}

static const char *tls_request(const char *query) {
  return say("GET /search?q=%s HTTP/1.1\r\n"
             "Host: baidu.com\r\n"
             "User-Agent: Foundations of Python Network Programming example search4.py\r\n"
             "Connection: close\r\n"
             "\r\n",
             query);
}

/* The request that would be right with the keyword as the program encodes it, which is another
 * requirement's business. */
static const char *right_tls_request(const struct request *request) {
  static const char path[] = "/search?q=";
  const char *target = request_target(request);
  return tls_request(is_target(target, path) ? target + strlen(path) : KEYWORD);
}

CHECK(tls_says_every_byte, "http-search.4", "search-tls") {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search one = search(&web, "search-tls", KEYWORD);
  const struct question *question = expect_question(&one);
  const struct request *request = &question->request;
  EXPECT(one.count < 2 && strcmp(question->url, "https://baidu.com") == 0,
         .message = "search-tls does not ask what is required",
         .expected = "one request, by TLS, to baidu.com port 443", .actual = asked(&one),
         .cause = url_cause(&one, "https://baidu.com"));
  const char *expected = right_tls_request(request);
  EXPECT(request->length == strlen(expected) &&
             memcmp(request->bytes, expected, request->length) == 0,
         .message = "the request is not, byte for byte, the required one", .expected = expected,
         .actual = difference(expected, strlen(expected), request->bytes, request->length),
         .cause = has_bare_newline(request) ? "lines end in CR LF, \"\\r\\n\""
                  : one.count == 0          ? "an empty line ends it"
                                            : request_cause(request, expected));
  EXPECT(one.rest_count == 0, .message = "more bytes follow the request",
         .expected = "nothing after the empty line", .actual = asked(&one),
         .cause = more_cause(&one));

  /* Of the ways to encode a space one only is left here; a space that is not encoded at all is
   * another requirement's business. */
  struct search two = search(&web, "search-tls", "great kingfisher");
  EXPECT(two.count == 0 || !strstr(request_target(&two.questions[0].request), "great%20kingfisher"),
         .message = "a space of the keyword is sent as %20", .expected = "+, here",
         .actual = asked(&two), .cause = "quote_plus(), not quote()");
}

CHECK(tls_names_the_server, "http-search.11", "search-tls") {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search one = search(&web, "search-tls", KEYWORD);
  const struct question *question = expect_question(&one);
  const char *sent = question->request.server_name;
  EXPECT(
      question->request.tls && strcasecmp(sent, question->site) == 0,
      .message = "search-tls does not tell the server, by SNI, whom it wants to talk to",
      .expected = say("the server name %s in the ClientHello", question->site),
      .actual = !question->request.tls ? "there is no TLS"
                : *sent                ? say("the server name %s", sent)
                                       : "no server name",
      .cause =
          !question->request.tls ? "without TLS there is no ClientHello that could name the server"
          : *sent
              ? say("%s is named, but %s is connected to", sent, question->site)
              : "SSL_set_tlsext_host_name() sends it; in Python wrap_socket(…, server_hostname=…)");
}

/* ---- encoding ---- */

static bool is_unreserved(unsigned char byte) {
  return byte < 128 && (isalnum(byte) || strchr("-._~", byte));
}

/* How many bytes of the text stand, rightly encoded, for this byte of a keyword; 0: none. */
static size_t encoded_length(const char *text, unsigned char byte) {
  if (is_unreserved(byte))
    return (unsigned char)text[0] == byte;
  if (byte == ' ' && text[0] == '+')
    return 1;
  return percent_byte(text) == byte ? 3 : 0;
}

/* Where the query's text differs from the keyword's encoding: *at in the keyword. False if it does
 * not differ, up to *place. */
static bool wrongly_encoded(const char *text, const char *keyword, const char **at,
                            const char **place) {
  for (; *keyword; keyword++) {
    *at = keyword;
    *place = text;
    size_t length = encoded_length(text, (unsigned char)*keyword);
    if (length == 0 && *keyword == ' ' && (*text == '\0' || *text == '&'))
      break; /* it has read one word: another requirement's business */
    if (length == 0)
      return true;
    text += length;
  }
  *at = "";
  *place = text;
  return false;
}

static const char *right_encoding(const char *keyword, unsigned char byte) {
  if (!byte)
    return "its encoding, and nothing more";
  return is_unreserved(byte) ? say("“%s” with %c as it is", keyword, byte)
                             : say("“%s” with %%%02X for its byte 0x%02X%s", keyword, byte, byte,
                                   byte == ' ' ? ", or +" : "");
}

/* Whether UTF-8 was taken for Latin-1, and each of its characters was encoded as UTF-8 then: what
 * stands there, in two steps, for the byte in front of `at`. */
static bool is_latin_1_twice(const char *keyword, const char *at, const char *query,
                             const char *place) {
  if (at == keyword || place - query < 3)
    return false;
  int before = (unsigned char)at[-1];
  return before > 127 && percent_byte(place - 3) == (0xc0 | before >> 6) &&
         percent_byte(place) == (0x80 | (before & 0x3f));
}

/* `at`: the place in the keyword; `place`: the one in the query, where something else stands. */
static const char *encoding_cause(const char *keyword, const char *at, const char *query,
                                  const char *place) {
  unsigned char byte = (unsigned char)*at;
  if (byte == '\0')
    return "more stands behind it than behind another keyword";
  if (*place == '\0' || *place == '&')
    return say("the keyword is cut after %zu bytes: is there a buffer that is too small for it?",
               (size_t)(at - keyword));
  if (strncmp(place, "%25", 3) == 0 && byte != '%')
    return "it is encoded twice";
  if (strncasecmp(place, "%FFFFFF", strlen("%FFFFFF")) == 0)
    return "a char over 127 is negative, so that %02X makes eight digits of it: take unsigned char";
  if (is_latin_1_twice(keyword, at, query, place))
    return "the keyword's bytes are UTF-8 already: they were taken for Latin-1 characters, and each "
           "was encoded as UTF-8 again";
  if (is_unreserved(byte))
    return say("%c is unreserved (RFC 3986, 2.3) and stays as it is", byte);
  if (byte > 127 && *place == '%')
    return "the keyword is taken for another encoding than UTF-8, or encoded by characters, not by "
           "bytes";
  if (byte == '+' && *place == '+')
    return "a + in a query stands for a space: “+” is to be percent-encoded, %2B";
  if (byte == '/' && *place == '/')
    return "“/” is to be percent-encoded, %2F: Python's quote() leaves it, quote_plus() does not";
  return say("%s is to be percent-encoded", byte > 127 ? "every byte over 127" : say("“%c”", byte));
}

/* The query, "?q=x"; of a POST, which is another requirement's business, what its body has instead.
 */
static const char *query_of(const struct search *search) {
  const char *target = request_target(&expect_question(search)->request);
  const char *query = strchr(target, '?');
  if (!query && search->count > 0 && search->rest_count > 0)
    return say("?%s", (const char *)search->rest[0].request.bytes);
  return query ? query : target;
}

/* What stands for the keyword in it: after q=, or what the program has instead. */
static const char *query_value(const char *query) {
  const char *second = strstr(query, "&q=");
  if (strncmp(query, "?q=", 3) == 0 || !second)
    second = query;
  const char *equals = strchr(second, '=');
  return equals ? equals + 1 : query + strspn(query, "?");
}

/* `behind`: what stands behind every keyword, which is another requirement's business; NULL if it
 * is not known yet. Returns it. */
static const char *expect_encoding(const struct web *web, const char *name, const char *keyword,
                                   const char *behind) {
  struct search one = search(web, name, keyword);
  EXPECT(!behind || one.count + one.rest_count > 0,
         .message = say("%s makes no request for the keyword “%s”", name, keyword),
         .expected = "a request with the keyword percent-encoded", .actual = asked(&one),
         .cause = "a library may refuse a URL in which something is not encoded");
  const char *query = query_of(&one), *place = "", *at = "";
  bool wrong = wrongly_encoded(query_value(query), keyword, &at, &place);
  EXPECT(!wrong && (!behind || strcmp(place, behind) == 0),
         .message = say("the keyword “%s” is not rightly encoded", keyword),
         .expected = right_encoding(keyword, (unsigned char)*at), .actual = query,
         .cause = encoding_cause(keyword, at, query, place));
  return place;
}

/* For which a buffer of a hundred bytes is too small. */
static const char long_keyword[] =
    "a whole sentence may be typed as well by somebody who does not know what the thing is called "
    "and describes it at some length until it must be clear what is meant by all this";

static void check_encoding(const char *name) {
  static const char *const keywords[] = {"great kingfisher",
                                         "fish & chips",
                                         "C# in #4",
                                         "and/or",
                                         "100 %",
                                         "%41",
                                         "1+1",
                                         "a \"quote\"",
                                         "two  spaces",
                                         "-._~ AZ az 09",
                                         "naïve Ω",
                                         "cafe\u0301",
                                         "你好，世界",
                                         "🜚 and 🜛 and more",
                                         long_keyword};
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  const char *behind = expect_encoding(&web, name, KEYWORD, NULL);
  for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
    expect_encoding(&web, name, keywords[i], behind);
}

CHECK(easy_encodes, "http-search.5", "search-easy") {
  check_encoding("search-easy");
}

CHECK(http_encodes, "http-search.5", "search-http") {
  check_encoding("search-http");
}

CHECK(tls_encodes, "http-search.5", "search-tls") {
  check_encoding("search-tls");
}

/* ---- proxies ---- */

static void name_proxy(void) {
  put_variable("http_proxy", PROXY_URL);
  put_variable("https_proxy", PROXY_URL);
}

CHECK(easy_goes_through_the_proxy, "http-search.8", "search-easy") {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  name_proxy();
  struct search one = search(&web, "search-easy", KEYWORD);
  bool directly = connected_directly();
  EXPECT(connections_to(web.proxy) > 0 && !directly,
         .message = "search-easy does not go through the proxy that https_proxy names",
         .expected =
             say("one connection, to the proxy %s, which makes the one to the site", PROXY_URL),
         .actual =
             say("%s to the proxy; %s", counted((size_t)connections_to(web.proxy), "connection"),
                 directly ? "the site was connected to directly" : asked(&one)),
         .cause = "high-level libraries do so by themselves, unless they are told not to");
  EXPECT(one.count + one.rest_count > 0, .message = "through the proxy search-easy asks nothing",
         .expected = "CONNECT www.google.com:443 (RFC 9110, 9.3.6), then TLS, then the request",
         .actual = asked(&one));
}

static void check_direct(const char *name) {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  name_proxy();
  struct search one = search(&web, name, KEYWORD);
  int connections = connections_to(web.proxy);
  EXPECT(
      connections == 0,
      .message = say("%s goes through the proxy that the environment names", name),
      .expected = "a connection to the site itself, whatever http_proxy and https_proxy say",
      .actual = say("%s to the proxy", counted((size_t)connections, "connection")),
      .cause =
          "a high-level library does the work, or the program reads http_proxy itself: this one is to stand on a lower one, and to connect to the site");
  EXPECT(connected_directly(), .message = say("%s does not connect to any site", name),
         .expected = "a connection to the site itself, whatever http_proxy and https_proxy say",
         .actual = asked(&one));
}

CHECK(http_connects_directly, "http-search.8", "search-http") {
  check_direct("search-http");
}

CHECK(tls_connects_directly, "http-search.8", "search-tls") {
  check_direct("search-tls");
}
