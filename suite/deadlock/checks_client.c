/* deadlock: what the clients send and print. */
#define LAB deadlock
#include "service.h"

#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

/* A client, and the grader's end of its connection. */
struct talk {
  struct program *client;
  struct connection *server;
};

/* Why it does not connect to `listener`'s port. */
static const char *not_connected_cause(struct program *client, const char *const *arguments,
                                       int port) {
  struct frames all = frames_all();
  struct address tried = {0};
  for (size_t i = 0; i < all.count; i++)
    if (all.list[i].protocol == IPPROTO_TCP && (all.list[i].tcp_flags & TH_SYN) &&
        !(all.list[i].tcp_flags & TH_ACK))
      tried = all.list[i].destination; /* others before it were clients before */
  if (tried.port && tried.port != port)
    return say("it connects to port %d: -p %d says where", tried.port, port);
  const char *host = arguments[2];
  if (tried.port && isdigit((unsigned char)host[0]) && address(host, port).ip != tried.ip)
    return say("it connects to %s: HOST says where, and is %s here", address_text(tried), host);
  if (arguments[2] && !*arguments[2] && await_exit(client, 0))
    return "an empty HOST means this machine: hand NULL to getaddrinfo(), not \"\"; in Python "
           "'localhost'";
  return NULL;
}

static struct talk talk_begin(struct listener *listener, int port, const char *const *arguments) {
  struct talk talk = {.client = start_with(localhost(), arguments[0], arguments)};
  talk.server = tcp_accept(listener, PATIENCE);
  const char *line = "";
  for (size_t i = 0; arguments[i]; i++)
    line = say("%s%s%s", line, i ? " " : "", *arguments[i] ? arguments[i] : "''");
  EXPECT(talk.server, .message = say("“%s” does not connect where it should", line),
         .expected = "a connection to HOST (this machine, if it is empty) and PORT",
         .actual =
             say("none within %g s; it %s\n%s", PATIENCE, doing(talk.client), printed(talk.client)),
         .cause = not_connected_cause(talk.client, arguments, port));
  return talk;
}

/* Sends the bytes, however long that takes. */
static void send_whole(struct connection *connection, const uint8_t *bytes, size_t length) {
  enum { TRIES = 1000 };
  size_t sent = 0;
  for (int i = 0; i < TRIES && sent < length; i++) {
    sent += tcp_send(connection, bytes + sent, length - sent);
    if (sent < length)
      pass(0.01);
  }
}

static uint8_t *repeated(const char *text, size_t length) {
  uint8_t *bytes = (uint8_t *)say("%*s", (int)length, "");
  for (size_t i = 0; i < length; i++)
    bytes[i] = (uint8_t)text[i % CHUNK];
  return bytes;
}

/* ---- deadlock.3 ---- */

/* Why the client's stream is not so long, or not that text. */
static const char *stream_cause(struct stream_so_far sent, size_t length, size_t asked) {
  if (asked % CHUNK && sent.length == asked / CHUNK * CHUNK)
    return say("BYTES was rounded down, to %zu: it is rounded up to a multiple of 16", sent.length);
  if (sent.length == asked && asked != length)
    return "BYTES is rounded up to a multiple of 16";
  if (sent.length == length)
    return "the text is another one: capitalize this!, 16 bytes, in small letters";
  return sent.length < length ? "send() may take less than it was given: go on behind that"
                              : "more was sent: is each chunk of 16 bytes, without a '\\0'?";
}

/* `asked`: BYTES. */
static void expect_stream(const struct talk *talk, size_t length, size_t asked) {
  const uint8_t *wanted = repeated(CHUNK_TEXT, length);
  tcp_await_bytes(talk->server, length, PATIENCE);
  enum tcp_end end = tcp_await_end(talk->server, PATIENCE);
  struct stream_so_far sent = tcp_received(talk->server);
  EXPECT(sent.length == length && memcmp(sent.bytes, wanted, length) == 0,
         .message = "the client does not send what is required",
         .expected = say("%zu bytes: %s again and again", length, CHUNK_TEXT),
         .actual = sent.length == 0
                       ? say("nothing; it %s\n%s", doing(talk->client), printed(talk->client))
                       : say("%s\n%s", counted(sent.length, "byte"),
                             difference(wanted, length, sent.bytes, sent.length)),
         .cause = stream_cause(sent, length, asked));
  EXPECT(end == TCP_FINISHED, .message = "the client does not half-close after its last byte",
         .expected = "FIN, before the whole answer has come",
         .actual = end == TCP_RESET
                       ? "RST"
                       : say("no FIN within %g s; it %s", PATIENCE, doing(talk->client)),
         .cause = "shutdown(fd, SHUT_WR) says that nothing more will come; the server cannot know "
                  "otherwise, and waits");
}

/* Answers as it reads, but reads seldom, so that there is no room now and then; and holds back the
 * last chunk. Returns how much it has answered. */
static size_t answer_slowly(const struct talk *talk, const uint8_t *answer, size_t length) {
  enum { TRIES = 50 };
  size_t answered = 0;
  for (int i = 0; i < TRIES; i++) {
    tcp_stop_reading(talk->server);
    pass(0.1);
    tcp_read_on(talk->server);
    pass(0.01);
    struct stream_so_far sent = tcp_received(talk->server);
    size_t due = sent.length < length - CHUNK ? sent.length : length - CHUNK;
    if (due > answered)
      answered += tcp_send(talk->server, answer + answered, due - answered);
    if (sent.length >= length || sent.end != TCP_OPEN)
      break;
  }
  return answered;
}

/* Why there is no line on how many bytes are sent. */
static const char *not_announced_cause(struct lines seen, size_t length) {
  const char *cause =
      nearly_cause(seen, say("Sending %zu bytes of data, in chunks of 16 bytes", length));
  return cause ? cause : "no line begins with “Sending”";
}

static void check_stream(struct listener *listener, int port, const char *const *arguments,
                         size_t length, bool slowly) {
  struct talk talk = talk_begin(listener, port, arguments);
  const char *bytes = arguments[3];
  size_t asked = bytes && isdigit((unsigned char)*bytes) ? strtoul(bytes, NULL, 10) : CHUNK;
  const uint8_t *answer = repeated(ANSWER_TEXT, length);
  size_t answered = slowly ? answer_slowly(&talk, answer, length) : 0;
  expect_stream(&talk, length, asked);
  bool left = await_exit(talk.client, 0.2);
  if (!left)
    send_whole(talk.server, answer + answered, length - answered);
  pass(0.2);
  bool refused = tcp_received(talk.server).end == TCP_RESET;
  EXPECT(!left && !refused, .message = "the client does not go on reading after its last byte",
         .expected = "it half-closes, and reads the answer until the server closes",
         .actual = left ? say("it %s before any answer came\n%s", doing(talk.client),
                              printed(talk.client))
                        : "it answers the server's bytes with RST",
         .cause = "shutdown() with SHUT_WR, not SHUT_RDWR, and not close()");
  tcp_finish(talk.server);
  tcp_close(talk.server);
  double number = 0;
  bool said = false;
  await_exit(talk.client, PATIENCE);
  struct lines all = lines(talk.client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    said |= line_matches(all.list[i].text, "Sending %n bytes of data, in chunks of 16 bytes",
                         &number) &&
            number == (double)length;
  EXPECT(said, .message = "the client does not print how many bytes it sends",
         .expected = say("Sending %zu bytes of data, in chunks of 16 bytes", length),
         .actual = printed(talk.client), .cause = not_announced_cause(all, length));
}

static void check_client_sends(const char *name) {
  enum { ELSEWHERE = 60007, OTHER = 60008 };
  struct listener *listener = tcp_listen("server", "0.0.0.0", PORT);
  check_stream(listener, PORT, (const char *const[]){name, "client", "127.0.0.1", NULL}, 16, false);
  check_stream(listener, PORT, (const char *const[]){name, "client", "127.0.0.1", "1", NULL}, 16,
               false);
  check_stream(listener, PORT, (const char *const[]){name, "client", "localhost", "17", NULL}, 32,
               false);
  check_stream(listener, PORT, (const char *const[]){name, "client", "", "1000", NULL}, 1008,
               false);
  struct listener *elsewhere = tcp_listen("server", "127.0.0.1", ELSEWHERE);
  check_stream(elsewhere, ELSEWHERE,
               (const char *const[]){name, "client", "127.0.0.1", "48", "-p", "60007", NULL}, 48,
               false);
  check_stream(elsewhere, ELSEWHERE,
               (const char *const[]){name, "client", "127.0.0.1", "-p", "60007", NULL}, 16, false);
  struct listener *other = tcp_listen("server", "127.0.0.2", OTHER);
  check_stream(other, OTHER,
               (const char *const[]){name, "client", "127.0.0.2", "-p", "60008", NULL}, 16, false);

  fresh_world();
  set_tcp_buffers(localhost(), SMALL_RECEIVE, SMALL_SEND);
  listener = tcp_listen("server", "127.0.0.1", PORT);
  check_stream(listener, PORT, (const char *const[]){name, "client", "127.0.0.1", "32000", NULL},
               32000, true);
}

EACH_PROGRAM(client_sends, "deadlock.3", check_client_sends)

/* ---- deadlock.4 ---- */

#define FIRST_SAYS "The first chunk received says"

/* Whether it is b'…' with any beginning of the answer between the quotes, or the like. */
static bool says_beginning(const char *line) {
  if (strncmp(line, FIRST_SAYS, strlen(FIRST_SAYS)) != 0)
    return false;
  const char *text = line + strlen(FIRST_SAYS);
  text += strspn(text, " ");
  if (*text == 'b' && (text[1] == '\'' || text[1] == '"'))
    text++;
  size_t length = strlen(text);
  if (length >= 2 && (*text == '\'' || *text == '"') && text[length - 1] == *text) {
    text++;
    length -= 2;
  }
  for (size_t i = 0; i < length; i++)
    if (text[i] != ANSWER_TEXT[i % CHUNK])
      return false;
  return length > 0;
}

enum { MANY = 70016, WHOLE = -1 };

/* Lets the client send, and answers with the first `answered` bytes of what is due, all at once or
 * cut. */
static struct program *answer_client(const char *name, size_t length, size_t answered, int first) {
  struct listener *listener = tcp_listen("server", "127.0.0.1", PORT);
  struct talk talk = talk_begin(
      listener, PORT, (const char *const[]){name, "client", "127.0.0.1", say("%zu", length), NULL});
  tcp_await_bytes(talk.server, length, PATIENCE);
  tcp_await_end(talk.server, 0.5); /* if it says FIN at all: that is deadlock.3's business */
  uint8_t *answer = repeated(ANSWER_TEXT, answered);
  if (first == WHOLE) {
    send_whole(talk.server, answer, answered);
  } else {
    enum { PIECE_SIZE = 7 };
    tcp_send(talk.server, answer, (size_t)first);
    pass(0.2);
    tcp_send_cut(talk.server, answer + first, answered - (size_t)first, PIECE_SIZE, 0.001);
  }
  tcp_finish(talk.server);
  await_exit(talk.client, PATIENCE);
  tcp_close(talk.server);
  await_exit(talk.client, 1);
  return talk.client;
}

static const char *not_shown_cause(struct lines seen) {
  if (refused_cause())
    return refused_cause();
  for (size_t i = 0; i < seen.count; i++)
    if (strncmp(seen.list[i].text, FIRST_SAYS, strlen(FIRST_SAYS)) == 0)
      return strstr(seen.list[i].text, "capit")
                 ? "this is what was sent: the answer is in upper case, show what recv() returned"
                 : "what stands there is not the beginning of the answer";
  return "no line begins with “" FIRST_SAYS "”: print it when the first bytes of the answer come";
}

static void expect_answer_shown(const char *name, size_t length, int first) {
  struct program *client = answer_client(name, length, length, first);
  bool said = false;
  struct lines all = lines(client, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    said |= says_beginning(all.list[i].text);
  EXPECT(said, .message = "the client does not print the first chunk that it received",
         .expected = say("The first chunk received says b'%.*s' (or as much of the answer as came "
                         "first)",
                         first == WHOLE ? CHUNK : first, ANSWER_TEXT),
         .actual = say("%s\n%s %s", printed(client), name, doing(client)),
         .cause = not_shown_cause(all));
  double total = last_total(client, TOTAL_RECEIVED);
  EXPECT(total == (double)length, .message = "the client does not print how many bytes it received",
         .expected = say("at the end: %zu bytes received", length),
         .actual = say("%s\n%s %s", printed(client), name, doing(client)),
         .cause = total_cause(total, (double)length, 0));
  expect_success(client, say("%s client, after the answer to %zu bytes,", name, length));
}

static void check_client_prints(const char *name) {
  expect_answer_shown(name, CHUNK, CHUNK);
  fresh_world();
  expect_answer_shown(name, 320, 5);
  fresh_world();
  expect_answer_shown(name, MANY, WHOLE);

  /* Whether it is content with that is its own affair. */
  fresh_world();
  struct program *client = answer_client(name, 320, 200, CHUNK);
  double total = last_total(client, TOTAL_RECEIVED);
  EXPECT(total < 0 || total == 200, .message = "the client counts bytes that it has not received",
         .expected = "200 bytes received, when no more came before the server closed",
         .actual = printed(client), .cause = "count what recv() returned, not what was sent");
}

EACH_PROGRAM(client_prints, "deadlock.4", check_client_prints)
