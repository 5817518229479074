/* http-search: what is asked, of whom. */
#define LAB http_search
#include "web.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>

#define KEYWORD "kingfisher"
#define PROMPT "Input search keyword:"

/* What was asked, one a line, for reports. */
static const char *asked(const struct search *search) {
  const char *text = "";
  for (size_t i = 0; i < search->count; i++)
    text = say("%s%s%s, %s", text, i > 0 ? "\n" : "", search->questions[i].url,
               request_line(&search->questions[i].request));
  return search->count > 0 ? text
                           : say("nothing; it %s\n%s", search->did, printed(search->program));
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

static bool asked_for(const struct search *search, const char *word) {
  for (size_t i = 0; i < search->count; i++)
    if (strstr((const char *)search->questions[i].request.bytes, word))
      return true;
  return false;
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
         .actual = printed(search.program));
  const char *reading = say("%s reads one line from stdin", name);
  EXPECT(tried(), .message = say("%s makes nothing of the line that it is given", name),
         .expected = reading,
         .actual = say("it %s, and nothing went out to the network\n%s", search.did,
                       printed(search.program)));
  EXPECT(!asked_for(&search, SECOND), .message = say("%s reads more than one line", name),
         .expected = reading, .actual = asked(&search),
         .cause = "fgets(), getline(), input() or readline() read one line; read() takes all");
  EXPECT(search.count == 0 || asked_for(&search, FIRST),
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

static const char *get_cause(const struct search *search, const char *url, const char *target) {
  const struct question *first = &search->questions[0];
  const char *got = request_target(&first->request);
  if (search->count > 1)
    return "one call of the library, or one write to one socket, is one request";
  if (strncmp(got, target, strlen(target)) == 0 && strcasestr(got + strlen(target), "%0"))
    return "the line's end is a part of the keyword: take the newline off";
  if (strcmp(first->url, url) != 0)
    return say("it asked %s", first->url);
  return NULL;
}

/* Exactly one request was made: GET, of this URL. */
static const struct request *expect_one_get(const struct search *search, const char *url,
                                            const char *host, const char *target) {
  const char *expected = say("exactly one request: GET %s%s", url, target);
  expect_question(search);
  const struct question *question = &search->questions[0];
  const char *got = request_target(&question->request), *value = "none";
  EXPECT(search->count == 1 && strcmp(question->url, url) == 0 && strcmp(got, target) == 0 &&
             strncmp(request_line(&question->request), "GET ", 4) == 0,
         .message = say("%s does not ask what is required", search->name), .expected = expected,
         .actual = asked(search), .cause = get_cause(search, url, target));
  size_t hosts = request_field(&question->request, "Host", &value);
  int port = strncmp(url, "https:", 6) == 0 ? 443 : 80;
  EXPECT(hosts == 1 &&
             (strcasecmp(value, host) == 0 || strcasecmp(value, say("%s:%d", host, port)) == 0),
         .message = say("the request's Host is not %s", host), .expected = say("Host: %s", host),
         .actual = hosts > 1 ? counted(hosts, "Host line") : say("Host: %s", value));
  return &question->request;
}

CHECK(easy_gets_google, "http-search.2", "search-easy") {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search one = search(&web, "search-easy", KEYWORD);
  expect_one_get(&one, "https://www.google.com", "www.google.com", "/?q=" KEYWORD);
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
      expect_one_get(&one, "http://www.baidu.com", "www.baidu.com", "/?q=" KEYWORD);
  const char *line = request_line(request), *expected = "GET /?q=" KEYWORD " HTTP/1.1";
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

static bool request_equals(const struct request *request, const char *text) {
  return request->length == strlen(text) && memcmp(request->bytes, text, request->length) == 0;
}

CHECK(tls_says_every_byte, "http-search.4", "search-tls") {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search one = search(&web, "search-tls", KEYWORD);
  expect_question(&one);
  const struct question *question = &one.questions[0];
  const struct request *request = &question->request;
  EXPECT(one.count == 1 && strcmp(question->url, "https://baidu.com") == 0,
         .message = "search-tls does not ask what is required",
         .expected = "one request, by TLS, to baidu.com port 443", .actual = asked(&one));
  const char *expected = tls_request(KEYWORD);
  EXPECT(request_equals(request, expected),
         .message = "the request is not, byte for byte, the required one", .expected = expected,
         .actual = difference(expected, strlen(expected), request->bytes, request->length),
         .cause = has_bare_newline(request) ? "lines end in CR LF, \"\\r\\n\""
                  : memchr(request->bytes, 0, request->length)
                      ? "there is a 0 byte in it: is the terminating NUL of a C string sent?"
                      : NULL);
  EXPECT(one.stray == 0, .message = "more bytes follow the request",
         .expected = "nothing after the empty line", .actual = counted(one.stray, "byte"));

  /* Of the ways to encode a space one only is left here; a space that is not encoded at all is
   * another requirement's business. */
  struct search two = search(&web, "search-tls", "great kingfisher");
  const char *spaced = tls_request("great%20kingfisher");
  EXPECT(two.count == 0 || !request_equals(&two.questions[0].request, spaced),
         .message = "a space of the keyword is sent as %20", .expected = "+, here",
         .actual = asked(&two), .cause = "quote_plus(), not quote()");
}

CHECK(tls_names_the_server, "http-search.11", "search-tls") {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search one = search(&web, "search-tls", KEYWORD);
  expect_question(&one);
  const struct request *request = &one.questions[0].request;
  const char *site = SITE_NAMES[one.questions[0].site], *sent = request->server_name;
  EXPECT(request->tls && strcasecmp(sent, site) == 0,
         .message = "search-tls does not tell the server, by SNI, whom it wants to talk to",
         .expected = say("the server name %s in the ClientHello", site),
         .actual = !request->tls ? "there is no TLS"
                   : *sent       ? say("the server name %s", sent)
                                 : "no server name",
         .cause =
             "SSL_set_tlsext_host_name() sends it; in Python wrap_socket(…, server_hostname=…)");
}

/* ---- encoding ---- */

/* How many bytes of the text stand, rightly encoded, for this byte of a keyword; 0: none. */
static size_t encoded_length(const char *text, unsigned char byte) {
  bool unreserved = isalnum(byte) || strchr("-._~", byte);
  if (unreserved)
    return (unsigned char)text[0] == byte;
  if (byte == ' ' && text[0] == '+')
    return 1;
  const char hex[] = {text[0] ? text[1] : '\0', text[0] && text[1] ? text[2] : '\0', '\0'};
  return text[0] == '%' && strcasecmp(hex, say("%02X", byte)) == 0 ? 3 : 0;
}

/* Where the query's text differs from the keyword's encoding: the keyword's byte in *byte. False if
 * it does not differ. (A parameter more is another requirement's business.) */
static bool wrongly_encoded(const char *text, const char *keyword, unsigned char *byte,
                            const char **place) {
  for (; *keyword; keyword++) {
    *byte = (unsigned char)*keyword;
    *place = text;
    size_t length = encoded_length(text, *byte);
    if (length == 0)
      return true;
    text += length;
  }
  *byte = '\0';
  *place = text;
  return *text && *text != '&';
}

static const char *encoding_cause(unsigned char byte, const char *place) {
  if (byte == '\0')
    return "something of the input that is not the keyword, or of the program, follows it";
  if (strncmp(place, "%25", 3) == 0 && byte != '%')
    return "it is encoded twice";
  if (isalnum(byte) || strchr("-._~", byte))
    return say("%c is unreserved (RFC 3986, 2.3) and stays as it is", byte);
  if (byte > 127 && *place == '%')
    return "the keyword is taken for another encoding than UTF-8, or encoded by characters, not by "
           "bytes";
  return say("%s is to be percent-encoded", byte > 127 ? "every byte over 127" : say("“%c”", byte));
}

/* What stands for the keyword in the request's target: after q=, or what the program has instead.
 */
static const char *query_value(const char *target) {
  const char *query = strchr(target, '?');
  if (!query)
    return target;
  const char *second = strstr(query, "&q=");
  if (strncmp(query, "?q=", 3) == 0 || !second)
    second = query;
  const char *equals = strchr(second, '=');
  return equals ? equals + 1 : query + 1;
}

static void check_encoding(const char *name) {
  static const char *const keywords[] = {"great kingfisher",
                                         "fish & chips",
                                         "C# in #4",
                                         "and/or",
                                         "100 %",
                                         "%41",
                                         "1+1",
                                         "a \"quote\"",
                                         "-._~ AZ az 09",
                                         "naïve Ω",
                                         "你好，世界",
                                         "🜚 and 🜛 and more"};
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search plain = search(&web, name, KEYWORD);
  expect_question(&plain);
  for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
    struct search one = search(&web, name, keywords[i]);
    EXPECT(one.count > 0,
           .message = say("%s makes no request for the keyword “%s”", name, keywords[i]),
           .expected = "a request with the keyword percent-encoded",
           .actual = say("none; it %s\n%s", one.did, printed(one.program)),
           .cause = "a library may refuse a URL in which something is not encoded");
    const char *target = request_target(&one.questions[0].request), *place = "";
    unsigned char byte = 0;
    EXPECT(!wrongly_encoded(query_value(target), keywords[i], &byte, &place),
           .message = say("the keyword “%s” is not rightly encoded", keywords[i]),
           .expected = byte
                           ? say("“%s” with %%%02X (or as it is, if it is unreserved) for its byte "
                                 "0x%02X",
                                 keywords[i], byte, byte)
                           : "its encoding, and nothing more",
           .actual = target, .cause = encoding_cause(byte, place));
  }
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

/* Whether the student's machine itself opened a connection to a site. */
static bool connected_directly(void) {
  struct frames all = frames_all();
  for (size_t i = 0; i < all.count; i++) {
    const struct frame *frame = &all.list[i];
    if (frame->protocol == IPPROTO_TCP && frame->tcp_flags == TH_SYN &&
        strcmp(frame->host, "localhost") == 0 && is_site(frame->destination))
      return true;
  }
  return false;
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
  EXPECT(one.count > 0, .message = "through the proxy search-easy asks nothing",
         .expected = "CONNECT www.google.com:443 (RFC 9110, 9.3.6), then TLS, then the request",
         .actual = asked(&one));
}

static void check_direct(const char *name) {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  name_proxy();
  struct search one = search(&web, name, KEYWORD);
  int connections = connections_to(web.proxy);
  EXPECT(connections == 0,
         .message = say("%s goes through the proxy that the environment names", name),
         .expected = "a connection to the site itself, whatever http_proxy and https_proxy say",
         .actual = say("%s to the proxy", counted((size_t)connections, "connection")),
         .cause = "a high-level library does the work; this program is to stand on a lower one");
  expect_question(&one);
}

CHECK(http_connects_directly, "http-search.8", "search-http") {
  check_direct("search-http");
}

CHECK(tls_connects_directly, "http-search.8", "search-tls") {
  check_direct("search-tls");
}
