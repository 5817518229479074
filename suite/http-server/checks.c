/* http-server: where it listens, and what its response is. (checks_requests.c: how requests come;
 * checks_serving.c: how many, and how it ends; checks_bad_clients.c: clients that leave, or ask too
 * much.) */
#define LAB http_server
#include "visit.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

/* ---- where ---- */

/* Whether the text stands in a line of its output, as a whole: not a part of a longer number. */
static bool shows_url(struct program *server) {
  struct lines all = lines(server, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    for (const char *at = all.list[i].text; (at = strstr(at, URL)); at++)
      if (!isdigit((unsigned char)at[strlen(URL)]))
        return true;
  return false;
}

static bool await_url(struct program *server) {
  enum { TRIES = 20 };
  for (int i = 0; i < TRIES && !shows_url(server); i++)
    pass(0.1);
  return shows_url(server);
}

static const char *url_cause(struct program *server) {
  struct lines all = lines(server, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    if (strstr(all.list[i].text, "localhost:8001"))
      return "a name stands there, localhost: the address is required, 127.0.0.1";
  const char *cause = missing_line_cause(server, STDOUT, URL);
  return cause ? cause : "no line has it: print " URL " when the socket listens";
}

/* Ends the check if it listens elsewhere; `when`: " after …". */
static void expect_nothing_besides(struct program *server, struct address listening,
                                   const char *when) {
  struct address wanted = at_home();
  const char *besides = tcp_listening_besides(server, wanted);
  if (!besides)
    besides = tcp_listening_on_other_ports(server, PORT);
  EXPECT(address_equal(listening, wanted) && !besides,
         .message = say("the server does not listen on 127.0.0.1 only%s", when),
         .expected = say("%s, and nothing else", address_text(wanted)),
         .actual = besides ? besides : address_text(listening),
         .cause = listening.ip && tcp_connect("client", "127.0.0.1", wanted)
                      ? say("there is a listening socket too many, %s: one is enough", besides)
                      : bound_cause(wanted, listening));
}

CHECK(listens_on_127_0_0_1, "http-server.1", "http-server") {
  struct lan *lan = new_lan("LAN", 1500);
  struct host *stranger = new_host("stranger");
  attach(localhost(), lan, "192.168.1.2/24");
  attach(stranger, lan, "192.168.1.3/24");
  struct program *server = begin_server();
  struct address listening = await_tcp_listening(server, PORT);
  expect_nothing_besides(server, listening, "");
  EXPECT(!tcp_connect_at(stranger, "stranger", NULL, address("192.168.1.2", PORT)),
         .message = "the server can be reached from another host",
         .expected = "no connection to 192.168.1.2:8001", .actual = "there is one");
  EXPECT(await_url(server), .message = "the server does not print where it is to be found",
         .expected = "a line " URL, .actual = printed(server), .cause = url_cause(server));
  for (int clients = 0; clients < 2; clients++) {
    struct connection *client = tcp_connect("client", "127.0.0.1", at_home());
    if (!client) /* whether it serves a second one is another requirement's business */
      return;
    tcp_send_text(client, REQUEST);
    await_response(client);
    tcp_close(client);
    settle();
    expect_nothing_besides(server, listening, say(" when it has had a client"));
  }
}

/* ---- the response ---- */

/* "text/plain; charset=utf-8", in whatever case; the space is free, and so are quotes. */
static bool is_plain_utf_8(const char *value) {
  static const char type[] = "text/plain", parameter[] = "charset=";
  if (strncasecmp(value, type, strlen(type)) != 0)
    return false;
  value += strlen(type);
  value += strspn(value, " \t");
  if (*value++ != ';')
    return false;
  value += strspn(value, " \t");
  if (strncasecmp(value, parameter, strlen(parameter)) != 0)
    return false;
  value += strlen(parameter);
  return strcasecmp(value, "utf-8") == 0 || strcasecmp(value, "\"utf-8\"") == 0;
}

/* The header beside what is required of it, a line each. */
static const char *header_table(const struct response *response) {
  const struct {
    const char *name, *required, *received;
    bool right;
  } rows[] = {
      {"status line", "HTTP/1.0 200 OK", response->status_line,
       strcmp(response->status_line, "HTTP/1.0 200 OK") == 0},
      {"Date", "(there is one)", response_field(response, "Date"),
       response_field(response, "Date")},
      {"Content-Type", "text/plain; charset=utf-8", response_field(response, "Content-Type"),
       response_field(response, "Content-Type") &&
           is_plain_utf_8(response_field(response, "Content-Type"))},
      {"Content-Length", "(there is one)", response_field(response, "Content-Length"),
       response_field(response, "Content-Length")},
      {"empty line", "there", response->has_empty_line ? "there" : NULL, response->has_empty_line},
      {"body", quoted(BODY, BODY_LENGTH), quoted(response->body, response->body_length),
       response->body_length >= BODY_LENGTH && memcmp(response->body, BODY, BODY_LENGTH) == 0},
  };
  const char *table = say("  %-14s  %-25s  %s", "", "required", "received");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    table = say("%s\n%s %-14s  %-25s  %s", table, rows[i].right ? " " : "*", rows[i].name,
                rows[i].required, rows[i].received ? rows[i].received : "(none)");
  return table;
}

/* The number of the first line of the header, counted from 1, that does not end in CR LF, or has
 * one more CR; 0: there is none. */
static int bare_line(const struct response *response) {
  const uint8_t *bytes = response->stream.bytes;
  int line = 1;
  for (size_t i = 0; i < response->header_length; i++) {
    if (bytes[i] == '\r' && i + 1 < response->header_length && bytes[i + 1] != '\n')
      return line;
    if (bytes[i] != '\n')
      continue;
    if (i == 0 || bytes[i - 1] != '\r')
      return line;
    line++;
  }
  return 0;
}

/* A line between the first and the empty one that is no header field; NULL: there is none. */
static const char *line_without_colon(const struct response *response) {
  const char *text = (const char *)response->stream.bytes, *end = text + response->header_length;
  for (const char *line = text + strcspn(text, "\n") + 1; line < end;
       line += strcspn(line, "\n") + 1) {
    size_t length = strcspn(line, "\r\n");
    size_t name = strcspn(line, ": \t\r\n");
    if (length > 0 && (name == 0 || line[name] != ':'))
      return say("%.*s", (int)length, line);
  }
  return NULL;
}

static const char *status_cause(const char *line) {
  if (strncmp(line, "HTTP/1.1 ", strlen("HTTP/1.1 ")) == 0)
    return "the response's version is the server's own, whatever the request says: HTTP/1.0";
  if (strncasecmp(line, "HTTP/", strlen("HTTP/")) != 0)
    return "a response begins with its status line";
  if (strcmp(line, "HTTP/1.0 200") == 0 || strcmp(line, "HTTP/1.0 200 ") == 0)
    return "the reason phrase, OK, is missing at its end";
  if (!strstr(line, " 200"))
    return "200 is the status that says that all is well";
  return words_cause("HTTP/1.0 200 OK", line);
}

static const char *type_cause(const char *type) {
  if (!type)
    return "there is no such line: without it the client has to guess";
  if (strcasestr(type, "html"))
    return "the body is plain text, no HTML: text/plain";
  if (!strcasestr(type, "charset"))
    return "the charset is missing: text/plain; charset=utf-8";
  return words_cause("text/plain; charset=utf-8", type);
}

static void expect_header(const struct response *response) {
  const char *expected = "the response's header, and the body “Hello World”",
             *table = header_table(response), *type = response_field(response, "Content-Type");
  EXPECT(strcmp(response->status_line, "HTTP/1.0 200 OK") == 0,
         .message = "the status line is not HTTP/1.0 200 OK", .expected = expected, .actual = table,
         .cause = status_cause(response->status_line));
  EXPECT(response->has_empty_line, .message = "no empty line ends the response's header",
         .expected = expected, .actual = table,
         .cause = "\\r\\n ends the last line, and another \\r\\n is the empty line");
  EXPECT(response_field(response, "Date"), .message = "the response has no Date",
         .expected = expected, .actual = table,
         .cause = "a line Date: with the current time in GMT is missing (gmtime(), strftime())");
  EXPECT(type && is_plain_utf_8(type),
         .message = "the response's Content-Type is not text/plain; charset=utf-8",
         .expected = expected, .actual = table, .cause = type_cause(type));
  EXPECT(response_field(response, "Content-Length"),
         .message = "the response has no Content-Length", .expected = expected, .actual = table,
         .cause = "a line Content-Length: 11 is missing: so many bytes has the body");
}

/* A body that goes on with other words, which Content-Length counts. White space and a NUL at its
 * end, and what comes behind a body of 11 bytes, are another requirement's business. */
static bool has_more_words(const struct response *response) {
  const char *length = response_field(response, "Content-Length");
  size_t size = length ? strtoul(length, NULL, 10) : 0;
  for (size_t i = BODY_LENGTH; i < size && i < response->body_length; i++)
    if (isgraph(response->body[i]))
      return true;
  return false;
}

static void expect_response(const struct response *response) {
  expect_header(response);
  int bare = bare_line(response);
  EXPECT(bare == 0, .message = say("line %d of the header does not end in CR LF", bare),
         .expected = "\\r\\n at the end of each line of the header, the empty one too",
         .actual = quoted(response->stream.bytes, response->header_length),
         .cause =
             memmem(response->stream.bytes, response->header_length, "\r\r", 2)
                 ? "there is one \\r too many: does something write \\r\\n for each \\n, and so "
                   "\\r\\r\\n for \\r\\n?"
                 : "HTTP's lines end in CR LF, on every system");
  const char *odd = line_without_colon(response);
  EXPECT(!odd, .message = "a line of the header is no header field", .expected = "Name: value",
         .actual = odd);
  bool right =
      response->body_length >= BODY_LENGTH && memcmp(response->body, BODY, BODY_LENGTH) == 0;
  size_t shown = right ? response->body_length : BODY_LENGTH;
  EXPECT(right && !has_more_words(response), .message = "the body is not “Hello World”",
         .expected = quoted(BODY, BODY_LENGTH),
         .actual = difference(BODY, BODY_LENGTH, response->body, response->body_length),
         .cause = words_cause(BODY, say("%.*s", (int)shown, (const char *)response->body)));
}

/* Has the responses to one client after another judged, and those to long requests and to others.
 * Whether all of these are served is the business of other requirements. */
static void judge_responses(void (*judge)(const struct response *response)) {
  const char *const requests[] = {REQUEST, REQUEST_WITH_NEWLINES, long_request(LONGEST), REQUEST,
                                  long_request(2000)};
  struct house house = open_house();
  judge(&house.first);
  judge(&house.usual);
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    open_again(&house);
    struct connection *client = tcp_connect("client", "127.0.0.1", at_home());
    if (!client)
      continue;
    size_t length = strlen(requests[i]), piece = i % 2 == 0 ? length : length / 2;
    tcp_send_cut(client, requests[i], length, piece, 0.01);
    struct response response = await_response(client);
    tcp_close(client);
    if (is_as_good(&response, &house.usual))
      judge(&response);
  }
}

CHECK(responds, "http-server.2", "http-server") {
  judge_responses(expect_response);
}

static const char *length_cause(const char *length, const struct response *response) {
  if (!length)
    return "a line Content-Length: 11 is missing";
  if (strcmp(length, "12") != 0)
    return NULL;
  if (response->body_length > BODY_LENGTH && isgraph(response->body[BODY_LENGTH]))
    return "more than “Hello World” is sent, and counted";
  return response->body_length > BODY_LENGTH && response->body[BODY_LENGTH] == '\n'
             ? "a newline is sent behind the body, and counted: it is no part of the 11 bytes"
             : "12 are promised: is C's terminating NUL counted, which sizeof does, and strlen() "
               "does not?";
}

static bool is_11(const char *length) {
  return length && *length && strspn(length, "0123456789") == strlen(length) &&
         strtol(length, NULL, 10) == BODY_LENGTH;
}

static void expect_length(const struct response *response) {
  const char *length = response_field(response, "Content-Length");
  EXPECT(is_11(length), .message = "Content-Length is not 11", .expected = "Content-Length: 11",
         .actual = length ? say("Content-Length: %s", length) : "no Content-Length",
         .cause = length_cause(length, response));
  const char *other = response_field_again(response, "Content-Length");
  EXPECT(!other || is_11(other),
         .message = "there are two Content-Length that contradict each other",
         .expected = "Content-Length: 11",
         .actual = say("Content-Length: %s, and Content-Length: %s", length, other),
         .cause = "one is right, 11");
  EXPECT(response->body_length == BODY_LENGTH,
         .message = say("the body has %s, not 11", counted(response->body_length, "byte")),
         .expected = "exactly 11 bytes behind the empty line",
         .actual = difference(BODY, BODY_LENGTH, response->body, response->body_length),
         .cause = bytes_cause(BODY, BODY_LENGTH, response->body, response->body_length));
}

CHECK(counts_its_body, "http-server.3", "http-server") {
  judge_responses(expect_length);
}

/* ---- the date ---- */

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT". */
static const char *fixdate(time_t seconds) {
  struct tm when;
  gmtime_r(&seconds, &when);
  return say("%s, %02d %s %04d %02d:%02d:%02d GMT", days[when.tm_wday], when.tm_mday,
             months[when.tm_mon], when.tm_year + 1900, when.tm_hour, when.tm_min, when.tm_sec);
}

static const char *date_cause(const char *date, time_t now) {
  enum { HOUR = 3600, ZONES = 14, SLACK = 60 };
  const char *right = fixdate(now);
  for (time_t shift = -ZONES * HOUR; shift <= ZONES * HOUR; shift += HOUR)
    for (time_t late = -2; shift && late <= 2; late++)
      if (strcmp(date, fixdate(now + shift + late)) == 0)
        return abs((int)(shift / HOUR)) == 12
                   ? "it is 12 h off: is the hour one of twelve (%I)? HTTP's is one of 24 (%H)"
                   : say("it is %+d h from now: that is the time of another zone; GMT is what gmtime() "
                         "gives, and localtime() does not",
                         (int)(shift / HOUR));
  for (time_t age = 3; age <= SLACK; age++)
    if (strcmp(date, fixdate(now - age)) == 0)
      return say("it is %d s old: make it for each response, not once", (int)age);
  if (strncmp(date, right, strlen("Sun, 06 Nov ")) == 0 &&
      strncmp(date, right, strlen("Sun, 06 Nov 1994")) != 0)
    return "the year is not this one: %Y of strftime() is the calendar's, %G that of the week, which "
           "at New Year may belong to the other one";
  if (strncasecmp(date, right, strlen("Sun, 06 Nov 1994")) == 0 &&
      strncmp(date, right, strlen("Sun, 06 Nov 1994")) != 0)
    return "the names of days and months are written as Mon and Nov: upper and lower case matter";
  if (!strchr(date, ','))
    return "that is the form of asctime() and ctime(); HTTP's is strftime()'s "
           "\"%a, %d %b %Y %H:%M:%S GMT\"";
  if (strstr(date, "GMT") && strlen(date) < strlen(right))
    return "each number has two digits, the year four: 05, not 5";
  if (!strstr(date, "GMT"))
    return "the time is in GMT, and says so with these letters";
  return NULL;
}

/* `latest`: when the response was there. (That there is one is not this requirement's business, and
 * yet it cannot be met without.) */
static void expect_date(const struct response *response, double earliest, double latest) {
  const char *date = response_field(response, "Date");
  EXPECT(response->stream.length > 0, .message = "the server does not respond",
         .expected = say("a response with Date: %s", fixdate((time_t)latest)),
         .actual = response_text(response));
  EXPECT(date, .message = "the response has no Date", .expected = fixdate((time_t)latest),
         .actual = "no Date",
         .cause = "a line Date: with the current time in GMT is missing (gmtime(), strftime())");
  for (time_t second = (time_t)earliest - 2; second <= (time_t)latest + 2; second++)
    if (strcmp(date, fixdate(second)) == 0)
      return;
  check_fail((struct failure_report){
      .message = "Date is not the current time, as HTTP writes it",
      .expected = say("%s, or up to 2 s earlier or later", fixdate((time_t)latest)),
      .actual = date,
      .cause = date_cause(date, (time_t)latest)});
}

/* In the world as it is. */
static void check_date(void) {
  struct program *server = start_server();
  double before = wall_clock();
  struct response response = visit(server, "a client", REQUEST);
  expect_date(&response, before, wall_clock());
}

CHECK(tells_the_time, "http-server.10", "http-server") {
  /* Whether each of its numbers has two digits, the hour is one of 24, and so on. */
  fresh_world_at(5, 14, 3, 6);
  check_date();
  fresh_world_at(28, 8, 59, 30);
  check_date();
  fresh_world_at(19, 0, 30, 59);
  check_date();
  fresh_world_at_new_year(9, 5, 17);
  check_date();
  /* A date that is made once, or not each time, is too old then. */
  static const double later[] = {0, 2.9, 3.4, 4.2};
  struct house house = open_house();
  fresh_world();
  house.server = start_server();
  for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
    pass(later[i]);
    double before = wall_clock();
    struct response response = visit(house.server, "a client", REQUEST);
    expect_date(&response, before, wall_clock());
    open_again(&house);
  }
}

/* ---- a real client ---- */

/* Why libcurl, which believes the header, is not satisfied. */
static const char *libcurl_cause(struct program *server, const char *error) {
  struct connection *client = tcp_connect("another client", "127.0.0.1", at_home());
  if (!client)
    return silence_cause(server);
  tcp_send_text(client, REQUEST);
  struct response response = await_response(client);
  if (response_field(&response, "Transfer-Encoding"))
    return "the header says Transfer-Encoding, and the body has no chunks: HTTP/1.0 knows none, "
           "leave the line out";
  if (response_field_again(&response, "Content-Length"))
    return "there are two Content-Length that contradict each other: one is right, 11";
  return strstr(error, "remaining") ? "Content-Length promises more bytes than come" : NULL;
}

CHECK(satisfies_libcurl, "http-server.12", "http-server") {
  struct program *server = start_server();
  struct http_response got = http_get_at(localhost(), URL "/", PATIENCE);
  EXPECT(got.ok, .message = "libcurl is not satisfied", .expected = "200, and the body",
         .actual = say("%s; the server %s\n%s", got.error, doing(server), printed(server)),
         .cause = libcurl_cause(server, got.error));
  EXPECT(got.status == 200, .message = say("libcurl gets status %d", got.status),
         .expected = "200 OK", .actual = got.header,
         .cause = "200 is the status that says that all is well");
  EXPECT(got.body_length >= BODY_LENGTH && memcmp(got.body, BODY, BODY_LENGTH) == 0,
         .message = "libcurl gets another body", .expected = quoted(BODY, BODY_LENGTH),
         .actual = difference(BODY, BODY_LENGTH, got.body, got.body_length),
         .cause = words_cause(BODY, say("%.*s", (int)got.body_length, (const char *)got.body)));
}
